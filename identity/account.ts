// The state of an account: what its log says at one head. Made by account-log.ts and by nothing else.

import type { PublicKey } from "#crypto";
import { type DeviceId, type LogHead, MAX_DEVICE_ID, parseDeviceId, toHex, type UserId } from "#wire";
import type { Device } from "./device.ts";
import type { Recovery } from "./recovery.ts";

/** A device that is active. */
export interface AccountDevice extends Device {
  readonly addedSeconds: number;
  /** The device that let it in; absent for the first one and for one that recovered the account. */
  readonly addedBy: DeviceId | undefined;
}

export interface AccountState {
  readonly userId: UserId;
  /** The first device's identity key, also when that device is gone: with the userId, what a safety number is made of. */
  readonly genesisKey: PublicKey;
  readonly head: LogHead;
  /** Of the newest entry. */
  readonly createdSeconds: number;
  /** The active devices in the order of their addition; none when the account was deleted, and only then. */
  readonly devices: readonly AccountDevice[];
  /** As of the newest entry: `recoveryAt` says what has become of it. */
  readonly recovery: Recovery;
  /** The last `recover` entry. What was believed about the account before deserves another look. */
  readonly recovered: { readonly sequence: number; readonly createdSeconds: number } | undefined;
  /** When the account was deleted, by its last entry. */
  readonly deletedSeconds: number | undefined;
  /** The ids used since the last time that all were. */
  readonly usedDeviceIds: ReadonlySet<DeviceId>;
  /** Every identity and recovery key that ever stood in the log, by `nameOfKey`. */
  readonly usedKeys: ReadonlySet<string>;
}

/** The part of an account that says who its devices are: all that a server's mailbox remembers of it. */
export interface Membership<D extends Pick<AccountDevice, "deviceId" | "identityKey"> = Pick<AccountDevice, "deviceId" | "identityKey">> {
  readonly userId: UserId;
  readonly devices: readonly D[];
}

export function activeDevice<D extends Pick<AccountDevice, "deviceId" | "identityKey">>(
  account: Membership<D>,
  deviceId: DeviceId,
): D | undefined {
  return account.devices.find((device) => device.deviceId === deviceId);
}

export function nameOfKey(key: PublicKey): string {
  return toHex(key.raw);
}

/** Ids that no new device may have. When all were used, those of devices that are gone are free again. */
export function takenDeviceIds(account: AccountState): ReadonlySet<DeviceId> {
  if (account.usedDeviceIds.size < MAX_DEVICE_ID) return account.usedDeviceIds;
  return new Set(account.devices.map((device) => device.deviceId));
}

/** The smallest id that a new device may have. */
export function nextDeviceId(account: AccountState): DeviceId {
  const taken = takenDeviceIds(account);
  let id = parseDeviceId(1);
  while (taken.has(id)) id = parseDeviceId(id + 1);
  return id;
}
