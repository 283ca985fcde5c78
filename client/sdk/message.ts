// Messages as users of the SDK hold them: what the record says at one moment, and what can be done about it.

import { type MessageId, parseMessageId, type UserId, WireError } from "#wire";
import type { Conversation, Message, MessageState, Options, Peer } from "../api.ts";
import { ClientError } from "../errors.ts";
import { changeMessage, putMessage } from "../receiving/apply.ts";
import { MESSAGES, type MessageRecord, PLACES } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Views } from "./views.ts";

export class Said implements Message {
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
      await this.#views.requireWritable(records, conversation);
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
    await this.#views.write(async (records) => {
      const { conversation, ordinal } = this.#record;
      const record = await records.get(MESSAGES, conversation, ordinal);
      if (record?.state !== "failed") return;
      putMessage(records, { ...record, state: "queued", error: undefined });
      const { replyTo } = record;
      const reference = replyTo === undefined ? undefined : { author: replyTo.author, messageId: replyTo.id };
      await this.#views.say(records, conversation, { kind: "text", text: record.text, replyTo: reference, attachments: [] }, record);
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
