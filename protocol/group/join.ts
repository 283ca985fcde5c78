// How a device that has not read a group's log begins: with the snapshot in one entry, vouched for by what a member told through a
// session. From there on read.ts reads. Knows no invites; whoever joins was added.

import { verify } from "#crypto";
import { type Bytes, decodeGroupState, type DeviceAddress, type GroupId, ProtocolError, sameBytes, type UserId } from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { openGroupEntry, parseEntry } from "./entry.ts";
import { type EpochSecrets, requireCommitted } from "./keys.ts";
import type { KeyOf } from "./log.ts";
import type { GroupRecord } from "./record.ts";
import type { EntrySigner, SealedEntry } from "./read.ts";
import { groupMember, hasStateHash, isGroupAdmin } from "./state.ts";

export interface JoinGroup extends SealedEntry {
  readonly groupId: GroupId;
  /** The state hash that the inviter told: all trust in the snapshot is trust in it. */
  readonly stateHash: Bytes;
  /** As the inviter told them; an own device also tells the admins' secret of an admin. Takes ownership. */
  readonly secrets: EpochSecrets;
  /** The account that joins. */
  readonly userId: UserId;
  readonly keyOf: KeyOf;
}

/** Whose account log decides about the entry, as `signerOfEntry`. */
export function signerOfJoin(input: Omit<JoinGroup, "keyOf">): EntrySigner | undefined {
  const read = attempt(() => ({ state: undefined, output: opened(input) }));
  return read.kind === "done" ? { device: read.output.signer, head: read.output.signerHead } : undefined;
}

/**
 * Begins a record at an entry that has a snapshot: the one that added this account, or the group's first for the creator's other
 * devices. Refuses: what cannot be decrypted · `bad-state` no snapshot, or not the one that was told · `not-authorized` this account or
 * the signer is not in it · `bad-signature` · `bad-key` other secrets. Wipe the secrets after a refusal.
 */
export function joinGroup(input: JoinGroup): Outcome<GroupRecord, { readonly addedBy: DeviceAddress; readonly createdSeconds: number }> {
  const read = attempt(() => ({ state: undefined, output: opened(input) }));
  if (read.kind === "refused") return read;
  const entry = read.output;
  // Outside of the attempts, as in log.ts.
  const key = input.keyOf(entry.signer, entry.signerHead);
  return attempt(() => {
    if (entry.snapshot === undefined) throw new ProtocolError("bad-state");
    const state = decodeGroupState(entry.snapshot);
    const told = hasStateHash(state, input.stateHash) && state.groupId === input.groupId && state.version === input.version;
    if (!told || !sameBytes(state.head, entry.head)) throw new ProtocolError("bad-state");
    const member = groupMember(state, input.userId) !== undefined && isGroupAdmin(state, entry.signer.userId);
    if (!member || key === undefined) throw new ProtocolError("not-authorized");
    if (!verify(key, entry.signed, entry.signature)) throw new ProtocolError("bad-signature");
    requireCommitted(input.secrets, state);
    const output = { addedBy: entry.signer, createdSeconds: entry.statement.createdSeconds };
    return { state: { state, secrets: input.secrets }, output };
  });
}

function opened({ groupId, version, ciphertext, secrets }: Omit<JoinGroup, "keyOf">): ReturnType<typeof parseEntry> {
  return parseEntry(openGroupEntry(ciphertext, { groupId, version }, secrets.groupSecret));
}
