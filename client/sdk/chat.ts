// Conversations as users of the SDK hold them: what the records say at one moment, and what can be said. Each act is one
// transaction; what must reach others is in the outbox when it ends.

import type { MessageId, UserId } from "#wire";
import type { Conversation, ConversationBase, DirectConversation, Live, Message, Peer, SendFileOptions } from "../api.ts";
import { conversationTopic, drawMessageId } from "../core.ts";
import { ClientError } from "../errors.ts";
import { givenBlob, givenText, givenWhole } from "../given.ts";
import { sayWithFiles } from "../media/upload-records.ts";
import { owe, see, storeMessage } from "../receiving/apply.ts";
import { contactOf } from "../records/contact.ts";
import {
  type ConversationId,
  CONVERSATIONS,
  type ConversationRecord,
  MESSAGES,
  type MessageRecord,
  OWN,
  PLACES,
} from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { conversationOf } from "../sending/compose.ts";
import { messageIdOf, Said } from "./message.ts";
import type { Views } from "./views.ts";

const LIVE_MESSAGES = 100;
const PAGE = 50;

export interface ChatParts {
  readonly views: Views;
  readonly record: ConversationRecord;
  readonly last: { readonly record: MessageRecord; readonly from: Peer } | undefined;
}

/** What conversations of two and groups have in common. */
export abstract class Chat<Id extends ConversationId> implements ConversationBase {
  readonly id: Id;
  readonly unread: number;
  readonly draft: string;
  readonly live: Live<readonly Message[]>;
  protected readonly views: Views;
  readonly #last: ChatParts["last"];

