// What is known of an upload, in SQLite. Read once in a life of the object and kept in memory; everything is synchronous, so
// nothing comes between a look and a row, and the object's output gate covers it.

import { type Bytes, concat, InvariantError } from "#wire";
import type { NewUpload } from "./api.ts";
import { SCHEMA } from "./schema.ts";

export interface Part {
  readonly number: number;
  readonly bytes: number;
  readonly etag: string;
}

export interface UploadRecord extends NewUpload {
  readonly expiresMilliseconds: number;
  readonly multipart: string | undefined;
  readonly state: "open" | "whole" | "gone";
  /** In order, without a gap. */
  readonly parts: readonly Part[];
  /** Bytes of the file that are durable. */
  readonly offset: number;
}

/** A row of this database holds at most 2 MB. */
const MAX_ROW_BYTES = 1024 * 1024;

export class UploadRows {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #record: UploadRecord | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** `undefined` when there is no upload here. */
  get record(): UploadRecord | undefined {
    this.#record ??= this.#read();
    return this.#record;
  }

  create({ length, accessHash }: NewUpload, expiresMilliseconds: number): void {
    this.#change(() => {
      this.#sql.exec(SCHEMA);
      this.#sql.exec(
        "INSERT INTO upload (one, length, access_hash, expires, state) VALUES (1, ?1, ?2, ?3, 'open')",
        length,
        accessHash,
        expiresMilliseconds,
      );
    });
  }

  /** What came behind the last part, in one piece. */
  tail(): Bytes {
    const rows = this.#sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM tail ORDER BY place");
    return concat(...[...rows].map(({ bytes }) => new Uint8Array(bytes)));
  }

  begin(multipart: string): void {
    this.#change(() => this.#sql.exec("UPDATE upload SET multipart = ?1", multipart));
  }

  /** Lengthens the file: by parts, which take the tail up, and by what is behind them. All of it or nothing. */
  lengthen(parts: readonly Part[], tail: Bytes): void {
    this.#change(() => {
      const before = parts.length > 0 ? partBytes(this.#stood.parts) : this.#stood.offset;
      if (parts.length > 0) this.#sql.exec("DELETE FROM tail");
      for (const { number, bytes, etag } of parts) {
        this.#sql.exec("INSERT INTO parts (number, bytes, etag) VALUES (?1, ?2, ?3)", number, bytes, etag);
      }
      const place = before + partBytes(parts);
      for (let at = 0; at < tail.length; at += MAX_ROW_BYTES) {
        const row = tail.slice(at, at + MAX_ROW_BYTES);
        this.#sql.exec("INSERT INTO tail (place, bytes) VALUES (?1, ?2)", place + at, row.buffer);
      }
    });
  }

  /** The file is in the bucket: what it was made of is nobody's any more. */
  finish(): void {
    this.#end("whole");
  }

  /** That there was an upload is kept for a while, so that its client is told. */
  bury(): void {
    this.#end("gone");
  }

  async forget(): Promise<void> {
    this.#record = undefined;
    await this.#storage.deleteAll();
  }

  #end(state: UploadRecord["state"]): void {
    this.#change(() => {
      this.#sql.exec("DELETE FROM tail");
      this.#sql.exec("DELETE FROM parts");
      this.#sql.exec("UPDATE upload SET state = ?1, multipart = NULL", state);
    });
  }

  get #stood(): UploadRecord {
    const { record } = this;
    if (record === undefined) throw new InvariantError("INV-00", "an upload that was not created is lengthened");
    return record;
  }

  /** What memory knows follows when the rows are there, and is read again when they are not. */
  #change(change: () => void): void {
    try {
      this.#storage.transactionSync(change);
    } finally {
      this.#record = undefined;
    }
  }

  #read(): UploadRecord | undefined {
    if ([...this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'upload'")].length === 0) return undefined;
    const row = this.#sql
      .exec<{ length: number; access_hash: string; expires: number; multipart: string | null; state: UploadRecord["state"] }>(
        "SELECT length, access_hash, expires, multipart, state FROM upload",
      )
      .one();
    const parts = [
      ...this.#sql.exec<{ number: number; bytes: number; etag: string }>("SELECT number, bytes, etag FROM parts ORDER BY number"),
    ];
    const { tail } = this.#sql.exec<{ tail: number }>("SELECT coalesce(sum(length(bytes)), 0) AS tail FROM tail").one();
    return {
      length: row.length,
      accessHash: row.access_hash,
      expiresMilliseconds: row.expires,
      multipart: row.multipart ?? undefined,
      state: row.state,
      parts,
      offset: row.state === "whole" ? row.length : partBytes(parts) + tail,
    };
  }
}

function partBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
