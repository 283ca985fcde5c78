// The vault: records of typed tables over a store that sees neither their content nor whom they are about. Values are
// sealed under the store's key together with their place; parts of a name that say something are keyed hashes; numbers, which
// give an order, stay readable. Knows no record.

import { hkdf, hmac, LABELS, type Random, type Secret, xchachaOpen, xchachaSeal } from "#crypto";
import { ascii, type Bytes, ProtocolError, toHex, toUtf8 } from "#wire";
import { ClientError } from "../errors.ts";
import type { Store, StoreReader, StoreWriter } from "../ports.ts";
import { KeptRecords } from "./kept.ts";

/** `name` is short and never used for anything else. */
export interface Table<T> {
  readonly name: string;
  readonly encode: (value: T) => Bytes;
  readonly decode: (bytes: Bytes) => T;
  /**
   * Read with nearly everything that is done: what was opened or written stays in memory for the next time. Holds nothing that has to be
   * gone as soon as it was used.
   */
  readonly isKept?: true;
}

/** Strings are hashed, numbers keep their order. */
export type Part = string | number;

export interface Row<T> {
  /** The last part, where that is a number. */
  readonly ordinal: number;
  readonly value: T;
}

export interface Page {
  /** Exclusive. */
  readonly before?: number | undefined;
  /** Exclusive. */
  readonly after?: number | undefined;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface Reader {
  get<T>(table: Table<T>, ...parts: readonly Part[]): Promise<T | undefined>;
  /** Rows below `parts`, by the number that follows them. */
  page<T>(table: Table<T>, parts: readonly Part[], page?: Page): Promise<readonly Row<T>[]>;
  /** Every row below `parts`, in no order that means anything. */
  all<T>(table: Table<T>, ...parts: readonly Part[]): Promise<readonly T[]>;
}

/** Values are kept as they are until the commit: what is read twice is opened once, what is written twice is sealed once. */
export interface Writer extends Reader {
  put<T>(table: Table<T>, value: NoInfer<T>, ...parts: readonly Part[]): void;
  delete<T>(table: Table<T>, ...parts: readonly Part[]): void;
  /** Deletes every row below `parts` whose next number is smaller. Returns how many there were. */
  deleteBefore<T>(table: Table<T>, parts: readonly Part[], number: number): Promise<number>;
  /** Wiped after the commit. */
  spend(secrets: readonly Secret[]): void;
  /** What those who look at something should look at again, after the commit. */
  touch(topic: string): void;
  /** Runs after the commit and the wiping. */
  afterwards(act: () => void): void;
}

/** Another program wrote: everything may have changed. */
export const EVERYTHING = "everything";

export class Vault {
  readonly #store: Store;
  readonly #names: Bytes;
  readonly #key: Bytes;
  readonly #random: Random;
  readonly #known = new Map<string, string>();
  readonly #kept = new KeptRecords();
  readonly #listeners = new Set<(topics: ReadonlySet<string>) => void>();
  readonly #stopForeign: () => void;

