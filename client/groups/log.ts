// The logs of groups: read from the server, verified entry by entry, and added to. What we write ourselves is acted on when it is
// read back, like everybody else's; so a crash after an append loses nothing, and there is one way for a group to change.

import { deviceKeyAt, proveGroupRead, signGroupAppend } from "#identity";
import {
  adminKeyPair,
  authorGroupEntry,
  type AuthoredEntry,
  decodeGroupRecord,
  createGroup,
  type EntrySigner,
  type EpochSecrets,
  type GroupDevice,
  type GroupIntent,
  groupMember,
  type GroupRecord,
  isGroupAdmin,
  joinGroup,
  type KeyOf,
  memberKeyPair,
  readGroupEntry,
  type SealedEntry,
  signerOfEntry,
  signerOfJoin,
} from "#protocol";
import { Secret } from "#crypto";
import { type Bytes, decodeGroupAppend, encodeGroupAppend, type GroupId, sameBytes, type UserId } from "#wire";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { ACCOUNTS, GROUPS, type JoinAsked, JOINS, type KnownGroup } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { Turns } from "../store/turns.ts";
import { begun, follow, type Followed, joined, stopped } from "./changes.ts";
import { findGroup, requireGroup, requireTitle } from "./state.ts";

/** An append that loses the race is written anew, on top of whoever won, so often. */
const MAX_TRIES = 64;
const PAUSE_MILLISECONDS = 200;
const ROTATE_WITHIN_MILLISECONDS = 2000;

export interface GroupLogsParts {
  readonly sending: Sending;
  readonly origin: string;
  /** The group has changed: what has waited in it may be opened now. */
  readonly changed: (records: Writer, groupId: GroupId) => Promise<void>;
  /** Something may be in a log that we have not read. */
  readonly followLater: () => void;
}

type Intend = (record: GroupRecord) => GroupIntent | undefined;

export class GroupLogs {
  readonly #parts: GroupLogsParts;
  readonly #reading = new Map<GroupId, Promise<void>>();
  /** Of those who add entries. */
  readonly #turns = new Map<GroupId, Turns>();

  constructor(parts: GroupLogsParts) {
    this.#parts = parts;
  }

