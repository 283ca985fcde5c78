// People, conversations and messages as users of the SDK hold them: what the records say at one moment, and what can be done
// about it. Each act is one transaction; what must reach others is in the outbox when it ends.

import { compareScanned, fingerprint, type Fingerprint } from "#protocol";
import { type Body, MAX_READ_MARKS, type MessageId, parseMessageId, type UserId, uuidToBytes, WireError } from "#wire";
import type { ContactState, Conversation, Live, Message, MessageState, Options, Peer, Verification } from "../api.ts";
import { conversationTopic, drawMessageId } from "../core.ts";
import { ClientError } from "../errors.ts";
import { changeMessage, contactOf, owe, putMessage, see, storeMessage } from "../receiving/apply.ts";
import {
  CONTACTS,
  type Contact,
  CONVERSATIONS,
  type ConversationRecord,
  MESSAGES,
  type MessageRecord,
  OWN,
  PLACES,
} from "../records/tables.ts";
import { EVERYTHING, type Reader, type Writer } from "../records/vault.ts";
import { compose, conversationOf } from "../sending/compose.ts";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";
import type { Engine } from "./engine.ts";
import { Value } from "./value.ts";

const LIVE_MESSAGES = 100;
const PAGE = 50;

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
    if ((await sending.accounts.require(records, this.#ownId)).devices.length < 2) return;
    for (let from = 0; from < read.length; from += MAX_READ_MARKS) {
      const messages = read.slice(from, from + MAX_READ_MARKS).map(({ author, id }) => ({ author, messageId: id }));
      await compose(sending, records, { recipient: this.#ownId, body: { kind: "sync", sync: { kind: "read", messages } } });
    }
  }

  async conversation(records: Reader, id: UserId): Promise<Conversation> {
    const record = (await records.get(CONVERSATIONS, id)) ?? { id, lastOrdinal: 0, unread: 0, draft: "", position: undefined };
    const last = record.lastOrdinal === 0 ? undefined : await records.get(MESSAGES, id, record.lastOrdinal);
    const me = await this.peer(records, this.#ownId);
    return new Chat(this, { record, last, me, peer: await this.peer(records, id) });
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

  say(records: Writer, recipient: UserId, body: Body): Promise<void> {
    return compose(this.engine.sending, records, { recipient, body });
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

class Person implements Peer {
  readonly userId: UserId;
  readonly name: string;
  readonly username: string | undefined;
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
  }

  async verification(): Promise<Verification> {
    const { userId } = this;
    const views = this.#views;
    const own = await views.fingerprint(userId);
    const verified = (await views.read((records) => records.get(CONTACTS, userId)))?.verifiedAt !== undefined;
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
        });
      },
    };
  }
}

interface Named {
  readonly username: string | undefined;
  readonly profile: { readonly name: string };
}

interface ChatParts {
  readonly record: ConversationRecord;
  readonly last: MessageRecord | undefined;
  readonly me: Peer;
  readonly peer: Peer;
}

class Chat implements Conversation {
  readonly id: UserId;
  readonly kind = "direct";
  readonly peer: Peer;
  readonly unread: number;
  readonly draft: string;
  readonly lastMessage: Message | undefined;
  readonly live: Live<readonly Message[]>;
  readonly #views: Views;
  readonly #me: Peer;

  constructor(views: Views, { record, last, me, peer }: ChatParts) {
    this.#views = views;
    this.#me = me;
    this.id = record.id;
    this.peer = peer;
    this.unread = record.unread;
    this.draft = record.draft;
    this.lastMessage = last === undefined ? undefined : this.#show(last);
    this.live = views.live<readonly Message[]>([], [conversationTopic(record.id)], async (records) =>
      (await this.#page(records, undefined, LIVE_MESSAGES)).toReversed(),
    );
  }

  #show(record: MessageRecord): Message {
    return new Said(this.#views, record, this, this.#views.isOwn(record.author) ? this.#me : this.peer);
  }

  async send(text: string, options: { readonly replyTo?: Message } = {}): Promise<Message> {
    const { engine } = this.#views;
    const { address } = engine.sending.self.local;
    const { replyTo } = options;
    const reference = replyTo === undefined ? undefined : { author: replyTo.from.userId, messageId: replyTo.id };
    const record = await this.#views.write(async (records) => {
      await this.#begin(records);
      const stored = await storeMessage(records, this.id, {
        id: drawMessageId(engine.sending.random),
        author: address.userId,
        text,
        sentAt: engine.sending.clock.nowMilliseconds(),
        state: "queued",
        error: undefined,
        replyTo: reference === undefined ? undefined : { author: reference.author, id: reference.messageId },
        history: [],
        editedAt: undefined,
        deleted: false,
        reactions: {},
        gapBefore: false,
        announced: true,
        seen: true,
      });
      await compose(engine.sending, records, {
        recipient: this.id,
        body: { kind: "text", text, replyTo: reference, attachments: [] },
        message: stored,
      });
      return stored;
    });
    return this.#show(record);
  }

  /** Whoever writes first knows whom they write to; with the first message goes their name. */
  async #begin(records: Writer): Promise<void> {
    const contact = await contactOf(records, this.id);
    if (contact.state === "blocked") throw new ClientError("blocked");
    if (contact.state === "request") throw new ClientError("not-accepted");
    if (contact.state === "accepted") return;
    records.put(CONTACTS, { ...contact, state: "accepted" }, this.id);
    records.touch("contacts");
    const own = await records.get(OWN);
    if (own === undefined || own.profile.name === "") return;
    await this.#views.say(records, this.id, { kind: "profile", name: own.profile.name, avatar: undefined });
  }

  async history(options: { readonly before?: MessageId; readonly limit?: number } = {}): Promise<readonly Message[]> {
    return await this.#views.read((records) => this.#page(records, options.before, options.limit ?? PAGE));
  }

  async #page(records: Reader, before: MessageId | undefined, limit: number): Promise<readonly Message[]> {
    const places = before === undefined ? [] : await records.all(PLACES, before);
    const from = places.find((place) => place.conversation === this.id)?.ordinal;
    if (before !== undefined && from === undefined) throw new ClientError("unknown-message");
    const rows = await records.page(MESSAGES, [this.id], { before: from, limit, reverse: true });
    return rows.map(({ value }) => this.#show(value));
  }

  async markRead(upTo?: Message): Promise<void> {
    await this.#views.write(async (records) => {
      const last = upTo === undefined ? undefined : (await records.get(PLACES, upTo.id, upTo.from.userId))?.ordinal;
      const rows = await records.page(MESSAGES, [this.id], { before: last === undefined ? undefined : last + 1 });
      const unseen = rows.map(({ value }) => value).filter((message) => message.state === "received" && !message.seen);
      for (const message of unseen) await see(records, message);
      await this.#views.tellRead(records, unseen);
      const isContact = (await contactOf(records, this.id)).state === "accepted";
      if (isContact && unseen.length > 0)
        await owe(
          records,
          this.id,
          "read",
          unseen.map(({ id }) => id),
        );
    });
  }

  async setTyping(on: boolean): Promise<void> {
    const { engine } = this.#views;
    const settings = await this.#views.read(async (records) => (await records.get(OWN))?.settings);
    if (settings?.typing !== true || this.peer.contact !== "accepted") return;
    await engine.sendEphemeral(this.id, { kind: "typing", on });
  }

  async setDraft(draft: string): Promise<void> {
    await this.#views.write(async (records) => {
      records.put(CONVERSATIONS, { ...(await conversationOf(records, this.id)), draft }, this.id);
      records.touch(conversationTopic(this.id));
    });
  }
}

