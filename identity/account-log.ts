// The account log: from entries, as they were received, to the state of the account. Client and server run the same
// function. Every rule depends on the entries alone, so that all readers agree about every log for ever; the reader's
// clock only refuses what lies in the future. docs/identity.md tells the rules in prose.

import { LABELS, labelled, type PublicKey, sha256, verify } from "#crypto";
import {
  assertNever,
  type Bytes,
  CLOCK_TOLERANCE_SECONDS,
  type DeviceId,
  LOG_ENTRIES_FOR_RECOVERY,
  LOG_TYPES,
  type LogHead,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_LOG_ENTRIES,
  ProtocolError,
  sameBytes,
  type UserId,
  userIdFromDigest,
  WireError,
} from "#wire";
import { type AccountDevice, type AccountState, activeDevice, nameOfKey, takenDeviceIds } from "./account.ts";
import { type Change, changeOf, type LogEntry, openLogEntry } from "./log-entry.ts";
import { nameRecoveryKey, NO_RECOVERY, objectTo, recoveryAt } from "./recovery.ts";

export interface ReadAccountLog {
  /** Whose log it must be. */
  readonly userId: UserId;
  readonly nowSeconds: number;
  /**
   * The head of a log that this side has read before: up to there nothing is verified again. The log must extend it, or
   * it is refused as `broken-chain`; `compareHeads` says in which way it does not.
   */
  readonly verified?: LogHead;
}

/**
 * Reads a whole log. Refuses (ProtocolError): `bad-address` another account's, or of a device that is not there ·
 * `out-of-order` sequence or time · `broken-chain` · `too-far-ahead` from the future · `not-authorized` · `bad-signature`
 * · `bad-key` · `duplicate` a device id or key that was used · `over-limit` · `upgrade-required` a type that is not known.
 * @throws WireError for what is no entry.
 */
