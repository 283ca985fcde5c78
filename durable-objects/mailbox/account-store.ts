// An account's log and first prekeys in D1. The mailbox is the only writer of a log; the statement that appends compares
// with the entry before, so that even two mailboxes could not fork it.

import type { Recovery } from "#identity";
import {
  type Bytes,
  type DeviceId,
  encodeKemPreKey,
  encodeOneTimePreKey,
  encodeSignedPreKey,
  encodeSignedPreKeyRecord,
  MAX_ONE_TIME_EC_PREKEYS,
  type PreKeyRecord,
  type PreKeyUpload,
  toHex,
  type UserId,
  USERNAME_CLAIM_SECONDS,
  USERNAME_HOLD_SECONDS,
  uuidToBytes,
} from "#wire";

export interface NewEntry {
  readonly sequence: number;
  readonly entry: Bytes;
  /** SHA-256 of the entry. */
  readonly hash: Bytes;
  /** SHA-256 of the entry before; empty for the first. */
  readonly previousHash: Bytes;
}

/** The prekeys of a device that an entry adds, checked. */
export interface DevicePreKeySet {
  readonly deviceId: DeviceId;
  readonly upload: PreKeyUpload;
  readonly record: PreKeyRecord;
}

const NOT_DELETED = "NOT EXISTS (SELECT 1 FROM deleted_accounts WHERE user = ?1)";

/** Gives up every name of an account, also one that was only claimed, in all databases: names are placed apart from their accounts. */
export async function releaseNames(databases: readonly D1Database[], userId: UserId, nowSeconds: number): Promise<void> {
  const held = nowSeconds - USERNAME_HOLD_SECONDS;
  for (const database of databases) {
    const release = database
      .prepare("UPDATE usernames SET released = ?2 WHERE user = ?1 AND (released IS NULL OR released BETWEEN ?3 AND ?4)")
      .bind(uuidToBytes(userId), nowSeconds, held, held + USERNAME_CLAIM_SECONDS);
    await available(release.run());
  }
}

/** What changes together with an entry. */
export interface WithEntry {
  readonly preKeys: DevicePreKeySet | undefined;
  readonly removed: readonly DeviceId[];
  /** Where the entry changes it. */
  readonly recovery: Recovery | undefined;
  readonly endsAccount: boolean;
}

export class AccountStore {
  readonly #database: D1Database;
  readonly #user: Bytes;

  constructor(database: D1Database, userId: UserId) {
    this.#database = database;
    this.#user = uuidToBytes(userId);
  }

  /** All entries, oldest first. */
  async readLog(): Promise<readonly Bytes[]> {
    const statement = this.#database.prepare("SELECT entry FROM account_log WHERE user = ?1 ORDER BY sequence").bind(this.#user);
    const { results } = await available(statement.all<{ entry: readonly number[] }>());
    return results.map(({ entry }) => Uint8Array.from(entry));
  }

