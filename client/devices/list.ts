// The devices of our account: by the log, which says who is in, and by our own records, which say what they are called.

import type { AccountDevice } from "#identity";
import { type DeviceId, parseDeviceId, WireError } from "#wire";
import type { LinkedDevice } from "../api.ts";
import { ClientError } from "../errors.ts";
import { DEVICE_NAMES, HEARD_DEVICES } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";

/** For so long whoever looks is shown that a device is new. */
const NEW_MILLISECONDS = 7 * 24 * 3600_000;

export async function linkedDevices(sending: Sending, records: Reader): Promise<readonly LinkedDevice[]> {
  const { userId } = sending.self.local.address;
  const account = await sending.accounts.find(records, userId);
  const names = new Map((await records.all(DEVICE_NAMES)).map(({ deviceId, name }) => [deviceId, name]));
  const heard = new Set((await records.all(HEARD_DEVICES)).map(({ deviceId }) => deviceId));
  const { devices = [] } = account ?? {};
  const ownPlace = devices.findIndex(({ deviceId }) => deviceId === sending.self.local.address.deviceId);
  return devices.map((device, place) => {
    // By its place in the log: two may have been added within one second.
    const isOlder = ownPlace === -1 || place <= ownPlace;
    const known = { name: names.get(device.deviceId) ?? "", hasCome: isOlder || heard.has(device.deviceId) };
    return linkedDevice(sending, device, known);
  });
}

function linkedDevice({ self, clock }: Sending, device: AccountDevice, known: Pick<LinkedDevice, "name" | "hasCome">): LinkedDevice {
  const { deviceId, addedBy } = device;
  const addedAt = new Date(device.addedSeconds * 1000);
  const isNew = deviceId !== 1 && clock.nowMilliseconds() - addedAt.getTime() < NEW_MILLISECONDS;
  return { ...known, deviceId, addedAt, addedBy, isNew, current: deviceId === self.local.address.deviceId };
}

export function deviceIdOf(value: number): DeviceId {
  try {
    return parseDeviceId(value);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new ClientError("unknown-device", { cause });
  }
}
