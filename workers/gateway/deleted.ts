// A device of an account that was deleted, as the log had it before its last entry: with that key its owner is told what became of the
// account, and nobody else.

import { sha256 } from "#crypto";
import { activeDevice, readAccountLog } from "#identity";
import type { DeviceAddress } from "#wire";
import type { KeysEnv } from "../keys/index.ts";
import type { ActiveDevice } from "./devices.ts";
import { wholeLog } from "./recovery.ts";

/** @throws Unavailable */
export async function deviceBeforeTheEnd(
  env: KeysEnv,
  { userId, deviceId }: DeviceAddress,
  nowSeconds: number,
): Promise<ActiveDevice | undefined> {
  const entries = (await wholeLog(env, userId)).slice(0, -1);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  // Each entry was verified before it was stored.
  const verified = { length: entries.length, hash: sha256(last) };
  const device = activeDevice(readAccountLog(entries, { userId, nowSeconds, verified }), deviceId);
  return device === undefined ? undefined : { userId, deviceId, identityKey: device.identityKey };
}
