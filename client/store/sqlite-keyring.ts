// The store's key, wrapped: by a key file beside the store, or by a passphrase. Only the wrapped key is in the store, so a
// copy of the store without the one or the other opens nothing. Knows the table `keyring` and no transaction.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type ScryptOptions, scrypt } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { LABELS, Secret, systemRandom, xchachaOpen, xchachaSeal } from "#crypto";
import { type Bytes, concat, copy, ProtocolError } from "#wire";
import { ClientError } from "../errors.ts";
import { damaged, hasCode, translated } from "./sqlite-errors.ts";
import { syncFolder } from "./sqlite-file.ts";

const KEY_BYTES = 32;
const BY_KEY_FILE = 1;
const BY_PASSPHRASE = 2;
/** 128 MiB and about half a second for each guess; RFC 7914, and OWASP's advice of 2024. */
const LOG2_COST = 17;
const BLOCKS = 8;
const PARALLEL = 1;
/** What a damaged or foreign store can make us compute. */
const MAX_LOG2_COST = 20;
const MAX_FACTOR = 16;
const SALT_BYTES = 16;
const PASSPHRASE_HEADER_BYTES = 4 + SALT_BYTES;

/** What stands before the sealed key: how its wrapping key is found. */
type Header = Bytes;

export function readKeyring(database: DatabaseSync): Bytes | undefined {
  const row = database.prepare("SELECT wrapped, sum FROM keyring WHERE id = 1").get();
  if (row === undefined) return undefined;
  const wrapped = row["wrapped"];
  if (!(wrapped instanceof Uint8Array) || crc32(wrapped) !== row["sum"]) throw damaged("the store's key is damaged");
  return wrapped;
}

/** Only in a store that has no records yet: what was sealed under a key that is lost shall not look like a new store. */
export function makeKeyring(database: DatabaseSync, wrap: () => Bytes): Bytes {
  if (database.prepare("SELECT 1 FROM records LIMIT 1").get() !== undefined) throw damaged("the store's key is gone");
  const wrapped = wrap();
  database.prepare("INSERT INTO keyring (id, wrapped, sum) VALUES (1, ?, ?)").run(wrapped, crc32(wrapped));
  return wrapped;
}

/** @throws ClientError `storage-wrong-key`. */
export async function unwrapKey(wrapped: Bytes, path: string, passphrase: string | undefined): Promise<Secret> {
  const kind = wrapped[0];
  if ((kind === BY_PASSPHRASE) !== (passphrase !== undefined)) throw wrongKey("it wants a key file or a passphrase, and got the other");
  if (passphrase === undefined) return open(wrapped, 1, requireKeyFile(path));
  return open(wrapped, PASSPHRASE_HEADER_BYTES, await stretch(passphrase, wrapped));
}

/** Two programs must not do this at once: whoever does it holds the right to write. */
export function wrapByKeyFile(path: string): Bytes {
  return seal(Uint8Array.of(BY_KEY_FILE), readKeyFile(path) ?? translated(() => makeKeyFile(path)));
}

export async function wrapByPassphrase(passphrase: string): Promise<Bytes> {
  const header = concat(Uint8Array.of(BY_PASSPHRASE, LOG2_COST, BLOCKS, PARALLEL), systemRandom(SALT_BYTES));
  return seal(header, await stretch(passphrase, header));
}

function seal(header: Header, wrappingKey: Bytes): Bytes {
  const sealed = xchachaSeal(wrappingKey, systemRandom(KEY_BYTES), concat(LABELS.STORE_KEY, header), systemRandom);
  wrappingKey.fill(0);
  return concat(header, sealed);
}

function open(wrapped: Bytes, headerBytes: number, wrappingKey: Bytes): Secret {
  const header = wrapped.subarray(0, headerBytes);
  try {
    return new Secret(xchachaOpen(wrappingKey, wrapped.subarray(headerBytes), concat(LABELS.STORE_KEY, header)));
  } catch (cause) {
    if (cause instanceof ProtocolError) throw wrongKey("the key file or the passphrase is another one", cause);
    throw cause;
  } finally {
    wrappingKey.fill(0);
  }
}

/** One passphrase has several spellings in Unicode: NFKC makes them one. */
function stretch(passphrase: string, header: Header): Promise<Bytes> {
  const [, log2 = 0, blocks = 0, parallel = 0] = header;
  if (log2 > MAX_LOG2_COST || blocks > MAX_FACTOR || parallel > MAX_FACTOR) throw damaged("the store's key is damaged");
  const cost = 2 ** log2;
  const options: ScryptOptions = { cost, blockSize: blocks, parallelization: parallel, maxmem: 256 * blocks * (cost + parallel) };
  const salt = header.subarray(4, PASSPHRASE_HEADER_BYTES);
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(copy(key));
      else reject(error);
    });
  });
}

function keyFileOf(path: string): string {
  return `${path}.key`;
}

function readKeyFile(path: string): Bytes | undefined {
  const key = translated(() => fileContent(keyFileOf(path)));
  if (key !== undefined && key.length !== KEY_BYTES) throw wrongKey("the key file is no key file");
  return key;
}

function requireKeyFile(path: string): Bytes {
  const key = readKeyFile(path);
  if (key === undefined) throw wrongKey("the key file is missing");
  return key;
}

function fileContent(path: string): Bytes | undefined {
  try {
    return copy(readFileSync(path));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Complete and on the disk before it has its name, because the store will be worthless without it. */
function makeKeyFile(path: string): Bytes {
  const key = systemRandom(KEY_BYTES);
  const draft = `${keyFileOf(path)}.new`;
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, key);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, keyFileOf(path));
  syncFolder(dirname(path));
  return key;
}

function wrongKey(detail: string, cause?: unknown): ClientError {
  return new ClientError("storage-wrong-key", { detail, cause });
}
