// `npm run bench -- server [--quick]`: our server beside the floor, in interleaved rounds, over real HTTP and WebSockets
// from this process. Needs Linux, for /proc.

import { join } from "node:path";
import { type Measured, toRows, writeResults } from "../protocol/report.ts";
import { printTable } from "./report.ts";
import { startSubject, type Subject } from "./subjects.ts";
import { units } from "./units.ts";
import { connects, type Figure, idle, offline, paced, PAIRS, pairs } from "./works.ts";

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
const rounds = new Map<string, Measured & { readonly rounds: number[] }>();
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
    for (const work of works) for (const subject of subjects) note(subject.name, await work(subject));
  }
  for (const subject of subjects) note(subject.name, [...(await idle(subject)), ...units()]);
  // Whoever did the same stands side by side.
  const together = Map.groupBy(rounds.values(), ({ work, unit }) => `${work} ${unit}`);
  const rows = toRows([...together.values()].flat(), REFERENCE);
  printTable(rows);
  writeResults(join(import.meta.dirname, "..", "results", "server.json"), REFERENCE, rows);
} finally {
  for (const subject of subjects) await subject.end();
}
process.exit(0);

function note(subject: string, figures: readonly Figure[]): void {
  for (const { work, unit, value } of figures) {
    const key = `${work} ${unit} ${subject}`;
    const known = rounds.get(key);
    if (known === undefined) rounds.set(key, { work, subject, unit, rounds: [value] });
    else known.rounds.push(value);
  }
}
