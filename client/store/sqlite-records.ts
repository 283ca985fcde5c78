// The records of an open file, inside a transaction that somebody else began. What it returns was stored exactly so: a
// damaged record is refused, and nothing is called missing beside one.

import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Bytes } from "#wire";
import type { KeyRange, StoredEntry } from "../ports.ts";
import { damaged, translated } from "./sqlite-errors.ts";
import { hasKeySum, keyToText, sumOf, textToKey } from "./sqlite-keys.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

export class SqliteRecords {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;
  readonly #before: StatementSync;
  readonly #behind: StatementSync;

  constructor(database: DatabaseSync) {
    const range = "SELECT key, value, sum FROM records WHERE key >= ? AND key < ? ORDER BY key";
    this.#get = database.prepare("SELECT value, sum FROM records WHERE key = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO records (key, value, sum) VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM records WHERE key = ?");
    this.#forwards = database.prepare(`${range} LIMIT ?`);
    this.#backwards = database.prepare(`${range} DESC LIMIT ?`);
    this.#before = database.prepare("SELECT key, sum FROM records WHERE key < ? ORDER BY key DESC LIMIT 1");
    this.#behind = database.prepare("SELECT key, sum FROM records WHERE key > ? ORDER BY key LIMIT 1");
  }

  get(key: string): Bytes | undefined {
    return translated(() => {
      const text = keyToText(key);
      const row = this.#get.get(text);
      if (row === undefined) this.#requireGap(text, text);
      return row === undefined ? undefined : intactValue(text, row);
    });
  }

  scan({ from, to, limit = -1, reverse = false }: KeyRange): readonly StoredEntry[] {
    return translated(() => {
      const first = keyToText(from);
      const rows = (reverse ? this.#backwards : this.#forwards).all(first, keyToText(to), limit);
      const texts = rows.map((row) => textOf(row));
      const [low = first, high = low] = reverse ? [texts.at(-1), texts[0]] : [texts[0], texts.at(-1)];
      this.#requireGap(low, high);
      return rows.map((row, at) => ({ key: textToKey(texts[at] ?? ""), value: intactValue(texts[at] ?? "", row) }));
    });
  }

  put(key: string, value: Bytes): void {
    translated(() => {
      const text = keyToText(key);
      this.#put.run(text, value, sumOf(text, value));
    });
  }

  delete(key: string): void {
    translated(() => this.#delete.run(keyToText(key)));
  }

  /**
   * A record whose key was damaged is not found under the right one; but the search for that one ends beside it. So whoever
   * found nothing, or nothing more, looks at the neighbours.
   */
  #requireGap(low: string, high: string): void {
    for (const row of [this.#before.get(low), this.#behind.get(high)]) {
      if (row !== undefined && !hasKeySum(textOf(row), integerOf(row))) throw damaged("a record is damaged");
    }
  }
}

function intactValue(text: string, row: Row): Bytes {
  const value = row["value"];
  if (!(value instanceof Uint8Array) || sumOf(text, value) !== row["sum"]) throw damaged("a record is damaged");
  return value;
}

function textOf(row: Row): string {
  const text = row["key"];
  if (typeof text !== "string") throw damaged("a record is damaged");
  return text;
}

function integerOf(row: Row): number {
  const sum = row["sum"];
  if (typeof sum !== "number") throw damaged("a record is damaged");
  return sum;
}
