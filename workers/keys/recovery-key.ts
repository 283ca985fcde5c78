// Which recovery key an account has in force: one row, written together with the entry of the log that says so.

import { parseIdentityKey, type PublicKey } from "#crypto";
import { copy, type UserId, uuidToBytes } from "#wire";
import { batch, type Blob, databaseOfUser, type KeysEnv } from "./env.ts";

/** `undefined` for an account without one, and for one that is not there. @throws Unavailable */
export async function findRecoveryKey(env: KeysEnv, userId: UserId, nowSeconds: number): Promise<PublicKey | undefined> {
  const database = databaseOfUser(env, userId);
  const statement = database
    .prepare("SELECT CASE WHEN settled <= ?2 THEN waiting ELSE in_force END AS key FROM recovery_keys WHERE user = ?1")
    .bind(uuidToBytes(userId), nowSeconds);
  const [rows = []] = await batch(database, [statement]);
  const [row] = rows as readonly { key: Blob | null }[]; // the column that the statement names
  return row === undefined || row.key === null ? undefined : parseIdentityKey(copy(Uint8Array.from(row.key)));
}
