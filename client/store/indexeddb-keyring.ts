// The store's key in the browser: wrapped under a key that no script can read. That key lives beside it in the database, so a
// copy of the profile opens the store, and a script that got in can use the key but not carry it away.

import { LABELS, Secret, systemRandom, unwrapSecret, type WrappedSecret, wrapSecret } from "#crypto";
import { UsageError } from "#wire";
import { ClientError } from "../errors.ts";
import type { Database } from "./indexeddb-database.ts";
import { translated } from "./indexeddb-errors.ts";

const KEY_BYTES = 32;
const THE_KEY = "store-key";

/** Made on first use. @throws ClientError `storage-wrong-key`; `bad-argument` on a page without HTTPS. */
export async function unlock(database: Database): Promise<Secret> {
  const found = await translated(() => database.get("keyring", THE_KEY));
  try {
    return await unwrapSecret(found ?? (await addKey(database, await makeKey())), LABELS.STORE_KEY);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    if (cause instanceof UsageError) throw new ClientError("bad-argument", { cause, detail: "a page without HTTPS cannot keep a key" });
    throw new ClientError("storage-wrong-key", { cause });
  }
}

/** Another tab may be faster: then its key is the store's. Nothing but the transaction is waited for in it. */
function addKey(database: Database, ours: WrappedSecret): Promise<WrappedSecret> {
  return translated(async () => {
    const transaction = database.transaction("keyring", "readwrite", { durability: "strict" });
    const theirs = await transaction.store.get(THE_KEY);
    if (theirs === undefined) await transaction.store.add(ours, THE_KEY);
    await transaction.done;
    return theirs ?? ours;
  });
}

async function makeKey(): Promise<WrappedSecret> {
  const key = new Secret(systemRandom(KEY_BYTES));
  const wrapped = await wrapSecret(key, LABELS.STORE_KEY);
  key.wipe();
  return wrapped;
}
