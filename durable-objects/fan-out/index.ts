// FanOut: keeps a message that is on its way to many until each of their mailboxes has answered. The queue carries references
// to chunks of it and may lose, repeat and reorder them; the job is why no message is lost. Who delivers is workers/fan-out.
//
// Job row before the queue: if we die between, the alarm finds it and enqueues again.

import { DurableObject } from "cloudflare:workers";
import { SEND_RESULT_SECONDS } from "#wire";
import type { FanOutEnv } from "../env.ts";
import { numberedBindings, ofSlot } from "../numbered.ts";
import type { ChunkReference, FanOutApi, OpenChunk, Payload, SendResult, Settled } from "./api.ts";
import { begin, isExpired, openChunks, openIn, pauseAfter, type Progress, resultOf, settle } from "./core.ts";
import { JobStore } from "./jobs.ts";
import { decodePayload, encodePayload } from "./payload.ts";
import { SCHEMA } from "./schema.ts";

/**
 * Well below the minute for which readers wait for what is missing. While the queue's own retries still go on, a chunk may be in it
 * twice, which changes nothing.
 */
const FIRST_PAUSE_SECONDS = 20;
const SWEEP_MILLISECONDS = 3600 * 1000;
/** Jobs of up to four chunks: a hundred messages are a batch. */
const JOBS_PER_BATCH = 25;

export class FanOut extends DurableObject<FanOutEnv> implements FanOutApi {
  readonly #jobs: JobStore;
  /** When the alarm is set for; infinite for never. Not known until it was asked. */
  #alarmAt: number | undefined;
  #sweepAt = 0;

  constructor(state: DurableObjectState, env: FanOutEnv) {
    super(state, env);
    state.storage.sql.exec(SCHEMA);
    this.#jobs = new JobStore(state.storage.sql);
  }

  async submit(handle: string, payload: Payload): Promise<void> {
    const alarmAt = await this.ctx.storage.getAlarm();
    this.#alarmAt ??= alarmAt ?? Number.POSITIVE_INFINITY;
    if (this.#isKnown(handle)) return;
    const now = Date.now();
    const due = now + this.#pause(0);
    const progress = begin(payload.recipients.length);
    // An alarm without a job is nothing, a job without an alarm might wait for ever.
    const armed = this.#wakeBy(due);
    this.ctx.storage.transactionSync(() => this.#jobs.add(handle, encodePayload(payload), { submitted: now, due, progress }));
    await armed;
    // The platform holds this, and the answer, until the job is durable. The answer does not wait for the queue.
    this.ctx.waitUntil(this.#enqueue(referencesTo(handle, progress)));
  }

  async open({ handle, chunk }: ChunkReference): Promise<OpenChunk | undefined> {
    const progress = this.#jobs.progress(handle) ?? [];
    const indexes = openIn(progress, chunk);
    const body = indexes.length === 0 ? undefined : this.#jobs.payload(handle);
    if (body === undefined) return await Promise.resolve(undefined);
    const { messageId, recipients, tail } = decodePayload(body);
    const open = recipients.map((recipient, index) => ({ ...recipient, index })).filter(({ index }) => indexes.includes(index));
    return { messageId, tail, recipients: open };
  }

  async settle(handle: string, settled: readonly Settled[]): Promise<void> {
    const before = this.#jobs.progress(handle);
    if (before !== undefined) this.#advance(handle, before, settle(before, settled));
    await Promise.resolve();
  }

  async recordFailure({ handle, chunk }: ChunkReference): Promise<void> {
    if (openIn(this.#jobs.progress(handle) ?? [], chunk).length > 0) this.#jobs.recordFailure(handle);
    await Promise.resolve();
  }

  async result(handle: string): Promise<SendResult | undefined> {
    const progress = this.#jobs.progress(handle) ?? this.#jobs.outcomes(handle);
    return await Promise.resolve(progress === undefined ? undefined : resultOf(progress));
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    for (let references = this.#takeDue(); references.length > 0; references = this.#takeDue()) await this.#enqueue(references);
    const now = Date.now();
    if (now >= this.#sweepAt) {
      this.#jobs.sweep(now);
      this.#sweepAt = now + SWEEP_MILLISECONDS;
    }
    await this.#wakeBy(this.#jobs.nextDue ?? Math.max(this.#jobs.nextExpiry ?? Number.POSITIVE_INFINITY, this.#sweepAt));
  }

  /** The next jobs whose time has come, as what goes into the queue for them. Each waits longer from here on. */
  #takeDue(): readonly ChunkReference[] {
    const now = Date.now();
    return this.ctx.storage.transactionSync(() =>
      this.#jobs.due(now, JOBS_PER_BATCH).flatMap(({ handle, submitted, failures, progress }) => {
        if (isExpired(submitted, now)) {
          this.#jobs.drop(handle);
          return [];
        }
        this.#jobs.postpone(handle, now + this.#pause(failures + 1));
        return referencesTo(handle, progress);
      }),
    );
  }

  #advance(handle: string, before: Progress, after: Progress): void {
    if (openChunks(after).length === 0) {
      const expires = Date.now() + SEND_RESULT_SECONDS * 1000;
      this.ctx.storage.transactionSync(() => this.#jobs.finish(handle, after, expires));
    } else if (after.some((standing, index) => standing !== before[index])) this.#jobs.advance(handle, after);
  }

  #isKnown(handle: string): boolean {
    return (this.#jobs.progress(handle) ?? this.#jobs.outcomes(handle)) !== undefined;
  }

  /** Set only when it moves earlier: setting it writes a row. */
  async #wakeBy(milliseconds: number): Promise<void> {
    if (milliseconds >= (this.#alarmAt ?? Number.POSITIVE_INFINITY)) return;
    this.#alarmAt = milliseconds;
    await this.ctx.storage.setAlarm(milliseconds);
  }

  /** A queue that takes nothing now is asked again by the alarm. */
  async #enqueue(references: readonly ChunkReference[]): Promise<void> {
    try {
      await this.#queueOf(references)?.sendBatch(references.map((body) => ({ body, contentType: "json" })));
    } catch {
      // Every reference is to a job that is due again.
    }
  }

  /** FANOUT_QUEUE, FANOUT_QUEUE_1, … by the 12 bits by which this object was chosen. */
  #queueOf([first]: readonly ChunkReference[]): Queue<ChunkReference> | undefined {
    const queues = numberedBindings({ ...this.env }, "FANOUT_QUEUE") as readonly Queue<ChunkReference>[]; // as wrangler.toml binds them
    return first === undefined ? undefined : ofSlot(queues, Number.parseInt(first.handle.slice(0, 3), 16));
  }

  #pause(failures: number): number {
    const seconds = Number(this.env.FANOUT_PAUSE_SECONDS ?? FIRST_PAUSE_SECONDS);
    return pauseAfter(failures, seconds * 1000, Math.random());
  }
}

function referencesTo(handle: string, progress: Progress): readonly ChunkReference[] {
  return openChunks(progress).map((chunk) => ({ handle, chunk }));
}
