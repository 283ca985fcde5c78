// `npm run bench -- client [--quick]`: two clients, each a process with a SQLite file, through a server on this machine. Beside
// them the floor, which carries and stores bytes and nothing more, and the official library, which does the cipher and nothing
// more: what lies between is ours.

import { join } from "node:path";
import { startBenchServer } from "../bench-server.ts";
import { printTable, toRows, writeResults } from "../report.ts";
import { Rounds } from "../rounds.ts";
import { cipherOnly, converse, type Plan, type Subject } from "./works.ts";

const FULL: Plan = { rounds: 3, queued: 5000, pipelined: 1000, singles: 100, strangers: 3 };
const QUICK: Plan = { rounds: 1, queued: 1000, pipelined: 200, singles: 20, strangers: 1 };
const REFERENCE = "libsignal-client 0.103.0";

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- client [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
const rounds = new Rounds();
const [ours, floor] = [await startBenchServer("edgewise"), await startBenchServer("floor")];
try {
  const subjects: readonly Subject[] = [
    { name: "edgewise (node)", file: "edgewise.ts", args: ["node"], server: ours },
    { name: "edgewise (noble)", file: "edgewise.ts", args: ["noble"], server: ours },
    { name: "floor", file: "floor.ts", args: [], server: floor },
  ];
  for (let round = 0; round < plan.rounds; round++) {
    for (const subject of subjects) rounds.note(subject.name, await converse(subject, plan));
    rounds.note(REFERENCE, await cipherOnly(plan));
  }
  const rows = toRows(rounds.measured, REFERENCE);
  printTable(rows);
  writeResults(join(import.meta.dirname, "..", "results", "client.json"), REFERENCE, rows);
} finally {
  await ours.end();
  await floor.end();
}
