// Takes a group from another device of ours: for a device that was none yet when the group's secrets were given out, and for the
// secret by which it acts as an admin. Believed because our own device says so; from there on the log is read as by everybody.

import { decodeGroupRecord, encodeGroupRecord, groupMember, type GroupRecord } from "#protocol";
import type { GroupId, Sync } from "#wire";
import { takeFromGroup } from "../avatars/records.ts";
import { GROUPS, type KnownGroup } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { joined } from "./changes.ts";
import { recordIn, withTold } from "./copies.ts";
import { nothingOf } from "./state.ts";

type GroupCopy = Extract<Sync["sync"], { readonly kind: "group" }>;

/** The group whose log has to be read on; nothing for a copy that is none. */
export async function takeCopy(sending: Sending, records: Writer, copy: GroupCopy): Promise<GroupId | undefined> {
  const told = recordIn(copy);
  if (told === undefined || groupMember(told.state, sending.self.local.address.userId) === undefined) return undefined;
  const { groupId, version } = told.state;
  const known = await records.get(GROUPS, groupId);
  if (known?.record === undefined || (isOut(known) && decodeGroupRecord(known.record).state.version < version)) {
    await enter(sending, records, known ?? nothingOf(groupId), told, copy.introduced);
    return groupId;
  }
  const before = decodeGroupRecord(known.record);
  const isStuck = before.secrets === undefined || known.broken === "group-unreadable";
  if (isStuck && version >= before.state.version) {
    records.put(GROUPS, { ...known, broken: undefined, place: version, record: encodeGroupRecord(told) }, groupId);
    await takeFromGroup(records, told.state, { changedMilliseconds: sending.clock.nowMilliseconds(), isOurs: false });
  } else {
    const record = encodeGroupRecord(withTold(before, told));
    records.put(GROUPS, { ...known, record, ...(version > before.state.version ? { told: encodeGroupRecord(told) } : {}) }, groupId);
  }
  records.touch("contacts");
  return groupId;
}

async function enter(sending: Sending, records: Writer, known: KnownGroup, told: GroupRecord, introduced: boolean): Promise<void> {
  const { groupId, version, members } = told.state;
  await joined(sending, records, { ...known, place: version, invitedBy: undefined }, told);
  const entered = await records.get(GROUPS, groupId);
  if (entered === undefined) return;
  // Everybody may have spoken without us, this account's other devices too; in a group that has just begun nobody has.
  const before = version === 1 ? [] : members.map(({ userId }) => userId);
  records.put(GROUPS, { ...entered, before, introduced }, groupId);
}

function isOut({ standing }: KnownGroup): boolean {
  return standing === "left" || standing === "removed";
}