  /** Makes a group with nobody else in it. Kept here before the server has it: it could not give the secrets back. */
  async create(title: string, signal?: AbortSignal): Promise<GroupId> {
    const { sending, origin } = this.#parts;
    requireTitle(title);
    const own = await sending.accounts.refresh(sending.self.local.address.userId, signal);
    const made = createGroup({ title, device: this.#device, head: own.head, nowSeconds: seconds(sending.clock) }, sending.random);
    if (made.kind === "refused") throw new ClientError("refused", { detail: made.code });
    const { groupId } = made.output;
    const beginning = encodeGroupAppend(appendOf(made.output, made.state, { origin, groupId }));
    await sending.vault.write((records) => begun(sending, records, { groupId, beginning, record: made.state }));
    await this.follow(groupId, signal);
    return groupId;
  }

  /** Reads what is new. Calls for one group share one reading, which began after each of them. @throws ClientError */
  async follow(groupId: GroupId, signal?: AbortSignal): Promise<void> {
    const before = this.#reading.get(groupId);
    const reading = (before ?? Promise.resolve()).catch(() => undefined).then(() => this.#read(groupId, signal));
    this.#reading.set(groupId, reading);
    try {
      await reading;
    } finally {
      if (this.#reading.get(groupId) === reading) this.#reading.delete(groupId);
    }
  }

  /** Every group that we are in or about to be. One that cannot be read keeps no other waiting. @throws ClientError of the first */
  async followAll(): Promise<void> {
    const groups = await this.#parts.sending.vault.read((records) => records.all(GROUPS));
    const failures: unknown[] = [];
    for (const known of groups) {
      if (isOver(known) && !isJoining(known)) continue;
      await this.follow(known.groupId).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  /**
   * Adds an entry. `intend` says what is to be done in the state that there is now, again after everyone who was faster, or nothing
   * when it is done already.
   * Within this program one after the other: they would only take the place from each other.
   * @throws ClientError `not-an-admin`, `group-full`, `groups-changing`, and what `intend` throws
   */
  async append(groupId: GroupId, intend: Intend, signal?: AbortSignal): Promise<void> {
    const turns = this.#turns.get(groupId) ?? new Turns();
    this.#turns.set(groupId, turns);
    try {
      await turns.take(() => this.#append(groupId, intend, signal));
    } catch (error) {
      // Without an answer the entry may be there all the same, and nobody but the log tells its author.
      if (!(error instanceof ClientError) || error.retryable) this.#parts.followLater();
      throw error;
    }
  }

  async #append(groupId: GroupId, intend: Intend, signal: AbortSignal | undefined): Promise<void> {
    const { clock, random } = this.#parts.sending;
    const accounts = new Map<UserId, Account>();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await this.follow(groupId, signal);
      const outcome = await this.#tryAppend(groupId, intend, accounts, signal);
      if (outcome === "nothing") return;
      if (outcome === "appended") {
        await this.follow(groupId, signal);
        return;
      }
      const [byte = 0] = random(1);
      await new Promise<void>((resolve) => void clock.after((PAUSE_MILLISECONDS * byte * Math.min(tries, 8)) / 256, resolve));
    }
    throw new ClientError("group-changing");
  }

  async #tryAppend(
    groupId: GroupId,
    intend: Intend,
    accounts: Map<UserId, Account>,
    signal: AbortSignal | undefined,
  ): Promise<"appended" | "conflict" | "nothing"> {
    const { sending, origin } = this.#parts;
    const { known, record } = await sending.vault.read((records) => requireGroup(records, groupId));
    const intent = intend(record);
    if (intent === undefined) return "nothing";
    await this.#learnFor(record, intent, accounts, signal);
    const own = accounts.get(sending.self.local.address.userId);
    if (own === undefined) throw new ClientError("not-registered");
    const planned = withoutDeleted(record, intent, accounts);
    const input = {
      device: this.#device,
      head: own.head,
      nowSeconds: seconds(sending.clock),
      version: known.place + 1,
      intent: planned.intent,
      accountOf: (userId: UserId) => accounts.get(userId),
    };
    const authored = authorGroupEntry(record, input, sending.random);
    if (authored.kind === "refused") throw refusalOf(planned.intent, authored.code);
    const append = appendOf(authored.output, record, { origin, groupId });
    const outcome = await sending.server.appendGroup(groupId, append, signal);
    return planned.isAll ? outcome : "conflict";
  }

  /**
   * The accounts of whoever gets secrets with the entry, as they are now. Once for all tries: whoever has to ask about a hundred
   * people each time would never be faster than those who change the title.
   */
  async #learnFor(
    { state }: GroupRecord,
    intent: GroupIntent,
    learned: Map<UserId, Account>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { accounts, self } = this.#parts.sending;
    const needed = new Set<UserId>([self.local.address.userId]);
    if (intent.kind === "promote") needed.add(intent.userId);
    if (intent.kind === "remove" || intent.kind === "demote" || intent.kind === "rotate")
      for (const { userId } of state.members) needed.add(userId);
    // What the group's log has seen of an account meanwhile, it will not unsee.
    const isKnown = (userId: UserId): boolean => (learned.get(userId)?.head.length ?? 0) >= (groupMember(state, userId)?.logLength ?? 1);
    const missing = [...needed].filter((userId) => !isKnown(userId));
    await Promise.all(missing.map(async (userId) => learned.set(userId, await accounts.refresh(userId, signal))));
  }

  async #read(groupId: GroupId, signal: AbortSignal | undefined): Promise<void> {
    const { sending } = this.#parts;
    await this.#backToState(groupId);
    for (;;) {
      const known = await sending.vault.read((records) => records.get(GROUPS, groupId));
      if (known === undefined || (isOver(known) && !isJoining(known))) return;
      const secrets = secretsOf(known);
      if (secrets === undefined) return;
      if (known.beginning !== undefined) await this.#begin(known.groupId, known.beginning, signal);
      const page = await this.#page(known, secrets, signal);
      for (const { version, entry } of page.entries) {
        if (!(await this.#take(groupId, { version, ciphertext: entry }))) return;
      }
      const after = await sending.vault.read((records) => records.get(GROUPS, groupId));
      // Behind a rotation there is more, for whoever has the new secrets.
      if (after === undefined || placeIn(after) === placeIn(known)) return;
    }
  }

  /** Places behind the state were empty as the server showed them. They are looked at again: it may have lied about them. */
  async #backToState(groupId: GroupId): Promise<void> {
    const { vault } = this.#parts.sending;
    const isAhead = (known: KnownGroup | undefined): known is KnownGroup & { readonly record: Bytes } =>
      known?.record !== undefined && known.place > decodeGroupRecord(known.record).state.version;
    if (!isAhead(await vault.read((records) => records.get(GROUPS, groupId)))) return;
    await vault.write(async (records) => {
      const known = await records.get(GROUPS, groupId);
      if (isAhead(known)) records.put(GROUPS, { ...known, place: decodeGroupRecord(known.record).state.version }, groupId);
    });
  }

  /** A repeat is answered the same. */
  async #begin(groupId: GroupId, beginning: Bytes, signal: AbortSignal | undefined): Promise<void> {
    const { sending } = this.#parts;
    await sending.server.appendGroup(groupId, decodeGroupAppend(beginning), signal);
    await sending.vault.write(async (records) => {
      const known = await records.get(GROUPS, groupId);
      if (known === undefined) return;
      const { beginning: _, ...begun } = known;
      records.put(GROUPS, begun, groupId);
    });
  }

  async #page(known: KnownGroup, secrets: EpochSecrets, signal: AbortSignal | undefined): ReturnType<Sending["server"]["readGroup"]> {
    const { sending, origin } = this.#parts;
    const { groupId } = known;
    const keys = memberKeyPair(groupId, secrets);
    const proof = proveGroupRead({ origin, groupId }, keys, seconds(sending.clock));
    keys.seed.wipe();
    return await sending.server.readGroup(groupId, proof, placeIn(known), signal);
  }

  /** One entry: the signer's account log first, then what the entry does. False when there is no going on. */
  async #take(groupId: GroupId, sealed: SealedEntry): Promise<boolean> {
    const { sending } = this.#parts;
    const known = await sending.vault.read((records) => records.get(GROUPS, groupId));
    // Another program may have been faster.
    if (known === undefined || placeIn(known) >= sealed.version) return known !== undefined;
    const signer = signerOf(known, sealed, sending.self.local.address.userId);
    // Anew, because what a log does not have now it may have had when it was fetched.
    if (signer !== undefined) await this.#learn(signer.device.userId);
    return await sending.vault.write(async (records) => {
      const current = await records.get(GROUPS, groupId);
      if (current === undefined || placeIn(current) >= sealed.version) return true;
      return await this.#apply(records, current, sealed, await this.#keyOf(records, signer));
    });
  }

