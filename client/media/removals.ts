// Files at the server that nobody needs any more: removed there one after the other, and again later what could not be removed now. It is
// never anything that somebody waits for. What is gone is gone, so any of it may be done twice.

import { ClientError } from "../errors.ts";
import { type Removal, REMOVALS } from "../records/tables.ts";
import type { Sending } from "../sending/compose.ts";
import { pauseMilliseconds } from "../sending/pause.ts";
import type { MediaServer } from "./media-server.ts";

export class Removals {
  readonly #sending: Sending;
  readonly #server: () => Promise<MediaServer>;
  readonly #stop = new AbortController();
  #attempts = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(sending: Sending, server: () => Promise<MediaServer>) {
    this.#sending = sending;
    this.#server = server;
  }

  /** Removes what there is to remove, or calls back when it is worth trying again. */
  async work(again: () => void): Promise<void> {
    const { vault, random, clock } = this.#sending;
    if (this.#cancelRetry !== undefined || this.#stop.signal.aborted) return;
    for (const removal of await vault.read((records) => records.all(REMOVALS))) {
      try {
        await this.#remove(removal);
        this.#attempts = 0;
      } catch (error) {
        if (this.#stop.signal.aborted || !(error instanceof ClientError)) return;
        const retry = (): void => {
          this.#cancelRetry = undefined;
          again();
        };
        this.#cancelRetry = clock.after(pauseMilliseconds(++this.#attempts, error, random), retry);
        return;
      }
    }
  }

  /** The connection is back. */
  retryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  close(): void {
    this.#stop.abort();
    this.retryNow();
  }

  async #remove({ uploadId }: Removal): Promise<void> {
    const server = await this.#server();
    try {
      await server.remove(uploadId, this.#stop.signal);
    } catch (error) {
      // Anything else than "not now" stays as it is.
      if (!(error instanceof ClientError) || error.retryable) throw error;
    }
    await this.#sending.vault.write(async (records) => records.delete(REMOVALS, uploadId));
  }
}
