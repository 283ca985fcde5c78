// Stores what a device uploads, once all of it was checked.

import { AccountStore } from "#durable-objects";
import { checkPreKeyUpload, type Membership } from "#identity";
import {
  type Bytes,
  type DeviceId,
  encodeOneTimePreKey,
  MAX_ONE_TIME_EC_PREKEYS,
  type PreKeyUpload,
  ProtocolError,
  sameBytes,
  type UserId,
  uuidToBytes,
} from "#wire";
import { batch, type Blob, databaseOfUser, type KeysEnv } from "./env.ts";

export interface PutKeys {
  readonly userId: UserId;
  readonly device: Membership["devices"][number];
  readonly upload: PreKeyUpload;
  readonly nowSeconds: number;
}

/**
 * A repeat changes nothing: keys that were handed out in between do not come back. Refuses as `checkPreKeyUpload` does, and:
 * `no-prekey` one-time keys of a device that has no set · `duplicate` an id that is not above all before ·
 * `over-limit` more than a hundred in all.
 * @throws ProtocolError, Unavailable
 */
export async function putKeys(env: KeysEnv, { userId, device, upload, nowSeconds }: PutKeys): Promise<void> {
  const { deviceId } = device;
  const database = databaseOfUser(env, userId);
  const before = await readStored(database, userId, deviceId);
  const account = { userId, devices: [device] };
  const record = checkPreKeyUpload(upload, { account, deviceId, nowSeconds, replacesSeconds: before.createdSeconds });
  if (record === undefined && before.record === undefined) throw new ProtocolError("no-prekey");
  requireRoom(upload, before);
  const store = new AccountStore(database, userId);
  const statements = record === undefined ? store.addOneTime(deviceId, upload) : store.replacePreKeys({ deviceId, upload, record });
  await batch(database, statements);
}

interface Stored {
  readonly record: Bytes | undefined;
  readonly createdSeconds: number;
  readonly highestEc: number;
  readonly oneTime: ReadonlyMap<number, Bytes>;
}

async function readStored(database: D1Database, userId: UserId, deviceId: DeviceId): Promise<Stored> {
  const user = uuidToBytes(userId);
  const [sets = [], keys = []] = await batch(database, [
    database.prepare("SELECT created, record, highest_ec FROM device_prekeys WHERE user = ?1 AND device = ?2").bind(user, deviceId),
    database.prepare("SELECT key_id, prekey FROM one_time_ec WHERE user = ?1 AND device = ?2").bind(user, deviceId),
  ]);
  // The columns that the statements name.
  const [set] = sets as readonly { readonly created: number; readonly record: Blob; readonly highest_ec: number }[];
  const oneTime = (keys as readonly { readonly key_id: number; readonly prekey: Blob }[]).map(
    ({ key_id, prekey }) => [key_id, Uint8Array.from(prekey)] as const,
  );
  return {
    record: set === undefined ? undefined : Uint8Array.from(set.record),
    createdSeconds: set?.created ?? 0,
    highestEc: set?.highest_ec ?? 0,
    oneTime: new Map(oneTime),
  };
}

/** The statements would leave out what does not fit; the device should hear of it. */
function requireRoom({ oneTimePreKeys }: PreKeyUpload, before: Stored): void {
  if (oneTimePreKeys.length === 0 || isRepeat({ oneTimePreKeys }, before)) return;
  if (oneTimePreKeys.some(({ id }) => id <= before.highestEc)) throw new ProtocolError("duplicate");
  if (before.oneTime.size + oneTimePreKeys.length > MAX_ONE_TIME_EC_PREKEYS) throw new ProtocolError("over-limit");
}

/** None is new, some are there still, and those are the same: an upload whose answer was lost. */
function isRepeat({ oneTimePreKeys }: Pick<PreKeyUpload, "oneTimePreKeys">, { highestEc, oneTime }: Stored): boolean {
  const there = oneTimePreKeys.filter(({ id }) => oneTime.has(id));
  const same = there.every((key) => sameBytes(encodeOneTimePreKey(key), oneTime.get(key.id) ?? new Uint8Array()));
  return there.length > 0 && same && oneTimePreKeys.every(({ id }) => id <= highestEc);
}
