// Putting a device out, from any other, or itself.

import { activeDevice, revokeDevice } from "#identity";
import type { DeviceId } from "#wire";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import type { Sending } from "../sending/compose.ts";
import { lengthenOwnLog, ownDeviceOf } from "./own-log.ts";

/**
 * When this resolves the server has the entry: the device's socket is closed, its messages are gone, its token is good for nothing. What
 * it knew is made anew by whoever learns of it: sender keys with the next message, groups' secrets by any admin's program.
 * @throws ClientError `unknown-device`, `last-device`
 */
export async function revoke(sending: Sending, deviceId: DeviceId, signal?: AbortSignal): Promise<void> {
  const { self, clock, random } = sending;
  let isWritten = false;
  try {
    await lengthenOwnLog(
      sending,
      (account) => {
        if (activeDevice(account, deviceId) === undefined) {
          // By the entry whose answer was lost.
          if (isWritten) return undefined;
          throw new ClientError("unknown-device");
        }
        if (account.devices.length === 1) throw new ClientError("last-device");
        isWritten = true;
        return revokeDevice(account, { deviceId, signer: ownDeviceOf(self), nowSeconds: seconds(clock) }, random);
      },
      signal,
    );
  } catch (error) {
    // Whoever puts itself out is told so by the next answer.
    const isOut = isWritten && deviceId === self.local.address.deviceId && error instanceof ClientError && error.code === "device-removed";
    if (!isOut) throw error;
  }
}