class Said implements Message {
  readonly conversation: Conversation;
  readonly from: Peer;
  readonly #views: Views;
  readonly #record: MessageRecord;

  constructor(views: Views, record: MessageRecord, conversation: Conversation, from: Peer) {
    this.#views = views;
    this.#record = record;
    this.conversation = conversation;
    this.from = from;
  }

  get id(): MessageId {
    return this.#record.id;
  }
  get own(): boolean {
    return this.#record.state !== "received";
  }
  get text(): string {
    return this.#record.text;
  }
  get sentAt(): Date {
    return new Date(this.#record.sentAt);
  }
  get state(): MessageState {
    return this.#record.state;
  }
  get error(): Message["error"] {
    return this.#record.error;
  }
  get replyTo(): Message["replyTo"] {
    return this.#record.replyTo;
  }
  get edited(): boolean {
    return this.#record.editedAt !== undefined;
  }
  get history(): Message["history"] {
    return this.#record.history.map(({ text, sentAt }) => ({ text, sentAt: new Date(sentAt) }));
  }
  get deleted(): boolean {
    return this.#record.deleted;
  }
  get reactions(): Message["reactions"] {
    return Object.entries(this.#record.reactions).map(([by, { emoji }]) => ({ by: by as UserId, emoji })); // written by that key
  }
  get gapBefore(): boolean {
    return this.#record.gapBefore;
  }

  async sent(options: Options = {}): Promise<void> {
    await this.#until((state) => state !== "queued", options);
  }

  async delivered(options: Options = {}): Promise<void> {
    await this.#until((state) => state === "delivered" || state === "read", options);
  }

  async #until(isSo: (state: MessageState) => boolean, { signal }: Options): Promise<void> {
    const { conversation, ordinal } = this.#record;
    const reached = async (): Promise<boolean> => {
      const record = await this.#views.read((records) => records.get(MESSAGES, conversation, ordinal));
      if (record?.state === "failed") throw new ClientError(record.error ?? "refused");
      return record !== undefined && isSo(record.state);
    };
    await this.#views.engine.until(reached, conversation, signal);
  }

  async edit(text: string): Promise<void> {
    await this.#change({ kind: "edit", messageId: this.id, text });
  }

  async delete(): Promise<void> {
    await this.#change({ kind: "delete", messageId: this.id });
  }

  async react(emoji: string): Promise<void> {
    await this.#change({ kind: "reaction", target: { author: this.#record.author, messageId: this.id }, emoji });
  }

  async #change(body: Parameters<typeof changeMessage>[2]): Promise<void> {
    const { address } = this.#views.engine.sending.self.local;
    if (body.kind !== "reaction" && this.#record.author !== address.userId) throw new ClientError("not-yours");
    await this.#views.write(async (records) => {
      const { conversation, ordinal } = this.#record;
      const contact = await contactOf(records, conversation);
      if (contact.state === "blocked") throw new ClientError("blocked");
      if (contact.state === "request") throw new ClientError("not-accepted");
      const record = await records.get(MESSAGES, conversation, ordinal);
      if (record === undefined) throw new ClientError("unknown-message");
      const changed = changeMessage(record, address.userId, body, this.#views.engine.sending.clock.nowMilliseconds());
      if (changed === undefined) return;
      putMessage(records, changed);
      await this.#views.say(records, conversation, body);
    });
  }

