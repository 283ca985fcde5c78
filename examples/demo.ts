// People and a server on this machine: one goes away, the server is killed and comes back, three meet in a group, and a table says
// which promises were kept, from what was seen on the way. `npm run demo` runs it. Ends with 1 when a promise was not kept, after half a
// minute at most, and leaves nothing behind.

import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { judge } from "./demo/promises.ts";
import { DemoServer } from "./demo/server.ts";
import { end, heading, scene, tableOf } from "./demo/screen.ts";
import { Story } from "./demo/story.ts";

const PATIENCE_MILLISECONDS = 28_000;

const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), "edgewise-demo-"));
const server = new DemoServer(folder);
process.on("exit", () => {
  server.destroy();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]));
// Whoever has seen enough, as in `npm run demo | head`.
process.stdout.on("error", () => process.exit(0));

console.log(heading("Edgewise: three people, one server, on this machine"));
const story = new Story(server, folder);
try {
  await Promise.race([story.tell(), outOfPatience()]);
} catch (error) {
  console.log(scene("this is not how it was meant to end"));
  console.error(error);
}
const observed = story.observed();
const verdicts = judge(observed);
const seconds = ((performance.now() - began) / 1000).toFixed(1);
console.log(`\n${tableOf(verdicts)}\n`);
console.log(
  end(
    `${observed.letters.length + observed.groupLetters.length} messages in ${seconds} s. All of it is deleted; a server that stays: npm start`,
  ),
);
process.exit(verdicts.every(({ kept }) => kept) ? 0 : 1);

async function outOfPatience(): Promise<never> {
  await pause(PATIENCE_MILLISECONDS);
  throw new Error(`not finished after ${PATIENCE_MILLISECONDS / 1000} s`);
}
