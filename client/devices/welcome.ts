// What a device that we have let in has to be told, once it is in the log: everything that the account knows, through its mailbox like any
// other message. Done when it is let in, and at the next start if the program ended in between.

import { activeDevice } from "#identity";
import { LINK_TICKET_LIFETIME_SECONDS, sameBytes } from "#wire";
import { giveHistory } from "../history/giving.ts";
import { DEVICE_NAMES, OWN, WELCOMES, type Welcome } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { canCompose, type Sending } from "../sending/compose.ts";
import { tellEverything } from "../sending/own-devices.ts";
import { nameDevice, tellDeviceNames } from "./names.ts";

/** On a device that was let in: the others see by it that it has not ended on the way. */
export async function announceUs(sending: Sending): Promise<void> {
  const { userId, deviceId } = sending.self.local.address;
  await sending.vault.write(async (records) => {
    const own = await records.get(OWN);
    if (own?.unannounced !== true || !(await canCompose(sending, records, userId))) return;
    records.put(OWN, { ...own, unannounced: false });
    await nameDevice(sending, records, deviceId, (await records.get(DEVICE_NAMES, deviceId))?.name ?? "");
  });
}

export async function welcomeDevices(sending: Sending): Promise<void> {
  const { vault, accounts, self } = sending;
  if ((await vault.read((records) => records.all(WELCOMES))).length === 0) return;
  await accounts.refresh(self.local.address.userId);
  await vault.write(async (records) => {
    for (const welcome of await records.all(WELCOMES)) await welcomeDevice(sending, records, welcome);
  });
}

async function welcomeDevice(sending: Sending, records: Writer, welcome: Welcome): Promise<void> {
  const { accounts, self, clock } = sending;
  const { deviceId, identityKey, name, sinceMilliseconds, history } = welcome;
  const device = activeDevice(await accounts.requireKnown(records, self.local.address.userId), deviceId);
  const isIn = device !== undefined && sameBytes(device.identityKey.encode(), identityKey);
  // Not in, and nobody will ask the server for it any more.
  const isOver = clock.nowMilliseconds() - sinceMilliseconds > 2 * LINK_TICKET_LIFETIME_SECONDS * 1000;
  if (isIn || isOver) records.delete(WELCOMES, deviceId);
  if (!isIn) return;
  await nameDevice(sending, records, deviceId, name);
  await tellDeviceNames(sending, records, deviceId);
  await tellEverything(sending, records, deviceId);
  if (history !== undefined) await giveHistory(sending, records, device, history);
}
