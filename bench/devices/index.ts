// `npm run bench -- devices [--quick]`: what it costs to know whose devices are whose.

import { join } from "node:path";
import { printTable, toRows, writeResults } from "../report.ts";
import { Rounds } from "../rounds.ts";
import { COPY, type HistoryPlan, linkAndTakeHistory } from "./history.ts";
import { readLogs, REFERENCE } from "./logs.ts";

interface Plan {
  readonly rounds: number;
  readonly logEntries: number;
  readonly history: HistoryPlan;
}

const FULL: Plan = { rounds: 7, logEntries: 1000, history: { rounds: 4, messages: 10_000, files: 50 } };
const QUICK: Plan = { rounds: 3, logEntries: 1000, history: { rounds: 1, messages: 10_000, files: 50 } };

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- devices [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
const rounds = new Rounds();
readLogs(rounds, { entries: plan.logEntries, times: plan.rounds });
const links = new Rounds();
await linkAndTakeHistory(links, plan.history);
const rows = [...toRows(rounds.measured, REFERENCE), ...toRows(links.measured, COPY)];
printTable(rows);
writeResults(join(import.meta.dirname, "..", "results", "devices.json"), REFERENCE, rows);