  private constructor(store: Store, secret: Secret, random: Random) {
    this.#store = store;
    this.#random = random;
    const derive = (info: Bytes): Bytes => hkdf({ inputKey: secret.expose(), salt: new Uint8Array(0), info, length: 32 });
    this.#names = derive(LABELS.STORE_NAMES);
    this.#key = derive(LABELS.STORE_RECORDS);
    secret.wipe();
    this.#stopForeign = store.onForeignWrite(() => {
      this.#kept.clear();
      this.#tell(new Set([EVERYTHING]));
    });
  }

  static async open(store: Store, random: Random): Promise<Vault> {
    return new Vault(store, await store.unlock(), random);
  }

  read<T>(work: (records: Reader) => Promise<T>): Promise<T> {
    return this.#store.read((transaction) => work(new Opened(this, transaction)));
  }

  async write<T>(work: (records: Writer) => Promise<T>): Promise<T> {
    let records: Changes | undefined;
    const result = await this.#store.write(async (transaction) => {
      records = new Changes(this, transaction);
      const done = await work(records);
      records.flush();
      return done;
    });
    records?.committed((topics) => this.#tell(topics));
    return result;
  }

  /** Removes everything, some at a time. A program that ends in between has begun what `finishErasing` completes. */
  async erase(): Promise<void> {
    await this.#store.write(async (transaction) => transaction.put(ERASING, new Uint8Array(1)));
    await this.finishErasing();
  }

  /** Does nothing where nobody has begun. */
  async finishErasing(): Promise<void> {
    const isBegun = (): Promise<boolean> => this.#store.read(async (transaction) => (await transaction.get(ERASING)) !== undefined);
    if (!(await isBegun())) return;
    while (await this.#store.write(eraseSome)) {
      // There is more.
    }
    this.#kept.clear();
    this.#tell(new Set([EVERYTHING]));
  }

  onChange(listener: (topics: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stopForeign();
    this.#listeners.clear();
    this.#kept.clear();
    await this.#store.close();
  }

  #tell(topics: ReadonlySet<string>): void {
    for (const listener of this.#listeners) listener(topics);
  }

  /** Where a record is. */
  place(table: string, parts: readonly Part[]): string {
    return [table, ...parts.map((part) => (typeof part === "number" ? numberText(part) : this.#hashed(table, part)))].join("/");
  }

  seal(place: string, value: Bytes): Bytes {
    return xchachaSeal(this.#key, value, ascii(place), this.#random);
  }

  /** @throws ClientError `storage-corrupt` */
  open(place: string, sealed: Bytes): Bytes {
    try {
      return xchachaOpen(this.#key, sealed, ascii(place));
    } catch (cause) {
      if (cause instanceof ProtocolError) throw new ClientError("storage-corrupt", { cause });
      throw cause;
    }
  }

  /**
   * The record that is at a place in the store now.
   * @throws ClientError `storage-corrupt`
   */
  record<T>(table: Table<T>, place: string, sealed: Bytes): T {
    if (table.isKept !== true) return table.decode(this.open(place, sealed));
    const kept = this.#kept.find(place, sealed);
    if (kept !== undefined) return kept.value as T; // one place belongs to one table
    const value = table.decode(this.open(place, sealed));
    this.#kept.keep(place, sealed, value);
    return value;
  }

  /** What is at a place from now on. */
  written(place: string, { sealed, value }: Written): void {
    if (sealed === undefined) this.#kept.forget(place);
    else this.#kept.keep(place, sealed, value);
  }

  #hashed(table: string, part: string): string {
    const name = `${table} ${part}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const hash = toHex(hmac(this.#names, toUtf8(name)).subarray(0, 16));
    if (this.#known.size >= MAX_KNOWN_NAMES) this.#known.clear();
    this.#known.set(name, hash);
    return hash;
  }
}

/** Behind every name of a record: goes with the last of them. */
const ERASING = "~erasing";
/** Pieces of files have up to a mebibyte each. */
const ERASED_AT_ONCE = 64;

/** True when there may be more. Another program may be at it, too, and have finished: then what is here is new. */
async function eraseSome(transaction: StoreWriter): Promise<boolean> {
  if ((await transaction.get(ERASING)) === undefined) return false;
  const found = await transaction.scan({ from: "", to: `${ERASING}~`, limit: ERASED_AT_ONCE });
  for (const { key } of found) transaction.delete(key);
  return found.length === ERASED_AT_ONCE;
}

interface Written {
  /** Absent: nothing is kept of it. */
  readonly sealed: Bytes | undefined;
  readonly value: unknown;
}

const MAX_KNOWN_NAMES = 10_000;
/** Hexadecimal digits of 2^53. */
const NUMBER_DIGITS = 14;

function numberText(value: number): string {
  return value.toString(16).padStart(NUMBER_DIGITS, "0");
}

class Opened implements Reader {
  readonly vault: Vault;
  readonly #transaction: StoreReader;

  constructor(vault: Vault, transaction: StoreReader) {
    this.vault = vault;
    this.#transaction = transaction;
  }

  async get<T>(table: Table<T>, ...parts: readonly Part[]): Promise<T | undefined> {
    const place = this.vault.place(table.name, parts);
    const sealed = await this.#transaction.get(place);
    return sealed === undefined ? undefined : this.vault.record(table, place, sealed);
  }

  async page<T>(table: Table<T>, parts: readonly Part[], { before, after, limit, reverse }: Page = {}): Promise<readonly Row<T>[]> {
    const below = `${this.vault.place(table.name, parts)}/`;
    const from = after === undefined ? below : below + numberText(after + 1);
    // "0" comes right after "/".
    const to = before === undefined ? `${below.slice(0, -1)}0` : below + numberText(before);
    const entries = await this.#transaction.scan({
      from,
      to,
      ...(limit === undefined ? {} : { limit }),
      ...(reverse === undefined ? {} : { reverse }),
    });
    return entries.map(({ key, value }) => ({
      ordinal: Number.parseInt(key.slice(below.length), 16),
      value: this.vault.record(table, key, value),
    }));
  }

  async all<T>(table: Table<T>, ...parts: readonly Part[]): Promise<readonly T[]> {
    return (await this.page(table, parts)).map(({ value }) => value);
  }
}

const NOTHING: Written = { sealed: undefined, value: undefined };

interface Change {
  readonly value: unknown;
  /** Absent: as it was read. */
  readonly encode: (() => Bytes) | "delete" | undefined;
  readonly isKept: boolean;
}

class Changes implements Writer {
  readonly #vault: Vault;
  readonly #transaction: StoreWriter;
  readonly #opened: Opened;
  readonly #values = new Map<string, Change>();
  readonly #written = new Map<string, Written>();
  readonly #spent: Secret[] = [];
  readonly #topics = new Set<string>();
  readonly #later: (() => void)[] = [];

  constructor(vault: Vault, transaction: StoreWriter) {
    this.#vault = vault;
    this.#transaction = transaction;
    this.#opened = new Opened(vault, transaction);
  }

  async get<T>(table: Table<T>, ...parts: readonly Part[]): Promise<T | undefined> {
    const place = this.#vault.place(table.name, parts);
    const known = this.#values.get(place);
    if (known !== undefined) return known.value as T | undefined; // one place belongs to one table
    const value = await this.#opened.get(table, ...parts);
    this.#values.set(place, { value, encode: undefined, isKept: false });
    return value;
  }

  page<T>(table: Table<T>, parts: readonly Part[], page?: Page): Promise<readonly Row<T>[]> {
    this.flush();
    return this.#opened.page(table, parts, page);
  }

  all<T>(table: Table<T>, ...parts: readonly Part[]): Promise<readonly T[]> {
    this.flush();
    return this.#opened.all(table, ...parts);
  }

  put<T>(table: Table<T>, value: NoInfer<T>, ...parts: readonly Part[]): void {
    const encode = (): Bytes => table.encode(value);
    this.#values.set(this.#vault.place(table.name, parts), { value, encode, isKept: table.isKept === true });
  }

  delete<T>(table: Table<T>, ...parts: readonly Part[]): void {
    this.#values.set(this.#vault.place(table.name, parts), { value: undefined, encode: "delete", isKept: false });
  }

  async deleteBefore<T>(table: Table<T>, parts: readonly Part[], number: number): Promise<number> {
    this.flush();
    const below = `${this.#vault.place(table.name, parts)}/`;
    const rows = await this.#transaction.scan({ from: below, to: below + numberText(number) });
    for (const { key } of rows) {
      this.#transaction.delete(key);
      this.#values.delete(key);
      this.#written.set(key, NOTHING);
    }
    return rows.length;
  }

  spend(secrets: readonly Secret[]): void {
    this.#spent.push(...secrets);
  }

  touch(topic: string): void {
    this.#topics.add(topic);
  }

  afterwards(act: () => void): void {
    this.#later.push(act);
  }

  flush(): void {
    for (const [place, { value, encode, isKept }] of this.#values) {
      if (encode === undefined) continue;
      const sealed = encode === "delete" ? undefined : this.#vault.seal(place, encode());
      if (sealed === undefined) this.#transaction.delete(place);
      else this.#transaction.put(place, sealed);
      this.#written.set(place, isKept ? { sealed, value } : NOTHING);
      this.#values.set(place, { value, encode: undefined, isKept });
    }
  }

  /** Persist, then wipe, then release. */
  committed(tell: (topics: ReadonlySet<string>) => void): void {
    for (const [place, written] of this.#written) this.#vault.written(place, written);
    for (const secret of this.#spent) secret.wipe();
    for (const act of this.#later) act();
    if (this.#topics.size > 0) tell(this.#topics);
  }
}
