// Writes entries of an account log. Whatever is returned as an entry has been read by the reader's own rules, so what
// one device writes all others accept. Adding a device takes two steps, because two keys must agree and are not in one
// place: a proposal goes to the new device, which countersigns it, and the countersignature comes back.

import { type KeyPair, LABELS, labelled, type PublicKey, type Random, type Secret, sign } from "#crypto";
import {
  type Bytes,
  type Capabilities,
  decodeLogStatement,
  type DeviceId,
  encodeLogEntry,
  encodeLogStatement,
  ProtocolError,
  type RegistrationId,
  sameBytes,
  type UserId,
} from "#wire";
import { extendAccount, readAccountLog, userIdOfGenesis } from "./account-log.ts";
import type { AccountState } from "./account.ts";
import type { Device } from "./device.ts";
import { type Change, encodeChange } from "./log-entry.ts";

/** A device of our own: with the private key of which the log knows the public half. */
export interface OwnDevice {
  readonly deviceId: DeviceId;
  readonly identity: KeyPair;
  readonly registrationId: RegistrationId;
  readonly capabilities: Capabilities;
}

/** The device as the log and other people know it. */
export function describeDevice({ deviceId, identity, registrationId, capabilities }: OwnDevice): Device {
  return { deviceId, identityKey: identity.publicKey, registrationId, capabilities };
}

export interface CreateGenesis {
  readonly device: OwnDevice;
  readonly nowSeconds: number;
}

/** The first entry of a new account, whose userId follows from it (`userIdOfGenesis`). */
export function createGenesis({ device, nowSeconds }: CreateGenesis, random: Random): Bytes {
  const statement = encodeLogStatement({
    userId: undefined,
    sequence: 1,
    previousHash: undefined,
    createdSeconds: nowSeconds,
    signer: device.deviceId,
    ...encodeChange({ kind: "genesis", device: describeDevice(device) }),
  });
  const entry = encodeLogEntry({ statement, signature: signAs(device, statement, random), countersignature: undefined });
  readAccountLog([entry], { userId: userIdOfGenesis(entry), nowSeconds });
  return entry;
}

/** The place of the next entry: all that a device which is not in the account yet has to know of its log. */
export type AccountPlace = Pick<AccountState, "userId" | "head" | "createdSeconds">;

export interface ProposeDevice {
  readonly device: Device;
  /** The device that is going to sign. */
  readonly signer: DeviceId;
  readonly nowSeconds: number;
}

/** The statement that adds a device, for `acceptDevice` and then `addDevice`. */
export function proposeDevice(account: AccountPlace, { device, signer, nowSeconds }: ProposeDevice): Bytes {
  return nextStatement(account, { kind: "add-device", device }, signer, nowSeconds);
}

export interface AcceptDevice {
  readonly proposal: Bytes;
  /** The account that this device means to join. */
  readonly userId: UserId;
  readonly device: OwnDevice;
}

/** The new device's countersignature. @throws ProtocolError `bad-address` when the proposal is any other statement; WireError. */
export function acceptDevice({ proposal, userId, device }: AcceptDevice, random: Random): Bytes {
  requireProposal(proposal, userId, describeDevice(device));
  return countersign(proposal, device.identity.privateKey, random);
}

export interface AddDevice {
  readonly proposal: Bytes;
  /** The device that the owner has approved. */
  readonly device: Device;
  readonly countersignature: Bytes;
  readonly signer: OwnDevice;
  readonly nowSeconds: number;
}

/** The entry. @throws ProtocolError `bad-address` when the proposal is any other statement, `bad-signature` when the device did not agree. */
export function addDevice(account: AccountState, input: AddDevice, random: Random): Bytes {
  const { proposal, device, countersignature, signer, nowSeconds } = input;
  requireProposal(proposal, account.userId, device);
  const signature = signAs(signer, proposal, random);
  return checked(account, encodeLogEntry({ statement: proposal, signature, countersignature }), nowSeconds);
}

export interface RevokeDevice {
  readonly deviceId: DeviceId;
  readonly signer: OwnDevice;
  readonly nowSeconds: number;
}

