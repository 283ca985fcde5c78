// One of the threads of `npm run simulate`: its part of the seeds, each report as it comes.

import { parentPort, workerData } from "node:worker_threads";
import { loadSubject } from "./bundle.ts";
import { campaign } from "./campaign.ts";
import { readSchema } from "./schema.ts";

const { first, step, end } = workerData as { readonly first: number; readonly step: number; readonly end: number }; // from scripts/simulate.mjs

await campaign({
  subject: await loadSubject(),
  schema: readSchema(),
  seeds: Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step),
  onReport(report) {
    parentPort?.postMessage(report); // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
    return false;
  },
});
