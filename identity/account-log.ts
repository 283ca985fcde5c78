// The account log: from entries, as they were received, to the state of the account. Client and server run the same
// function. Every rule depends on the entries alone, so that all readers agree about every log for ever; the reader's
// clock only refuses what lies in the future. docs/identity.md tells the rules in prose.

import { LABELS, labelled, type PublicKey, sha256, verify } from "#crypto";
import {
  assertNever,
  type Bytes,
  CLOCK_TOLERANCE_SECONDS,
  type DeviceId,
  type LogHead,
  MAX_DEVICES_PER_ACCOUNT,
  ProtocolError,
  RECOVERY_KEY_DELAY_SECONDS,
  sameBytes,
  type UserId,
  userIdFromDigest,
  WireError,
} from "#wire";
import { type AccountDevice, type AccountState, activeDevice, keyName, type RecoveryKey, recoveryKeyAt, takenDeviceIds } from "./account.ts";
import type { Device } from "./device.ts";
import { type Change, changeOf, type LogEntry, openLogEntry } from "./log-entry.ts";

export interface ReadAccountLog {
  /** Whose log it must be. */
  readonly userId: UserId;
  readonly nowSeconds: number;
  /**
   * The head of a log that this side has read before: up to there signatures are not verified again. The log must extend
   * it, or it is refused as `broken-chain`; `compareHeads` says in which way it does not.
   */
  readonly verified?: LogHead;
}

/**
 * Reads a whole log. Refuses (ProtocolError): `bad-address` another account · `out-of-order` sequence or time ·
 * `broken-chain` · `too-far-ahead` from the future · `not-authorized` · `bad-signature` · `bad-key` · `duplicate` a
 * device id or key that was used · `over-limit` · `upgrade-required` an entry of a type that is not known.
 * @throws WireError for what is no entry.
 */
export function readAccountLog(entries: readonly Bytes[], { userId, nowSeconds, verified }: ReadAccountLog): AccountState {
  const opened = entries.map(openLogEntry);
  const [first, ...rest] = opened;
  if (first === undefined) throw new WireError("truncated");
  if (userIdFromDigest(first.hash) !== userId) throw new ProtocolError("bad-address");
  if (verified !== undefined && !sameHash(opened[verified.length - 1], verified)) throw new ProtocolError("broken-chain");
  const trusted = verified?.length ?? 0;
  const checks = checksAt(nowSeconds);
  let account = begin(first, trusted > 0 ? TRUSTED : checks);
  for (const entry of rest) account = extend(account, entry, account.head.length < trusted ? TRUSTED : checks);
  return account;
}

/** Adds one entry. Refuses as `readAccountLog` does. */
export function extendAccount(account: AccountState, entry: Bytes, nowSeconds: number): AccountState {
  return extend(account, openLogEntry(entry), checksAt(nowSeconds));
}

/** The userId that a first entry gives its account. Says nothing about whether the entry is good. */
export function userIdOfGenesis(entry: Bytes): UserId {
  return userIdFromDigest(sha256(entry));
}

interface Checks {
  readonly verify: (key: PublicKey, message: Bytes, signature: Bytes) => boolean;
  /** The latest time that an entry may have. */
  readonly latestSeconds: number;
}

function checksAt(nowSeconds: number): Checks {
  return { verify, latestSeconds: nowSeconds + CLOCK_TOLERANCE_SECONDS };
}

/** For entries up to a head that was verified before: the chain of hashes says that they are the same. */
const TRUSTED: Checks = { verify: () => true, latestSeconds: Number.MAX_SAFE_INTEGER };

function sameHash(entry: LogEntry | undefined, head: LogHead): boolean {
  return entry !== undefined && sameBytes(entry.hash, head.hash);
}

function begin(entry: LogEntry, checks: Checks): AccountState {
  const { sequence, createdSeconds, signer } = entry.statement;
  if (sequence !== 1) throw new ProtocolError("out-of-order");
  if (createdSeconds > checks.latestSeconds) throw new ProtocolError("too-far-ahead");
  // Decoded before it is verified, because it holds the key. The userId vouches for it: it was asked for by that name.
  const change = changeOf(entry.statement);
  if (change.kind !== "genesis" || change.device.deviceId !== signer) throw new ProtocolError("not-authorized");
  requireSignature(entry, change.device.identityKey, checks);
  requireCountersignature(entry, undefined, checks);
  const { device } = change;
  return {
    userId: userIdFromDigest(entry.hash),
    genesisKey: device.identityKey,
    head: { length: 1, hash: entry.hash },
    createdSeconds,
    devices: [{ ...device, addedSeconds: createdSeconds }],
    recovery: undefined,
    recovered: undefined,
    usedDeviceIds: new Set([device.deviceId]),
    usedKeys: new Set([keyName(device.identityKey)]),
  };
}

