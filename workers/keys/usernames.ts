// Usernames: who is found by which. A name is stored as a keyed tag, so that the table alone lists no names. One column
// says whether it is free: `released` is empty while the name is in use, and a name is free seven days after it.

import { parseUserId, type UserId, type Username, USERNAME_CLAIM_SECONDS, USERNAME_HOLD_SECONDS, uuidFromBytes, uuidToBytes } from "#wire";
import { batch, type Blob, databaseOfTag, type KeysEnv, tagOf } from "./env.ts";

export interface OwnedName {
  readonly username: Username;
  readonly userId: UserId;
}

/** Who has the name now. @throws Unavailable */
export async function findUsername(env: KeysEnv, username: Username): Promise<UserId | undefined> {
  const tag = tagOf(env, username);
  const database = databaseOfTag(env, tag);
  const [rows = []] = await batch(database, [database.prepare("SELECT user FROM usernames WHERE tag = ?1 AND released IS NULL").bind(tag)]);
  const [row] = rows as readonly { readonly user: Blob }[]; // the statement's column
  return row === undefined ? undefined : parseUserId(uuidFromBytes(Uint8Array.from(row.user)));
}

/**
 * Keeps a free name for an account that is about to be made: nobody finds it yet, and without `confirmUsername` it is free
 * again after a quarter of an hour. Of several claims one wins; the winner may repeat it.
 * @throws Unavailable
 */
export async function claimUsername(env: KeysEnv, { username, userId }: OwnedName, nowSeconds: number): Promise<boolean> {
  const tag = tagOf(env, username);
  const database = databaseOfTag(env, tag);
  const freeBefore = nowSeconds - USERNAME_HOLD_SECONDS;
  const [, own = []] = await batch(database, [
    database
      .prepare(
        `INSERT INTO usernames (tag, user, released) VALUES (?1, ?2, ?3)
         ON CONFLICT (tag) DO UPDATE SET user = ?2, released = ?3 WHERE released IS NOT NULL AND released < ?4`,
      )
      .bind(tag, uuidToBytes(userId), freeBefore + USERNAME_CLAIM_SECONDS, freeBefore),
    database.prepare("SELECT user FROM usernames WHERE tag = ?1 AND user = ?2").bind(tag, uuidToBytes(userId)),
  ]);
  return own.length > 0;
}

/** The account is there. If it was deleted meanwhile, its name stays given up. @throws Unavailable */
export async function confirmUsername(env: KeysEnv, { username, userId }: OwnedName, nowSeconds: number): Promise<void> {
  const tag = tagOf(env, username);
  const database = databaseOfTag(env, tag);
  const claimed = nowSeconds - USERNAME_HOLD_SECONDS + USERNAME_CLAIM_SECONDS;
  await batch(database, [
    database
      .prepare("UPDATE usernames SET released = NULL WHERE tag = ?1 AND user = ?2 AND released <= ?3")
      .bind(tag, uuidToBytes(userId), claimed),
  ]);
}

/** Gives the name up; nobody has it for seven days. @throws Unavailable */
export async function releaseUsername(env: KeysEnv, { username, userId }: OwnedName, nowSeconds: number): Promise<void> {
  const tag = tagOf(env, username);
  const database = databaseOfTag(env, tag);
  const statement = "UPDATE usernames SET released = ?3 WHERE tag = ?1 AND user = ?2 AND released IS NULL";
  await batch(database, [database.prepare(statement).bind(tag, uuidToBytes(userId), nowSeconds)]);
}