  async #apply(records: Writer, known: KnownGroup, sealed: SealedEntry, keyOf: KeyOf): Promise<boolean> {
    const { sending } = this.#parts;
    const { groupId, invitation } = known;
    const at = { ...known, place: sealed.version };
    if (known.record === undefined || isJoining(known)) {
      if (invitation === undefined) return false;
      const outcome = joinGroup({
        ...sealed,
        groupId,
        stateHash: invitation.stateHash,
        secrets: { groupSecret: new Secret(invitation.groupSecret.slice()), adminSecret: undefined },
        userId: sending.self.local.address.userId,
        keyOf,
      });
      // Not even an entry: perhaps the server shows another time what was told.
      if (outcome.kind === "refused" && (outcome.code === "bad-tag" || outcome.code === "bad-length")) return false;
      if (outcome.kind === "refused") {
        const standing = known.record === undefined ? "left" : known.standing;
        await stopped(sending, records, { ...known, standing, invitation: undefined }, outcome.code);
        return false;
      }
      await joined(sending, records, { ...at, invitedBy: invitation.by }, outcome.state);
    } else {
      const before = decodeGroupRecord(known.record);
      const outcome = readGroupEntry(before, { ...sealed, device: this.#device, keyOf });
      if (outcome.kind === "refused" && outcome.next === "stop") {
        await stopped(
          sending,
          records,
          { ...at, broken: outcome.code === "upgrade-required" ? outcome.code : "group-unreadable" },
          outcome.code,
        );
        return false;
      }
      if (outcome.kind === "refused") {
        records.put(GROUPS, at, groupId);
        return true;
      }
      const followed: Followed = { known: at, before, after: outcome.state, applied: outcome.output };
      await follow(sending, records, followed);
      records.spend(outcome.spent);
    }
    await this.#parts.changed(records, groupId);
    records.afterwards(() => this.#rotateIfDue(groupId));
    return true;
  }

  /** Adds who asks by an invite, if it still lets them in. */
  async letIn({ groupId, userId, inviteId }: JoinAsked, signal?: AbortSignal): Promise<void> {
    const { accounts, vault } = this.#parts.sending;
    const account = await accounts.refresh(userId, signal);
    if (account.deletedSeconds !== undefined) {
      await vault.write(async (records) => records.delete(JOINS, groupId, userId));
      throw new ClientError("account-deleted");
    }
    await this.append(
      groupId,
      ({ state }) => {
        if (groupMember(state, userId) !== undefined) return undefined;
        const isThere = state.invites.some((invite) => sameBytes(invite.inviteId, inviteId));
        return { kind: "add", members: [account], ...(isThere ? { inviteId } : {}) };
      },
      signal,
    );
    await vault.write(async (records) => records.delete(JOINS, groupId, userId));
  }

  /** Lets in whom an invite lets in by itself. Who cannot be now is asked about again with the next one, and at the next start. */
  async letInWhoMay(): Promise<void> {
    const asked = await this.#parts.sending.vault.read((records) => records.all(JOINS));
    for (const one of asked.filter(({ approval }) => !approval)) {
      const group = await this.#parts.sending.vault.read((records) => findGroup(records, one.groupId));
      const isThere = group?.state.invites.some((invite) => sameBytes(invite.inviteId, one.inviteId)) === true;
      if (isThere) await this.letIn(one);
      else await this.#parts.sending.vault.write(async (records) => records.delete(JOINS, one.groupId, one.userId));
    }
  }

  /** The accounts of members have changed: perhaps a device is gone that knows secrets. */
  async rotateWhereDue(): Promise<void> {
    const groups = await this.#parts.sending.vault.read((records) => records.all(GROUPS));
    for (const { groupId } of groups) this.#rotateIfDue(groupId);
  }

  /** At once, for whoever has put a device out: nobody else knows of it yet. @throws ClientError of the first that fails */
  async rotateNow(signal?: AbortSignal): Promise<void> {
    const groups = await this.#parts.sending.vault.read((records) => records.all(GROUPS));
    for (const { groupId } of groups) await this.#rotate(groupId, signal);
  }

  /** The epoch of a group of which we are an admin, when somebody who is gone knows its secrets. */
  async #dueEpoch(records: Reader, groupId: GroupId): Promise<number | undefined> {
    const { accounts, self } = this.#parts.sending;
    const group = await findGroup(records, groupId);
    if (group?.known.standing !== "member" || !isGroupAdmin(group.state, self.local.address.userId)) return undefined;
    if (group.state.rotationDue) return group.state.epoch;
    for (const { userId, logLength } of group.state.members) {
      if (await accounts.hasLostDevice(records, userId, logLength)) return group.state.epoch;
    }
    return undefined;
  }

  /** Somebody has left, or lost a device: any admin's program draws new secrets, and the first one wins. */
  #rotateIfDue(groupId: GroupId): void {
    const { sending } = this.#parts;
    const [byte = 0] = sending.random(1);
    // Not all at once; and whoever cannot now does it with the next change, or the next start.
    sending.clock.after((ROTATE_WITHIN_MILLISECONDS * byte) / 256, () => void this.#rotate(groupId).catch(() => undefined));
  }

  async #rotate(groupId: GroupId, signal?: AbortSignal): Promise<void> {
    const epoch = await this.#parts.sending.vault.read((records) => this.#dueEpoch(records, groupId));
    // Whoever was faster has begun another one.
    if (epoch !== undefined) await this.append(groupId, ({ state }) => (state.epoch === epoch ? { kind: "rotate" } : undefined), signal);
  }

