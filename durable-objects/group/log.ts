// A group's log in SQLite. What is decided by, the outline, is read once in a life of the object and kept in memory.
// Everything is synchronous, so nothing comes between a look and a row, and the object's output gate covers it.

import type { Bytes, GroupKeys, SealedGroupEntry } from "#wire";
import type { CheckedGroupAppend } from "./api.ts";
import { type Epoch, type LogOutline, type StoredEntry, withEntry } from "./core.ts";
import { SCHEMA } from "./schema.ts";

export class GroupLog {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #outline: LogOutline | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** `undefined` when there is no group here. */
  get outline(): LogOutline | undefined {
    this.#outline ??= this.#readOutline();
    return this.#outline;
  }

  /** Writes the next entry, or the first; the caller has decided that it is. Memory follows when the rows are there. */
  write(append: CheckedGroupAppend): void {
    const { outline } = this;
    this.#storage.transactionSync(() => {
      if (outline === undefined) this.#sql.exec(SCHEMA);
      this.#writeRows(append);
    });
    this.#outline = withEntry(outline, append);
  }

  at(version: number): StoredEntry | undefined {
    const rows = this.#sql.exec<{ by_member: number; entry: ArrayBuffer }>(
      "SELECT by_member, entry FROM entries WHERE version = ?1",
      version,
    );
    const [row] = [...rows];
    return row === undefined ? undefined : { entry: new Uint8Array(row.entry), authority: row.by_member === 1 ? "member" : "admin" };
  }

  /** Entries after one version up to another, as far as the caller reads on without waiting for anything. */
  *between(after: number, upTo: number): Generator<SealedGroupEntry> {
    const rows = this.#sql.exec<{ version: number; entry: ArrayBuffer }>(
      "SELECT version, entry FROM entries WHERE version > ?1 AND version <= ?2 ORDER BY version",
      after,
      upTo,
    );
    for (const { version, entry } of rows) yield { version, entry: new Uint8Array(entry) };
  }

  #writeRows({ version, entry, authority }: CheckedGroupAppend): void {
    this.#sql.exec(
      "INSERT INTO entries (version, by_member, entry) VALUES (?1, ?2, ?3)",
      version,
      authority.kind === "member" ? 1 : 0,
      buffer(entry),
    );
    if (authority.kind === "admin" && authority.keys !== undefined) this.#writeKeys(version, authority.keys);
  }

  #writeKeys(since: number, { memberKey, adminKey }: GroupKeys): void {
    this.#sql.exec("INSERT INTO epochs (since, member_key, admin_key) VALUES (?1, ?2, ?3)", since, buffer(memberKey), buffer(adminKey));
  }

  #readOutline(): LogOutline | undefined {
    if ([...this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'entries'")].length === 0) return undefined;
    const epochs = this.#readEpochs();
    const { latest, leaves } = this.#sql
      .exec<{ latest: number; leaves: number }>(
        "SELECT max(version) AS latest, count(*) FILTER (WHERE by_member = 1 AND version > ?1) AS leaves FROM entries",
        epochs.at(-1)?.since ?? 0,
      )
      .one();
    return { latest, epochs, leaves };
  }

  #readEpochs(): readonly Epoch[] {
    const rows = this.#sql.exec<{ since: number; member_key: ArrayBuffer; admin_key: ArrayBuffer }>(
      "SELECT since, member_key, admin_key FROM epochs ORDER BY since",
    );
    return [...rows].map((row) => ({
      since: row.since,
      memberKey: new Uint8Array(row.member_key),
      adminKey: new Uint8Array(row.admin_key),
    }));
  }
}

function buffer(bytes: Bytes): ArrayBuffer {
  return bytes.slice().buffer;
}
