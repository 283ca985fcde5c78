// What an entry of a group's log brings about on this device, in the transaction that keeps the state after it: who is in, what
// is told, and what whoever wrote the entry owes to the others.

import {
  type AppliedOperation,
  decodeGroupRecord,
  distributionIdOf,
  encodeGroupRecord,
  groupMember,
  type GroupRecord,
  stateHashOf,
} from "#protocol";
import type { Bytes, GroupId, GroupState, UserId } from "#wire";
import { isSamePicture, takeFromGroup } from "../avatars/records.ts";
import { recordEvent } from "../core.ts";
import { CHAINS, CONTACTS, CONVERSATIONS, DISTRIBUTIONS, GROUPS, JOINS, type KnownGroup, OWN_SENDER_KEYS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { contactOf } from "../records/contact.ts";
import { completed, leftOutBy } from "./copies.ts";
import { nameOf } from "./sender-keys.ts";
import { composeForGroup, composeToMember, conversationOf, type Sending } from "../sending/compose.ts";
import { hasOtherDevices, tellGroup } from "../sending/own-devices.ts";

/** Versions whose state hash is kept, for messages of members who are behind. */
const MAX_PAST = 64;
const MAX_FORMER = 100;

export interface Followed {
  readonly known: KnownGroup;
  readonly before: GroupRecord;
  readonly after: GroupRecord;
  readonly applied: AppliedOperation;
}

/** We are in: by the entry that let us in, or by having made the group. */
export async function joined(sending: Sending, records: Writer, known: KnownGroup, record: GroupRecord): Promise<void> {
  const { groupId } = known;
  const own = sending.self.local.address.userId;
  const inviter = known.invitedBy;
  const isKnown = inviter === undefined || inviter === own || (await contactOf(records, inviter)).state === "accepted";
  // With the second entry nobody can have said anything before, except to themselves.
  const before = record.state.version <= 2 ? [] : record.state.members.map(({ userId }) => userId).filter((userId) => userId !== own);
  const standing = isKnown ? "member" : "invited";
  records.put(DISTRIBUTIONS, { groupId }, distributionIdOf(groupId));
  await beginSequences(records, groupId);
  const { awaited: _, ...others } = known;
  const fresh = { invitation: undefined, past: [], introduced: false, arrived: [], former: [], broken: undefined } as const;
  records.put(GROUPS, { ...others, ...fresh, standing, before, record: encodeGroupRecord(record) }, groupId);
  records.put(CONVERSATIONS, await conversationOf(records, groupId), groupId);
  records.touch("contacts");
  await takeFromGroup(records, record.state, { changedMilliseconds: sending.clock.nowMilliseconds(), isOurs: false });
  if (isKnown) await tell(records, groupId, inviter ?? own, "joined");
  else if (inviter !== undefined) await askAbout(records, inviter);
}

/** What was said while we were out was not for us, and leaves no gap: whoever waits for it waits no longer. */
async function beginSequences(records: Writer, groupId: GroupId): Promise<void> {
  for (const chain of await records.all(CHAINS, groupId)) {
    const [first] = chain.waiting;
    if (first === undefined) records.delete(CHAINS, groupId, nameOf(chain));
    else records.put(CHAINS, { ...chain, next: first.counter, hash: undefined }, groupId, nameOf(chain));
  }
}

/** What an unknown person has let us into waits with what they write. */
async function askAbout(records: Writer, inviter: UserId): Promise<void> {
  const contact = await contactOf(records, inviter);
  if (contact.state !== "none") return;
  records.put(CONTACTS, { ...contact, state: "request" }, inviter);
  await recordEvent(records, { type: "request", from: inviter });
}

export interface Begun {
  readonly groupId: GroupId;
  readonly beginning: Bytes;
  readonly record: GroupRecord;
}

/** A group of our own. Our other devices get it with all of its secrets. */
export async function begun(sending: Sending, records: Writer, { groupId, beginning, record }: Begun): Promise<void> {
  const nothing = {
    invitedBy: undefined,
    invitation: undefined,
    record: undefined,
    past: [],
    introduced: false,
    before: [],
    arrived: [],
    former: [],
    broken: undefined,
  };
  await joined(sending, records, { groupId, standing: "member", place: record.state.version, beginning, ...nothing }, record);
  const known = await records.get(GROUPS, groupId);
  if (known !== undefined) await tellGroup(sending, records, known);
}

/** One entry further. */
export async function follow(sending: Sending, records: Writer, { known, before, after, applied }: Followed): Promise<void> {
  const { groupId } = known;
  const own = sending.self.local.address.userId;
  const gone = before.state.members.filter(({ userId }) => groupMember(after.state, userId) === undefined).map(({ userId }) => userId);
  const { version } = after.state;
  const come = after.state.members.filter(({ userId }) => groupMember(before.state, userId) === undefined);
  const arrived = [
    ...known.arrived.filter(({ userId }) => groupMember(after.state, userId) !== undefined),
    ...come.map(({ userId }) => ({ userId, version })),
  ];
  const sinceMilliseconds = sending.clock.nowMilliseconds();
  const former = [
    ...known.former.filter(({ userId }) => groupMember(after.state, userId) === undefined),
    ...gone.map((userId) => ({ userId, sinceMilliseconds })),
  ];
  const past = [...known.past, { version: before.state.version, stateHash: stateHashOf(before.state) }];
  const isOut = gone.includes(own);
  const standing = isOut ? (applied.operation.kind === "leave" ? "left" : "removed") : known.standing;
  const { told, ...others } = known;
  const record = isOut ? after : completed(told, after);
  const next: KnownGroup = {
    ...others,
    ...(told === undefined || decodeGroupRecord(told).state.version <= record.state.version ? {} : { told }),
    place: Math.max(known.place, record.state.version),
    standing,
    past: past.slice(-MAX_PAST),
    arrived,
    former: former.slice(-MAX_FORMER),
    record: encodeGroupRecord(record),
  };
  // Still a member, and no secrets: a rotation that was made before this device was there.
  const kept: KnownGroup = !isOut && record.secrets === undefined ? { ...next, broken: "group-unreadable" } : next;
  records.put(GROUPS, kept, groupId);
  for (const { userId } of come) records.delete(JOINS, groupId, userId);
  for (const deviceId of await leftOutBy(applied, sending, records)) await tellGroup(sending, records, kept, deviceId);
  if (isOut) records.delete(OWN_SENDER_KEYS, groupId);
  records.touch("contacts");
  const isOurs = applied.signer.userId === own && applied.signer.deviceId === sending.self.local.address.deviceId;
  const changedMilliseconds = Math.min(sinceMilliseconds, applied.createdSeconds * 1000);
  await takeFromGroup(records, record.state, { changedMilliseconds, isOurs });
  const isNews = applied.operation.kind !== "avatar" || !isSamePicture(before.state.avatar, record.state.avatar);
  const change = standing === "removed" ? "removed" : applied.operation.kind;
  // Whoever did it knows.
  if (standing !== "invited" && !isOurs && isNews) await tell(records, groupId, applied.signer.userId, change);
  const { userId, deviceId } = sending.self.local.address;
  if (applied.signer.userId !== userId || applied.signer.deviceId !== deviceId) return;
  if (isOut) await sayGoodbye(sending, records, after.state);
  else await spread(sending, records, after, applied, gone);
}

/** Nothing more can be read of it. */
export async function stopped(sending: Sending, records: Writer, known: KnownGroup, reason: string): Promise<void> {
  records.put(GROUPS, known, known.groupId);
  records.touch("contacts");
  const peer = known.invitedBy ?? sending.self.local.address.userId;
  const notice = { type: "notice", kind: "group-broken", peer, deviceId: undefined, reason } as const;
  await recordEvent(records, { ...notice, groupId: known.groupId });
}

/** Whoever wrote an entry tells the others that it is there, and lets in whom it adds. */
async function spread(
  sending: Sending,
  records: Writer,
  { state, secrets }: GroupRecord,
  { operation }: AppliedOperation,
  gone: readonly UserId[],
): Promise<void> {
  const { groupId, version } = state;
  const stateHash = stateHashOf(state);
  const group = { groupId, version, stateHash };
  const change = { kind: "group-change", groupId, version, stateHash } as const;
  const groupSecret = secrets?.groupSecret.expose().slice();
  for (const recipient of addedBy(operation))
    await composeToMember(sending, records, { group, recipient, body: { ...change, groupSecret } });
  for (const recipient of gone) await composeToMember(sending, records, { group, recipient, body: { ...change, groupSecret: undefined } });
  await composeForGroup(sending, records, { group, body: { ...change, groupSecret: undefined } });
}

/** Whoever has left has no key to say it to all at once. */
async function sayGoodbye(sending: Sending, records: Writer, state: GroupState): Promise<void> {
  const { groupId, version } = state;
  const group = { groupId, version, stateHash: stateHashOf(state) };
  const body = { kind: "group-change", ...group, groupSecret: undefined } as const;
  const others = state.members.map(({ userId }) => userId);
  const own = (await hasOtherDevices(sending, records)) ? [sending.self.local.address.userId] : [];
  for (const recipient of [...others, ...own]) await composeToMember(sending, records, { group, recipient, body });
}

function addedBy(operation: AppliedOperation["operation"]): readonly UserId[] {
  return operation.kind === "add" ? operation.members.map(({ userId }) => userId) : [];
}

async function tell(records: Writer, groupId: GroupId, by: UserId, change: string): Promise<void> {
  await recordEvent(records, { type: "notice", kind: "group-changed", peer: by, deviceId: undefined, reason: change, groupId });
}
