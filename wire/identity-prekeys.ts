// Prekeys as bytes: the record that a device signs about them, their upload, and what a sender gets.
// Lengths are checked here; keys, signatures and times are for identity/.

import type { Bytes } from "./bytes.ts";
import { ACCOUNT_LOG, type AccountLog, MAX_ACCOUNT_LOG_BYTES } from "./identity-log.ts";
import type { DeviceId, UserId } from "./ids.ts";
import { deviceId, exactly, uint32, uint64, upTo, userId } from "./kinds.ts";
import { MAX_DEVICES_PER_ACCOUNT, MAX_ONE_TIME_EC_PREKEYS, MAX_ONE_TIME_KEM_PREKEYS } from "./limits.ts";
import { KYBER_CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { type Extensible, list, message, type MessageKind, optional, required, strictCodec } from "./strict.ts";

/** A KEM key by its id and SHA-256. */
export interface KemReference extends Extensible {
  readonly id: number;
  readonly hash: Bytes;
}

export interface PreKeyRecord extends Extensible {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly createdSeconds: number;
  /** The last second in which the record is good. */
  readonly expiresSeconds: number;
  readonly signedPreKeyId: number;
  readonly signedPreKey: Bytes;
  readonly lastResort: KemReference;
  readonly oneTime: readonly KemReference[];
}

export interface SignedPreKeyRecord extends Extensible {
  /** An encoded PreKeyRecord. */
  readonly record: Bytes;
  readonly signature: Bytes;
}

/** An X25519 key of 33 bytes, signed bare. */
export interface SignedPreKey extends Extensible {
  readonly id: number;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
}

/** A Kyber1024 key of 1,569 bytes, signed bare. */
export interface KemPreKey extends Extensible {
  readonly id: number;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
}

/** An X25519 key of 33 bytes; the Signal Protocol has no signature for these. */
export interface OneTimePreKey extends Extensible {
  readonly id: number;
  readonly publicKey: Bytes;
}

/** Takes the place of all that the record before spoke of. */
export interface PreKeySet extends Extensible {
  readonly record: SignedPreKeyRecord;
  readonly signedPreKey: SignedPreKey;
  readonly lastResort: KemPreKey;
  readonly oneTime: readonly KemPreKey[];
}

export interface PreKeyUpload extends Extensible {
  readonly set: PreKeySet | undefined;
  /** In addition to those that the server has. */
  readonly oneTimePreKeys: readonly OneTimePreKey[];
}

export interface DevicePreKeys extends Extensible {
  readonly deviceId: DeviceId;
  readonly record: SignedPreKeyRecord;
  readonly signedPreKey: SignedPreKey;
  /** One of the record's. */
  readonly kemPreKey: KemPreKey;
  readonly oneTimePreKey: OneTimePreKey | undefined;
}

/** The answer to a request for somebody's keys. */
export interface AccountKeys extends Extensible {
  readonly log: AccountLog;
  readonly devices: readonly DevicePreKeys[];
}

export const KEM_REFERENCE: MessageKind<KemReference> = message("edgewise.KemReference", {
  id: required(1, uint32),
  hash: required(2, exactly(32)),
});

export const PREKEY_RECORD: MessageKind<PreKeyRecord> = message("edgewise.PreKeyRecord", {
  userId: required(1, userId),
  deviceId: required(2, deviceId),
  createdSeconds: required(3, uint64),
  expiresSeconds: required(4, uint64),
  signedPreKeyId: required(5, uint32),
  signedPreKey: required(6, exactly(PUBLIC_KEY_BYTES)),
  lastResort: required(7, KEM_REFERENCE),
  oneTime: list(8, MAX_ONE_TIME_KEM_PREKEYS, KEM_REFERENCE),
});

const MAX_PREKEY_RECORD_BYTES = 2048;

export const SIGNED_PREKEY_RECORD: MessageKind<SignedPreKeyRecord> = message("edgewise.SignedPreKeyRecord", {
  record: required(1, upTo(MAX_PREKEY_RECORD_BYTES)),
  signature: required(2, exactly(SIGNATURE_BYTES)),
});

export const SIGNED_PREKEY: MessageKind<SignedPreKey> = message("edgewise.SignedPreKey", {
  id: required(1, uint32),
  publicKey: required(2, exactly(PUBLIC_KEY_BYTES)),
  signature: required(3, exactly(SIGNATURE_BYTES)),
});

export const KEM_PREKEY: MessageKind<KemPreKey> = message("edgewise.KemPreKey", {
  id: required(1, uint32),
  publicKey: required(2, exactly(KYBER_CIPHERTEXT_BYTES)),
  signature: required(3, exactly(SIGNATURE_BYTES)),
});

export const ONE_TIME_PREKEY: MessageKind<OneTimePreKey> = message("edgewise.OneTimePreKey", {
  id: required(1, uint32),
  publicKey: required(2, exactly(PUBLIC_KEY_BYTES)),
});

export const PREKEY_SET: MessageKind<PreKeySet> = message("edgewise.PreKeySet", {
  record: required(1, SIGNED_PREKEY_RECORD),
  signedPreKey: required(2, SIGNED_PREKEY),
  lastResort: required(3, KEM_PREKEY),
  oneTime: list(4, MAX_ONE_TIME_KEM_PREKEYS, KEM_PREKEY),
});

export const PREKEY_UPLOAD: MessageKind<PreKeyUpload> = message("edgewise.PreKeyUpload", {
  set: optional(1, PREKEY_SET),
  oneTimePreKeys: list(2, MAX_ONE_TIME_EC_PREKEYS, ONE_TIME_PREKEY),
});

export const DEVICE_PREKEYS: MessageKind<DevicePreKeys> = message("edgewise.DevicePreKeys", {
  deviceId: required(1, deviceId),
  record: required(2, SIGNED_PREKEY_RECORD),
  signedPreKey: required(3, SIGNED_PREKEY),
  kemPreKey: required(4, KEM_PREKEY),
  oneTimePreKey: optional(5, ONE_TIME_PREKEY),
});

export const ACCOUNT_KEYS: MessageKind<AccountKeys> = message("edgewise.AccountKeys", {
  log: required(1, ACCOUNT_LOG),
  devices: list(2, MAX_DEVICES_PER_ACCOUNT, DEVICE_PREKEYS),
});

/** Twenty-one KEM keys with signatures are 34 kB, a hundred others 4 kB. */
export const MAX_PREKEY_UPLOAD_BYTES: number = 48 * 1024;
const MAX_DEVICE_PREKEYS_BYTES = 5 * 1024;

const record = strictCodec(PREKEY_RECORD, MAX_PREKEY_RECORD_BYTES);
/** Keys that a server stores one by one. */
const signedRecord = strictCodec(SIGNED_PREKEY_RECORD, MAX_DEVICE_PREKEYS_BYTES);
const signedPreKey = strictCodec(SIGNED_PREKEY, MAX_DEVICE_PREKEYS_BYTES);
const kemPreKey = strictCodec(KEM_PREKEY, MAX_DEVICE_PREKEYS_BYTES);
const oneTimePreKey = strictCodec(ONE_TIME_PREKEY, MAX_DEVICE_PREKEYS_BYTES);
const upload = strictCodec(PREKEY_UPLOAD, MAX_PREKEY_UPLOAD_BYTES);
const devicePreKeys = strictCodec(DEVICE_PREKEYS, MAX_DEVICE_PREKEYS_BYTES);
const accountKeys = strictCodec(ACCOUNT_KEYS, MAX_ACCOUNT_LOG_BYTES + MAX_DEVICES_PER_ACCOUNT * MAX_DEVICE_PREKEYS_BYTES);

export const encodePreKeyRecord: (value: PreKeyRecord) => Bytes = record.encode;
/** @throws WireError */
export const decodePreKeyRecord: (bytes: Bytes) => PreKeyRecord = record.decode;
export const encodePreKeyUpload: (value: PreKeyUpload) => Bytes = upload.encode;
/** @throws WireError */
export const decodePreKeyUpload: (bytes: Bytes) => PreKeyUpload = upload.decode;
export const encodeDevicePreKeys: (value: DevicePreKeys) => Bytes = devicePreKeys.encode;
/** @throws WireError */
export const decodeDevicePreKeys: (bytes: Bytes) => DevicePreKeys = devicePreKeys.decode;
export const encodeAccountKeys: (value: AccountKeys) => Bytes = accountKeys.encode;
/** @throws WireError */
export const decodeAccountKeys: (bytes: Bytes) => AccountKeys = accountKeys.decode;
export const encodeSignedPreKeyRecord: (value: SignedPreKeyRecord) => Bytes = signedRecord.encode;
/** @throws WireError */
export const decodeSignedPreKeyRecord: (bytes: Bytes) => SignedPreKeyRecord = signedRecord.decode;
export const encodeSignedPreKey: (value: SignedPreKey) => Bytes = signedPreKey.encode;
/** @throws WireError */
export const decodeSignedPreKey: (bytes: Bytes) => SignedPreKey = signedPreKey.decode;
export const encodeKemPreKey: (value: KemPreKey) => Bytes = kemPreKey.encode;
/** @throws WireError */
export const decodeKemPreKey: (bytes: Bytes) => KemPreKey = kemPreKey.decode;
export const encodeOneTimePreKey: (value: OneTimePreKey) => Bytes = oneTimePreKey.encode;
/** @throws WireError */
export const decodeOneTimePreKey: (bytes: Bytes) => OneTimePreKey = oneTimePreKey.decode;
