// The store's key in the browser: sealed with AES-GCM under a key of WebCrypto that no script can read, ours included. That
// key lives beside it in the database, so a copy of the profile opens the store, and a script that got in can use the key but
// not carry it away.

import { LABELS, Secret, systemRandom } from "#crypto";
import { ClientError } from "../errors.ts";
import type { Database, WrappedKey } from "./indexeddb-database.ts";
import { translated } from "./indexeddb-errors.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const THE_KEY = "store-key";

/** Made on first use. @throws ClientError `storage-wrong-key`. */
export async function unlock(database: Database): Promise<Secret> {
  const found = await translated(() => database.get("keyring", THE_KEY));
  return unwrap(found ?? (await addKey(database, await makeKey())));
}

/** Another tab may be faster: then its key is the store's. Nothing but the transaction is waited for in it. */
function addKey(database: Database, ours: WrappedKey): Promise<WrappedKey> {
  return translated(async () => {
    const transaction = database.transaction("keyring", "readwrite", { durability: "strict" });
    const theirs = await transaction.store.get(THE_KEY);
    if (theirs === undefined) await transaction.store.add(ours, THE_KEY);
    await transaction.done;
    return theirs ?? ours;
  });
}

async function makeKey(): Promise<WrappedKey> {
  const key = systemRandom(KEY_BYTES);
  const nonce = systemRandom(NONCE_BYTES);
  const wrappingKey = await subtle().generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const sealed = await subtle().encrypt({ name: "AES-GCM", iv: nonce, additionalData: LABELS.STORE_KEY }, wrappingKey, key);
  key.fill(0);
  return { wrappingKey, nonce, sealed };
}

async function unwrap({ wrappingKey, nonce, sealed }: WrappedKey): Promise<Secret> {
  try {
    const key = await subtle().decrypt({ name: "AES-GCM", iv: nonce, additionalData: LABELS.STORE_KEY }, wrappingKey, sealed);
    return new Secret(new Uint8Array(key));
  } catch (cause) {
    throw new ClientError("storage-wrong-key", { cause });
  }
}

/** Absent on a page that did not come over HTTPS, whatever its types say. */
function subtle(): SubtleCrypto {
  const found: SubtleCrypto | undefined = globalThis.crypto.subtle;
  if (found === undefined) throw new ClientError("bad-argument", { detail: "a page without HTTPS cannot keep a key" });
  return found;
}
