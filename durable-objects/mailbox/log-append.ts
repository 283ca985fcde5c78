// Leads the owner's account log. An intent row stands before the write to D1; the registry follows when D1 has the entry;
// then the intent goes. Whoever comes next (a caller, or the alarm after a crash) carries out what stands there, by the
// same code. Nothing is ever decided from memory.

import type { PublicKey } from "#crypto";
import { admitEntry, type AccountState, checkPreKeyUpload, extendAccount, readAccountLog, type Recovery } from "#identity";
import {
  type Bytes,
  decodeLogEntry,
  decodeLogStatement,
  decodePreKeyRecord,
  decodePreKeyUpload,
  type DeviceId,
  EMPTY,
  ProtocolError,
  sameBytes,
  type UserId,
} from "#wire";
import type { AccountStore, DevicePreKeySet } from "./account-store.ts";
import type { Facts } from "./facts.ts";

interface Intent {
  readonly sequence: number;
  readonly entry: Bytes;
  readonly upload: Bytes | undefined;
}

export interface NewLogEntry {
  readonly entry: Bytes;
  readonly upload: Bytes | undefined;
}

export type Placed =
  | { readonly kind: "placed"; readonly sequence: number }
  | { readonly kind: "repeat"; readonly sequence: number }
  | { readonly kind: "conflict" };

/** What the mailbox does when D1 has an entry, in one transaction with the end of the intent. */
export type Follow = (account: AccountState, entry: Bytes) => void;

/** Where the account's log is, and what else its end has to do in databases before it is done. Safe to run twice. */
export interface AccountPlaces {
  readonly storeOf: (userId: UserId) => AccountStore;
  readonly giveUpNames: (userId: UserId, nowSeconds: number) => Promise<void>;
}

export class LogLeader {
  readonly #sql: SqlStorage;
  readonly #facts: Facts;
  readonly #places: AccountPlaces;

  constructor(sql: SqlStorage, facts: Facts, places: AccountPlaces) {
    this.#sql = sql;
    this.#facts = facts;
    this.#places = places;
  }

  /** Checks an entry against the log and says where it belongs. @throws ProtocolError, WireError */
  async check(userId: UserId, { entry, upload }: NewLogEntry, nowSeconds: number): Promise<Placed> {
    const log = await this.#places.storeOf(userId).readLog();
    const { sequence } = decodeLogStatement(decodeLogEntry(entry).statement);
    const there = log[sequence - 1];
    if (there !== undefined) return sameBytes(there, entry) ? { kind: "repeat", sequence } : { kind: "conflict" };
    // A database that was set back must not grow another history than the one that was shown.
    if ((this.#facts.head?.length ?? 0) > log.length) throw new ProtocolError("broken-chain");
    const account = this.#read(userId, log, nowSeconds);
    requireAdmitted(account, { entry, upload }, nowSeconds);
    return { kind: "placed", sequence };
  }

  /** Remembers what is about to be done. The caller has checked it, and nothing else stands there. */
  intend(sequence: number, { entry, upload }: NewLogEntry): void {
    this.#sql.exec(
      "INSERT INTO intents (sequence, entry, upload) VALUES (?1, ?2, ?3)",
      sequence,
      buffer(entry),
      upload === undefined ? null : buffer(upload),
    );
  }

  /** How often in vain, with this time. */
  countFailure(): number {
    const [row] = [...this.#sql.exec<{ failures: number }>("UPDATE intents SET failures = failures + 1 RETURNING failures")];
    return row?.failures ?? 0;
  }

  /** Carries out what stands there, if anything does. False when another entry has taken its place. Safe to run twice. */
  async settle(userId: UserId, nowSeconds: number, follow: Follow, commit: (change: () => void) => void): Promise<boolean> {
    const intent = this.#intent();
    if (intent === undefined) return true;
    const store = this.#places.storeOf(userId);
    const entries = await store.readLog();
    const there = entries[intent.sequence - 1];
    // Another entry in its place: its prekeys must not be written either.
    const isLost = there !== undefined && !sameBytes(there, intent.entry);
    const log = entries.slice(0, intent.sequence - 1);
    const before = log.length === 0 ? undefined : this.#read(userId, log, nowSeconds);
    const after =
      before === undefined ? readAccountLog([intent.entry], { userId, nowSeconds }) : extendAccount(before, intent.entry, nowSeconds);
    const { sequence, entry } = intent;
    const { hash } = after.head;
    const newEntry = { sequence, entry, hash, previousHash: before?.head.hash ?? EMPTY };
    const endsAccount = after.deletedSeconds !== undefined;
    const removed = removedBy(before, after);
    const changes = { preKeys: preKeysOf(intent.upload), removed, recovery: recoveryOf(before, after), endsAccount };
    const stands = !isLost && (await store.append(newEntry, changes));
    if (stands && endsAccount) await this.#places.giveUpNames(userId, nowSeconds);
    commit(() => {
      this.#sql.exec("DELETE FROM intents WHERE sequence = ?1", intent.sequence);
      if (!stands) return;
      this.#facts.moveHead(after.head);
      follow(after, intent.entry);
    });
    return stands;
  }

  /** Up to the head that this mailbox has checked before, nothing is verified again. */
  #read(userId: UserId, log: readonly Bytes[], nowSeconds: number): AccountState {
    const head = this.#facts.head;
    const verified = head === undefined || head.length > log.length ? {} : { verified: head };
    return readAccountLog(log, { userId, nowSeconds, ...verified });
  }

  #intent(): Intent | undefined {
    const [row] = [
      ...this.#sql.exec<{ sequence: number; entry: ArrayBuffer; upload: ArrayBuffer | null }>(
        "SELECT sequence, entry, upload FROM intents ORDER BY sequence LIMIT 1",
      ),
    ];
    if (row === undefined) return undefined;
    const upload = row.upload === null ? undefined : new Uint8Array(row.upload);
    return { sequence: row.sequence, entry: new Uint8Array(row.entry), upload };
  }
}

