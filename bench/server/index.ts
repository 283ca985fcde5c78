// `npm run bench -- server [--quick]`: our server beside the floor, in interleaved rounds, over real HTTP and WebSockets
// from this process. Needs Linux, for /proc.

import { join } from "node:path";
import { printTable, toRows, writeResults } from "../report.ts";
import { type Figure, Rounds } from "../rounds.ts";
import { startSubject, type Subject } from "./subjects.ts";
import { units } from "./units.ts";
import { connects, idle, offline, paced, PAIRS, pairs } from "./works.ts";

interface Plan {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly queued: number;
  readonly connects: number;
  readonly users: number;
}

const FULL: Plan = { rounds: 3, milliseconds: 4000, queued: 60, connects: 10, users: 150 };
const QUICK: Plan = { rounds: 1, milliseconds: 1500, queued: 20, connects: 3, users: 2 * PAIRS + 14 };
const REFERENCE = "floor";

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- server [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
const subjects: Subject[] = [];
const rounds = new Rounds();
try {
  for (const name of ["edgewise", REFERENCE] as const) subjects.push(await startSubject(name, plan.users));
  const works: readonly ((subject: Subject) => Promise<readonly Figure[]>)[] = [
    async (subject) => await pairs(subject, 1, plan.milliseconds),
    async (subject) => await pairs(subject, 16, plan.milliseconds),
    async (subject) => await paced(subject, 200, plan.milliseconds),
    async (subject) => await offline(subject, plan.queued),
    async (subject) => await connects(subject, plan.connects),
  ];
  // Not counted: both engines compile what they run often.
  for (const subject of subjects) await pairs(subject, 4, plan.milliseconds / 2);
  for (let round = 0; round < plan.rounds; round++) {
    for (const work of works) for (const subject of subjects) rounds.note(subject.name, await work(subject));
  }
  for (const subject of subjects) rounds.note(subject.name, [...(await idle(subject)), ...units()]);
  const rows = toRows(rounds.measured, REFERENCE);
  printTable(rows);
  writeResults(join(import.meta.dirname, "..", "results", "server.json"), REFERENCE, rows);
} finally {
  for (const subject of subjects) await subject.end();
}
process.exit(0);
