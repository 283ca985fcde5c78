// Messages as users of the SDK hold them: what the record says at one moment, and what can be done about it.

import { type MessageId, parseMessageId, type UserId, WireError } from "#wire";
import type { Attachment, Conversation, Message, MessageState, Options, Peer } from "../api.ts";
import { ClientError } from "../errors.ts";
import { givenEmoji, givenText } from "../given.ts";
import { unwantFilesOf } from "../media/stored-records.ts";
import { bringAgain, sayWithFiles, waitsForFiles } from "../media/upload-records.ts";
import { changeMessage, putMessage } from "../receiving/apply.ts";
import { MESSAGES, type MessageRecord, PLACES } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import { SaidFile } from "./said-file.ts";
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
  get attachments(): readonly Attachment[] {
    return (this.#record.attachments ?? []).map((file, index) => new SaidFile(this.#views, this.#record, file, index));
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
      // Taken back while its files were on their way.
      if (record === undefined) throw new ClientError("unknown-message");
      if (record.state === "failed") throw new ClientError(record.error ?? "refused");
      return isSo(record.state);
    };
    await this.#views.engine.until(reached, conversation, signal);
  }

  async edit(text: string): Promise<void> {
    await this.#change({ kind: "edit", messageId: this.id, text: givenText(text) });
  }

  async delete(): Promise<void> {
    if (waitsForFiles(this.#record) && (await this.#views.engine.uploads.cancel(this.#record))) return;
    await this.#change({ kind: "delete", messageId: this.id });
  }

  async react(emoji: string): Promise<void> {
    await this.#change({ kind: "reaction", target: { author: this.#record.author, messageId: this.id }, emoji: givenEmoji(emoji) });
  }

  async #change(body: Parameters<typeof changeMessage>[2]): Promise<void> {
    const { address } = this.#views.engine.sending.self.local;
    if (body.kind !== "reaction" && this.#record.author !== address.userId) throw new ClientError("not-yours");
    await this.#views.write(async (records) => {
      const { conversation, ordinal } = this.#record;
      await this.#views.requireWritable(records, conversation);
      const record = await records.get(MESSAGES, conversation, ordinal);
      if (record === undefined) throw new ClientError("unknown-message");
      const isUnheard = waitsForFiles(record);
      if (isUnheard && body.kind === "reaction") throw new ClientError("file-not-sent");
      if (record.deleted && body.kind !== "delete") throw new ClientError("unknown-message", { detail: "it was deleted" });
      const changed = changeMessage(record, address.userId, body, this.#views.engine.sending.clock.nowMilliseconds());
      if (changed === undefined) return;
      putMessage(records, changed);
      if (changed.deleted) await unwantFilesOf(this.#views.engine.sending, records, this.id);
      if (!isUnheard) await this.#views.say(records, conversation, body);
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
      await bringAgain(records, record);
      await sayWithFiles(this.#views.engine.sending, records, record);
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

/** @throws ClientError `unknown-message` */
export function messageIdOf(id: string): MessageId {
  try {
    return parseMessageId(id);
  } catch (cause) {
    if (cause instanceof WireError) throw new ClientError("unknown-message", { cause });
    throw cause;
  }
}
