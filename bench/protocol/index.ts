// `npm run bench -- protocol [--quick]`: ours against the official library and others, each in a process of its own. Every
// round runs all subjects once, one after the other, so that a slow minute of the machine is slow for all of them.

import { join } from "node:path";
import { type Measured, printTable, toRows, writeResults } from "../report.ts";
import { Runner } from "./runner.ts";
import { REFERENCE, SUBJECTS } from "./subjects.ts";
import { type Work, WORKS } from "./works.ts";

interface Plan {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly warmUpMilliseconds: number;
}

const FULL: Plan = { rounds: 7, milliseconds: 500, warmUpMilliseconds: 1000 };
const QUICK: Plan = { rounds: 3, milliseconds: 150, warmUpMilliseconds: 350 };

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- protocol [--quick]");
  process.exit(2);
}
const runners = Object.keys(SUBJECTS).map((name) => new Runner(name));
try {
  const measured: Measured[] = [];
  for (const work of WORKS) measured.push(...(await measure(work, args.length > 0 ? QUICK : FULL)));
  const rows = toRows(measured, REFERENCE);
  printTable(rows);
  writeResults(join(import.meta.dirname, "..", "results", "protocol.json"), REFERENCE, rows);
} finally {
  for (const runner of runners) runner.end();
}

async function measure(work: Work, { rounds, milliseconds, warmUpMilliseconds }: Plan): Promise<readonly Measured[]> {
  const able: Runner[] = [];
  for (const runner of runners) {
    const { unable } = await runner.run({ work, milliseconds: warmUpMilliseconds });
    if (unable !== true) able.push(runner);
  }
  const measured = able.map((runner) => ({ runner, rounds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { runner, rounds: figures } of measured) {
      const answer = await runner.run({ work, milliseconds });
      figures.push((1000 * answer.operations) / answer.milliseconds);
    }
  }
  return measured.map(({ runner, rounds: figures }) => ({ work, subject: runner.name, rounds: figures }));
}