  async reply(text: string): Promise<Message> {
    return await this.conversation.send(text, { replyTo: this });
  }

  async markRead(): Promise<void> {
    await this.conversation.markRead(this);
  }

  async retry(): Promise<void> {
    const { engine } = this.#views;
    await this.#views.write(async (records) => {
      const { conversation, ordinal } = this.#record;
      const record = await records.get(MESSAGES, conversation, ordinal);
      if (record?.state !== "failed") return;
      putMessage(records, { ...record, state: "queued", error: undefined });
      const { replyTo } = record;
      const reference = replyTo === undefined ? undefined : { author: replyTo.author, messageId: replyTo.id };
      const body: Body = { kind: "text", text: record.text, replyTo: reference, attachments: [] };
      await compose(engine.sending, records, { recipient: conversation, body, message: record });
    });
  }
}

/** @throws ClientError `unknown-message` */
export async function findAnywhere(records: Reader, id: string): Promise<MessageRecord> {
  const places = await records.all(PLACES, messageIdOf(id));
  const [place] = places;
  const record = place === undefined ? undefined : await records.get(MESSAGES, place.conversation, place.ordinal);
  if (record === undefined) throw new ClientError("unknown-message");
  return record;
}

function messageIdOf(id: string): MessageId {
  try {
    return parseMessageId(id);
  } catch (cause) {
    if (cause instanceof WireError) throw new ClientError("unknown-message", { cause });
    throw cause;
  }
}