  /**
   * Appends if the log ends where the entry says, with what changes by it in the same transaction. A repeat changes nothing. False
   * when another entry stands in its place.
   */
  async append(entry: NewEntry, { preKeys, removed, recovery, endsAccount }: WithEntry): Promise<boolean> {
    const statements = [
      this.#database
        .prepare(
          `INSERT INTO account_log (user, sequence, hash, entry)
           SELECT ?1, ?2, ?3, ?4 WHERE ?2 = 1 OR EXISTS
             (SELECT 1 FROM account_log WHERE user = ?1 AND sequence = ?2 - 1 AND hash = ?5)
           ON CONFLICT DO NOTHING`,
        )
        .bind(this.#user, entry.sequence, entry.hash, entry.entry, entry.previousHash),
      ...(preKeys === undefined ? [] : this.replacePreKeys(preKeys)),
      ...removed.flatMap((deviceId) => this.removePreKeys(deviceId)),
      ...(recovery === undefined ? [] : [this.#setRecovery(entry, recovery)]),
      ...(endsAccount ? this.#endAccount(entry) : []),
      this.#database
        .prepare("SELECT 1 FROM account_log WHERE user = ?1 AND sequence = ?2 AND hash = ?3")
        .bind(this.#user, entry.sequence, entry.hash),
    ];
    const answers = await available(this.#database.batch(statements));
    return answers.at(-1)?.results.length === 1;
  }

  /**
   * The statements that put a device's new set in the place of the old one, and add its one-time EC keys. With the record
   * that is there they change nothing, so that keys which were handed out do not come back when they run twice.
   */
  replacePreKeys({ deviceId, upload, record }: DevicePreKeySet): D1PreparedStatement[] {
    const { set } = upload;
    if (set === undefined) return this.addOneTime(deviceId, upload);
    const signed = encodeSignedPreKeyRecord(set.record);
    const isNew = `NOT EXISTS (SELECT 1 FROM device_prekeys WHERE user = ?1 AND device = ?2 AND record = ?3) AND ${NOT_DELETED}`;
    const clear = this.#database
      .prepare(`DELETE FROM one_time_kem WHERE user = ?1 AND device = ?2 AND ${isNew}`)
      .bind(this.#user, deviceId, signed);
    const kem = this.#database
      .prepare(
        `INSERT INTO one_time_kem (user, device, key_id, prekey)
         SELECT ?1, ?2, value ->> 0, unhex(value ->> 1) FROM json_each(?4) WHERE ${isNew} ON CONFLICT DO NOTHING`,
      )
      .bind(this.#user, deviceId, signed, rowsOf(set.oneTime, encodeKemPreKey));
    const replace = this.#database
      .prepare(
        `INSERT INTO device_prekeys (user, device, created, record, signed_prekey, last_resort)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ${NOT_DELETED}
         ON CONFLICT (user, device) DO UPDATE SET created = ?3, record = ?4, signed_prekey = ?5, last_resort = ?6`,
      )
      .bind(this.#user, deviceId, record.createdSeconds, signed, encodeSignedPreKey(set.signedPreKey), encodeKemPreKey(set.lastResort));
    return [clear, kem, replace, ...this.addOneTime(deviceId, upload)];
  }

  /** Adds one-time EC keys if their ids are above all before, so that none is ever there twice, and if there is room for all. */
  addOneTime(deviceId: DeviceId, { oneTimePreKeys }: PreKeyUpload): D1PreparedStatement[] {
    if (oneTimePreKeys.length === 0) return [];
    const ids = oneTimePreKeys.map(({ id }) => id);
    const lowest = Math.min(...ids);
    const add = this.#database
      .prepare(
        `INSERT INTO one_time_ec (user, device, key_id, prekey)
         SELECT ?1, ?2, value ->> 0, unhex(value ->> 1) FROM json_each(?3)
         WHERE EXISTS (SELECT 1 FROM device_prekeys WHERE user = ?1 AND device = ?2 AND highest_ec < ?4)
           AND (SELECT count(*) FROM one_time_ec WHERE user = ?1 AND device = ?2) <= ?5`,
      )
      .bind(this.#user, deviceId, rowsOf(oneTimePreKeys, encodeOneTimePreKey), lowest, MAX_ONE_TIME_EC_PREKEYS - ids.length);
    const mark = this.#database
      .prepare(
        `UPDATE device_prekeys SET highest_ec = ?3 WHERE user = ?1 AND device = ?2 AND highest_ec < ?4
           AND EXISTS (SELECT 1 FROM one_time_ec WHERE user = ?1 AND device = ?2 AND key_id = ?3)`,
      )
      .bind(this.#user, deviceId, Math.max(...ids), lowest);
    return [add, mark];
  }

  /** The statements that mark the account as deleted if the entry stands, and take away what only an account that is there needs. */
  #endAccount({ sequence, hash }: NewEntry): D1PreparedStatement[] {
    const mark = this.#database
      .prepare(
        `INSERT INTO deleted_accounts (user) SELECT ?1 WHERE EXISTS
           (SELECT 1 FROM account_log WHERE user = ?1 AND sequence = ?2 AND hash = ?3) ON CONFLICT DO NOTHING`,
      )
      .bind(this.#user, sequence, hash);
    // All of it: an upload may have been on its way when a device was revoked.
    const clear = ["device_prekeys", "one_time_ec", "one_time_kem", "recovery_keys"].map((table) =>
      this.#database.prepare(`DELETE FROM ${table} WHERE user = ?1 AND NOT ${NOT_DELETED}`).bind(this.#user),
    );
    return [mark, ...clear];
  }

  /** Only with the entry there, and not by the repeat of one that a later one has overtaken. */
  #setRecovery({ sequence, hash }: NewEntry, { inForce, waiting }: Recovery): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO recovery_keys (user, sequence, in_force, waiting, settled)
         SELECT ?1, ?2, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM account_log WHERE user = ?1 AND sequence = ?2 AND hash = ?3)
         ON CONFLICT (user) DO UPDATE SET sequence = ?2, in_force = ?4, waiting = ?5, settled = ?6 WHERE sequence < ?2`,
      )
      .bind(this.#user, sequence, hash, inForce?.key.encode() ?? null, waiting?.key.encode() ?? null, waiting?.settledSeconds ?? null);
  }

  removePreKeys(deviceId: DeviceId): D1PreparedStatement[] {
    return ["device_prekeys", "one_time_ec", "one_time_kem"].map((table) =>
      this.#database.prepare(`DELETE FROM ${table} WHERE user = ?1 AND device = ?2`).bind(this.#user, deviceId),
    );
  }
}

/** Ids and encodings for `json_each`: one statement and few bound values, however many keys there are. */
function rowsOf<K extends { readonly id: number }>(keys: readonly K[], encode: (key: K) => Bytes): string {
  return JSON.stringify(keys.map((key) => [key.id, toHex(encode(key))]));
}

/** The database failed. Its callers, over RPC too, read from `retryable` that they may come again, as with the platform's own errors. */
class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  readonly retryable = true;
}

async function available<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (cause) {
    throw new DatabaseUnavailable("the database failed", { cause });
  }
}
