// Sender keys of a group: under which name each device's key goes, and when a device draws a new one. Knows neither the key nor the
// group's log; sender-key.ts makes the key.

import { LABELS, labelled, sha256 } from "#crypto";
import {
  type DistributionId,
  fromHex,
  type GroupId,
  parseDistributionId,
  SENDER_KEY_LIFETIME_SECONDS,
  SENDER_KEY_MESSAGES,
  type ServiceId,
  uuidFromBytes,
} from "#wire";

/** The distribution of all sender keys of a group, the same for every sender and at all times. */
export function distributionIdOf(groupId: GroupId): DistributionId {
  return parseDistributionId(uuidFromBytes(sha256(labelled(LABELS.GROUP_DISTRIBUTION, fromHex(groupId))).subarray(0, 16)));
}

/** What a device knows of its current sender key. */
export interface SenderKeyUse {
  readonly createdSeconds: number;
  /** How many were sealed with it. */
  readonly messages: number;
  /** Every device that it was given to. */
  readonly heldBy: ReadonlySet<ServiceId>;
}

export interface SenderKeyNeed {
  /** Every other device of every member, this account's own ones included. */
  readonly devices: ReadonlySet<ServiceId>;
  readonly nowSeconds: number;
}

/**
 * Whether the next message wants a new key: whoever has the old one must not read on, whoever is new must not read back, and a
 * stolen one is worth a hundred messages or seven days. A clock that was set back by as much counts as well.
 */
export function senderKeyMustRotate({ createdSeconds, messages, heldBy }: SenderKeyUse, { devices, nowSeconds }: SenderKeyNeed): boolean {
  const changed = heldBy.size !== devices.size || ![...devices].every((device) => heldBy.has(device));
  return changed || messages >= SENDER_KEY_MESSAGES || Math.abs(nowSeconds - createdSeconds) >= SENDER_KEY_LIFETIME_SECONDS;
}
