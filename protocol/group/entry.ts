// One entry of a group's log: encrypted for the members, padded, signed inside. Knows no state, so it cannot tell whether
// the signer was allowed to say it; rules.ts can.

import { LABELS, labelled, type Random, type Secret, sha256, sign, xchachaOpen, xchachaSeal } from "#crypto";
import {
  be32,
  type Bytes,
  concat,
  copy,
  decodeGroupEntry,
  decodeGroupStatement,
  type DeviceAddress,
  deviceOfServiceId,
  encodeGroupStatement,
  fromHex,
  GROUP_ENTRY_STEP_BYTES,
  type GroupId,
  type GroupStatement,
  type LogHead,
  MAX_GROUP_ENTRY_BYTES,
  parseGroupId,
  ProtocolError,
  type SignedGroupEntry,
  toHex,
  WireError,
} from "#wire";
import { entryKey } from "./keys.ts";

/** A nonce and a tag. */
const CIPHER_BYTES = 24 + 16;
const END_OF_ENTRY = 0x80;

/** A place in a log: what an entry's ciphertext is bound to. */
export interface EntryPlace {
  readonly groupId: GroupId;
  readonly version: number;
}

/** An entry encrypted for the epoch's members, in steps of 4 KiB. @throws ProtocolError `over-limit` above 96 KiB. */
export function sealGroupEntry(entry: Bytes, { groupId, version }: EntryPlace, groupSecret: Secret, random: Random): Bytes {
  const key = entryKey(groupId, groupSecret);
  const sealed = xchachaSeal(key, pad(entry), associated(groupId, version), random);
  key.fill(0);
  return sealed;
}

/** The inverse. @throws ProtocolError `bad-tag`, `bad-padding`; WireError `bad-length`. */
export function openGroupEntry(ciphertext: Bytes, { groupId, version }: EntryPlace, groupSecret: Secret): Bytes {
  const padded = ciphertext.length - CIPHER_BYTES;
  if (padded <= 0 || padded > MAX_GROUP_ENTRY_BYTES || padded % GROUP_ENTRY_STEP_BYTES !== 0) throw new WireError("bad-length");
  const key = entryKey(groupId, groupSecret);
  try {
    return unpad(xchachaOpen(key, ciphertext, associated(groupId, version)));
  } finally {
    key.fill(0);
  }
}

/** An entry, opened: what it says, and what was signed. */
export interface OpenedEntry {
  readonly statement: GroupStatement;
  readonly signer: DeviceAddress;
  readonly signerHead: LogHead;
  /** What the signature covers. */
  readonly signed: Bytes;
  readonly signature: Bytes;
  readonly snapshot: Bytes | undefined;
  /** Names statement and signature, and by the chain all before them. */
  readonly head: Bytes;
  /** The group that it would be the first entry of. */
  readonly firstOf: GroupId;
}

/** @throws WireError */
export function parseEntry(entry: Bytes): OpenedEntry {
  const { statement: bytes, signature, snapshot } = decodeGroupEntry(copy(entry));
  const statement = decodeGroupStatement(bytes);
  return {
    statement,
    signer: deviceOfServiceId(statement.signer),
    signerHead: statement.signerHead,
    signed: signedBytes(bytes),
    signature,
    snapshot,
    head: headOf(bytes, signature),
    firstOf: groupIdOf(bytes, signature),
  };
}

/** @param privateKey the identity key of the device that the statement names */
export function signStatement(statement: GroupStatement, privateKey: Secret, random: Random): Omit<SignedGroupEntry, "snapshot"> {
  const bytes = encodeGroupStatement(statement);
  return { statement: bytes, signature: sign(privateKey, signedBytes(bytes), random) };
}

function headOf(statement: Bytes, signature: Bytes): Bytes {
  return sha256(labelled(LABELS.GROUP_HEAD, statement, signature));
}

/** The id that a first entry gives its group: nobody can show another beginning under it. */
export function groupIdOf(statement: Bytes, signature: Bytes): GroupId {
  return parseGroupId(toHex(sha256(labelled(LABELS.GROUP_ID, statement, signature))));
}

function signedBytes(statement: Bytes): Bytes {
  return labelled(LABELS.SIGN_GROUP_OPERATION, statement);
}

function associated(groupId: GroupId, version: number): Bytes {
  return concat(fromHex(groupId), be32(version));
}

/** One byte 0x80, then zeros up to the next step: the size tells little, and one entry has one padding. */
function pad(entry: Bytes): Bytes {
  const padded = new Uint8Array(GROUP_ENTRY_STEP_BYTES * Math.ceil((entry.length + 1) / GROUP_ENTRY_STEP_BYTES));
  if (padded.length > MAX_GROUP_ENTRY_BYTES) throw new ProtocolError("over-limit");
  padded.set(entry);
  padded[entry.length] = END_OF_ENTRY;
  return padded;
}

function unpad(padded: Bytes): Bytes {
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== END_OF_ENTRY || padded.length - end > GROUP_ENTRY_STEP_BYTES) throw new ProtocolError("bad-padding");
  return padded.subarray(0, end);
}
