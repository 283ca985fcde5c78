// Other people's account logs, and our own: fetched, verified from the head that was seen before, kept. Nobody is written to
// or believed but by what is here.

import { type AccountState, activeDevice, changeOf, compareHeads, openLogEntry, readAccountLog, type Recovery } from "#identity";
import { type Bytes, type LogHead, ProtocolError, type UserId, WireError } from "#wire";
import { type Core, recordEvent, seconds } from "./core.ts";
import { OWN_DEVICES } from "./devices/names.ts";
import { ClientError } from "./errors.ts";
import { ACCOUNTS, CONTACTS, type KnownAccount, SESSIONS } from "./records/tables.ts";
import type { Reader, Writer } from "./records/vault.ts";

/** Touched when somebody has lost a device. */
export const DEVICES = "devices";

interface Verified {
  readonly length: number;
  readonly state: AccountState;
}

export class Accounts {
  readonly #core: Core;
  readonly #own: UserId;
  /** What was verified in this life; the records say the same. */
  readonly #verified = new Map<UserId, Verified>();

  constructor(core: Core, own: UserId) {
    this.#core = core;
    this.#own = own;
  }

  async find(records: Reader, userId: UserId): Promise<AccountState | undefined> {
    const known = await records.get(ACCOUNTS, userId);
    if (known === undefined) return undefined;
    const before = this.#verified.get(userId);
    if (before?.length === known.entries.length) return before.state;
    return this.#remember(userId, known.entries, before);
  }

  /** Somebody who may be written to. @throws ClientError `unknown-user`, `account-forked`, `account-deleted`, `identity-changed` */
  async require(records: Reader, userId: UserId): Promise<AccountState> {
    const state = await this.requireKnown(records, userId);
    if (state.deletedSeconds !== undefined) throw new ClientError(userId === this.#own ? "own-account-deleted" : "account-deleted");
    const contact = await records.get(CONTACTS, userId);
    const isDoubtful = contact?.unreviewed === true || contact?.verifiedAt !== undefined;
    if (isDoubtful && !(await this.isVerified(records, userId))) throw new ClientError("identity-changed");
    return state;
  }

  /** Whether their log says that they have deleted their account, as far as it is known here. */
  async isDeleted(records: Reader, userId: UserId): Promise<boolean> {
    return (await this.find(records, userId))?.deletedSeconds !== undefined;
  }

  /** Whether `require` would answer. */
  async isWritable(records: Reader, userId: UserId): Promise<boolean> {
    try {
      await this.require(records, userId);
      return true;
    } catch (error) {
      if (error instanceof ClientError) return false;
      throw error;
    }
  }

  /** Whether somebody was verified as who they are now: whoever holds the recovery key may be somebody else than that person. */
  async isVerified(records: Reader, userId: UserId): Promise<boolean> {
    const verifiedAt = (await records.get(CONTACTS, userId))?.verifiedAt;
    const recoveredAt = (await this.find(records, userId))?.recovered?.sequence ?? 0;
    return verifiedAt !== undefined && verifiedAt >= recoveredAt;
  }

  /** Somebody with one history, whatever it says. @throws ClientError `unknown-user`, `account-forked` */
  async requireKnown(records: Reader, userId: UserId): Promise<AccountState> {
    const state = await this.find(records, userId);
    if (state === undefined) throw new ClientError("unknown-user");
    if ((await records.get(ACCOUNTS, userId))?.forked === true) throw new ClientError("account-forked");
    return state;
  }

  /** Asks the server for what is new. @throws ClientError `unknown-user`, `account-forked`, `untrusted-keys`, `upgrade-required`, `offline`… */
  async refresh(userId: UserId, signal?: AbortSignal): Promise<AccountState> {
    const known = await this.#core.vault.read((records) => records.get(ACCOUNTS, userId));
    const added = await this.#core.server.getLog(userId, known?.entries.length ?? 0, signal);
    if (known === undefined && added.length === 0) throw new ClientError("unknown-user");
    return await this.#core.vault.write((records) => this.learn(records, userId, known?.entries.length ?? 0, added));
  }

  /** Adds entries that come behind the first `after`. Those that were learned in between are left out. */
  async learn(records: Writer, userId: UserId, after: number, added: readonly Bytes[]): Promise<AccountState> {
    const known = await records.get(ACCOUNTS, userId);
    const have = known?.entries.length ?? 0;
    const before = await this.find(records, userId);
    const fresh = added.slice(Math.max(0, have - after));
    if (before !== undefined && fresh.length === 0) return before;
    const entries = [...(known?.entries ?? []), ...fresh];
    const state = this.#verify(userId, entries, before);
    const base: KnownAccount = known ?? { entries: [], recordSeconds: {}, forked: false };
    records.put(ACCOUNTS, { ...base, entries }, userId);
    records.afterwards(() => this.#verified.set(userId, { length: entries.length, state }));
    if (base.claimed !== undefined) await this.compare(records, userId, base.claimed);
    if (userId === this.#own) records.touch(OWN_DEVICES);
    if (before === undefined) return state;
    await this.#tellChanges(records, before, state);
    const lost = before.devices.filter((device) => !isThere(state, device));
    // Nothing is sealed for them any more, and their ids may one day be another's.
    for (const { deviceId } of lost) records.delete(SESSIONS, userId, deviceId);
    if (await this.hasLostDevice(records, userId, before.head.length)) records.touch(DEVICES);
    return state;
  }

  /** Whether a device has gone since the log had this length: one that was there then, or that came later and was told what the others know. */
  async hasLostDevice(records: Reader, userId: UserId, length: number): Promise<boolean> {
    const known = await records.get(ACCOUNTS, userId);
    return (known?.entries ?? []).slice(length).some((entry) => {
      const { kind } = changeOf(openLogEntry(entry).statement);
      return kind === "revoke-device" || kind === "recover" || kind === "delete-account";
    });
  }

  /** Fetches what the owner of a log says is there. @throws ClientError `log-withheld`, and as `refresh` does */
  async catchUp(userId: UserId, signal?: AbortSignal): Promise<void> {
    const isBehind = (): Promise<boolean> =>
      this.#core.vault.read(async (records) => {
        const known = await records.get(ACCOUNTS, userId);
        return known?.claimed !== undefined && known.claimed.length > known.entries.length;
      });
    if (!(await isBehind())) return;
    await this.refresh(userId, signal);
    if (await isBehind()) throw new ClientError("log-withheld");
  }

  /** What somebody says they saw of their own log, against what we have. `behind`: there is more to fetch. */
  async compare(records: Writer, userId: UserId, head: LogHead): Promise<"agrees" | "behind" | "forked"> {
    const known = await records.get(ACCOUNTS, userId);
    if (known === undefined) return "behind";
    if (head.length > known.entries.length) {
      if (head.length > (known.claimed?.length ?? 0)) records.put(ACCOUNTS, { ...known, claimed: head }, userId);
      return "behind";
    }
    if (compareHeads(head, known.entries).kind !== "fork") return "agrees";
    if (!known.forked) {
      records.put(ACCOUNTS, { ...known, forked: true }, userId);
      await recordEvent(records, { type: "notice", kind: "account-forked", peer: userId, deviceId: undefined, reason: undefined });
    }
    return "forked";
  }

  /** What `teller` says they saw of our log. It is their word alone, so it is told, once, and stops nothing. */
  async compareOwn(records: Writer, userId: UserId, head: LogHead, teller: UserId): Promise<"agrees" | "behind" | "forked"> {
    const known = await records.get(ACCOUNTS, userId);
    if (known === undefined || head.length > known.entries.length) return "behind";
    if (compareHeads(head, known.entries).kind !== "fork") return "agrees";
    const theirs = await records.get(ACCOUNTS, teller);
    if (theirs !== undefined && theirs.doubtsUs !== true) {
      records.put(ACCOUNTS, { ...theirs, doubtsUs: true }, teller);
      await recordEvent(records, { type: "notice", kind: "account-forked", peer: userId, deviceId: undefined, reason: undefined });
    }
    return "forked";
  }

  #remember(userId: UserId, entries: readonly Bytes[], before: Verified | undefined): AccountState {
    const state = this.#verify(userId, entries, before?.state);
    this.#verified.set(userId, { length: entries.length, state });
    return state;
  }

