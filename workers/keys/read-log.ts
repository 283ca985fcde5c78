// Reads a page of an account's log.

import { type Bytes, MAX_LOG_PAGE_ENTRIES, type UserId, uuidToBytes } from "#wire";
import { batch, type Blob, databaseOfUser, type KeysEnv } from "./env.ts";

/** Entries after the first `after`, as many as go into one answer; `undefined` when there is no such account. */
export async function readLog(env: KeysEnv, userId: UserId, after: number): Promise<readonly Bytes[] | undefined> {
  const database = databaseOfUser(env, userId);
  // The first entry tells an account that is not there from one that has nothing newer.
  const statement = database
    .prepare("SELECT sequence, entry FROM account_log WHERE user = ?1 AND (sequence = 1 OR sequence > ?2) ORDER BY sequence LIMIT ?3")
    .bind(uuidToBytes(userId), after, MAX_LOG_PAGE_ENTRIES + 1);
  const [rows = []] = await batch(database, [statement]);
  if (rows.length === 0) return undefined;
  const entries = (rows as readonly { sequence: number; entry: Blob }[]) // the columns that the statement names
    .filter(({ sequence }) => sequence > after)
    .map(({ entry }) => Uint8Array.from(entry));
  return entries.slice(0, MAX_LOG_PAGE_ENTRIES);
}
