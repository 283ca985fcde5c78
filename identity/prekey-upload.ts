// An upload of prekeys: how a device makes it, and what a server checks before it stores it.

import { KyberPublicKey, parsePublicKey, type PublicKey, type Random, type Secret, sha256, sign, verify } from "#crypto";
import {
  type Bytes,
  type DeviceAddress,
  type DeviceId,
  type KemPreKey,
  type KemReference,
  type OneTimePreKey,
  PREKEY_RECORD_LIFETIME_SECONDS,
  type PreKeyRecord,
  type PreKeySet,
  type PreKeyUpload,
  ProtocolError,
  sameBytes,
  type SignedPreKey,
} from "#wire";
import { activeDevice, type Membership } from "./account.ts";
import { requireFresh } from "./freshness.ts";
import { openPreKeyRecord, requireDistinct, requireIds, signPreKeyRecord } from "./prekey-record.ts";

export interface NewKemPreKey {
  readonly id: number;
  readonly publicKey: KyberPublicKey;
}

export interface CreatePreKeySet {
  readonly owner: DeviceAddress;
  /** The private identity key. */
  readonly privateKey: Secret;
  readonly signedPreKey: { readonly id: number; readonly publicKey: PublicKey };
  readonly lastResort: NewKemPreKey;
  readonly oneTime: readonly NewKemPreKey[];
  readonly nowSeconds: number;
}

export function createPreKeySet(input: CreatePreKeySet, random: Random): PreKeySet {
  const { owner, privateKey, signedPreKey, lastResort, oneTime, nowSeconds } = input;
  const publicKey = signedPreKey.publicKey.encode();
  const record: PreKeyRecord = {
    ...owner,
    createdSeconds: nowSeconds,
    expiresSeconds: nowSeconds + PREKEY_RECORD_LIFETIME_SECONDS,
    signedPreKeyId: signedPreKey.id,
    signedPreKey: publicKey,
    lastResort: referenceTo(lastResort.id, lastResort.publicKey.encoded),
    oneTime: oneTime.map((key) => referenceTo(key.id, key.publicKey.encoded)),
  };
  return {
    record: signPreKeyRecord(record, privateKey, random),
    signedPreKey: { id: signedPreKey.id, publicKey, signature: sign(privateKey, publicKey, random) },
    lastResort: signKem(lastResort, privateKey, random),
    oneTime: oneTime.map((key) => signKem(key, privateKey, random)),
  };
}

/** The Signal wire has bare signatures: the type byte and the key, and nothing about what they are for. */
function signKem({ id, publicKey }: NewKemPreKey, privateKey: Secret, random: Random): KemPreKey {
  return { id, publicKey: publicKey.encoded, signature: sign(privateKey, publicKey.encoded, random) };
}

function referenceTo(id: number, publicKey: Bytes): KemReference {
  return { id, hash: sha256(publicKey) };
}

export interface CheckPreKeyUpload {
  readonly account: Membership;
  readonly deviceId: DeviceId;
  readonly nowSeconds: number;
  /** When the record was made that the server has; an older one does not take its place. */
  readonly replacesSeconds?: number;
}

/**
 * The record of the new set, if there is one, when all of the upload is good. The server has still to refuse ids of
 * one-time EC keys that it has. Refuses as `openPreKeyRecord` does, and: `not-authorized` the device is not active, or a key is not the
 * record's · `no-prekey` nothing in it · `replayed` · `bad-key` · `bad-signature` · `duplicate`.
 */
export function checkPreKeyUpload(upload: PreKeyUpload, input: CheckPreKeyUpload): PreKeyRecord | undefined {
  const device = activeDevice(input.account, input.deviceId);
  if (device === undefined) throw new ProtocolError("not-authorized");
  const { set, oneTimePreKeys } = upload;
  if (set === undefined && oneTimePreKeys.length === 0) throw new ProtocolError("no-prekey");
  const record = set === undefined ? undefined : checkSet(set, device.identityKey, input);
  requireIds(oneTimePreKeys.map(({ id }) => id));
  const signed = record === undefined ? [] : [record.signedPreKey];
  requireDistinct([device.identityKey.encode(), ...signed, ...oneTimePreKeys.map(parsed)]);
  return record;
}

function checkSet(
  set: PreKeySet,
  identityKey: PublicKey,
  { account, deviceId, nowSeconds, replacesSeconds = 0 }: CheckPreKeyUpload,
): PreKeyRecord {
  const record = openPreKeyRecord(set.record, { owner: { userId: account.userId, deviceId }, identityKey, nowSeconds });
  requireFresh(record.createdSeconds, nowSeconds);
  if (record.createdSeconds < replacesSeconds) throw new ProtocolError("replayed");
  requireSignedPreKey(set.signedPreKey, record);
  requireSignature(identityKey, set.signedPreKey);
  const kem = [set.lastResort, ...set.oneTime];
  const references = [record.lastResort, ...record.oneTime];
  if (kem.length !== references.length) throw new ProtocolError("not-authorized");
  for (const [at, key] of kem.entries()) {
    KyberPublicKey.parse(key.publicKey);
    requireNamed(key, references.slice(at, at + 1));
    requireSignature(identityKey, key);
  }
  return record;
}

/** @throws ProtocolError `bad-key`, `not-authorized` unless it is the record's. */
export function requireSignedPreKey(key: SignedPreKey, record: PreKeyRecord): PublicKey {
  const publicKey = parsePublicKey(key.publicKey);
  if (key.id !== record.signedPreKeyId || !sameBytes(key.publicKey, record.signedPreKey)) throw new ProtocolError("not-authorized");
  return publicKey;
}

/** @throws ProtocolError `not-authorized` unless one of the references is to this key. */
export function requireNamed(key: KemPreKey, references: readonly KemReference[]): void {
  const hash = sha256(key.publicKey);
  if (!references.some((reference) => reference.id === key.id && sameBytes(reference.hash, hash)))
    throw new ProtocolError("not-authorized");
}

function requireSignature(identityKey: PublicKey, key: SignedPreKey | KemPreKey): void {
  if (!verify(identityKey, key.publicKey, key.signature)) throw new ProtocolError("bad-signature");
}

function parsed(key: OneTimePreKey): Bytes {
  return parsePublicKey(key.publicKey).encode();
}
