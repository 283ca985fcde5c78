// What each operation does to the state of a group, and when it is refused. Who may do what is one line: everything but
// to leave needs an admin. Every rule depends on state and operation alone, so all readers of one log agree for ever. Knows no signature and no key.

import {
  type AddMembers,
  assertNever,
  type Bytes,
  type CreateGroup,
  type GroupInvite,
  type GroupMember,
  type GroupOperation,
  type GroupState,
  LOG_ENTRIES_FOR_RECOVERY,
  MAX_GROUP_INVITE_USES,
  MAX_GROUP_INVITES,
  MAX_GROUP_MEMBERS,
  MAX_LOG_ENTRIES,
  type MemberWraps,
  ProtocolError,
  type Rotation,
  sameBytes,
  toHex,
  type UserId,
  WireError,
} from "#wire";
import { groupMember } from "./state.ts";

/** What an operation changes; version, head and the signer's log length are the entry's. */
export type Changed = Omit<GroupState, "groupId" | "version" | "head" | "extensions">;

/** The state that a group begins with: its creator alone, an admin. */
export function begin(operation: CreateGroup, creator: UserId, logLength: number): Changed {
  requireLogLength(logLength, 1);
  const { title, groupCommitment, adminCommitment } = operation;
  return {
    epoch: 0,
    title,
    avatar: undefined,
    members: [{ userId: creator, role: "admin", logLength }],
    groupCommitment,
    adminCommitment,
    invites: [],
    rotationDue: false,
  };
}

/**
 * What the operation makes of the state. `signer` is a member, and an admin unless the operation is to leave.
 * @throws ProtocolError `bad-address` somebody or something that is not there · `duplicate` what is so already · `over-limit` ·
 * `not-authorized` · `expired` an account log shorter than one that was shown; WireError for what no author writes.
 */
export function operate(state: GroupState, operation: GroupOperation, signer: UserId): Changed {
  switch (operation.kind) {
    case "add":
      return add(state, operation);
    case "remove":
      return remove(state, operation.userIds, operation.rotation, signer);
    case "leave":
      return leave(state, signer);
    case "rename":
      return { ...state, title: operation.title };
    case "promote":
      return promote(state, operation.member);
    case "demote":
      return demote(state, operation.userId, operation.rotation, signer);
    case "avatar":
      return { ...state, avatar: operation.avatar };
    case "rotate":
      return rotate(state, operation.rotation);
    case "invite":
      return invite(state, operation);
    case "withdraw":
      return { ...state, invites: without(state, requireInvite(state, operation.inviteId)) };
    case "create":
      throw new ProtocolError("not-authorized");
    default:
      return assertNever(operation);
  }
}

function add(state: GroupState, { members: added, inviteId }: AddMembers): Changed {
  requireAscending(added.map(({ userId }) => userId));
  if (added.some(({ userId }) => groupMember(state, userId) !== undefined)) throw new ProtocolError("duplicate");
  if (state.members.length + added.length > MAX_GROUP_MEMBERS) throw new ProtocolError("over-limit");
  for (const { logLength } of added) requireLogLength(logLength, 1);
  const fresh = added.map(({ userId, logLength }): GroupMember => ({ userId, role: "member", logLength }));
  const members = [...state.members, ...fresh].sort((a, b) => (a.userId < b.userId ? -1 : 1));
  return { ...state, members, invites: inviteId === undefined ? state.invites : used(state, inviteId, added.length) };
}

/** The invites once this one was used so many times. */
function used(state: GroupState, inviteId: Bytes, times: number): readonly GroupInvite[] {
  const invite = requireInvite(state, inviteId);
  if (times > invite.uses) throw new ProtocolError("over-limit");
  if (times === invite.uses) return without(state, invite);
  return state.invites.map((other) => (other === invite ? { ...invite, uses: invite.uses - times } : other));
}

function remove(state: GroupState, userIds: readonly UserId[], rotation: Rotation, signer: UserId): Changed {
  requireAscending(userIds);
  for (const userId of userIds) requireMember(state, userId);
  // Who removed himself would know the new secrets: he drew them.
  if (userIds.includes(signer)) throw new ProtocolError("not-authorized");
  return rotate({ ...state, members: state.members.filter(({ userId }) => !userIds.includes(userId)) }, rotation);
}

