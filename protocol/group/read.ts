// Reading a group's log as one of its devices: the ciphertext of the next place, opened, applied, and the secrets of a new
// epoch taken out of it. Knows no server: which place comes next, and fetching the signer's account log, is the caller's.

import { assertNever, type Bytes, type DeviceAddress, type GroupState, type LogHead, ProtocolError, type Rotation } from "#wire";
import { type Attempt, attempt, type Done, type Refused } from "../attempt.ts";
import { openGroupEntry, type OpenedEntry, parseEntry } from "./entry.ts";
import { type EpochSecrets, requireCommitted, SECRET_BYTES } from "./keys.ts";
import { type AppliedOperation, applyOpened, type KeyOf } from "./log.ts";
import { type GroupRecord, secretsOfEpoch } from "./record.ts";
import { groupMember } from "./state.ts";
import { type GroupDevice, unwrap } from "./wrap.ts";

/** What the server has at one place of a log. */
export interface SealedEntry {
  readonly version: number;
  readonly ciphertext: Bytes;
}

/** The device that says it signed, and the head of its account's log at that time. */
export interface EntrySigner {
  readonly device: DeviceAddress;
  readonly head: LogHead;
}

/**
 * Whose account log decides about an entry, for fetching it before `readGroupEntry`. Absent for what is no entry; reading that refuses
 * it without asking for a key.
 */
export function signerOfEntry(record: GroupRecord, sealed: SealedEntry): EntrySigner | undefined {
  const opened = open(record, sealed);
  return opened.kind === "done" ? { device: opened.output.signer, head: opened.output.signerHead } : undefined;
}

export interface ReadGroupEntry extends SealedEntry {
  /** The device that reads. */
  readonly device: GroupDevice;
  readonly keyOf: KeyOf;
}

/**
 * A refusal says how to go on. `skip`: nobody who reads the log accepts this entry, so its place is empty; go on with the next one
 * and the same record. `stop`: others go on, and this device cannot: it needs a newer program (`upgrade-required`), has no secrets
 * (`bad-state`), or was given others than the group has (`bad-tag`, `bad-key`). Show it, and read and write nothing in the group.
 */
export type GroupRead = Done<GroupRecord, AppliedOperation> | (Refused & { readonly next: "skip" | "stop" });

/**
 * Reads the entry at the next place. The output says what it did; `record.secrets` is then absent if this device is not among those
 * who read on. Refuses as `applyGroupEntry` does, and for what cannot be decrypted (`bad-tag`, `bad-padding`, `bad-length`).
 */
export function readGroupEntry(record: GroupRecord, input: ReadGroupEntry): GroupRead {
  if (record.secrets === undefined) return { kind: "refused", code: "bad-state", next: "stop" };
  const opened = open(record, input);
  if (opened.kind === "refused") return { ...opened, next: "skip" };
  const { version, keyOf, device } = input;
  const applied = applyOpened(record.state, opened.output, { groupId: record.state.groupId, version, keyOf });
  if (applied.kind === "refused") return { ...applied, next: applied.code === "upgrade-required" ? "stop" : "skip" };
  const followed = follow(record, applied.state, applied.output, device);
  return followed.kind === "refused" ? { ...followed, next: "stop" } : followed;
}

function open(record: GroupRecord, { version, ciphertext }: SealedEntry): Done<GroupRecord, OpenedEntry> | Refused {
  return attempt(() => {
    if (record.secrets === undefined) throw new ProtocolError("bad-state");
    const entry = openGroupEntry(ciphertext, { groupId: record.state.groupId, version }, record.secrets.groupSecret);
    return { state: record, output: parseEntry(entry) };
  });
}

/** The record after an entry that was applied. */
function follow(
  record: GroupRecord,
  state: GroupState,
  applied: AppliedOperation,
  device: GroupDevice,
): Done<GroupRecord, AppliedOperation> | Refused {
  return attempt((attempt) => {
    const secrets = secretsAfter(record, state, applied, device, attempt);
    const kept = new Set(secretsOfEpoch(secrets));
    attempt.spend(...secretsOfEpoch(record.secrets).filter((secret) => !kept.has(secret)));
    return { state: { state, secrets }, output: applied };
  });
}

/** @throws ProtocolError `bad-tag`, `bad-key` for secrets that are not what the entry commits to. */
function secretsAfter(
  { secrets }: GroupRecord,
  state: GroupState,
  { operation }: AppliedOperation,
  device: GroupDevice,
  attempt: Attempt,
): EpochSecrets | undefined {
  const { groupId, epoch } = state;
  if (secrets === undefined || groupMember(state, device.address.userId) === undefined) return undefined;
  switch (operation.kind) {
    case "remove":
    case "demote":
    case "rotate":
      return fromRotation(operation.rotation, state, device, attempt);
    case "promote": {
      if (operation.member.userId !== device.address.userId) return secrets;
      const bytes = unwrap(operation.member, operation.ephemeralKey, device, { kind: "promotion", groupId, epoch });
      if (bytes === undefined) return secrets;
      return committed({ groupSecret: secrets.groupSecret, adminSecret: attempt.make(bytes) }, state);
    }
    case "create":
    case "add":
    case "leave":
    case "rename":
    case "avatar":
    case "invite":
    case "withdraw":
      return secrets;
    default:
      return assertNever(operation);
  }
}

function fromRotation(rotation: Rotation, state: GroupState, device: GroupDevice, attempt: Attempt): EpochSecrets | undefined {
  const wraps = rotation.members.find(({ userId }) => userId === device.address.userId);
  if (wraps === undefined) return undefined;
  const bytes = unwrap(wraps, rotation.ephemeralKey, device, { kind: "rotation", groupId: state.groupId, epoch: state.epoch });
  if (bytes === undefined) return undefined;
  const groupSecret = attempt.make(bytes.slice(0, SECRET_BYTES));
  const adminSecret = bytes.length > SECRET_BYTES ? attempt.make(bytes.slice(SECRET_BYTES)) : undefined;
  bytes.fill(0);
  return committed({ groupSecret, adminSecret }, state);
}

function committed(secrets: EpochSecrets, state: GroupState): EpochSecrets {
  requireCommitted(secrets, state);
  return secrets;
}
