// The store in a file: what every store does.

import { join } from "node:path";
import { sqlite } from "edgewise/store/node-sqlite";
import { describe } from "vitest";
import { storeConformance } from "../../conformance/store.ts";
import { temporaryFolder } from "./files.ts";

describe("sqlite", () => {
  storeConformance(() => {
    const path = join(temporaryFolder(), "store.db");
    return { open: () => sqlite(path) };
  });
});
