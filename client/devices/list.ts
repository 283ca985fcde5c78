// The devices of our account: by the log, which says who is in, and by our own records, which say what they are called.

import { type AccountDevice, activeDevice, revokeDevice } from "#identity";
import { type DeviceId, parseDeviceId, WireError } from "#wire";
import type { LinkedDevice } from "../api.ts";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { DEVICE_NAMES } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { lengthenOwnLog, ownDeviceOf } from "./own-log.ts";

/** For so long whoever looks is shown that a device is new. */
const NEW_MILLISECONDS = 7 * 24 * 3600_000;

export async function linkedDevices(sending: Sending, records: Reader): Promise<readonly LinkedDevice[]> {
  const { userId } = sending.self.local.address;
  const account = await sending.accounts.find(records, userId);
  const names = new Map((await records.all(DEVICE_NAMES)).map(({ deviceId, name }) => [deviceId, name]));
  return (account?.devices ?? []).map((device) => linkedDevice(sending, device, names.get(device.deviceId)));
}

function linkedDevice({ self, clock }: Sending, device: AccountDevice, name = ""): LinkedDevice {
  const { deviceId, addedBy } = device;
  const addedAt = new Date(device.addedSeconds * 1000);
  const isNew = deviceId !== 1 && clock.nowMilliseconds() - addedAt.getTime() < NEW_MILLISECONDS;
  return { deviceId, name, addedAt, addedBy, isNew, current: deviceId === self.local.address.deviceId };
}

export function deviceIdOf(value: number): DeviceId {
  try {
    return parseDeviceId(value);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new ClientError("unknown-device", { cause });
  }
}

/**
 * Puts a device out. When this resolves the server has the entry: the device's socket is closed, its messages are gone, its token is good
 * for nothing. What it knew is made anew by whoever learns of it: sender keys with the next message, groups' secrets by any admin's program.
 * @throws ClientError `unknown-device`, `last-device`
 */
export async function revoke(sending: Sending, deviceId: DeviceId, signal?: AbortSignal): Promise<void> {
  let isWritten = false;
  await lengthenOwnLog(
    sending,
    (account) => {
      if (activeDevice(account, deviceId) === undefined) {
        if (isWritten) return undefined;
        throw new ClientError("unknown-device");
      }
      if (account.devices.length === 1) throw new ClientError("last-device");
      isWritten = true;
      return revokeDevice(account, { deviceId, signer: ownDeviceOf(sending.self), nowSeconds: seconds(sending.clock) }, sending.random);
    },
    signal,
  );
}
