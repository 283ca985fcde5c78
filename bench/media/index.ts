// `npm run bench -- media [--quick]`: files encrypted and decrypted by us, by nothing but the platform's cipher, and by age; what a
// process needs for it; and files on their way to the server. The reference is the cipher over the whole buffer, which can neither
// stream nor resume; of uploads it is a Worker that puts what it gets into the bucket.

import { join } from "node:path";
import { printTable, toRows, writeResults } from "../report.ts";
import { Rounds } from "../rounds.ts";
import { measureMemory } from "./memory.ts";
import { measureSpeed } from "./speed.ts";
import { WHOLE } from "./subjects.ts";
import { measureUploads, PLAIN_PUT } from "./upload.ts";

const FULL = {
  speed: { rounds: 7, milliseconds: 500, mebibytes: [1, 16] },
  memory: 5,
  uploads: { rounds: 5, mebibytes: 100 },
};
const QUICK = {
  speed: { rounds: 3, milliseconds: 150, mebibytes: [1, 16] },
  memory: 1,
  uploads: { rounds: 2, mebibytes: 32 },
};

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- media [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
const [ciphers, uploads] = [new Rounds(), new Rounds()];
await measureSpeed(ciphers, plan.speed);
measureMemory(ciphers, plan.memory);
await measureUploads(uploads, plan.uploads);
const rows = [...toRows(ciphers.measured, WHOLE), ...toRows(uploads.measured, PLAIN_PUT)];
printTable(rows);
writeResults(join(import.meta.dirname, "..", "results", "media.json"), WHOLE, rows);
