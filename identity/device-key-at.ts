// Which key a device had at one head of its account's log: for statements that name the head they were signed at, and
// that are read when the log has grown. Knows no statement.

import type { PublicKey } from "#crypto";
import { type Bytes, type DeviceId, type LogHead, sameBytes, type UserId } from "#wire";
import { sha256 } from "#crypto";
import { readAccountLog } from "./account-log.ts";
import { activeDevice } from "./account.ts";

export interface DeviceKeyAt {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly head: LogHead;
  readonly nowSeconds: number;
}

/**
 * The key of the device if it was active at the head. Absent: the log has no such head, or no such device there; a log that
 * may have grown since is to be fetched anew before that is believed.
 * @throws ProtocolError, WireError for a log that is none, as `readAccountLog`.
 */
export function deviceKeyAt(entries: readonly Bytes[], { userId, deviceId, head, nowSeconds }: DeviceKeyAt): PublicKey | undefined {
  const last = entries[head.length - 1];
  if (last === undefined || !sameBytes(sha256(last), head.hash)) return undefined;
  return activeDevice(readAccountLog(entries.slice(0, head.length), { userId, nowSeconds }), deviceId)?.identityKey;
}