export function revokeDevice(account: AccountState, { deviceId, signer, nowSeconds }: RevokeDevice, random: Random): Bytes {
  const statement = nextStatement(account, { kind: "revoke-device", deviceId }, signer.deviceId, nowSeconds);
  const signature = signAs(signer, statement, random);
  return checked(account, encodeLogEntry({ statement, signature, countersignature: undefined }), nowSeconds);
}

export interface SetRecoveryKey {
  readonly recoveryKey: PublicKey;
  /** The private key in force: with it the new key takes its place at once. */
  readonly consent?: Secret;
  readonly signer: OwnDevice;
  readonly nowSeconds: number;
}

export function setRecoveryKey(account: AccountState, input: SetRecoveryKey, random: Random): Bytes {
  const { recoveryKey, consent, signer, nowSeconds } = input;
  const change: Change = { kind: "set-recovery-key", recoveryKey, countersigned: consent !== undefined };
  const statement = nextStatement(account, change, signer.deviceId, nowSeconds);
  const countersignature = consent === undefined ? undefined : countersign(statement, consent, random);
  return checked(account, encodeLogEntry({ statement, signature: signAs(signer, statement, random), countersignature }), nowSeconds);
}

export interface RecoverAccount {
  /** The device that is going to be the only one. */
  readonly device: OwnDevice;
  readonly recoveryKey: Secret;
  readonly nowSeconds: number;
}

/** Made on the new device, which holds the recovery key for this one moment. */
export function recoverAccount(account: AccountState, { device, recoveryKey, nowSeconds }: RecoverAccount, random: Random): Bytes {
  const statement = nextStatement(account, { kind: "recover", device: describeDevice(device) }, undefined, nowSeconds);
  const countersignature = countersign(statement, device.identity.privateKey, random);
  return checked(account, encodeLogEntry({ statement, signature: signWith(recoveryKey, statement, random), countersignature }), nowSeconds);
}

export interface DeleteAccount {
  readonly signer: OwnDevice;
  readonly nowSeconds: number;
}

/** The last entry. Whoever has it appended has ended the account, for good. */
export function deleteAccount(account: AccountState, { signer, nowSeconds }: DeleteAccount, random: Random): Bytes {
  const statement = nextStatement(account, { kind: "delete-account" }, signer.deviceId, nowSeconds);
  const signature = signAs(signer, statement, random);
  return checked(account, encodeLogEntry({ statement, signature, countersignature: undefined }), nowSeconds);
}

function nextStatement(account: AccountPlace, change: Change, signer: DeviceId | undefined, nowSeconds: number): Bytes {
  return encodeLogStatement({
    userId: account.userId,
    sequence: account.head.length + 1,
    previousHash: account.head.hash,
    // Never before the last entry: a clock that is a little behind another device's must not stop its owner.
    createdSeconds: Math.max(nowSeconds, account.createdSeconds),
    signer,
    ...encodeChange(change),
  });
}

/** Nobody puts a key under what came from elsewhere and says anything else, not even in an extension. */
function requireProposal(proposal: Bytes, userId: UserId, device: Device): void {
  const statement = decodeLogStatement(proposal);
  const { type, details } = encodeChange({ kind: "add-device", device });
  const agreed = statement.type === type && sameBytes(statement.details, details);
  if (!agreed || statement.userId !== userId || statement.extensions !== undefined) throw new ProtocolError("bad-address");
}

function signAs(device: OwnDevice, statement: Bytes, random: Random): Bytes {
  return signWith(device.identity.privateKey, statement, random);
}

function signWith(privateKey: Secret, statement: Bytes, random: Random): Bytes {
  return sign(privateKey, labelled(LABELS.SIGN_LOG_ENTRY, statement), random);
}

function countersign(statement: Bytes, privateKey: Secret, random: Random): Bytes {
  return sign(privateKey, labelled(LABELS.SIGN_LOG_COUNTERSIGN, statement), random);
}

function checked(account: AccountState, entry: Bytes, nowSeconds: number): Bytes {
  extendAccount(account, entry, nowSeconds);
  return entry;
}
