// Archives of messages on their way between our devices: whoever has one to make, to fetch or to take in goes on with it, now, after a
// failure and after an end of the program. How is give.ts's and take.ts's, loaded when there is something to do.

import type { HistoryTransfer } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { MediaServer } from "../media/media-server.ts";
import { encryptedMediaLength } from "#wire";
import { GIVEN_HISTORIES, type GivenHistory, TAKEN_HISTORY, type TakenHistory } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { pauseMilliseconds } from "../sending/pause.ts";
import { dropOrphans, failGiven, givenTo } from "./giving.ts";
import { endAbandoned } from "./taking.ts";

export class Histories {
  /** What keeps it from going on for now. */
  failure: ClientError | undefined;
  readonly #sending: Sending;
  readonly #server: () => Promise<MediaServer>;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #working: Promise<void> | undefined;
  #again = false;
  #attempts = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(sending: Sending, server: () => Promise<MediaServer>) {
    this.#sending = sending;
    this.#server = server;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stop.signal.aborted || this.#cancelRetry !== undefined) return;
    this.#again = true;
    this.#working ??= this.#work()
      .catch((error: unknown) => this.#retryLater(error))
      .finally(() => {
        this.#working = undefined;
        for (const listener of this.#listeners) listener();
        if (this.#again) this.wake();
      });
  }

  /** The connection is back: nobody waits any longer. */
  retryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.failure = undefined;
    this.wake();
  }

  /** Called back after every try. */
  onTried(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#again = false;
    this.#cancelRetry?.();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#again) {
      this.#again = false;
      const { given, taken } = await this.#sending.vault.write(async (records) => {
        await endAbandoned(this.#sending, records);
        await dropOrphans(this.#sending, records);
        return {
          // Also what is written: its device may be gone, and then it is forgotten.
          given: await records.all(GIVEN_HISTORIES),
          taken: await records.get(TAKEN_HISTORY),
        };
      });
      for (const one of given) await this.#give(one);
      if (taken === undefined || !hasWork(taken)) continue;
      const { takeArchive } = await import("./take.ts");
      await takeArchive({ sending: this.#sending, server: await this.#server(), signal });
    }
    this.failure = undefined;
    this.#attempts = 0;
  }

  async #give({ deviceId }: GivenHistory): Promise<void> {
    const { signal } = this.#stop;
    const { writeArchive } = await import("./give.ts");
    try {
      await writeArchive(this.#sending, deviceId, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof ClientError) || error.retryable) throw error;
      await this.#sending.vault.write(async (records) => {
        const given = await givenTo(this.#sending, records, deviceId);
        if (given !== undefined) await failGiven(this.#sending, records, given, error.code);
      });
    }
  }

  #retryLater(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.failure = error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
    this.#again = false;
    const pause = pauseMilliseconds(++this.#attempts, this.failure, this.#sending.random);
    this.#cancelRetry = this.#sending.clock.after(pause, () => {
      this.#cancelRetry = undefined;
      this.wake();
    });
  }
}

function hasWork({ state, fetched, next }: TakenHistory): boolean {
  return state === "fetching" || state === "importing" || (state !== "coming" && (fetched > 0 || next !== undefined));
}

/** Whether something is still to be done here. */
export async function isTransferring(records: Reader): Promise<boolean> {
  const taken = await records.get(TAKEN_HISTORY);
  const given = await records.all(GIVEN_HISTORIES);
  return (taken !== undefined && hasWork(taken)) || given.some(({ state }) => state !== "failed");
}

export async function transfersIn(records: Reader): Promise<readonly HistoryTransfer[]> {
  const taken = await records.get(TAKEN_HISTORY);
  const given = await records.all(GIVEN_HISTORIES);
  return [...(taken === undefined ? [] : [comingOf(taken)]), ...given.map(goingOf)];
}

function comingOf({ from, state, files, fetched, imported, messages, error }: TakenHistory): HistoryTransfer {
  const isFetching = state === "coming" || state === "fetching";
  const total = isFetching ? files.reduce((sum, { size }) => sum + encryptedMediaLength(size), 0) : messages;
  const done = isFetching ? fetched : imported;
  return { direction: "from", deviceId: from, state, done, total, error };
}

function goingOf({ deviceId, state, files, messages, error }: GivenHistory): HistoryTransfer {
  const stored = files.filter((file) => file.stored !== undefined).length;
  const progress = state === "sending" ? { done: stored, total: files.length } : { done: messages, total: 0 };
  return { direction: "to", deviceId, state, ...progress, error };
}
