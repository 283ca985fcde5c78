// The body of a request, as far as it comes: it may break off, stop coming, or be given up because somebody else wants to
// write. None of that is an error here.

import { MAX_MEDIA_REQUEST_BYTES } from "#wire";

const PATIENCE_MILLISECONDS = 30_000;

export class IncomingBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #patienceMilliseconds: number;
  #isCutShort = false;

  /** @param giveUp when to read no further */
  constructor(body: ReadableStream<Uint8Array>, giveUp: AbortSignal, patienceMilliseconds: number = PATIENCE_MILLISECONDS) {
    this.#reader = body.getReader();
    this.#patienceMilliseconds = patienceMilliseconds;
    if (giveUp.aborted) this.cancel();
    else giveUp.addEventListener("abort", () => this.cancel(), { once: true });
  }

  /** Whether there may have been more. Known at the end. */
  get isCutShort(): boolean {
    return this.#isCutShort;
  }

  /** The next bytes, or `undefined` when no more come. */
  async next(): Promise<Uint8Array | undefined> {
    const timer = setTimeout(() => this.cancel(), this.#patienceMilliseconds);
    try {
      const { done, value } = await this.#reader.read();
      return done ? undefined : value;
    } catch {
      // The connection is gone, and nobody hears the answer.
      this.#isCutShort = true;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads on and keeps nothing, so that a client that is still sending comes to hear the answer. */
  async discard(): Promise<void> {
    let left = MAX_MEDIA_REQUEST_BYTES;
    for (let bytes = await this.next(); bytes !== undefined && left > 0; bytes = await this.next()) left -= bytes.length;
    this.cancel();
  }

  /** Reads no more; what waits to be read is thrown away. */
  cancel(): void {
    this.#isCutShort = true;
    this.#reader.cancel().catch(() => undefined);
  }
}
