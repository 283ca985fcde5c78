// A store in the browser: IndexedDB, through idb, shared by all tabs and workers of the origin. Strings are compared there as
// here, by UTF-16 code units, and no two transactions that write overlap.

import type { Secret } from "#crypto";
import { ClientError } from "../errors.ts";
import type { Store, StoreReader, StoreWriter } from "../ports.ts";
import { type Database, openDatabase } from "./indexeddb-database.ts";
import { unlock } from "./indexeddb-keyring.ts";
import { readIn, writeIn } from "./indexeddb-transaction.ts";

/** One database of the origin. Made on first use. */
export function indexedDb(name: string): Store {
  return new IndexedDbStore(name);
}

class IndexedDbStore implements Store {
  readonly #name: string;
  readonly #listeners = new Set<() => void>();
  /** Does not hear what it says itself. */
  readonly #channel: BroadcastChannel;
  readonly #running = new Set<Promise<unknown>>();
  #database: Promise<Database> | undefined;
  #closed = false;

  constructor(name: string) {
    this.#name = name;
    this.#channel = new BroadcastChannel(`edgewise-store:${name}`);
    this.#channel.addEventListener("message", () => {
      for (const listener of this.#listeners) listener();
    });
  }

  unlock(): Promise<Secret> {
    return this.#run(unlock);
  }

  read<T>(work: (transaction: StoreReader) => Promise<T>): Promise<T> {
    return this.#run((database) => readIn(database, work));
  }

  write<T>(work: (transaction: StoreWriter) => Promise<T>): Promise<T> {
    return this.#run(async (database) => {
      const { result, hasChanged } = await writeIn(database, work);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target: it never leaves the origin
      if (hasChanged) this.#channel.postMessage(undefined);
      return result;
    });
  }

  onForeignWrite(listener: () => void): () => void {
    this.#requireOpen();
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    await Promise.allSettled(this.#running);
    const [database] = await Promise.allSettled([this.#database]);
    if (database.status === "fulfilled") database.value?.close();
    this.#channel.close();
  }

  async #run<T>(work: (database: Database) => Promise<T>): Promise<T> {
    this.#requireOpen();
    const running = this.#open().then(work);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #open(): Promise<Database> {
    this.#database ??= this.#openAgain();
    return this.#database;
  }

  /** What did not open may open later. */
  async #openAgain(): Promise<Database> {
    try {
      return await openDatabase(this.#name, () => void this.close());
    } catch (error) {
      this.#database = undefined;
      throw error;
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClientError("closed");
  }
}