/** Everything that is asked of a new entry and of the prekeys with it, at the moment that it comes. @throws ProtocolError, WireError */
export function requireAdmitted(before: AccountState | undefined, { entry, upload }: NewLogEntry, nowSeconds: number): AccountState {
  const account = admitEntry(before, entry, nowSeconds);
  const added = account.devices.find((device) => before?.devices.includes(device) !== true);
  if ((added === undefined) !== (upload === undefined)) throw new ProtocolError(added === undefined ? "not-authorized" : "no-prekey");
  if (added === undefined || upload === undefined) return account;
  const record = checkPreKeyUpload(decodePreKeyUpload(upload), { account, deviceId: added.deviceId, nowSeconds });
  // Nobody can write to a device that has no signed prekeys.
  if (record === undefined) throw new ProtocolError("no-prekey");
  return account;
}

/** What was checked when the intent was written; time that has passed since does not undo it. */
function preKeysOf(bytes: Bytes | undefined): DevicePreKeySet | undefined {
  if (bytes === undefined) return undefined;
  const upload = decodePreKeyUpload(bytes);
  if (upload.set === undefined) return undefined;
  const record = decodePreKeyRecord(upload.set.record.record);
  return { deviceId: record.deviceId, upload, record };
}

function removedBy(before: AccountState | undefined, after: AccountState): readonly DeviceId[] {
  const kept = new Set(after.devices.map(({ deviceId }) => deviceId));
  return (before?.devices ?? []).map(({ deviceId }) => deviceId).filter((deviceId) => !kept.has(deviceId));
}

/** Where it is another one than before. Time alone changes nothing that is written down. */
function recoveryOf(before: AccountState | undefined, { recovery }: AccountState): Recovery | undefined {
  const keys = ({ inForce, waiting }: Recovery): readonly (PublicKey | undefined)[] => [inForce?.key, waiting?.key];
  const known = before === undefined ? [] : keys(before.recovery);
  return keys(recovery).every((key, at) => (key === undefined ? known[at] === undefined : known[at]?.equals(key) === true))
    ? undefined
    : recovery;
}

function buffer(bytes: Bytes): ArrayBuffer {
  return bytes.slice().buffer;
}
