// An open file and its transactions, one at a time. Begins patiently, commits or undoes, and takes a breath in between. Does
// not know who waits for a turn.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "#wire";
import { patiently, pause, translated } from "./sqlite-errors.ts";
import { openFile } from "./sqlite-file.ts";
import { makeKeyring, readKeyring } from "./sqlite-keyring.ts";
import { SqliteRecords } from "./sqlite-records.ts";

/** After this long without a break, one break, in which the rest of this program and other programs get their turn. */
const BURST_MILLISECONDS = 20;
const BREAK_MILLISECONDS = 1;

export type Mode = "read" | "write";

export class SqliteConnection {
  readonly records: SqliteRecords;
  readonly #database: DatabaseSync;
  readonly #begin: Readonly<Record<Mode, StatementSync>>;
  readonly #settle: StatementSync;
  readonly #commit: StatementSync;
  readonly #version: StatementSync;
  #burstBegan = 0;
  #lastEnded = 0;

  static async open(path: string, maximumBytes: number | undefined): Promise<SqliteConnection> {
    return patiently(() => {
      const database = openFile(path, maximumBytes);
      try {
        return new SqliteConnection(database);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.records = new SqliteRecords(database);
    this.#begin = { read: database.prepare("BEGIN"), write: database.prepare("BEGIN IMMEDIATE") };
    this.#settle = database.prepare("SELECT 1 FROM keyring");
    this.#commit = database.prepare("COMMIT");
    this.#version = database.prepare("PRAGMA data_version");
  }

  async transact<T>(mode: Mode, work: () => Promise<T>): Promise<T> {
    await this.#breathe();
    await patiently(() => this.#enter(mode));
    try {
      const result = await work();
      translated(() => this.#commit.run());
      return result;
    } catch (error) {
      this.#undo();
      throw error;
    } finally {
      this.#lastEnded = performance.now();
    }
  }

  /** Changes with what others commit, and only then. */
  version(): number | undefined {
    try {
      const version = this.#version.get()?.["data_version"];
      return typeof version === "number" ? version : undefined;
    } catch {
      // Somebody is in the way at this moment; what is really wrong shows when the store is used.
      return undefined;
    }
  }

  keyring(): Bytes | undefined {
    return translated(() => readKeyring(this.#database));
  }

  makeKeyring(wrap: () => Bytes): Bytes {
    return translated(() => makeKeyring(this.#database, wrap));
  }

  close(): void {
    translated(() => this.#database.close());
  }

  /** A transaction that reads has its view from its first statement on: that may have to wait, so it belongs here. */
  #enter(mode: Mode): void {
    this.#begin[mode].run();
    try {
      this.#settle.get();
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** Some errors have undone the transaction already. */
  #undo(): void {
    if (this.#database.isTransaction) translated(() => this.#database.exec("ROLLBACK"));
  }

  async #breathe(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastEnded > BREAK_MILLISECONDS) {
      this.#burstBegan = now;
    } else if (now - this.#burstBegan > BURST_MILLISECONDS) {
      await pause(BREAK_MILLISECONDS);
      this.#burstBegan = performance.now();
    }
  }
}
