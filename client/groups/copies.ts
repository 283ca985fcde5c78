// A group as another device of ours has told it, beside the record of it here: what one has and the other lacks. Knows no store.

import { Secret } from "#crypto";
import { adoptGroupSecrets, type AppliedOperation, decodeGroupRecord, type GroupRecord } from "#protocol";
import { type Bytes, decodeGroupState, type DeviceId, type MemberWraps, type Sync, WireError } from "#wire";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";

type GroupCopy = Extract<Sync["sync"], { readonly kind: "group" }>;

/** The record after an entry, completed by what another device of ours has told of it. */
export function completed(told: Bytes | undefined, after: GroupRecord): GroupRecord {
  if (told === undefined) return after;
  const record = decodeGroupRecord(told);
  const isCutOff = after.secrets === undefined && record.state.version >= after.state.version;
  return isCutOff ? record : withTold(after, record);
}

/** Takes the admins' secret, where it is that of the same epoch. */
export function withTold(record: GroupRecord, { secrets }: GroupRecord): GroupRecord {
  if (secrets?.adminSecret === undefined || record.secrets === undefined || record.secrets.adminSecret !== undefined) return record;
  const adopted = adoptGroupSecrets(record, secrets);
  return adopted.kind === "done" ? adopted.state : record;
}

/** Devices of ours for which an entry had nothing, because whoever wrote it did not know them. */
export async function leftOutBy({ operation }: AppliedOperation, sending: Sending, records: Reader): Promise<readonly DeviceId[]> {
  const { userId, deviceId: here } = sending.self.local.address;
  const wraps = wrapsIn(operation).find((member) => member.userId === userId);
  if (wraps === undefined) return [];
  const own = await sending.accounts.find(records, userId);
  const named = new Set(wraps.devices.map(({ deviceId }) => deviceId));
  return (own?.devices ?? []).map(({ deviceId }) => deviceId).filter((deviceId) => deviceId !== here && !named.has(deviceId));
}

function wrapsIn(operation: AppliedOperation["operation"]): readonly MemberWraps[] {
  if (operation.kind === "promote") return [operation.member];
  return "rotation" in operation ? operation.rotation.members : [];
}

/** What the copy says, if its state commits to its secrets. */
export function recordIn({ state: bytes, groupSecret, adminSecret }: GroupCopy): GroupRecord | undefined {
  const secrets = {
    groupSecret: new Secret(groupSecret.slice()),
    adminSecret: adminSecret === undefined ? undefined : new Secret(adminSecret.slice()),
  };
  try {
    const adopted = adoptGroupSecrets({ state: decodeGroupState(bytes), secrets: undefined }, secrets);
    return adopted.kind === "done" ? adopted.state : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
