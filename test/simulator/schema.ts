// The tables of D1, as they are deployed.

import { readFileSync } from "node:fs";

export function readSchema(): string {
  return readFileSync(new URL("../../schema.sql", import.meta.url), "utf8");
}
