// Files of ours that are on their way: taken to the server one after the other until it has them, then their message is composed and
// goes the way of every message. What fails for now is tried again, later and later; what is refused waits for its sender. How one
// file is brought there is upload.ts's, loaded when there is one.

import { toHex, type UploadId } from "#wire";
import type { Progress } from "../api.ts";
import { ClientError } from "../errors.ts";
import { type ConversationId, type MessagePlace, type Upload, UPLOADS } from "../records/tables.ts";
import type { Sending } from "../sending/compose.ts";
import { FIRST_PAUSE_MILLISECONDS, pauseMilliseconds } from "../sending/pause.ts";
import { forgetKept } from "./kept-file.ts";
import type { MediaServer } from "./media-server.ts";
import { Removals } from "./removals.ts";
import { arrived, claim, isTaken, refuse, release, withdraw, type Worker } from "./upload-records.ts";

/** How long a program that says nothing is believed to be at it, and how often it says so. */
const CLAIM_MILLISECONDS = 15_000;
const RENEWAL_MILLISECONDS = 5000;

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
  readonly #removals: Removals;
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
  #id: string | undefined;
  #cancelLook: () => void = () => undefined;

  constructor(sending: Sending, server: () => Promise<MediaServer>) {
    this.#sending = sending;
    this.#server = server;
    this.#removals = new Removals(sending, server);
  }

  /** This program, for so long. */
  get worker(): Worker {
    const { random, clock } = this.#sending;
    this.#id ??= toHex(random(8));
    return { id: this.#id, untilMilliseconds: clock.nowMilliseconds() + CLAIM_MILLISECONDS };
  }

  /** There may be something to bring. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#working ??= this.#work()
      .catch(() => this.#lookLater(FIRST_PAUSE_MILLISECONDS))
      .finally(() => {
        this.#working = undefined;
        if (this.#again) this.wake();
      });
  }

  /** The connection is back: nobody waits any longer. */
  retryNow(): void {
    for (const { cancelRetry } of this.#lanes.values()) cancelRetry();
    this.#lanes.clear();
    this.#removals.retryNow();
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
    const dropped = await this.#sending.vault.write((records) => withdraw(this.#sending, records, place));
    if (dropped === undefined) return false;
    for (const { ordinal } of dropped) this.#running.get(ordinal)?.abort();
    this.#forgetWatchers(dropped);
    this.wake();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#again = false;
    this.#cancelLook();
    for (const { cancelRetry } of this.#lanes.values()) cancelRetry();
    for (const running of this.#running.values()) running.abort();
    this.#removals.close();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      this.#again = false;
      const uploads = await this.#sending.vault.read((records) => records.all(UPLOADS));
      for (const upload of uploads) if (this.#isOver(upload)) await forgetKept(this.#sending.vault, upload);
      const next = this.#nextOf(uploads);
      if (next === undefined) {
        await this.#removals.work(() => this.wake());
        return;
      }
      await this.#try(next);
      for (const listener of this.#listeners) listener();
    }
  }

  /** The oldest that neither waits for its next try nor is with another program. */
  #nextOf(uploads: readonly Upload[]): Upload | undefined {
    const now = this.#sending.clock.nowMilliseconds();
    const waiting = uploads.filter(({ state, ordinal }) => state === "waiting" && this.#lanes.get(ordinal)?.waiting !== true);
    const free = waiting.filter((upload) => !isTaken(upload, this.#id, now)).toSorted((a, b) => a.ordinal - b.ordinal);
    if (free.length === 0 && waiting.length > 0) this.#lookLater(RENEWAL_MILLISECONDS);
    return free[0];
  }

  /** Nobody needs it any more, or whoever was encrypting it has died over it. */
  #isOver({ state, startedMilliseconds }: Upload): boolean {
    const age = this.#sending.clock.nowMilliseconds() - startedMilliseconds;
    return state === "done" || (state === "encrypting" && age > ENCRYPTING_MILLISECONDS);
  }

  /** The store could not be read: it is still there, and so is what it holds. */
  #lookLater(milliseconds: number): void {
    this.#cancelLook();
    if (!this.#closed) this.#cancelLook = this.#sending.clock.after(milliseconds, () => this.wake());
  }

  async #try(upload: Upload): Promise<void> {
    if (!(await this.#claim(upload)) || this.#closed) return;
    const stop = new AbortController();
    this.#running.set(upload.ordinal, stop);
    const stopRenewing = this.#renew(upload);
    try {
      const uploadId = await this.#bring(upload, stop.signal);
      if (uploadId === "conflict") this.#pause(upload, undefined);
      else await this.#settle(upload, uploadId);
    } catch (error) {
      // Closed, or taken back.
      if (stop.signal.aborted) return;
      const failure = error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
      if (failure.retryable) this.#pause(upload, failure);
      else await this.#refuse(upload, failure);
    } finally {
      stopRenewing();
      this.#running.delete(upload.ordinal);
      await this.#sending.vault.write((records) => release(records, upload, this.#id));
    }
  }

  #claim(upload: Upload): Promise<boolean> {
    const { vault, clock } = this.#sending;
    return vault.write((records) => claim(records, upload, this.worker, clock.nowMilliseconds()));
  }

  /** Says again and again that this program is at it. One that is not heard of for a while is taken for dead. */
  #renew(upload: Upload): () => void {
    let cancel: () => void = () => undefined;
    const renewLater = (): void => {
      cancel = this.#sending.clock.after(RENEWAL_MILLISECONDS, () => {
        renewLater();
        this.#claim(upload).catch(() => undefined);
      });
    };
    renewLater();
    return () => cancel();
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
      await this.#refuse(upload, error);
      return;
    }
    this.#lanes.delete(upload.ordinal);
    this.#reached.delete(upload.ordinal);
  }

  async #refuse(upload: Upload, failure: ClientError): Promise<void> {
    await this.#sending.vault.write((records) => refuse(this.#sending, records, upload, failure));
    // Its sender has been told how it ended.
    this.#forgetWatchers([upload]);
    this.#reached.delete(upload.ordinal);
  }

  #forgetWatchers(uploads: readonly Upload[]): void {
    for (const watcher of this.#watchers)
      if (watcher.uploads.some(({ ordinal }) => isAmong(ordinal, uploads))) this.#watchers.delete(watcher);
  }

  #pause(upload: Upload, failure: ClientError | undefined): void {
    const { ordinal, message, avatarOf } = upload;
    const attempts = (this.#lanes.get(ordinal)?.attempts ?? 0) + 1;
    const pause = pauseMilliseconds(attempts, failure ?? new ClientError("offline"), this.#sending.random);
    const lane = { attempts, failure, conversation: message?.conversation ?? avatarOf };
    const cancelRetry = this.#sending.clock.after(pause, () => {
      this.#lanes.set(ordinal, { ...lane, failure: undefined, waiting: false, cancelRetry });
      this.wake();
    });
    this.#lanes.set(ordinal, { ...lane, waiting: true, cancelRetry });
  }
}

function isAmong(ordinal: number, uploads: readonly Upload[]): boolean {
  return uploads.some((upload) => upload.ordinal === ordinal);
}
