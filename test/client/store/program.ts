// Another program on one store, to be run and killed by tests: `count` adds one to a counter so many times, `rewrite` changes
// several records in each transaction until it is killed and says each number when it is committed.

import { ascii } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { numberAt, round } from "./rounds.ts";

const [command, path = "", times = "0"] = process.argv.slice(2);
const store = sqlite(path);

async function count(): Promise<void> {
  for (let i = 0; i < Number(times); i++) {
    await store.write(async (transaction) => {
      transaction.put("counter", ascii(String((await numberAt(transaction, "counter")) + 1)));
    });
  }
  await store.close();
}

async function rewrite(): Promise<never> {
  await store.unlock();
  for (;;) process.stdout.write(`${await store.write(round)}\n`);
}

await (command === "count" ? count() : rewrite());
