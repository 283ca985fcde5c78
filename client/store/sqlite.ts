// A store in a file, for Node: SQLite in WAL mode, so that several programs share it, readers wait for nobody and one writes
// at a time. Everything of SQLite is synchronous; what is waited for here is other programs.

import type { Secret } from "#crypto";
import type { Bytes } from "#wire";
import { ClientError } from "../errors.ts";
import type { KeyRange, Store, StoredEntry, StoreReader, StoreWriter } from "../ports.ts";
import { transactionOver } from "./ended.ts";
import { type Mode, SqliteConnection } from "./sqlite-connection.ts";
import { unwrapKey, wrapByKeyFile, wrapByPassphrase } from "./sqlite-keyring.ts";
import type { SqliteRecords } from "./sqlite-records.ts";
import { SqliteWatch } from "./sqlite-watch.ts";
import { Turns } from "./turns.ts";

export interface SqliteOptions {
  /** Instead of a key file beside the store. Wanted again whenever the store is opened; nobody can restore a lost one. */
  readonly passphrase?: string;
  /** What the file may grow to; beyond it, `storage-full`. */
  readonly maximumBytes?: number;
}

/** Made on first use, with its folder, for its owner only. */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  return new SqliteStore(path, options);
}

class SqliteStore implements Store {
  readonly #path: string;
  readonly #options: SqliteOptions;
  readonly #turns = new Turns();
  readonly #watch: SqliteWatch = new SqliteWatch(() => this.#connection?.version());
  #connection: SqliteConnection | undefined;
  #closed = false;

  constructor(path: string, options: SqliteOptions) {
    this.#path = path;
    this.#options = options;
  }

  async unlock(): Promise<Secret> {
    const wrapped = (await this.#transact("read", async (connection) => connection.keyring())) ?? (await this.#makeKey());
    return unwrapKey(wrapped, this.#path, this.#options.passphrase);
  }

  /** Another program may be faster: then its key is the store's. */
  async #makeKey(): Promise<Bytes> {
    const { passphrase } = this.#options;
    const byPassphrase = passphrase === undefined ? undefined : await wrapByPassphrase(passphrase);
    const wrap = () => byPassphrase ?? wrapByKeyFile(this.#path);
    return this.#transact("write", async (connection) => connection.keyring() ?? connection.makeKeyring(wrap));
  }

  read<T>(work: (transaction: StoreReader) => Promise<T>): Promise<T> {
    return this.#transact("read", ({ records }) => inTransaction(new SqliteReader(records), work));
  }

  write<T>(work: (transaction: StoreWriter) => Promise<T>): Promise<T> {
    return this.#transact("write", ({ records }) => inTransaction(new SqliteWriter(records), work));
  }

  onForeignWrite(listener: () => void): () => void {
    this.#requireOpen();
    return this.#watch.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch.stop();
    await this.#turns.take(async () => {
      const connection = this.#connection;
      this.#connection = undefined;
      connection?.close();
    });
  }

  async #transact<T>(mode: Mode, work: (connection: SqliteConnection) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#turns.take(async () => {
      const connection = this.#connection ?? (await this.#open());
      return connection.transact(mode, () => work(connection));
    });
  }

  /** Inside a turn. */
  async #open(): Promise<SqliteConnection> {
    const connection = await SqliteConnection.open(this.#path, this.#options.maximumBytes);
    this.#connection = connection;
    this.#watch.begin();
    return connection;
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClientError("closed");
  }
}

async function inTransaction<T extends SqliteReader, R>(transaction: T, work: (transaction: T) => Promise<R>): Promise<R> {
  try {
    const result = await work(transaction);
    transaction.requireSound();
    return result;
  } finally {
    transaction.end();
  }
}

class SqliteReader implements StoreReader {
  readonly #records: SqliteRecords;
  #ended = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor(records: SqliteRecords) {
    this.#records = records;
  }

  async get(key: string): Promise<Bytes | undefined> {
    return this.use((records) => records.get(key));
  }

  async scan(range: KeyRange): Promise<readonly StoredEntry[]> {
    return this.use((records) => records.scan(range));
  }

  end(): void {
    this.#ended = true;
  }

  /** What failed has failed, also when the work went on as if it had not. */
  requireSound(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  protected use<T>(call: (records: SqliteRecords) => T): T {
    if (this.#ended) throw transactionOver();
    try {
      return call(this.#records);
    } catch (cause) {
      this.#failure ??= { cause };
      throw cause;
    }
  }
}

class SqliteWriter extends SqliteReader implements StoreWriter {
  put(key: string, value: Bytes): void {
    this.use((records) => records.put(key, value));
  }

  delete(key: string): void {
    this.use((records) => records.delete(key));
  }
}