export function readAccountLog(entries: readonly Bytes[], { userId, nowSeconds, verified }: ReadAccountLog): AccountState {
  if (entries.length > MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY) throw new ProtocolError("over-limit");
  const opened = entries.map(openLogEntry);
  const [first, ...rest] = opened;
  if (first === undefined) throw new WireError("truncated");
  if (userIdFromDigest(first.hash) !== userId) throw new ProtocolError("bad-address");
  if (verified !== undefined && !isAt(opened, verified)) throw new ProtocolError("broken-chain");
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

/** For entries up to a head that was read before: the chain of hashes says that they are the same ones. */
const TRUSTED: Checks = { verify: () => true, latestSeconds: Number.MAX_SAFE_INTEGER };

function isAt(entries: readonly LogEntry[], head: LogHead): boolean {
  const entry = entries[head.length - 1];
  return entry !== undefined && sameBytes(entry.hash, head.hash);
}

function begin(entry: LogEntry, checks: Checks): AccountState {
  const { sequence, createdSeconds, signer } = entry.statement;
  if (sequence !== 1) throw new ProtocolError("out-of-order");
  if (createdSeconds > checks.latestSeconds) throw new ProtocolError("too-far-ahead");
  // Read before its signature is verified, because the key is inside. The userId, by which it was asked for, vouches for it.
  const change = changeOf(entry.statement);
  if (change.kind !== "genesis" || change.device.deviceId !== signer) throw new ProtocolError("not-authorized");
  const { device } = change;
  requireSignature(entry, device.identityKey, checks);
  requireCountersignature(entry, undefined, checks);
  return {
    userId: userIdFromDigest(entry.hash),
    genesisKey: device.identityKey,
    head: { length: 1, hash: entry.hash },
    createdSeconds,
    devices: [{ ...device, addedSeconds: createdSeconds, addedBy: undefined }],
    recovery: NO_RECOVERY,
    recovered: undefined,
    deletedSeconds: undefined,
    usedDeviceIds: new Set([device.deviceId]),
    usedKeys: new Set([nameOfKey(device.identityKey)]),
  };
}

function extend(account: AccountState, entry: LogEntry, checks: Checks): AccountState {
  const { sequence, createdSeconds, signer } = entry.statement;
  requireNext(account, entry, checks);
  const current = { ...account, recovery: recoveryAt(account.recovery, createdSeconds) };
  requireSignature(entry, signerOf(current, signer), checks);
  const change = changeOf(entry.statement);
  requireCountersignature(entry, countersignerOf(current, change), checks);
  const next = signer === undefined ? applyRecovery(current, change, entry) : applyChange(current, change, signer, createdSeconds);
  return { ...next, head: { length: sequence, hash: entry.hash }, createdSeconds };
}

function requireNext(account: AccountState, { statement }: LogEntry, checks: Checks): void {
  const { userId, sequence, previousHash, createdSeconds, signer, type } = statement;
  // Whatever it is: also what a newer version knows, and what an owner has signed before it came to this.
  if (account.deletedSeconds !== undefined) throw new ProtocolError("not-authorized");
  // A first entry has neither userId nor previous hash; every other one has both.
  if (sequence !== account.head.length + 1 || userId === undefined || previousHash === undefined) throw new ProtocolError("out-of-order");
  if (userId !== account.userId) throw new ProtocolError("bad-address");
  if (!sameBytes(previousHash, account.head.hash)) throw new ProtocolError("broken-chain");
  if (createdSeconds < account.createdSeconds) throw new ProtocolError("out-of-order");
  if (createdSeconds > checks.latestSeconds) throw new ProtocolError("too-far-ahead");
  const isKeptFor = signer === undefined || type === LOG_TYPES.deleteAccount;
  if (sequence > MAX_LOG_ENTRIES + (isKeptFor ? LOG_ENTRIES_FOR_RECOVERY : 0)) throw new ProtocolError("over-limit");
}

/** An active device or the recovery key in force, whatever the type of the entry: also of those that are not known. */
function signerOf(account: AccountState, signer: DeviceId | undefined): PublicKey {
  const key = signer === undefined ? account.recovery.inForce?.key : activeDevice(account, signer)?.identityKey;
  if (key === undefined) throw new ProtocolError("not-authorized");
  return key;
}

function countersignerOf(account: AccountState, change: Change): PublicKey | undefined {
  switch (change.kind) {
    case "add-device":
    case "recover":
      return change.device.identityKey;
    case "set-recovery-key": {
      if (!change.countersigned) return undefined;
      const { inForce } = account.recovery;
      if (inForce === undefined) throw new ProtocolError("not-authorized");
      return inForce.key;
    }
    case "genesis":
    case "revoke-device":
    case "delete-account":
      return undefined;
    default:
      return assertNever(change);
  }
}

function requireSignature(entry: LogEntry, key: PublicKey, checks: Checks): void {
  if (!checks.verify(key, labelled(LABELS.SIGN_LOG_ENTRY, entry.signed), entry.signature)) throw new ProtocolError("bad-signature");
}

/** A countersignature that nobody asked for is refused too: nothing signs it, and it would change the hash. */
function requireCountersignature({ signed, countersignature }: LogEntry, key: PublicKey | undefined, checks: Checks): void {
  if (key === undefined && countersignature === undefined) return;
  if (key === undefined || countersignature === undefined) throw new ProtocolError("bad-signature");
  if (!checks.verify(key, labelled(LABELS.SIGN_LOG_COUNTERSIGN, signed), countersignature)) throw new ProtocolError("bad-signature");
}

/** What the recovery key may do: put one new device in the place of all. */
function applyRecovery(account: AccountState, change: Change, { statement }: LogEntry): AccountState {
  if (change.kind !== "recover") throw new ProtocolError("not-authorized");
  const { sequence, createdSeconds } = statement;
  const recovery = { ...account.recovery, waiting: undefined };
  const device = { ...change.device, addedSeconds: createdSeconds, addedBy: undefined };
  return { ...account, ...admitted(account, device), devices: [device], recovery, recovered: { sequence, createdSeconds } };
}

/** What a device may do. */
function applyChange(account: AccountState, change: Change, signer: DeviceId, atSeconds: number): AccountState {
  switch (change.kind) {
    case "add-device": {
      if (account.devices.length >= MAX_DEVICES_PER_ACCOUNT) throw new ProtocolError("over-limit");
      const device = { ...change.device, addedSeconds: atSeconds, addedBy: signer };
      return { ...account, ...admitted(account, device), devices: [...account.devices, device] };
    }
    case "revoke-device": {
      const devices = account.devices.filter((device) => device.deviceId !== change.deviceId);
      if (devices.length === account.devices.length) throw new ProtocolError("bad-address");
      // An account always has a device: who wants none deletes the account.
      if (devices.length === 0) throw new ProtocolError("not-authorized");
      return { ...account, devices, recovery: objectTo(account.recovery, change.deviceId, atSeconds) };
    }
    case "set-recovery-key": {
      const { recoveryKey: key, countersigned: consented } = change;
      const recovery = nameRecoveryKey(account.recovery, { key, namedBy: signer, atSeconds, consented });
      const known = account.recovery.inForce?.key.equals(key) === true;
      return { ...account, recovery, usedKeys: known ? account.usedKeys : withKey(account.usedKeys, key) };
    }
    case "delete-account":
      // A recovery key brings nothing back either: the one who has it may be the one whom the owner flees.
      return { ...account, devices: [], recovery: NO_RECOVERY, deletedSeconds: atSeconds };
    case "genesis":
    case "recover":
      throw new ProtocolError("not-authorized");
    default:
      return assertNever(change);
  }
}

/** The used ids and keys once the device is there. @throws ProtocolError `duplicate` when its id or key was used. */
function admitted(account: AccountState, device: AccountDevice): Pick<AccountState, "usedDeviceIds" | "usedKeys"> {
  const taken = takenDeviceIds(account);
  if (taken.has(device.deviceId)) throw new ProtocolError("duplicate");
  return { usedDeviceIds: new Set([...taken, device.deviceId]), usedKeys: withKey(account.usedKeys, device.identityKey) };
}

/** No key serves twice: neither two devices, nor a device and recovery, nor again after it was given up. */
function withKey(usedKeys: ReadonlySet<string>, key: PublicKey): ReadonlySet<string> {
  const name = nameOfKey(key);
  if (usedKeys.has(name)) throw new ProtocolError("duplicate");
  return new Set([...usedKeys, name]);
}
