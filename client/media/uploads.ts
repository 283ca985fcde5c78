// Files of ours that are on their way: taken to the server one after the other until it has them, then their message is composed and
// goes the way of every message. What fails for now is tried again, later and later; what is refused waits for its sender. How one
// file is brought there is upload.ts's, loaded when there is one.

import { accessSecretOf, mediaIdOf } from "#identity";
import type { UploadId } from "#wire";
import type { Progress } from "../api.ts";
import { conversationTopic } from "../core.ts";
import { ClientError } from "../errors.ts";
import { archiveArrived, archiveRefused } from "../history/giving.ts";
import { putMessage } from "../receiving/apply.ts";
import {
  type ConversationId,
  CONVERSATIONS,
  type MessagePlace,
  MESSAGES,
  type MessageRecord,
  PLACES,
  UPLOADS,
  type Upload,
} from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { FIRST_PAUSE_MILLISECONDS, pauseMilliseconds } from "../sending/pause.ts";
import { say } from "../sending/say.ts";
import { toPointers } from "./attachments.ts";
import { forgetKept } from "./kept-file.ts";
import type { MediaServer } from "./media-server.ts";

/** Touched when there is something to bring, or one thing less. */
export const UPLOADS_TOPIC = "uploads";

/** Far longer than it takes to encrypt the files of a message. */
const ENCRYPTING_MILLISECONDS = 24 * 3600_000;

/** What failed, and how often. */
interface Lane {
  readonly attempts: number;
  readonly waiting: boolean;
  readonly cancelRetry: () => void;
  readonly conversation: ConversationId | undefined;
  /** Absent when only another program is faster. */
  readonly failure: ClientError | undefined;
}

/** Somebody who wants to know how far the files of a message are. */
interface Watcher {
  readonly uploads: readonly Upload[];
  readonly done: Map<number, number>;
  readonly onProgress: (progress: Progress) => void;
}

export class Uploads {
  readonly #sending: Sending;
  readonly #server: () => Promise<MediaServer>;
  readonly #lanes = new Map<number, Lane>();
  /** How far each was. */
  readonly #reached = new Map<number, number>();
  /** What is being brought now, by which one stops it. */
  readonly #running = new Map<number, AbortController>();
  readonly #watchers = new Set<Watcher>();
  readonly #listeners = new Set<() => void>();
  #working: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #cancelLook: () => void = () => undefined;

  constructor(sending: Sending, server: () => Promise<MediaServer>) {
    this.#sending = sending;
    this.#server = server;
  }

