// Sender keys in a group: our own, which every device of the group gets through its session with us, and those of the others.
// Ours is made anew whenever the devices change, and after a while: who is gone, or has stolen one, reads nothing that comes later.

import {
  createSenderKey,
  decodeSenderKeyRecord,
  distributionIdOf,
  encodeSenderKeyRecord,
  learnSenderKey,
  NO_SENDER_KEY,
  sealForGroup,
  senderKeyMustRotate,
} from "#protocol";
import { type Bytes, type DeviceAddress, type GroupId, type ServiceId, serviceIdOfDevice } from "#wire";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { type HeldBy, OWN_SENDER_KEYS, type OwnSenderKey, SENDER_KEYS } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { composeToMember, type Sending } from "../sending/compose.ts";
import { type Group, toGroup } from "./state.ts";

/** Every device of the group but this one, as the account logs are known. */
async function devicesOf({ accounts, self }: Sending, records: Reader, { state }: Group): Promise<readonly HeldBy[]> {
  const { address } = self.local;
  const devices: HeldBy[] = [];
  for (const { userId } of state.members) {
    const account = await accounts.find(records, userId);
    for (const { deviceId, registrationId } of account?.devices ?? []) {
      if (userId !== address.userId || deviceId !== address.deviceId) devices.push({ userId, deviceId, registrationId });
    }
  }
  return devices;
}

/** Our key for the devices that there are now: the one of before, or a new one and a message to each member that carries it. */
export async function senderKeyFor(sending: Sending, records: Writer, group: Group): Promise<OwnSenderKey> {
  const { groupId } = group.state;
  const devices = await devicesOf(sending, records, group);
  const known = await records.get(OWN_SENDER_KEYS, groupId);
  const need = { devices: namesOf(devices), nowSeconds: seconds(sending.clock) };
  if (known !== undefined && !senderKeyMustRotate(useOf(known), need)) return known;
  const distributionId = distributionIdOf(groupId);
  const before = known === undefined ? NO_SENDER_KEY : decodeSenderKeyRecord(known.key);
  const made = createSenderKey(before, distributionId, sending.random);
  if (made.kind === "refused") throw new ClientError("server-failed", { detail: made.code });
  records.spend(made.spent);
  const key: OwnSenderKey = {
    key: encodeSenderKeyRecord(made.state),
    createdMilliseconds: sending.clock.nowMilliseconds(),
    messages: 0,
    heldBy: devices,
  };
  records.put(OWN_SENDER_KEYS, key, groupId);
  const body = { kind: "sender-key", groupId, distribution: made.output } as const;
  for (const recipient of new Set(devices.map(({ userId }) => userId))) {
    await composeToMember(sending, records, { group: toGroup(group), recipient, body });
  }
  return key;
}

function useOf({ createdMilliseconds, messages, heldBy }: OwnSenderKey): Parameters<typeof senderKeyMustRotate>[0] {
  return { createdSeconds: Math.floor(createdMilliseconds / 1000), messages, heldBy: namesOf(heldBy) };
}

function namesOf(devices: readonly HeldBy[]): ReadonlySet<ServiceId> {
  return new Set(devices.map(serviceIdOfDevice));
}

/** Encrypts once for everybody, with the key's new state in the same transaction. */
export function sealWithSenderKey(
  records: Writer,
  groupId: GroupId,
  own: OwnSenderKey,
  plaintext: Bytes,
): { readonly own: OwnSenderKey; readonly bytes: Bytes } {
  const sealed = sealForGroup(decodeSenderKeyRecord(own.key), distributionIdOf(groupId), plaintext);
  if (sealed.kind === "refused") throw new ClientError("server-failed", { detail: sealed.code });
  const used: OwnSenderKey = { ...own, key: encodeSenderKeyRecord(sealed.state), messages: own.messages + 1 };
  records.put(OWN_SENDER_KEYS, used, groupId);
  records.spend(sealed.spent);
  return { own: used, bytes: sealed.output };
}

/** Somebody's key, from a session with them. False for what is none, or is another group's. */
export async function learn(records: Writer, groupId: GroupId, sender: DeviceAddress, distribution: Bytes): Promise<boolean> {
  const name = nameOf(sender);
  const outcome = learnSenderKey((await records.get(SENDER_KEYS, groupId, name)) ?? NO_SENDER_KEY, distribution);
  if (outcome.kind === "refused" || outcome.output !== distributionIdOf(groupId)) return false;
  records.put(SENDER_KEYS, outcome.state, groupId, name);
  records.spend(outcome.spent);
  return true;
}

export function nameOf({ userId, deviceId }: DeviceAddress): string {
  return `${userId}/${deviceId}`;
}