  constructor({ views, record, last }: ChatParts, id: Id) {
    this.views = views;
    this.id = id;
    this.unread = record.unread;
    this.draft = record.draft;
    this.#last = last;
    this.live = views.live<readonly Message[]>([], [conversationTopic(id)], async (records) =>
      (await this.#page(records, undefined, LIVE_MESSAGES)).toReversed(),
    );
  }

  get lastMessage(): Message | undefined {
    return this.#last === undefined ? undefined : new Said(this.views, this.#last.record, this.self, this.#last.from);
  }

  abstract setTyping(on: boolean): Promise<void>;
  /** This, as its users know it. */
  protected abstract get self(): Conversation;
  /** Before the first word. @throws ClientError when there may be none */
  protected abstract begin(records: Writer): Promise<void>;
  protected abstract owesReceipts(records: Writer): Promise<boolean>;

  async send(text: string, options: { readonly replyTo?: Message } = {}): Promise<Message> {
    const said = givenText(text);
    const record = await this.views.write(async (records) => {
      const stored = await this.#compose(records, said, options.replyTo, undefined);
      await sayWithFiles(this.views.engine.sending, records, stored);
      return stored;
    });
    return await this.views.read((records) => this.#show(records, record));
  }

  async sendFile(file: Blob | readonly Blob[], options: SendFileOptions = {}): Promise<Message> {
    const { engine } = this.views;
    const { signal, onProgress, keepMetadata = false } = options;
    const caption = givenText(options.caption ?? "");
    const files = (Array.isArray(file) ? file : [file]).map((one) => givenBlob(one, "a file"));
    signal?.throwIfAborted();
    await this.views.read((records) => this.views.requireWritable(records, this.id));
    const { dropFiles, keepFiles, takeKept } = await import("../media/keep-files.ts");
    const kept = await keepFiles(engine.sending, { files, keepMetadata, signal });
    const record = await this.views
      .write(async (records) => {
        signal?.throwIfAborted();
        const attachments = kept.map(({ attachment }) => attachment);
        const stored = await this.#compose(records, caption, options.replyTo, attachments);
        takeKept(records, kept, engine.uploads.worker, stored);
        return stored;
      })
      .catch(async (error: unknown) => {
        await dropFiles(engine.sending, kept);
        throw error;
      });
    const uploads = kept.map(({ upload }) => upload);
    if (onProgress !== undefined) engine.uploads.watch(uploads, onProgress);
    signal?.addEventListener("abort", () => void engine.uploads.cancel(record).catch(() => undefined), { once: true });
    return await this.views.read((records) => this.#show(records, record));
  }

  /** A message of ours at the end of the conversation. */
  async #compose(
    records: Writer,
    text: string,
    replyTo: Message | undefined,
    attachments: MessageRecord["attachments"],
  ): Promise<MessageRecord> {
    const { sending } = this.views.engine;
    await this.begin(records);
    return await storeMessage(records, this.id, {
      id: drawMessageId(sending.random),
      author: sending.self.local.address.userId,
      text,
      sentAt: sending.clock.nowMilliseconds(),
      state: "queued",
      error: undefined,
      replyTo: replyTo === undefined ? undefined : { author: replyTo.from.userId, id: replyTo.id },
      history: [],
      editedAt: undefined,
      deleted: false,
      reactions: {},
      gapBefore: false,
      announced: true,
      seen: true,
      ...(attachments === undefined ? {} : { attachments }),
    });
  }

  async history(options: { readonly before?: MessageId; readonly limit?: number } = {}): Promise<readonly Message[]> {
    const before = options.before === undefined ? undefined : messageIdOf(options.before);
    const limit = givenWhole(options.limit ?? PAGE, "a limit");
    return await this.views.read((records) => this.#page(records, before, limit));
  }

  async #page(records: Reader, before: MessageId | undefined, limit: number): Promise<readonly Message[]> {
    const places = before === undefined ? [] : await records.all(PLACES, before);
    const from = places.find((place) => place.conversation === this.id)?.ordinal;
    if (before !== undefined && from === undefined) throw new ClientError("unknown-message");
    const rows = await records.page(MESSAGES, [this.id], { before: from, limit, reverse: true });
    const messages: Message[] = [];
    for (const { value } of rows) messages.push(await this.#show(records, value));
    return messages;
  }

  async #show(records: Reader, record: MessageRecord): Promise<Message> {
    return new Said(this.views, record, this.self, await this.views.peer(records, record.author));
  }

  async markRead(upTo?: Message): Promise<void> {
    await this.views.write(async (records) => {
      const last = upTo === undefined ? undefined : (await records.get(PLACES, upTo.id, upTo.from.userId))?.ordinal;
      const rows = await records.page(MESSAGES, [this.id], { before: last === undefined ? undefined : last + 1 });
      const unseen = rows.map(({ value }) => value).filter((message) => message.state === "received" && !message.seen);
      for (const message of unseen) await see(records, message);
      await this.views.tellRead(records, unseen);
      if (!(await this.owesReceipts(records))) return;
      for (const { id, author } of unseen) await owe(records, { conversation: this.id, userId: author }, "read", [id]);
    });
  }

  async setDraft(draft: string): Promise<void> {
    const text = givenText(draft);
    await this.views.write(async (records) => {
      records.put(CONVERSATIONS, { ...(await conversationOf(records, this.id)), draft: text }, this.id);
      records.touch(conversationTopic(this.id));
    });
  }
}

export class DirectChat extends Chat<UserId> implements DirectConversation {
  readonly kind = "direct";
  readonly peer: Peer;

  constructor(parts: ChatParts, peer: Peer) {
    super(parts, peer.userId);
    this.peer = peer;
  }

  protected override get self(): Conversation {
    return this;
  }

  protected override begin(records: Writer): Promise<void> {
    return this.views.introduce(records, this.id);
  }

  protected override async owesReceipts(records: Writer): Promise<boolean> {
    return (await contactOf(records, this.id)).state === "accepted";
  }

  async setTyping(on: boolean): Promise<void> {
    const { engine } = this.views;
    const settings = await this.views.read(async (records) => (await records.get(OWN))?.settings);
    if (settings?.typing !== true || this.peer.contact !== "accepted") return;
    await engine.sendEphemeral(this.id, { kind: "typing", on });
  }
}
