// The one function by which a group's state changes: from a state and the next entry to the state after it. It depends on
// the entries and on the account logs that they name, and on nothing else, neither a clock nor who reads: so all readers of one log
// have one state, and an entry that one refuses all refuse. Knows no ciphertext and no secret.

import { type PublicKey, verify } from "#crypto";
import {
  type Bytes,
  decodeGroupDetails,
  type DeviceAddress,
  encodeGroupState,
  GROUP_TYPES,
  type GroupId,
  type GroupOperation,
  type GroupState,
  type LogHead,
  MAX_GROUP_LOG_PLACES,
  ProtocolError,
  sameBytes,
  WireError,
} from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { type OpenedEntry, parseEntry } from "./entry.ts";
import { begin, type Changed, operate } from "./rules.ts";
import { groupMember } from "./state.ts";

/**
 * The identity key that a device had at the head of its account's log; absent when the log has no such head or the device was
 * not active there (`deviceKeyAt` of identity/ answers from the entries). That answer is final and the same for all readers, so
 * it is given only for a log that was fetched after the entry was there. Whoever cannot find out throws: what this throws
 * passes through, and nothing is decided.
 */
export type KeyOf = (device: DeviceAddress, head: LogHead) => PublicKey | undefined;

export interface ApplyGroupEntry {
  readonly groupId: GroupId;
  /** The entry's place in the log, by the server's count. */
  readonly version: number;
  readonly keyOf: KeyOf;
}

/** What an entry did. */
export interface AppliedOperation {
  readonly operation: GroupOperation;
  readonly signer: DeviceAddress;
  /** By the signer's clock: to be shown. */
  readonly createdSeconds: number;
}

/**
 * Applies one entry, as `openGroupEntry` gives it. `state` is absent for the first entry of a log. The places of a log are tried
 * in order; one whose entry is refused stays empty for everybody, and the next may follow it.
 *
 * Refuses: `out-of-order` another place than its own, or one that was passed · `bad-address` another group's, or about somebody who
 * is not there · `broken-chain` another history · `not-authorized` signed by no member, without the role, or by a device
 * that its account does not have at that head · `expired` signed as of an account log shorter than one that was shown · `bad-signature` ·
 * `duplicate`, `over-limit` · `bad-state` a snapshot of something else · `upgrade-required` an admin's operation that only a
 * newer version knows · every WireCode.
 */
export function applyGroupEntry(
  state: GroupState | undefined,
  entry: Bytes,
  input: ApplyGroupEntry,
): Outcome<GroupState, AppliedOperation> {
  const opened = attempt(() => ({ state, output: parseEntry(entry) }));
  if (opened.kind === "refused") return opened;
  return applyOpened(state, opened.output, input);
}

/** As `applyGroupEntry`, for an entry that was parsed. */
export function applyOpened(
  state: GroupState | undefined,
  entry: OpenedEntry,
  { groupId, version, keyOf }: ApplyGroupEntry,
): Outcome<GroupState, AppliedOperation> {
  const placed = attempt(() => ({ state, output: requireNext(state, entry, groupId, version) }));
  if (placed.kind === "refused") return placed;
  // Outside of every attempt: what the caller throws because it cannot find out must not look like a refusal.
  const key = keyOf(entry.signer, entry.signerHead);
  return attempt(() => {
    if (key === undefined) throw new ProtocolError("not-authorized");
    return applyNext(state, entry, key, groupId);
  });
}

/** The state after an entry that `requireNext` has let through. @throws ProtocolError, WireError as `applyGroupEntry` refuses. */
export function applyNext(
  state: GroupState | undefined,
  entry: OpenedEntry,
  key: PublicKey,
  groupId: GroupId,
): { readonly state: GroupState; readonly output: AppliedOperation } {
  if (!verify(key, entry.signed, entry.signature)) throw new ProtocolError("bad-signature");
  const operation = operationOf(entry);
  const changed = state === undefined ? beginning(operation, entry) : operate(state, operation, entry.signer.userId);
  const next = withHead(changed, entry, groupId);
  requireSnapshot(next, entry.snapshot);
  return { state: next, output: { operation, signer: entry.signer, createdSeconds: entry.statement.createdSeconds } };
}

/** Everything that can be said before the signature is verified. @throws ProtocolError */
export function requireNext(state: GroupState | undefined, entry: OpenedEntry, groupId: GroupId, version: number): void {
  const { statement } = entry;
  if (statement.version !== version || (state === undefined) !== (version === 1)) throw new ProtocolError("out-of-order");
  if (version > MAX_GROUP_LOG_PLACES) throw new ProtocolError("over-limit");
  if (state === undefined) {
    if (entry.firstOf !== groupId) throw new ProtocolError("bad-address");
    return;
  }
  if (version <= state.version) throw new ProtocolError("out-of-order");
  if (statement.groupId !== state.groupId || groupId !== state.groupId) throw new ProtocolError("bad-address");
  if (statement.previousHead === undefined || !sameBytes(statement.previousHead, state.head)) throw new ProtocolError("broken-chain");
  requireRole(state, entry);
}

/** Also for types that are not known: or any member could stop all others by writing one. */
function requireRole(state: GroupState, { statement, signer, signerHead }: OpenedEntry): void {
  const member = groupMember(state, signer.userId);
  if (member === undefined) throw new ProtocolError("not-authorized");
  if (member.role !== "admin" && statement.type !== GROUP_TYPES.leave) throw new ProtocolError("not-authorized");
  if (signerHead.length < member.logLength) throw new ProtocolError("expired");
}

/** Ask after the signature was verified: then `upgrade-required` is an admin's word. */
function operationOf({ statement }: OpenedEntry): GroupOperation {
  try {
    return decodeGroupDetails(statement);
  } catch (error) {
    if (error instanceof WireError && error.code === "unknown-critical") throw new ProtocolError("upgrade-required", { cause: error });
    throw error;
  }
}

function beginning(operation: GroupOperation, { signer, signerHead }: OpenedEntry): Changed {
  if (operation.kind !== "create") throw new ProtocolError("not-authorized");
  return begin(operation, signer.userId, signerHead.length);
}

function withHead(changed: Changed, { head, signer, signerHead, statement: { version } }: OpenedEntry, groupId: GroupId): GroupState {
  const members = changed.members.map((member) =>
    member.userId === signer.userId && member.logLength < signerHead.length ? { ...member, logLength: signerHead.length } : member,
  );
  return { ...changed, groupId, version, head, members };
}

/** A snapshot is not signed. One that says anything else would lead who joins by it astray, so its entry is none. */
function requireSnapshot(state: GroupState, snapshot: Bytes | undefined): void {
  if (snapshot !== undefined && !sameBytes(snapshot, encodeGroupState(state))) throw new ProtocolError("bad-state");
}
