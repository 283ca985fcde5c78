// What the devices of our account are called. The names are told among these devices and to nobody else; the server has none of them.

import { type DeviceId, MAX_NAME_BYTES, toUtf8 } from "#wire";
import { ClientError } from "../errors.ts";
import { givenString } from "../given.ts";
import { DEVICE_NAMES, HEARD_DEVICES } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { tellOwnDevices } from "../sending/own-devices.ts";

/** Touched when our devices, or what they are called, have changed. */
export const OWN_DEVICES = "own-devices";

/** @throws ClientError `bad-argument` */
export function requireDeviceName(name: string): string {
  const trimmed = givenString(name, "a device's name").trim();
  if (trimmed === "" || /\p{C}/u.test(trimmed) || toUtf8(trimmed).length > MAX_NAME_BYTES)
    throw new ClientError("bad-argument", { detail: "a device's name has 1 to 256 bytes on one line" });
  return trimmed;
}

/** Ids are given again after all were used, so the newest name is the one that holds. */
export function keepDeviceName(records: Writer, deviceId: DeviceId, name: string): void {
  records.put(DEVICE_NAMES, { deviceId, name }, deviceId);
  records.touch(OWN_DEVICES);
}

/** Whatever it has said, it is there. */
export async function keepHeard(records: Writer, deviceId: DeviceId): Promise<void> {
  if ((await records.get(HEARD_DEVICES, deviceId)) !== undefined) return;
  records.put(HEARD_DEVICES, { deviceId }, deviceId);
  records.touch(OWN_DEVICES);
}

/** And tells the others. */
export async function nameDevice(sending: Sending, records: Writer, deviceId: DeviceId, name: string): Promise<void> {
  keepDeviceName(records, deviceId, name);
  await tellOwnDevices(sending, records, { kind: "device-name", deviceId, name });
}

/** All that are known, to a device that knows none. */
export async function tellDeviceNames(sending: Sending, records: Writer, to: DeviceId): Promise<void> {
  for (const { deviceId, name } of await records.all(DEVICE_NAMES))
    await tellOwnDevices(sending, records, { kind: "device-name", deviceId, name }, to);
}