  /** Whoever cannot be believed has signed nothing. @throws ClientError when that cannot be found out now */
  async #learn(userId: UserId): Promise<void> {
    try {
      await this.#parts.sending.accounts.refresh(userId);
    } catch (error) {
      if (!(error instanceof ClientError) || error.retryable || error.code.startsWith("storage-")) throw error;
    }
  }

  async #keyOf(records: Reader, signer: EntrySigner | undefined): Promise<KeyOf> {
    if (signer === undefined) return () => undefined;
    const { userId, deviceId } = signer.device;
    const entries = (await records.get(ACCOUNTS, userId))?.entries ?? [];
    const key = deviceKeyAt(entries, { userId, deviceId, head: signer.head, nowSeconds: seconds(this.#parts.sending.clock) });
    return () => key;
  }

  get #device(): GroupDevice {
    const { address, identity } = this.#parts.sending.self.local;
    return { address, identity };
  }
}

/** What the rules of groups say no to, for whoever asked. */
function refusalOf(intent: GroupIntent, code: string): ClientError {
  if (code === "not-authorized") return new ClientError(intent.kind === "leave" ? "last-admin" : "not-an-admin");
  return new ClientError(code === "over-limit" ? "group-full" : "refused", { detail: code });
}

type Account = Awaited<ReturnType<Sending["accounts"]["refresh"]>>;

