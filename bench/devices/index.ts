// `npm run bench -- devices [--quick]`: what it costs to know whose devices are whose.

import { join } from "node:path";
import { printTable, toRows, writeResults } from "../report.ts";
import { Rounds } from "../rounds.ts";
import { readLogs, REFERENCE } from "./logs.ts";

interface Plan {
  readonly rounds: number;
  readonly logEntries: number;
}

const FULL: Plan = { rounds: 7, logEntries: 1000 };
const QUICK: Plan = { rounds: 3, logEntries: 1000 };

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- devices [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
const rounds = new Rounds();
readLogs(rounds, { entries: plan.logEntries, times: plan.rounds });
const rows = toRows(rounds.measured, REFERENCE);
printTable(rows);
writeResults(join(import.meta.dirname, "..", "results", "devices.json"), REFERENCE, rows);