  #verify(userId: UserId, entries: readonly Bytes[], before: AccountState | undefined): AccountState {
    try {
      const verified = before === undefined ? {} : { verified: before.head };
      return readAccountLog(entries, { userId, nowSeconds: seconds(this.#core.clock), ...verified });
    } catch (cause) {
      if (!(cause instanceof ProtocolError || cause instanceof WireError)) throw cause;
      if (cause.code === "upgrade-required") throw new ClientError("upgrade-required", { cause });
      throw new ClientError(cause.code === "broken-chain" ? "account-forked" : "untrusted-keys", { cause });
    }
  }

  /** Devices of people we know, and our own, come and go in the open. */
  async #tellChanges(records: Writer, before: AccountState, after: AccountState): Promise<void> {
    const { userId } = after;
    if (userId !== this.#own && (await records.get(CONTACTS, userId))?.state !== "accepted") return;
    const notice = { type: "notice", peer: userId, reason: undefined } as const;
    if (after.deletedSeconds !== undefined) {
      await recordEvent(records, { ...notice, kind: "account-deleted", deviceId: undefined });
      return;
    }
    if (after.recovered?.sequence !== before.recovered?.sequence)
      await recordEvent(records, { ...notice, kind: "account-changed", deviceId: undefined });
    for (const device of after.devices) {
      if (!isThere(before, device)) await recordEvent(records, { ...notice, kind: "device-added", deviceId: device.deviceId });
    }
    for (const device of before.devices) {
      if (!isThere(after, device)) await recordEvent(records, { ...notice, kind: "device-revoked", deviceId: device.deviceId });
    }
    const reason = userId === this.#own ? recoveryChange(before.recovery, after.recovery) : undefined;
    if (reason !== undefined) await recordEvent(records, { ...notice, kind: "recovery-key-changed", deviceId: undefined, reason });
  }
}

/** The same device, and not another one that has got its id. */
function isThere(account: AccountState, { deviceId, identityKey }: AccountState["devices"][number]): boolean {
  return activeDevice(account, deviceId)?.identityKey.equals(identityKey) === true;
}

/** A key that somebody has named is shown on every device: its owner may know nothing of it. */
function recoveryChange(before: Recovery, after: Recovery): "set" | "waits" | "withdrawn" | undefined {
  const isSame = (one: Recovery["inForce"], other: Recovery["inForce"]): boolean =>
    one === undefined || other === undefined ? one === other : one.key.equals(other.key);
  if (after.inForce !== undefined && !isSame(before.inForce, after.inForce)) return "set";
  if (after.waiting !== undefined && !isSame(before.waiting, after.waiting)) return "waits";
  return isSame(before.inForce, after.inForce) && isSame(before.waiting, after.waiting) ? undefined : "withdrawn";
}
