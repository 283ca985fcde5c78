// npm start: installs what is missing, makes a seed if there is none, serves on PORT (8787; 0 takes a free one) with the state
// in EDGEWISE_STATE (.edgewise). EDGEWISE_BENCH is for the benches and takes the rate limits away; EDGEWISE_LINK_SECONDS is for tests.

import module from "node:module";
import { join } from "node:path";
import { CODE_CACHE, prepare, root } from "./setup.mjs";

prepare(import.meta.url, "what is served");
module.enableCompileCache(CODE_CACHE);
const { localSeed, startServer } = await import("./server.mjs");

const port = Number(process.env["PORT"] ?? 8787);
const state = process.env["EDGEWISE_STATE"] ?? join(root, ".edgewise");

try {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT is a number up to 65535, and not ${process.env["PORT"]}.`);
  const server = await startServer({
    port,
    state,
    seed: process.env["SERVER_SEED"] ?? localSeed(),
    bench: process.env["EDGEWISE_BENCH"],
    linkSeconds: process.env["EDGEWISE_LINK_SECONDS"],
  });
  // Now, because a server that is killed would write nothing.
  module.flushCompileCache();
  console.log(`Edgewise is on ${server.url}, with its state in ${state}`);
  const address = server.url === "http://127.0.0.1:8787" ? "" : `--server ${server.url} `;
  console.log("Try, in another terminal:");
  console.log(`  npx edgewise ${address}--store alice.db register --username alice`);
  console.log(`  npx edgewise ${address}--store bob.db register --username bob`);
  console.log(`  npx edgewise ${address}--store alice.db send bob "hello Bob"`);
  console.log(`  npx edgewise ${address}--store bob.db listen --until-empty`);
  console.log(`  npx edgewise ${address}--store bob.db accept alice`);
  console.log(`  npx edgewise ${address}--store bob.db listen`);
  console.log("Ctrl-C ends it; what was acknowledged is still there at the next start.");
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      void server.stop().then(() => process.exit(0));
    });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
