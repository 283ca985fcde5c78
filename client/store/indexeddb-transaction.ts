// A transaction of IndexedDB as a store's. What is written is kept here until the work is done, and then given to the browser
// in one go: should the browser end the transaction early, because the work waited for something else, nothing was written
// and the work fails. The alternative, writing at once, would leave half of it behind.

import type { IDBPObjectStore, IDBPTransaction } from "idb";
import { type Bytes, copy } from "#wire";
import { ClientError } from "../errors.ts";
import type { KeyRange, StoredEntry, StoreReader, StoreWriter } from "../ports.ts";
import { transactionOver } from "./ended.ts";
import type { Database, Schema } from "./indexeddb-database.ts";
import { translated } from "./indexeddb-errors.ts";

/** What `getAll` takes at most. */
const MAX_COUNT = 0xffff_ffff;

type Transaction = IDBPTransaction<Schema, ["records"], "readwrite">;
type Records<Mode extends IDBTransactionMode> = IDBPObjectStore<Schema, ["records"], "records", Mode>;

export async function readIn<T>(database: Database, work: (transaction: StoreReader) => Promise<T>): Promise<T> {
  const transaction = await translated(async () => database.transaction("records", "readonly"));
  // Everything that was asked has been answered when the work is done: its end is of no interest, however it ends.
  transaction.done.catch(ignore);
  const records = new IndexedDbRecords(transaction.store);
  try {
    return await work(records);
  } finally {
    records.end();
  }
}

export interface Written<T> {
  readonly result: T;
  readonly hasChanged: boolean;
}

export async function writeIn<T>(database: Database, work: (transaction: StoreWriter) => Promise<T>): Promise<Written<T>> {
  const transaction = await translated(async () => database.transaction("records", "readwrite", { durability: "strict" }));
  transaction.done.catch(ignore);
  // Now: a transaction that is over does not name its store any more.
  const stored = transaction.store;
  const records = new IndexedDbRecords(stored);
  try {
    const result = await work(records);
    const hasChanged = records.changes.size > 0;
    if (hasChanged) await translated(() => commit(transaction, stored, records.changes));
    return { result, hasChanged };
  } catch (error) {
    abandon(transaction);
    throw error;
  } finally {
    records.end();
  }
}

type Changes = ReadonlyMap<string, Bytes | undefined>;

/** The requests are waited for as well: only they say what was wrong with them. */
async function commit(transaction: Transaction, stored: Records<"readwrite">, changes: Changes): Promise<void> {
  const requests: Promise<unknown>[] = [transaction.done];
  for (const [key, value] of changes) {
    requests.push(value === undefined ? stored.delete(key) : stored.put(value, key));
  }
  transaction.commit();
  await Promise.all(requests);
}

function abandon(transaction: Transaction): void {
  try {
    transaction.abort();
  } catch {
    // It is over already: the browser has undone it, or has ended it before anything was written.
  }
}

function ignore(): void {}

class IndexedDbRecords implements StoreWriter {
  readonly #stored: Records<"readonly"> | Records<"readwrite">;
  readonly #changes = new Map<string, Bytes | undefined>();
  #ended = false;

  constructor(stored: Records<"readonly"> | Records<"readwrite">) {
    this.#stored = stored;
  }

  /** By key, in no order; `undefined` for what is deleted. */
  get changes(): Changes {
    return this.#changes;
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.#requireActive();
    if (!this.#changes.has(key)) return translated(async () => bytesOrNothing(await this.#stored.get(key)));
    const value = this.#changes.get(key);
    return value === undefined ? undefined : copy(value);
  }

  async scan(range: KeyRange): Promise<readonly StoredEntry[]> {
    this.#requireActive();
    const { from, to, limit = Infinity, reverse = false } = range;
    if (from >= to || limit <= 0) return [];
    const changes = [...this.#changes].filter(([key]) => key >= from && key < to);
    // As many more as can be deleted or replaced here.
    const stored = await translated(() => entries(this.#stored, { from, to, reverse, limit: limit + changes.length }));
    return changes.length === 0 ? stored : merged(stored, changes, reverse).slice(0, limit);
  }

  put(key: string, value: Bytes): void {
    this.#requireActive();
    this.#changes.set(key, copy(value));
  }

  delete(key: string): void {
    this.#requireActive();
    this.#changes.set(key, undefined);
  }

  end(): void {
    this.#ended = true;
  }

  #requireActive(): void {
    if (this.#ended) throw transactionOver();
  }
}

function merged(
  stored: readonly StoredEntry[],
  changes: readonly (readonly [string, Bytes | undefined])[],
  reverse: boolean,
): StoredEntry[] {
  const all = new Map(stored.map(({ key, value }) => [key, value]));
  for (const [key, value] of changes) {
    if (value === undefined) all.delete(key);
    else all.set(key, copy(value));
  }
  const keys = [...all.keys()].sort();
  if (reverse) keys.reverse();
  return keys.flatMap((key) => {
    const value = all.get(key);
    return value === undefined ? [] : [{ key, value }];
  });
}

/** Two requests for everything, or, backwards and not to the end, a cursor. */
async function entries(stored: Records<"readonly"> | Records<"readwrite">, range: Required<KeyRange>): Promise<StoredEntry[]> {
  const { from, to, limit, reverse } = range;
  const keyRange = IDBKeyRange.bound(from, to, false, true);
  if (reverse && limit !== Infinity) return lastEntries(stored, keyRange, limit);
  const count = Math.min(limit, MAX_COUNT);
  const [keys, values] = await Promise.all([stored.getAllKeys(keyRange, count), stored.getAll(keyRange, count)]);
  const found = keys.map((key, at) => ({ key, value: requireBytes(values[at]) }));
  return reverse ? found.reverse() : found;
}

async function lastEntries(
  stored: Records<"readonly"> | Records<"readwrite">,
  keyRange: IDBKeyRange,
  limit: number,
): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  let cursor = await stored.openCursor(keyRange, "prev");
  while (cursor !== null) {
    found.push({ key: cursor.key, value: requireBytes(cursor.value) });
    if (found.length >= limit) break;
    cursor = await cursor.continue();
  }
  return found;
}

function bytesOrNothing(value: unknown): Bytes | undefined {
  return value === undefined ? undefined : requireBytes(value);
}

function requireBytes(value: unknown): Bytes {
  if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) return value as Bytes; // just seen
  throw new ClientError("storage-corrupt");
}
