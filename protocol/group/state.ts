// The state of a group: what its log says at one place. Made by log.ts from entries, or taken from a snapshot whose hash
// somebody told; wire/group-log.ts has its fields. Knows no entry and no secret.

import { equal, LABELS, labelled, sha256 } from "#crypto";
import { type Bytes, encodeGroupState, type GroupMember, type GroupState, type UserId } from "#wire";

/**
 * 32 bytes that stand for the state and, by its head, for all entries that led to it. Every message to the group names it: two
 * members who hold different ones at the same version were shown different logs.
 */
export function stateHashOf(state: GroupState): Bytes {
  return sha256(labelled(LABELS.GROUP_STATE, encodeGroupState(state)));
}

/** Whether this is the state with that hash. */
export function hasStateHash(state: GroupState, hash: Bytes): boolean {
  return equal(stateHashOf(state), hash);
}

/** Absent: no member. */
export function groupMember(state: GroupState, userId: UserId): GroupMember | undefined {
  return state.members.find((member) => member.userId === userId);
}

export function isGroupAdmin(state: GroupState, userId: UserId): boolean {
  return groupMember(state, userId)?.role === "admin";
}
