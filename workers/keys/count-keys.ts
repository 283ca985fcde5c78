// What the server has of a device's keys, for the device itself.

import { sha256 } from "#crypto";
import { type Bytes, type DeviceId, type UserId, uuidToBytes } from "#wire";
import { batch, type Blob, databaseOfUser, type KeysEnv } from "./env.ts";

export interface KeyCounts {
  readonly ec: number;
  readonly kem: number;
  /** SHA-256 of the signed prekey record, which names every other key; `undefined` when there is none. */
  readonly digest: Bytes | undefined;
}

/** @throws Unavailable */
export async function countKeys(env: KeysEnv, userId: UserId, deviceId: DeviceId): Promise<KeyCounts> {
  const database = databaseOfUser(env, userId);
  const statement = database
    .prepare(
      `SELECT (SELECT count(*) FROM one_time_ec WHERE user = ?1 AND device = ?2) AS ec,
              (SELECT count(*) FROM one_time_kem WHERE user = ?1 AND device = ?2) AS kem,
              (SELECT record FROM device_prekeys WHERE user = ?1 AND device = ?2) AS record`,
    )
    .bind(uuidToBytes(userId), deviceId);
  const [rows = []] = await batch(database, [statement]);
  const [row] = rows as readonly { readonly ec: number; readonly kem: number; readonly record: Blob | null }[]; // the statement's columns
  const record = row?.record ?? undefined;
  return { ec: row?.ec ?? 0, kem: row?.kem ?? 0, digest: record === undefined ? undefined : sha256(Uint8Array.from(record)) };
}