  /** There may be something to bring. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#working ??= this.#work()
      .catch(() => this.#lookLater())
      .finally(() => {
        this.#working = undefined;
        if (this.#again) this.wake();
      });
  }

  /** The connection is back: nobody waits any longer. */
  retryNow(): void {
    for (const { cancelRetry } of this.#lanes.values()) cancelRetry();
    this.#lanes.clear();
    this.wake();
  }

  failureOf(conversation: ConversationId): ClientError | undefined {
    return [...this.#lanes.values()].find((lane) => lane.conversation === conversation && lane.failure !== undefined)?.failure;
  }

  get failures(): readonly ClientError[] {
    return [...this.#lanes.values()].flatMap(({ failure }) => failure ?? []);
  }

  /** Called back after every try. */
  onTried(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells how far some uploads are, until all of them are there. */
  watch(uploads: readonly Upload[], onProgress: (progress: Progress) => void): void {
    this.#watchers.add({ uploads, done: new Map(), onProgress });
  }

  /** Takes back a message whose files are not all at the server: nobody has heard of it. `false` when it is too late for that. */
  async cancel(place: MessagePlace): Promise<boolean> {
    const dropped = await this.#sending.vault.write((records) => withdraw(records, place));
    if (dropped === undefined) return false;
    for (const { ordinal } of dropped) this.#running.get(ordinal)?.abort();
    for (const watcher of this.#watchers)
      if (watcher.uploads.some(({ ordinal }) => isAmong(ordinal, dropped))) this.#watchers.delete(watcher);
    await this.#removeFromServer(dropped);
    this.wake();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#again = false;
    this.#cancelLook();
    for (const { cancelRetry } of this.#lanes.values()) cancelRetry();
    for (const running of this.#running.values()) running.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      this.#again = false;
      const uploads = await this.#sending.vault.read((records) => records.all(UPLOADS));
      for (const upload of uploads) if (this.#isOver(upload)) await forgetKept(this.#sending.vault, upload);
      const next = uploads
        .filter(({ state, ordinal }) => state === "waiting" && this.#lanes.get(ordinal)?.waiting !== true)
        .reduce<Upload | undefined>((first, upload) => (first === undefined || upload.ordinal < first.ordinal ? upload : first), undefined);
      if (next === undefined) return;
      await this.#try(next);
      for (const listener of this.#listeners) listener();
    }
  }

  /** Nobody needs it any more, or whoever was encrypting it has died over it. */
  #isOver({ state, startedMilliseconds }: Upload): boolean {
    const age = this.#sending.clock.nowMilliseconds() - startedMilliseconds;
    return state === "done" || (state === "encrypting" && age > ENCRYPTING_MILLISECONDS);
  }

  /** The store could not be read: it is still there, and so is what it holds. */
  #lookLater(): void {
    if (!this.#closed) this.#cancelLook = this.#sending.clock.after(FIRST_PAUSE_MILLISECONDS, () => this.wake());
  }

  async #try(upload: Upload): Promise<void> {
    const stop = new AbortController();
    this.#running.set(upload.ordinal, stop);
    try {
      const uploadId = await this.#bring(upload, stop.signal);
      if (uploadId === "conflict") this.#pause(upload, undefined);
      else await this.#settle(upload, uploadId);
    } catch (error) {
      // Closed, or taken back.
      if (stop.signal.aborted) return;
      const failure = error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
      if (failure.retryable) this.#pause(upload, failure);
      else await this.#sending.vault.write((records) => refuse(this.#sending, records, upload, failure));
    } finally {
      this.#running.delete(upload.ordinal);
    }
  }

  async #bring(upload: Upload, signal: AbortSignal): Promise<UploadId | "conflict"> {
    const server = await this.#server();
    const { upload: bring } = await import("./upload.ts");
    return await bring({ core: this.#sending, server, upload, signal, onProgress: (done) => this.#tell(upload.ordinal, done) });
  }

  #tell(ordinal: number, bytes: number): void {
    // Over a line that breaks all the time it gets on all the same: that is no reason to wait longer and longer.
    if (bytes > (this.#reached.get(ordinal) ?? 0)) this.#lanes.delete(ordinal);
    this.#reached.set(ordinal, bytes);
    for (const watcher of this.#watchers) {
      const { uploads, done, onProgress } = watcher;
      if (!isAmong(ordinal, uploads)) continue;
      done.set(ordinal, bytes);
      const total = uploads.reduce((sum, { length }) => sum + length, 0);
      const sum = uploads.reduce((before, upload) => before + (done.get(upload.ordinal) ?? 0), 0);
      if (sum === total) this.#watchers.delete(watcher);
      onProgress({ done: sum, total });
    }
  }

  async #settle(upload: Upload, uploadId: UploadId): Promise<void> {
    try {
      await this.#sending.vault.write((records) => arrived(this.#sending, records, upload, uploadId));
    } catch (error) {
      // Its files are there, and nothing can be said in its conversation.
      if (!(error instanceof ClientError) || error.retryable) throw error;
      await this.#sending.vault.write((records) => refuse(this.#sending, records, upload, error));
      return;
    }
    this.#lanes.delete(upload.ordinal);
    this.#reached.delete(upload.ordinal);
  }

  #pause(upload: Upload, failure: ClientError | undefined): void {
    const { ordinal, message } = upload;
    const attempts = (this.#lanes.get(ordinal)?.attempts ?? 0) + 1;
    const pause = pauseMilliseconds(attempts, failure ?? new ClientError("offline"), this.#sending.random);
    const lane = { attempts, failure, conversation: message?.conversation };
    const cancelRetry = this.#sending.clock.after(pause, () => {
      this.#lanes.set(ordinal, { ...lane, failure: undefined, waiting: false, cancelRetry });
      this.wake();
    });
    this.#lanes.set(ordinal, { ...lane, waiting: true, cancelRetry });
  }

  /** As well as it goes: what is begun and not finished the server forgets by itself. */
  async #removeFromServer(dropped: readonly Upload[]): Promise<void> {
    const server = await this.#server();
    for (const { uploadId } of dropped) {
      if (uploadId !== undefined) await server.remove(uploadId, AbortSignal.timeout(REMOVAL_MILLISECONDS)).catch(() => undefined);
    }
  }
}

function isAmong(ordinal: number, uploads: readonly Upload[]): boolean {
  return uploads.some((upload) => upload.ordinal === ordinal);
}

const REMOVAL_MILLISECONDS = 5000;

/** Messages of ours whose files are not at the server yet, and are still brought there. */
export async function countUploads(records: Reader): Promise<number> {
  const waiting = (await records.all(UPLOADS)).filter(({ state }) => state === "waiting");
  return new Set(waiting.flatMap(({ message }) => message?.id ?? [])).size;
}

/** Whether a message waits for its files, so that nobody but this device has heard of it. */
export function waitsForFiles({ attachments = [] }: MessageRecord): boolean {
  return attachments.some(({ stored }) => stored === undefined);
}

/** Tries again what was refused. */
export async function bringAgain(records: Writer, { conversation, ordinal }: MessagePlace): Promise<void> {
  for (const upload of await uploadsOf(records, { conversation, ordinal })) {
    if (upload.state === "refused") records.put(UPLOADS, { ...upload, state: "waiting" }, upload.ordinal);
  }
  records.touch(UPLOADS_TOPIC);
}

async function uploadsOf(
  records: Reader,
  { conversation, ordinal }: Pick<MessagePlace, "conversation" | "ordinal">,
): Promise<readonly Upload[]> {
  const uploads = await records.all(UPLOADS);
  return uploads.filter(({ message }) => message?.conversation === conversation && message.ordinal === ordinal);
}

/** The server has a file. With the last one its message is composed, in the same transaction: it is sent once. */
async function arrived(sending: Sending, records: Writer, { ordinal }: Upload, uploadId: UploadId): Promise<void> {
  const upload = await records.get(UPLOADS, ordinal);
  // Taken back meanwhile, or another program was faster.
  if (upload?.state !== "waiting") return;
  records.put(UPLOADS, { ...upload, state: "done" }, ordinal);
  records.touch(UPLOADS_TOPIC);
  const stored = { mediaId: mediaIdOf(uploadId), accessSecret: accessSecretOf(uploadId) };
  await archiveArrived(sending, records, upload, stored);
  const { message: place, index } = upload;
  const before = place === undefined ? undefined : await records.get(MESSAGES, place.conversation, place.ordinal);
  if (before?.attachments === undefined) return;
  const attachments = before.attachments.map((file, at) => (at === index ? { ...file, stored } : file));
  const message = { ...before, attachments };
  putMessage(records, message);
  await sayWithFiles(sending, records, message);
}

/** Unless a file is still missing. */
export async function sayWithFiles(sending: Sending, records: Writer, message: MessageRecord): Promise<void> {
  const { conversation, text, replyTo } = message;
  const attachments = toPointers(message.attachments);
  if (attachments === undefined) return;
  const reference = replyTo === undefined ? undefined : { author: replyTo.author, messageId: replyTo.id };
  await say(sending, records, { to: conversation, body: { kind: "text", text, replyTo: reference, attachments }, message });
}

async function refuse(sending: Sending, records: Writer, { ordinal }: Upload, { code }: ClientError): Promise<void> {
  const upload = await records.get(UPLOADS, ordinal);
  if (upload?.state !== "waiting") return;
  await archiveRefused(sending, records, upload, code);
  if (upload.message === undefined) return;
  records.put(UPLOADS, { ...upload, state: "refused" }, ordinal);
  records.touch(UPLOADS_TOPIC);
  const message = await records.get(MESSAGES, upload.message.conversation, upload.message.ordinal);
  if (message !== undefined) putMessage(records, { ...message, state: "failed", error: code });
}

/** `undefined` when all of its files are there: it may have been said. */
async function withdraw(records: Writer, place: MessagePlace): Promise<readonly Upload[] | undefined> {
  const message = await records.get(MESSAGES, place.conversation, place.ordinal);
  if (message === undefined || !waitsForFiles(message)) return undefined;
  const uploads = await uploadsOf(records, place);
  for (const upload of uploads) records.put(UPLOADS, { ...upload, state: "done" }, upload.ordinal);
  records.touch(UPLOADS_TOPIC);
  const { conversation, ordinal } = message;
  records.delete(MESSAGES, conversation, ordinal);
  records.delete(PLACES, message.id, message.author);
  const record = await records.get(CONVERSATIONS, conversation);
  if (record?.lastOrdinal === ordinal) {
    const [previous] = await records.page(MESSAGES, [conversation], { before: ordinal, limit: 1, reverse: true });
    records.put(CONVERSATIONS, { ...record, lastOrdinal: previous?.ordinal ?? 0 }, conversation);
  }
  records.touch(conversationTopic(conversation));
  return uploads;
}
