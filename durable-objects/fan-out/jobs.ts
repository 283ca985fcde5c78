// The jobs of one object, in SQLite. Everything is synchronous, so the object's output gate covers it.

import type { Bytes } from "#wire";
import type { Progress } from "./core.ts";

export interface DueJob {
  readonly handle: string;
  readonly submitted: number;
  readonly failures: number;
  readonly progress: Progress;
}

export class JobStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(handle: string, body: Bytes, { submitted, due, progress }: { submitted: number; due: number; progress: Progress }): void {
    this.#sql.exec(
      "INSERT INTO jobs (handle, submitted, due, progress) VALUES (?1, ?2, ?3, ?4)",
      handle,
      submitted,
      due,
      JSON.stringify(progress),
    );
    this.#sql.exec("INSERT INTO payloads (handle, body) VALUES (?1, ?2)", handle, body.buffer);
  }

  /** Of a job that is under way. */
  progress(handle: string): Progress | undefined {
    return this.#progressIn("SELECT progress FROM jobs WHERE handle = ?1", handle);
  }

  /** Of a job that is done. */
  outcomes(handle: string): Progress | undefined {
    return this.#progressIn("SELECT progress FROM results WHERE handle = ?1", handle);
  }

  payload(handle: string): Bytes | undefined {
    const [row] = [...this.#sql.exec<{ body: ArrayBuffer }>("SELECT body FROM payloads WHERE handle = ?1", handle)];
    return row === undefined ? undefined : new Uint8Array(row.body);
  }

  advance(handle: string, progress: Progress): void {
    this.#sql.exec("UPDATE jobs SET progress = ?2 WHERE handle = ?1", handle, JSON.stringify(progress));
  }

  /** The message is where it has to be: what is left of it here is how it went. */
  finish(handle: string, progress: Progress, expires: number): void {
    this.drop(handle);
    this.#sql.exec("INSERT INTO results (handle, expires, progress) VALUES (?1, ?2, ?3)", handle, expires, JSON.stringify(progress));
  }

  drop(handle: string): void {
    this.#sql.exec("DELETE FROM jobs WHERE handle = ?1", handle);
    this.#sql.exec("DELETE FROM payloads WHERE handle = ?1", handle);
  }

  /** Up to `limit` jobs that the alarm has to look after by now. */
  due(nowMilliseconds: number, limit: number): readonly DueJob[] {
    const rows = this.#sql.exec<{ handle: string; submitted: number; failures: number; progress: string }>(
      "SELECT handle, submitted, failures, progress FROM jobs WHERE due <= ?1 ORDER BY due LIMIT ?2",
      nowMilliseconds,
      limit,
    );
    return [...rows].map((row) => ({ ...row, progress: parseProgress(row.progress) }));
  }

  postpone(handle: string, due: number): void {
    this.#sql.exec("UPDATE jobs SET due = ?2, failures = failures + 1 WHERE handle = ?1", handle, due);
  }

  recordFailure(handle: string): void {
    this.#sql.exec("UPDATE jobs SET given_up = given_up + 1 WHERE handle = ?1", handle);
  }

  /** Forgets results whose day is over. */
  sweep(nowMilliseconds: number): void {
    this.#sql.exec("DELETE FROM results WHERE expires <= ?1", nowMilliseconds);
  }

  /** When the alarm has to look after a job next. */
  get nextDue(): number | undefined {
    return this.#least("SELECT min(due) AS at FROM jobs");
  }

  /** When the day of the oldest result is over. */
  get nextExpiry(): number | undefined {
    return this.#least("SELECT min(expires) AS at FROM results");
  }

  #least(query: string): number | undefined {
    const { at } = this.#sql.exec<{ at: number | null }>(query).one();
    return at ?? undefined;
  }

  #progressIn(query: string, handle: string): Progress | undefined {
    const [row] = [...this.#sql.exec<{ progress: string }>(query, handle)];
    return row === undefined ? undefined : parseProgress(row.progress);
  }
}

function parseProgress(text: string): Progress {
  return JSON.parse(text) as Progress; // only this file writes it
}
