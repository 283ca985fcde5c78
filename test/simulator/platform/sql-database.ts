// SQLite in memory, as the platform's two kinds of storage have it: statements that are compiled once, blobs as ArrayBuffers,
// several statements in one text where nothing is bound.

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

export type Value = string | number | null | ArrayBuffer | Uint8Array;
export type Row = Readonly<Record<string, string | number | null | Uint8Array<ArrayBuffer>>>;

export class SqlDatabase {
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();

  /** @param image of a database that is to be gone on with */
  constructor(image?: Uint8Array) {
    if (image !== undefined) this.#database.deserialize(image);
  }

  image(): Uint8Array {
    return this.#database.serialize();
  }

  /** Runs at once and to the end. */
  query(sql: string, values: readonly Value[]): readonly Row[] {
    const rows = this.#prepare(sql).all(...values.map(bound));
    return rows as unknown as readonly Row[]; // what SQLite returns without `readBigInts`; its blobs have buffers of their own
  }

  /** Several statements, or one that returns nothing. */
  run(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function bound(value: Value): SQLInputValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}
