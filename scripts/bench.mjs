// `npm run bench -- NAME [--quick]`: runs bench/NAME/index.ts under Node 24. The benchmarks know nothing of this file.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { prepare, root, run } from "./setup.mjs";

const [name, ...args] = process.argv.slice(2);
// The floor is what a benchmark measures against, and none itself.
const names = readdirSync(join(root, "bench")).filter((entry) => entry !== "floor" && existsSync(join(root, "bench", entry, "index.ts")));

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--quick]\nNAME is one of: ${names.join(", ")}`);
  process.exit(2);
}
prepare(import.meta.url);
process.exit(run(process.execPath, [join(root, "bench", name, "index.ts"), ...args]) ? 0 : 1);