function leave(state: GroupState, signer: UserId): Changed {
  const members = state.members.filter(({ userId }) => userId !== signer);
  if (members.length > 0 && !members.some(({ role }) => role === "admin")) throw new ProtocolError("not-authorized");
  return { ...state, members, rotationDue: members.length > 0 };
}

function promote(state: GroupState, wraps: MemberWraps): Changed {
  const member = requireMember(state, wraps.userId);
  if (member.role === "admin") throw new ProtocolError("duplicate");
  requireWraps(wraps, member);
  const promoted: GroupMember = { ...member, role: "admin", logLength: wraps.logLength };
  return { ...state, members: state.members.map((other) => (other === member ? promoted : other)) };
}

function demote(state: GroupState, userId: UserId, rotation: Rotation, signer: UserId): Changed {
  const member = requireMember(state, userId);
  if (userId === signer) throw new ProtocolError("not-authorized");
  if (member.role === "member") throw new ProtocolError("duplicate");
  const members = state.members.map((other): GroupMember => (other === member ? { ...member, role: "member" } : other));
  return rotate({ ...state, members }, rotation);
}

/** The next epoch, for exactly those who are members now. Invites end: their secrets were sealed under the old one. */
function rotate(state: GroupState, rotation: Rotation): Changed {
  const { groupCommitment, adminCommitment } = rotation;
  if (rotation.members.length !== state.members.length) throw new ProtocolError("bad-address");
  const members = state.members.map((member, at): GroupMember => {
    const wraps = rotation.members[at];
    if (wraps === undefined || wraps.userId !== member.userId) throw new ProtocolError("bad-address");
    requireWraps(wraps, member);
    return { ...member, logLength: wraps.logLength };
  });
  const same = sameBytes(groupCommitment, state.groupCommitment) || sameBytes(adminCommitment, state.adminCommitment);
  if (same) throw new ProtocolError("duplicate");
  return { ...state, epoch: state.epoch + 1, members, groupCommitment, adminCommitment, invites: [], rotationDue: false };
}

function invite(state: GroupState, made: GroupInvite): Changed {
  if (state.invites.some((other) => sameBytes(other.inviteId, made.inviteId))) throw new ProtocolError("duplicate");
  if (state.invites.length >= MAX_GROUP_INVITES || made.uses > MAX_GROUP_INVITE_USES) throw new ProtocolError("over-limit");
  const invites = [...state.invites, made].sort((a, b) => (toHex(a.inviteId) < toHex(b.inviteId) ? -1 : 1));
  return { ...state, invites };
}

const ONE_SECRET_BYTES = 48;
const BOTH_SECRETS_BYTES = 80;

/** As many secrets as the role has, for at least one device, as of a log no shorter than any that was shown. */
function requireWraps({ devices, logLength }: MemberWraps, { role, logLength: shown }: GroupMember): void {
  requireLogLength(logLength, shown);
  requireAscending(devices.map(({ deviceId }) => deviceId));
  const length = role === "admin" ? BOTH_SECRETS_BYTES : ONE_SECRET_BYTES;
  if (devices.some(({ wrapped }) => wrapped.length !== length)) throw new WireError("bad-length");
}

/** No log is longer than the maximum, and an impossible length would silence its owner. */
function requireLogLength(length: number, shown: number): void {
  if (length < shown) throw new ProtocolError("expired");
  if (length > MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY) throw new ProtocolError("over-limit");
}

/** At least one, each once, in the one order that they can have. */
function requireAscending(ids: readonly (string | number)[]): void {
  if (ids.length === 0) throw new WireError("missing-field");
  const ascending = ids.every((id, at) => at === 0 || id > (ids[at - 1] ?? id));
  if (!ascending) throw new WireError("not-canonical");
}

function requireMember(state: GroupState, userId: UserId): GroupMember {
  const member = groupMember(state, userId);
  if (member === undefined) throw new ProtocolError("bad-address");
  return member;
}

function requireInvite(state: GroupState, inviteId: Bytes): GroupInvite {
  const found = state.invites.find((invite) => sameBytes(invite.inviteId, inviteId));
  if (found === undefined) throw new ProtocolError("bad-address");
  return found;
}

function without(state: GroupState, invite: GroupInvite): readonly GroupInvite[] {
  return state.invites.filter((other) => other !== invite);
}
