// People, conversations and messages as users of the SDK hold them, made from the records; and what all of them need.

import { compareScanned, fingerprint, type Fingerprint } from "#protocol";
import { type Body, type GroupId, MAX_READ_MARKS, type UserId, uuidToBytes, WireError } from "#wire";
import type {
  Avatar,
  ContactState,
  Conversation,
  DirectConversation,
  GroupConversation,
  GroupMember,
  Live,
  Message,
  Options,
  Peer,
  Verification,
} from "../api.ts";
import { AVATARS_TOPIC } from "../avatars/records.ts";
import { recordEvent } from "../core.ts";
import { ClientError } from "../errors.ts";
import { findGroup, isGroupId, requireGroup } from "../groups/state.ts";
import { contactOf } from "../records/contact.ts";
import {
  type Contact,
  CONTACTS,
  type ConversationId,
  CONVERSATIONS,
  MESSAGES,
  type MessageRecord,
  OWN,
  type OwnAccount,
  type ShownAvatar,
} from "../records/tables.ts";
import { EVERYTHING, type Reader, type Writer } from "../records/vault.ts";
import { type Compose, compose } from "../sending/compose.ts";
import { hasOtherDevices, tellDecision, tellVerified } from "../sending/own-devices.ts";
import { introduceTo } from "../sending/profile.ts";
import { say } from "../sending/say.ts";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";
import { StoredAvatar } from "./avatar.ts";
import { type ChatParts, DirectChat } from "./chat.ts";
import type { Engine } from "./engine.ts";
import { GroupChat } from "./group-chat.ts";
import { parseWho } from "./link.ts";
import { Said } from "./message.ts";
import { Value } from "./value.ts";

