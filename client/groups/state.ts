// A group as this device knows it: what is kept of it, opened. Decides who is in; changes nothing.

import { decodeGroupRecord, type GroupRecord, groupMember, isGroupAdmin, stateHashOf } from "#protocol";
import { type Bytes, type GroupId, type GroupState, isGroupTitle, type UserId } from "#wire";
import { ClientError } from "../errors.ts";
import { type ConversationId, GROUPS, type KnownGroup } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { ToGroup } from "../sending/compose.ts";

/** What somebody wrote who has left since is taken for so long. */
const GRACE_MILLISECONDS = 3600_000;

export interface Group {
  readonly known: KnownGroup;
  readonly record: GroupRecord;
  readonly state: GroupState;
  readonly stateHash: Bytes;
}

/** Nothing for one whose log was not read yet. */
export async function findGroup(records: Reader, groupId: GroupId): Promise<Group | undefined> {
  const known = await records.get(GROUPS, groupId);
  return known === undefined ? undefined : groupOf(known);
}

/** Of a group whose log was not read yet. */
export function nothingOf(groupId: GroupId): KnownGroup {
  return {
    groupId,
    standing: "invited",
    invitedBy: undefined,
    invitation: undefined,
    record: undefined,
    place: 0,
    past: [],
    introduced: false,
    before: [],
    arrived: [],
    former: [],
    broken: undefined,
  };
}

function groupOf(known: KnownGroup): Group | undefined {
  if (known.record === undefined) return undefined;
  const record = decodeGroupRecord(known.record);
  return { known, record, state: record.state, stateHash: stateHashOf(record.state) };
}

/** A group that we are in. @throws ClientError `unknown-group`, `not-a-member`, and what has broken it */
export async function requireGroup(records: Reader, groupId: GroupId): Promise<Group> {
  const group = await findGroup(records, groupId);
  if (group === undefined) throw new ClientError("unknown-group");
  if (group.known.broken !== undefined) throw new ClientError(group.known.broken);
  if (group.known.standing !== "member") throw new ClientError("not-a-member");
  return group;
}

/** Whether what somebody wrote may be shown: they are in, or were until a while ago. */
export function mayHaveWritten({ known, state }: Group, userId: UserId, nowMilliseconds: number): boolean {
  if (groupMember(state, userId) !== undefined) return true;
  const gone = known.former.find((former) => former.userId === userId);
  return gone !== undefined && nowMilliseconds - gone.sinceMilliseconds < GRACE_MILLISECONDS;
}

/** Whether an admin has spoken from a later state than we were shown. The word of one who is none any more holds nobody up. */
export function isWithheld({ known: { awaited }, state }: Group): boolean {
  return awaited !== undefined && awaited.version > state.version && isGroupAdmin(state, awaited.by);
}

export function toGroup({ state, stateHash }: Group): ToGroup {
  return { groupId: state.groupId, version: state.version, stateHash };
}

/** The groups that we and somebody are both in. */
export async function groupsWith(records: Reader, userId: UserId): Promise<readonly GroupId[]> {
  const groups = (await records.all(GROUPS)).flatMap((known) => groupOf(known) ?? []);
  const shared = groups.filter(({ known, state }) => known.standing === "member" && groupMember(state, userId) !== undefined);
  return shared.map(({ state }) => state.groupId);
}

/** By its id, or by the one title that it alone has among ours. @throws ClientError `unknown-group`, `bad-argument` */
export async function findGroupByName(records: Reader, name: string): Promise<GroupId> {
  const groups = (await records.all(GROUPS)).flatMap((known) => groupOf(known) ?? []);
  const found = groups.filter(({ state }) => state.groupId === name || state.title === name);
  const standing = found.filter(({ known }) => known.standing === "member");
  const [first, ...others] = standing.length > 0 ? standing : found;
  if (first === undefined) throw new ClientError("unknown-group");
  if (others.length > 0) throw new ClientError("bad-argument", { detail: "several groups have this title; name one by its id" });
  return first.state.groupId;
}

/** @throws ClientError `bad-argument` */
export function requireTitle(title: string): void {
  if (typeof title !== "string" || !isGroupTitle(title))
    throw new ClientError("bad-argument", { detail: "a title has 1 to 100 characters on one line" });
}

/** A group's id has 64 hexadecimal digits, and a person's has hyphens and is shorter. */
export function isGroupId(id: ConversationId): id is GroupId {
  return id.length === 64;
}
