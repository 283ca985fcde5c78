// `npm run simulate -- --seeds N [--from S]`, or `-- --seed S` for one run: the fault simulator over many seeds, on all cores.
// Ends with 1 when a check found something, and with the line that brings that run back.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { prepare, root } from "./setup.mjs";

const PROGRESS_MILLISECONDS = 5000;

prepare(import.meta.url);

const { values } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" }, threads: { type: "string" } },
});
const first = numberOf(values.seed ?? values.from ?? "1");
const end = first + (values.seed === undefined ? numberOf(values.seeds ?? "200") : 1);
const threads = Math.min(numberOf(values.threads ?? String(availableParallelism())), end - first);

const folder = pathToFileURL(join(root, "test", "simulator", "/")).href;
const { totalsOf, tellFailure } = await import(new URL("campaign.ts", folder).href);

/** @type {any[]} Reports of the simulator: its types are checked where it is. */
const reports = [];
const began = performance.now();
const progress = setInterval(() => console.error(`${reports.length} of ${end - first} seeds`), PROGRESS_MILLISECONDS);
await Promise.all(Array.from({ length: threads }, (_, i) => part(first + i)));
clearInterval(progress);

const totals = totalsOf(reports);
for (const failure of totals.failures) {
  console.log(tellFailure(failure));
  if (values.seed !== undefined) for (const { complaint, detail } of failure.problems) console.log(`  ${complaint}: ${detail}`);
}
const seconds = (performance.now() - began) / 1000;
console.log(
  `${totals.seeds} seeds in ${seconds.toFixed(1)} s: ${totals.acknowledged} messages acknowledged (${totals.acknowledgedInGroups} in groups), ${totals.shown} shown; ` +
    `${totals.clientCrashes} crashes of clients, ${totals.serverCrashes} of the server; ` +
    `${totals.excused} seeds with something late that nobody had taken in five tries, ` +
    `${totals.excusedInGroups} with something late that the queue had lost`,
);
console.log(`complaints: ${JSON.stringify(totals.complaints)}`);
process.exit(totals.failures.length === 0 ? 0 : 1);

/**
 * @param {number} from the first seed of a thread
 * @returns {Promise<void>}
 */
function part(from) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.ts", folder), { workerData: { first: from, step: threads, end } });
    worker.on("message", (report) => void reports.push(report));
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}

/**
 * @param {string} text
 * @returns {number}
 */
function numberOf(text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error("usage: npm run simulate -- [--seeds N] [--from S] | [--seed S]");
  return process.exit(2);
}
