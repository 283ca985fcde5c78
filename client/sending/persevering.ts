// Work that is gone on with until nothing is left of it: woken when there may be something to do, by nobody twice at once, and tried
// again, later and later, when it fails. What is to be done is read from the store by each round: an end of the program loses nothing.

import { ClientError } from "../errors.ts";
import type { Core } from "../core.ts";
import { pauseMilliseconds } from "./pause.ts";

/** Does all that there is to do. Answers what keeps a part of it from being done for now, or throws what keeps all of it. */
export type Round = (signal: AbortSignal) => Promise<ClientError | undefined>;

export class Persevering {
  /** What keeps it from going on for now. */
  failure: ClientError | undefined;
  readonly #core: Pick<Core, "clock" | "random">;
  readonly #round: Round;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #working: Promise<void> | undefined;
  #again = false;
  #attempts = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(core: Pick<Core, "clock" | "random">, round: Round) {
    this.#core = core;
    this.#round = round;
  }

  /** There may be something to do. After a failure that is looked at with the next try. */
  wake(): void {
    if (this.#stop.signal.aborted || this.#cancelRetry !== undefined) return;
    this.#again = true;
    // A round may wake from its first line on: by then it has to be known that somebody is at work.
    this.#working ??= Promise.resolve()
      .then(() => this.#work())
      .catch((error: unknown) => this.#retryLater(error))
      .finally(() => {
        this.#working = undefined;
        for (const listener of this.#listeners) listener();
        if (this.#again) this.wake();
      });
  }

  /** What kept it may be over: nobody waits any longer. */
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
    let failure: ClientError | undefined;
    while (this.#again) {
      this.#again = false;
      failure = await this.#round(this.#stop.signal);
    }
    if (failure !== undefined) throw failure;
    this.failure = undefined;
    this.#attempts = 0;
  }

  #retryLater(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.failure = error instanceof ClientError ? error : new ClientError("server-failed", { cause: error });
    this.#again = false;
    const pause = pauseMilliseconds(++this.#attempts, this.failure, this.#core.random);
    this.#cancelRetry = this.#core.clock.after(pause, () => {
      this.#cancelRetry = undefined;
      this.wake();
    });
  }
}
