// `npm run demo`: installs what is missing, then plays examples/demo.ts, which says what it shows.

import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { prepare, root } from "./setup.mjs";

prepare(import.meta.url, "what is served");
await import(pathToFileURL(join(root, "examples", "demo.ts")).href);
