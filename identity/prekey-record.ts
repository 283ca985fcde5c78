// The prekey record: what a device signs about its prekeys beyond the bare keys of the Signal wire. It says whose they
// are, under which ids, in which role and until when, so that a server can neither pass one device's keys off as another's
// nor keep on handing out old ones. One-time EC keys are in no record: the Signal Protocol does not sign them either, and
// a false one only makes a first message unreadable.

import { LABELS, labelled, type PublicKey, type Random, type Secret, sign, verify } from "#crypto";
import {
  type Bytes,
  CLOCK_TOLERANCE_SECONDS,
  decodePreKeyRecord,
  type DeviceAddress,
  encodePreKeyRecord,
  MAX_PREKEY_ID,
  PREKEY_RECORD_LIFETIME_SECONDS,
  type PreKeyRecord,
  ProtocolError,
  type SignedPreKeyRecord,
  toHex,
} from "#wire";

export function signPreKeyRecord(record: PreKeyRecord, privateKey: Secret, random: Random): SignedPreKeyRecord {
  const bytes = encodePreKeyRecord(record);
  return { record: bytes, signature: sign(privateKey, labelled(LABELS.SIGN_PREKEY_RECORD, bytes), random) };
}

export interface OpenPreKeyRecord {
  readonly owner: DeviceAddress;
  readonly identityKey: PublicKey;
  readonly nowSeconds: number;
}

/**
 * @throws WireError; ProtocolError `bad-signature`, `bad-address` another device's, `expired`, `too-far-ahead`,
 * `over-limit` a lifetime that is too long, `bad-key` an id out of range, `duplicate` an id or key that is there twice.
 */
export function openPreKeyRecord(signed: SignedPreKeyRecord, { owner, identityKey, nowSeconds }: OpenPreKeyRecord): PreKeyRecord {
  if (!verify(identityKey, labelled(LABELS.SIGN_PREKEY_RECORD, signed.record), signed.signature)) throw new ProtocolError("bad-signature");
  const record = decodePreKeyRecord(signed.record);
  if (record.userId !== owner.userId || record.deviceId !== owner.deviceId) throw new ProtocolError("bad-address");
  requireTimes(record, nowSeconds);
  const kem = [record.lastResort, ...record.oneTime];
  requireIds([record.signedPreKeyId]);
  requireIds(kem.map(({ id }) => id));
  requireDistinct(kem.map(({ hash }) => hash));
  return record;
}

function requireTimes({ createdSeconds, expiresSeconds }: PreKeyRecord, nowSeconds: number): void {
  if (nowSeconds > expiresSeconds) throw new ProtocolError("expired");
  if (createdSeconds > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw new ProtocolError("too-far-ahead");
  if (expiresSeconds - createdSeconds > PREKEY_RECORD_LIFETIME_SECONDS) throw new ProtocolError("over-limit");
}

/** Ids within one role: in range, each once. @throws ProtocolError `bad-key`, `duplicate`. */
export function requireIds(ids: readonly number[]): void {
  if (ids.some((id) => id < 1 || id > MAX_PREKEY_ID)) throw new ProtocolError("bad-key");
  if (new Set(ids).size !== ids.length) throw new ProtocolError("duplicate");
}

/** @throws ProtocolError `duplicate`. */
export function requireDistinct(keys: readonly Bytes[]): void {
  if (new Set(keys.map(toHex)).size !== keys.length) throw new ProtocolError("duplicate");
}
