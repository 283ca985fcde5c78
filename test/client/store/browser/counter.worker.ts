// Another program of the same origin: counts in a store, and says when it is done. As a second tab would.

import { ascii } from "#wire";
import { indexedDb } from "edgewise/store/indexeddb";

globalThis.addEventListener("message", (event: MessageEvent<{ readonly name: string; readonly times: number }>) => {
  void count(event.data.name, event.data.times).then((key) => postMessage(key));
});

/** Also says which key it found. */
async function count(name: string, times: number): Promise<string> {
  const store = indexedDb(name);
  for (let i = 0; i < times; i++) {
    await store.write(async (transaction) => {
      const value = String.fromCharCode(...((await transaction.get("counter")) ?? ascii("0")));
      transaction.put("counter", ascii(String(Number(value) + 1)));
    });
  }
  const key = (await store.unlock()).expose().join(" ");
  await store.close();
  return key;
}