export class Views {
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get #ownId(): UserId {
    return this.engine.sending.self.local.address.userId;
  }

  async peer(records: Reader, userId: UserId): Promise<Peer> {
    const contact = await records.get(CONTACTS, userId);
    const own = userId === this.#ownId ? await records.get(OWN) : undefined;
    return new Person(this, userId, contact, own);
  }

  /** Our other devices show them as read, too. */
  async tellRead(records: Writer, read: readonly MessageRecord[]): Promise<void> {
    const { sending } = this.engine;
    if (!(await hasOtherDevices(sending, records))) return;
    for (let from = 0; from < read.length; from += MAX_READ_MARKS) {
      const messages = read.slice(from, from + MAX_READ_MARKS).map(({ author, id }) => ({ author, messageId: id }));
      await compose(sending, records, { recipient: this.#ownId, body: { kind: "sync", sync: { kind: "read", messages } } });
    }
  }

  /** Whom a username, a userId or a contact link names. Also fetches and verifies their log, so that they can be written to. */
  async resolve(who: string, { signal }: Options = {}): Promise<UserId> {
    const { sending } = this.engine;
    const named = parseWho(who, sending.self.account.server);
    const { known, gone } = await this.read(async (records) => {
      const contacts = named.kind === "name" ? await records.all(CONTACTS) : [];
      const contact = named.kind === "user" ? undefined : contacts.find(({ username }) => username === named.username);
      if (contact?.gone === true) return { gone: contact.userId };
      const userId = named.kind === "user" ? named.userId : contact?.userId;
      return userId !== undefined && (await sending.accounts.find(records, userId)) !== undefined ? { known: userId } : {};
    });
    if (known !== undefined) return known;
    let userId: UserId;
    try {
      userId = named.kind === "user" ? named.userId : await sending.server.getUsername(named.username, signal);
    } catch (error) {
      // As long as nobody has taken the name it is theirs who are gone: what was said with them is still here.
      if (gone !== undefined && error instanceof ClientError && error.code === "unknown-user") return gone;
      throw error;
    }
    await sending.accounts.refresh(userId, signal);
    if (named.kind === "user") return userId;
    await this.write((records) => this.#name(records, userId, named.username));
    return userId;
  }

  /** Somebody was found under a name, and perhaps it was somebody else's before, who is gone. */
  async #name(records: Writer, userId: UserId, username: string): Promise<void> {
    const before = (await records.all(CONTACTS)).find((contact) => contact.username === username && contact.userId !== userId);
    const { gone: _, ...contact } = await contactOf(records, userId);
    const wasKnown = before?.state === "accepted" || before?.verifiedAt !== undefined;
    records.put(CONTACTS, { ...contact, username, ...(wasKnown ? { unreviewed: true } : {}) }, userId);
    if (before === undefined) return;
    records.put(CONTACTS, { ...before, username: undefined }, before.userId);
    const notice = { type: "notice", kind: "account-changed", deviceId: undefined, reason: undefined } as const;
    if (wasKnown) await recordEvent(records, { ...notice, peer: userId });
  }

  /** Each once. */
  async resolveAll(people: readonly (string | Peer)[], options?: Options): Promise<readonly UserId[]> {
    const given: unknown = people;
    if (!Array.isArray(given)) throw new ClientError("bad-argument", { detail: "people are named in a list" });
    const named = people.map(async (who) => (isPeer(who) ? who.userId : await this.resolve(who, options)));
    return [...new Set(await Promise.all(named))];
  }

  async conversation(records: Reader, id: ConversationId): Promise<Conversation> {
    return isGroupId(id) ? await this.group(records, id) : await this.direct(records, id);
  }

  async direct(records: Reader, id: UserId): Promise<DirectConversation> {
    return new DirectChat(await this.#chat(records, id), await this.peer(records, id));
  }

  /** @throws ClientError `unknown-group` */
  async group(records: Reader, groupId: GroupId): Promise<GroupConversation> {
    const group = await findGroup(records, groupId);
    if (group === undefined) throw new ClientError("unknown-group");
    const members: GroupMember[] = [];
    for (const { userId, role } of group.state.members) members.push({ peer: await this.peer(records, userId), role });
    return new GroupChat(await this.#chat(records, groupId), group, members);
  }

  avatar(of: ConversationId, shown: ShownAvatar | undefined): Avatar | undefined {
    return shown === undefined ? undefined : new StoredAvatar(this.engine.sending.vault, of, shown);
  }

  async #chat(records: Reader, id: ConversationId): Promise<ChatParts> {
    const record = (await records.get(CONVERSATIONS, id)) ?? { id, lastOrdinal: 0, unread: 0, draft: "", position: undefined };
    const last = record.lastOrdinal === 0 ? undefined : await records.get(MESSAGES, id, record.lastOrdinal);
    return { views: this, record, last: last === undefined ? undefined : { record: last, from: await this.peer(records, last.author) } };
  }

  async message(records: Reader, record: MessageRecord): Promise<Message> {
    const conversation = await this.conversation(records, record.conversation);
    return new Said(this, record, conversation, await this.peer(records, record.author));
  }

  read<T>(work: (records: Reader) => Promise<T>): Promise<T> {
    return this.engine.sending.vault.read(work);
  }

  write<T>(work: (records: Writer) => Promise<T>): Promise<T> {
    return this.engine.sending.vault.write(work);
  }

  /** To everybody in a conversation. */
  async say(records: Writer, to: ConversationId, body: Body, message?: Compose["message"]): Promise<void> {
    await say(this.engine.sending, records, { to, body, ...(message === undefined ? {} : { message }) });
  }

  /** Whoever writes first knows whom they write to; with the first message goes their name, and their picture. */
  async introduce(records: Writer, userId: UserId): Promise<void> {
    await this.requireWritable(records, userId);
    const contact = await contactOf(records, userId);
    if (contact.state === "accepted") return;
    records.put(CONTACTS, { ...contact, state: "accepted" }, userId);
    records.touch("contacts");
    records.touch(AVATARS_TOPIC);
    await tellDecision(this.engine.sending, records, userId);
    await introduceTo(this.engine.sending, records, userId);
  }

  /** @throws ClientError when nothing may be said there */
  async requireWritable(records: Reader, id: ConversationId): Promise<void> {
    if (isGroupId(id)) {
      await requireGroup(records, id);
      return;
    }
    if (await this.engine.sending.accounts.isDeleted(records, id)) throw new ClientError("account-deleted");
    const { state } = await contactOf(records, id);
    if (state === "blocked") throw new ClientError("blocked");
    if (state === "request") throw new ClientError("not-accepted");
  }

  /** A value that is read again whenever `topics` change, for as long as somebody looks. */
  live<T>(first: T, topics: readonly string[], load: (records: Reader) => Promise<T>): Live<T> {
    const value: Value<T> = new Value(first, () => {
      const reload = (): void =>
        void this.read(load).then(
          (loaded) => value.set(loaded),
          () => undefined,
        );
      reload();
      return this.engine.sending.vault.onChange((changed) => {
        if (changed.has(EVERYTHING) || topics.some((topic) => changed.has(topic))) reload();
      });
    });
    return value;
  }

  isOwn(userId: UserId): boolean {
    return userId === this.#ownId;
  }

  async fingerprint(userId: UserId): Promise<Fingerprint> {
    return await this.read(async (records) => {
      const { accounts } = this.engine.sending;
      // Also of an account with two histories: that is when people compare.
      const [ours, theirs] = [await accounts.find(records, this.#ownId), await accounts.find(records, userId)];
      if (ours === undefined || theirs === undefined) throw new ClientError("unknown-user");
      const party = ({ userId: id, genesisKey }: typeof ours): Parameters<typeof fingerprint>[0] => ({
        identifier: uuidToBytes(id),
        identityKey: genesisKey,
      });
      return fingerprint(party(ours), party(theirs));
    });
  }
}

/** Whoever calls from JavaScript may give anything. */
function isPeer(who: string | Peer): who is Peer {
  return typeof who === "object" && who !== null && "userId" in who;
}

class Person implements Peer {
  readonly userId: UserId;
  readonly name: string;
  readonly username: string | undefined;
  readonly avatar: Avatar | undefined;
  readonly self: boolean;
  readonly contact: ContactState;
  readonly #views: Views;

  constructor(views: Views, userId: UserId, contact: Contact | undefined, own: Named | undefined) {
    this.#views = views;
    this.userId = userId;
    this.username = contact?.username ?? own?.username;
    const told = own?.profile.name ?? contact?.name;
    this.name = told === undefined || told === "" ? (this.username ?? userId.slice(0, 8)) : told;
    this.self = views.isOwn(userId);
    this.contact = this.self ? "accepted" : (contact?.state ?? "none");
    this.avatar = this.contact === "blocked" ? undefined : views.avatar(userId, (own ?? contact)?.avatar);
  }

  async verification(): Promise<Verification> {
    const { userId } = this;
    const views = this.#views;
    if (this.self) throw new ClientError("bad-argument", { detail: "nobody compares a safety number with themselves" });
    const own = await views.fingerprint(userId);
    const verified = await views.read((records) => views.engine.sending.accounts.isVerified(records, userId));
    return {
      safetyNumber: own.digits,
      scannable: toBase64Url(own.scannable),
      verified,
      scan(scanned) {
        try {
          return compareScanned(own, fromBase64Url(scanned));
        } catch (error) {
          if (error instanceof WireError) return "mismatch";
          throw error;
        }
      },
      async confirm() {
        await views.write(async (records) => {
          const account = await views.engine.sending.accounts.requireKnown(records, userId);
          records.put(CONTACTS, { ...(await contactOf(records, userId)), verifiedAt: account.head.length }, userId);
          records.touch("contacts");
          await tellVerified(views.engine.sending, records, userId);
        });
      },
    };
  }
}

type Named = Pick<OwnAccount, "username" | "profile" | "avatar">;