interface Planned {
  readonly intent: GroupIntent;
  /** Otherwise something had to be done first. */
  readonly isAll: boolean;
}

/**
 * Nobody can be given new secrets who has no device: whoever draws new ones removes the members who have deleted their accounts.
 * @throws ClientError `account-deleted`
 */
function withoutDeleted({ state }: GroupRecord, intent: GroupIntent, accounts: ReadonlyMap<UserId, Account>): Planned {
  const isDeleted = (userId: UserId): boolean => accounts.get(userId)?.deletedSeconds !== undefined;
  const deleted = state.members.map(({ userId }) => userId).filter(isDeleted);
  if (intent.kind === "promote" && isDeleted(intent.userId)) throw new ClientError("account-deleted");
  if (deleted.length === 0) return { intent, isAll: true };
  if (intent.kind === "remove") return { intent: { kind: "remove", userIds: [...new Set([...intent.userIds, ...deleted])] }, isAll: true };
  if (intent.kind === "rotate") return { intent: { kind: "remove", userIds: deleted }, isAll: true };
  if (intent.kind === "demote") return { intent: { kind: "remove", userIds: deleted }, isAll: false };
  return { intent, isAll: true };
}

/** Nothing more can be read of it with what we have. */
function isOver({ standing, broken }: KnownGroup): boolean {
  return broken !== undefined || standing === "left" || standing === "removed";
}

/** Somebody says that we were let in, where we are not, or are no more. */
function isJoining(known: KnownGroup): boolean {
  const { record, invitation, place } = known;
  return invitation !== undefined && (record === undefined || (isOver(known) && invitation.version > place));
}

/** Behind which place the log is read on. */
function placeIn(known: KnownGroup): number {
  return isJoining(known) && known.invitation !== undefined ? known.invitation.version - 1 : known.place;
}

function secretsOf(known: KnownGroup): EpochSecrets | undefined {
  const { record, invitation } = known;
  if (record !== undefined && !isJoining(known)) return decodeGroupRecord(record).secrets;
  if (invitation === undefined) return undefined;
  return { groupSecret: new Secret(invitation.groupSecret.slice()), adminSecret: undefined };
}

function signerOf(known: KnownGroup, sealed: SealedEntry, userId: UserId): EntrySigner | undefined {
  if (known.record !== undefined && !isJoining(known)) return signerOfEntry(decodeGroupRecord(known.record), sealed);
  const secrets = secretsOf(known);
  if (known.invitation === undefined || secrets === undefined) return undefined;
  return signerOfJoin({ ...sealed, groupId: known.groupId, stateHash: known.invitation.stateHash, secrets, userId });
}

/** Signed by whose keys are in force before the entry; the first one by its own. */
function appendOf(
  { version, ciphertext, authority, newKeys }: AuthoredEntry,
  record: GroupRecord,
  at: Parameters<typeof signGroupAppend>[0],
): ReturnType<typeof signGroupAppend> {
  if (record.secrets === undefined) throw new ClientError("not-a-member");
  const keys = authority === "admin" ? adminKeyPair(at.groupId, record.secrets) : memberKeyPair(at.groupId, record.secrets);
  const named = newKeys === undefined ? undefined : { memberKey: newKeys.memberKey.encode(), adminKey: newKeys.adminKey.encode() };
  const by = authority === "admin" ? ({ kind: "admin", keys: named } as const) : ({ kind: "member" } as const);
  const append = signGroupAppend(at, { version, entry: ciphertext, authority: by }, keys);
  keys.seed.wipe();
  return append;
}