function extend(account: AccountState, entry: LogEntry, checks: Checks): AccountState {
  requireNext(account, entry, checks);
  // From here on the account is as it stands at the entry's time.
  const current = { ...account, recovery: recoveryKeyAt(account, entry.statement.createdSeconds) };
  requireSignature(entry, signerOf(current, entry.statement.signer), checks);
  const change = changeOf(entry.statement);
  if (mustRecoveryKeySign(change) !== (entry.statement.signer === undefined)) throw new ProtocolError("not-authorized");
  requireCountersignature(entry, countersignerOf(current, change), checks);
  const { sequence, createdSeconds } = entry.statement;
  return { ...applyChange(current, change, entry), head: { length: sequence, hash: entry.hash }, createdSeconds };
}

function requireNext(account: AccountState, { statement }: LogEntry, checks: Checks): void {
  const { userId, sequence, previousHash, createdSeconds } = statement;
  // A first entry has neither userId nor previous hash; every other one has both.
  if (sequence !== account.head.length + 1 || userId === undefined || previousHash === undefined) throw new ProtocolError("out-of-order");
  if (userId !== account.userId) throw new ProtocolError("bad-address");
  if (!sameBytes(previousHash, account.head.hash)) throw new ProtocolError("broken-chain");
  if (createdSeconds < account.createdSeconds) throw new ProtocolError("out-of-order");
  if (createdSeconds > checks.latestSeconds) throw new ProtocolError("too-far-ahead");
}

/** Of every entry, also of a type that is not known: the recovery key or an active device. */
function signerOf(account: AccountState, signer: DeviceId | undefined): PublicKey {
  const key = signer === undefined ? account.recovery?.key : activeDevice(account, signer)?.identityKey;
  if (key === undefined) throw new ProtocolError("not-authorized");
  return key;
}

function mustRecoveryKeySign(change: Change): boolean {
  return change.kind === "recover";
}

function countersignerOf(account: AccountState, change: Change): PublicKey | undefined {
  switch (change.kind) {
    case "add-device":
    case "recover":
      return change.device.identityKey;
    case "set-recovery-key":
      if (!change.countersigned) return undefined;
      if (account.recovery === undefined) throw new ProtocolError("not-authorized");
      return account.recovery.key;
    case "genesis":
    case "revoke-device":
      return undefined;
    default:
      return assertNever(change);
  }
}

function requireSignature(entry: LogEntry, key: PublicKey, checks: Checks): void {
  if (!checks.verify(key, labelled(LABELS.SIGN_LOG_ENTRY, entry.signed), entry.signature)) throw new ProtocolError("bad-signature");
}

/** A countersignature that nobody asked for is refused too: it is signed by nothing and would change the hash. */
function requireCountersignature({ signed, countersignature }: LogEntry, key: PublicKey | undefined, checks: Checks): void {
  if (key === undefined && countersignature === undefined) return;
  if (key === undefined || countersignature === undefined) throw new ProtocolError("bad-signature");
  if (!checks.verify(key, labelled(LABELS.SIGN_LOG_COUNTERSIGN, signed), countersignature)) throw new ProtocolError("bad-signature");
}

function applyChange(account: AccountState, change: Change, { statement }: LogEntry): AccountState {
  const { createdSeconds, sequence, signer } = statement;
  switch (change.kind) {
    case "genesis":
      throw new ProtocolError("not-authorized");
    case "add-device":
      if (account.devices.length >= MAX_DEVICES_PER_ACCOUNT) throw new ProtocolError("over-limit");
      return withDevice(account, change.device, createdSeconds);
    case "revoke-device":
      return withoutDevice(account, change.deviceId);
    case "set-recovery-key":
      // Always a device: `mustRecoveryKeySign` says so.
      if (signer === undefined) throw new ProtocolError("not-authorized");
      return withRecoveryKey(account, change.recoveryKey, waitingSince(change.countersigned ? undefined : createdSeconds, signer));
    case "recover": {
      const recovered = withDevice({ ...account, devices: [] }, change.device, createdSeconds);
      return { ...recovered, recovery: withoutWaiting(account.recovery), recovered: { sequence, createdSeconds } };
    }
    default:
      return assertNever(change);
  }
}

function withDevice(account: AccountState, device: Device, addedSeconds: number): AccountState {
  const taken = takenDeviceIds(account);
  if (taken.has(device.deviceId)) throw new ProtocolError("duplicate");
  const added: AccountDevice = { ...device, addedSeconds };
  return {
    ...account,
    devices: [...account.devices, added],
    usedDeviceIds: new Set([...taken, device.deviceId]),
    usedKeys: withKey(account, device.identityKey),
  };
}
