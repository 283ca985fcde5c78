// Hands out somebody's keys: the log, and of each active device one set to begin a session with. A one-time key leaves
// by the statement that deletes it, so that nobody else gets it, and a crash loses it instead of giving it twice.

import { sha256 } from "#crypto";
import { type AccountState, activeDevice, readAccountLog } from "#identity";
import {
  type AccountKeys,
  type Bytes,
  decodeKemPreKey,
  decodeOneTimePreKey,
  decodeSignedPreKey,
  decodeSignedPreKeyRecord,
  type DeviceId,
  type DevicePreKeys,
  MAX_LOG_PAGE_ENTRIES,
  parseDeviceId,
  PREKEYS_LOW,
  type UserId,
  uuidToBytes,
} from "#wire";
import { Unavailable } from "../deadline.ts";
import { batch, type Blob, databaseOfUser, type KeysEnv } from "./env.ts";

export interface TakeKeys {
  readonly userId: UserId;
  /** Entries of the log that the caller has. */
  readonly after: number;
  /** Devices whose one-time keys may be consumed; the others give their last resort. */
  readonly oneTimeFor: readonly DeviceId[];
  readonly nowSeconds: number;
}

/** That a device has few one-time keys of a kind left, after this taking. */
export interface LowKeys {
  readonly deviceId: DeviceId;
  readonly keys: "ec" | "kem";
  readonly remaining: number;
}

export interface TakenKeys {
  readonly keys: AccountKeys;
  readonly low: readonly LowKeys[];
}

/** `undefined` when there is no such account. @throws Unavailable */
export async function takeKeys(env: KeysEnv, request: TakeKeys): Promise<TakenKeys | undefined> {
  const taken = await takeRows(env, request);
  const entries = taken.log.map(({ entry }) => Uint8Array.from(entry));
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  // Each entry was verified before it was stored, and the chain of hashes says that these are those.
  const verified = { length: entries.length, hash: sha256(last) };
  const account = readAccountLog(entries, { userId: request.userId, nowSeconds: request.nowSeconds, verified });
  return {
    keys: {
      log: { entries: entries.slice(request.after, request.after + MAX_LOG_PAGE_ENTRIES) },
      devices: taken.sets.flatMap((row) => devicePreKeys(row, taken, account)),
    },
    low: lowKeys(taken),
  };
}

interface SetRow {
  readonly device: number;
  readonly record: Blob;
  readonly signed_prekey: Blob;
  readonly last_resort: Blob;
}

interface OneTime {
  readonly deviceId: DeviceId;
  readonly keys: "ec" | "kem";
  readonly preKey: Bytes | undefined;
  readonly remaining: number;
}

interface Taken {
  readonly log: readonly { readonly entry: Blob }[];
  readonly sets: readonly SetRow[];
  readonly oneTime: readonly OneTime[];
}

/** When the databases do not give one-time keys in time, the others must do. */
async function takeRows(env: KeysEnv, { userId, oneTimeFor }: TakeKeys): Promise<Taken> {
  const database = databaseOfUser(env, userId);
  const user = uuidToBytes(userId);
  try {
    return await takeFrom(database, user, oneTimeFor);
  } catch (error) {
    // Not again with the same statements: those that timed out may have taken a key already.
    if (error instanceof Unavailable && oneTimeFor.length > 0) return await takeFrom(database, user, []);
    throw error;
  }
}

async function takeFrom(database: D1Database, user: Bytes, oneTimeFor: readonly DeviceId[]): Promise<Taken> {
  const places = oneTimeFor.flatMap((deviceId) => (["ec", "kem"] as const).map((keys) => ({ deviceId, keys })));
  const rows = await batch(database, [
    database.prepare("SELECT entry FROM account_log WHERE user = ?1 ORDER BY sequence").bind(user),
    database.prepare("SELECT device, record, signed_prekey, last_resort FROM device_prekeys WHERE user = ?1 ORDER BY device").bind(user),
    ...places.flatMap(({ deviceId, keys }) => [
      database.prepare(TAKE[keys]).bind(user, deviceId),
      database.prepare(COUNT[keys]).bind(user, deviceId),
    ]),
  ]);
  const [log, sets, ...others] = rows as readonly [Taken["log"], Taken["sets"], ...unknown[][]]; // the columns that the statements name
  const oneTime = places.map((place, at) => {
    const [row] = others[2 * at] as readonly { readonly prekey: Blob }[];
    const [count] = others[2 * at + 1] as readonly { readonly remaining: number }[];
    return { ...place, preKey: row === undefined ? undefined : Uint8Array.from(row.prekey), remaining: count?.remaining ?? 0 };
  });
  return { log, sets, oneTime };
}

/** One statement: between reading which key is next and deleting it nobody can come. */
function take(table: "one_time_ec" | "one_time_kem"): string {
  return `DELETE FROM ${table} WHERE user = ?1 AND device = ?2
    AND key_id = (SELECT key_id FROM ${table} WHERE user = ?1 AND device = ?2 ORDER BY key_id LIMIT 1) RETURNING prekey`;
}

const TAKE = { ec: take("one_time_ec"), kem: take("one_time_kem") };
const COUNT = {
  ec: "SELECT count(*) AS remaining FROM one_time_ec WHERE user = ?1 AND device = ?2",
  kem: "SELECT count(*) AS remaining FROM one_time_kem WHERE user = ?1 AND device = ?2",
};

/** None for a device that the log no longer has: an upload may have been on its way when it was revoked. */
function devicePreKeys(row: SetRow, { oneTime }: Taken, account: AccountState): readonly DevicePreKeys[] {
  const deviceId = parseDeviceId(row.device);
  if (activeDevice(account, deviceId) === undefined) return [];
  const keyOf = (keys: "ec" | "kem"): Bytes | undefined => oneTime.find((one) => one.deviceId === deviceId && one.keys === keys)?.preKey;
  const ec = keyOf("ec");
  return [
    {
      deviceId,
      record: decodeSignedPreKeyRecord(Uint8Array.from(row.record)),
      signedPreKey: decodeSignedPreKey(Uint8Array.from(row.signed_prekey)),
      kemPreKey: decodeKemPreKey(keyOf("kem") ?? Uint8Array.from(row.last_resort)),
      oneTimePreKey: ec === undefined ? undefined : decodeOneTimePreKey(ec),
    },
  ];
}

function lowKeys({ oneTime }: Taken): readonly LowKeys[] {
  return oneTime
    .filter(({ preKey, remaining }) => preKey !== undefined && remaining <= PREKEYS_LOW)
    .map(({ deviceId, keys, remaining }) => ({ deviceId, keys, remaining }));
}
