// A store in memory: for tests, for simulations, and for programs that want to forget. The reference of what a store does.

import { type Random, Secret, systemRandom } from "#crypto";
import { type Bytes, copy } from "#wire";
import { ClientError } from "../errors.ts";
import type { KeyRange, Store, StoredEntry, StoreReader, StoreWriter } from "../ports.ts";
import { transactionOver } from "./ended.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { Turns } from "./turns.ts";

const KEY_BYTES = 32;

export interface MemoryOptions {
  /** What several stores have in common, as several programs have a file. */
  readonly shared?: SharedMemory;
  /** Where the store's key comes from. */
  readonly random?: Random;
}

export function memory(options: MemoryOptions = {}): Store {
  return new MemoryStore(options.shared ?? new SharedMemory(), options.random ?? systemRandom);
}

/** Outlives the stores that are opened on it. */
export class SharedMemory {
  readonly #values = new Map<string, Bytes>();
  readonly #keys = new SortedKeys();
  readonly #turns = new Turns();
  readonly #handles = new Set<MemoryStore>();
  #storeKey: Bytes | undefined;

  /** Called by stores. */
  enter(handle: MemoryStore): void {
    this.#handles.add(handle);
  }

  leave(handle: MemoryStore): void {
    this.#handles.delete(handle);
  }

  take<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  storeKey(random: Random): Bytes {
    this.#storeKey ??= random(KEY_BYTES);
    return copy(this.#storeKey);
  }

  get(key: string): Bytes | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Bytes | undefined): void {
    if (value === undefined) {
      if (this.#values.delete(key)) this.#keys.delete(key);
      return;
    }
    if (!this.#values.has(key)) this.#keys.add(key);
    this.#values.set(key, value);
  }

  scan(range: KeyRange): readonly StoredEntry[] {
    return this.#keys.select(range).flatMap((key) => {
      const value = this.#values.get(key);
      return value === undefined ? [] : [{ key, value: copy(value) }];
    });
  }

  tellOthers(writer: MemoryStore): void {
    for (const handle of this.#handles) if (handle !== writer) handle.hear();
  }
}

class MemoryStore implements Store {
  readonly #shared: SharedMemory;
  readonly #random: Random;
  readonly #listeners = new Set<() => void>();
  #closed = false;

  constructor(shared: SharedMemory, random: Random) {
    this.#shared = shared;
    this.#random = random;
    shared.enter(this);
  }

  async unlock(): Promise<Secret> {
    this.#requireOpen();
    return new Secret(this.#shared.storeKey(this.#random));
  }

  async read<T>(work: (transaction: StoreReader) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#shared.take(() => inTransaction(new MemoryReader(this.#shared), work));
  }

  async write<T>(work: (transaction: StoreWriter) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#shared.take(async () => {
      const transaction = new MemoryWriter(this.#shared);
      try {
        const result = await inTransaction(transaction, work);
        if (transaction.hasWritten) this.#shared.tellOthers(this);
        return result;
      } catch (error) {
        transaction.undo();
        throw error;
      }
    });
  }

  onForeignWrite(listener: () => void): () => void {
    this.#requireOpen();
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Another store on the same memory has committed. Its listeners are not called inside the other's transaction. */
  hear(): void {
    for (const listener of this.#listeners) void Promise.resolve().then(() => (this.#listeners.has(listener) ? listener() : undefined));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    await this.#shared.take(async () => this.#shared.leave(this));
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClientError("closed");
  }
}

async function inTransaction<T extends MemoryReader, R>(transaction: T, work: (transaction: T) => Promise<R>): Promise<R> {
  try {
    return await work(transaction);
  } finally {
    transaction.end();
  }
}

class MemoryReader implements StoreReader {
  protected readonly shared: SharedMemory;
  #ended = false;

  constructor(shared: SharedMemory) {
    this.shared = shared;
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.requireActive();
    const value = this.shared.get(key);
    return value === undefined ? undefined : copy(value);
  }

  async scan(range: KeyRange): Promise<readonly StoredEntry[]> {
    this.requireActive();
    return this.shared.scan(range);
  }

  end(): void {
    this.#ended = true;
  }

  protected requireActive(): void {
    if (this.#ended) throw transactionOver();
  }
}

/** Writes in place: nobody else has a turn meanwhile. What was there before is kept until the end. */
class MemoryWriter extends MemoryReader implements StoreWriter {
  readonly #before = new Map<string, Bytes | undefined>();

  get hasWritten(): boolean {
    return this.#before.size > 0;
  }

  put(key: string, value: Bytes): void {
    this.#set(key, copy(value));
  }

  delete(key: string): void {
    this.#set(key, undefined);
  }

  undo(): void {
    for (const [key, value] of this.#before) this.shared.set(key, value);
  }

  #set(key: string, value: Bytes | undefined): void {
    this.requireActive();
    if (!this.#before.has(key)) this.#before.set(key, this.shared.get(key));
    this.shared.set(key, value);
  }
}
