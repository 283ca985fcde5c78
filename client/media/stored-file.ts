// An encrypted file at the server, read part by part: over a URL that is asked for when it is needed, and again when it has run out,
// and over every loss of connection. Does not know what the bytes mean, and proves nothing about them.

import type { Random } from "#crypto";
import type { Bytes, MediaId } from "#wire";
import { ClientError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { pauseMilliseconds } from "../sending/pause.ts";
import { inOrder } from "./ahead.ts";
import type { MediaServer } from "./media-server.ts";

/** Asked for at once where nothing gets lost. What a broken answer has brought is not kept: so it is less at first, and after one. */
export const PART_BYTES: number = 1024 * 1024;
const FIRST_BYTES = 256 * 1024;
const LEAST_BYTES = 64 * 1024;
/** In a row, for one place. */
const MAX_FAILURES = 5;

export interface StoredAt {
  readonly mediaId: MediaId;
  readonly accessSecret: Bytes;
  /** Bytes that it must have. */
  readonly length: number;
}

export interface Reading {
  readonly server: MediaServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

interface Part {
  readonly from: number;
  readonly to: number;
}

export class StoredFile {
  readonly #at: StoredAt;
  readonly #reading: Reading;
  #query: Promise<string> | undefined;
  #step = FIRST_BYTES;

  constructor(at: StoredAt, reading: Reading) {
    this.#at = at;
    this.#reading = reading;
  }

  /** From `from` up to `to`, some parts ahead. @throws ClientError `file-gone`, `file-damaged`, `offline`…; the signal's reason */
  bytes(from: number, to: number): AsyncGenerator<Bytes, void, undefined> {
    return inOrder(partsOf(from, to), (part) => this.#readPatiently(part));
  }

  async #readPatiently({ from, to }: Part): Promise<Bytes> {
    const bytes = new Uint8Array(to - from);
    let failures = 0;
    for (let at = from; at < to;) {
      try {
        const read = await this.#read({ from: at, to: Math.min(to, at + this.#step) });
        bytes.set(read, at - from);
        at += read.length;
        failures = 0;
        this.#step = Math.min(PART_BYTES, this.#step + LEAST_BYTES);
      } catch (error) {
        this.#reading.signal?.throwIfAborted();
        failures++;
        if (!(error instanceof ClientError) || !isPassing(error) || failures === MAX_FAILURES) throw error;
        this.#step = Math.max(LEAST_BYTES, this.#step / 2);
        await this.#pause(failures, error);
      }
    }
    return bytes;
  }

  async #read({ from, to }: Part): Promise<Bytes> {
    const { server, signal } = this.#reading;
    const { mediaId, length } = this.#at;
    const query = await this.#url(undefined);
    const bytes = await server.read({ mediaId, query, from, to, length }, signal);
    if (bytes !== "expired") return bytes;
    const again = await server.read({ mediaId, query: await this.#url(query), from, to, length }, signal);
    if (again === "expired") throw new ClientError("file-gone");
    return again;
  }

  /** One for all parts; another one when it is the one that has run out. */
  async #url(expired: string | undefined): Promise<string> {
    const { server, signal } = this.#reading;
    if (expired !== undefined && (await this.#query) === expired) this.#query = undefined;
    const { mediaId, accessSecret } = this.#at;
    const asked = (this.#query ??= server.createUrl(mediaId, accessSecret, signal));
    try {
      return await asked;
    } catch (error) {
      if (this.#query === asked) this.#query = undefined;
      throw error;
    }
  }

  async #pause(failures: number, failure: ClientError): Promise<void> {
    const { clock, random, signal } = this.#reading;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(pauseMilliseconds(failures, failure, random), resolve);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    cancel();
    signal?.throwIfAborted();
  }
}

function isPassing({ code }: ClientError): boolean {
  return code === "offline" || code === "server-failed" || code === "rate-limited";
}

async function* partsOf(from: number, to: number): AsyncGenerator<Part, void, undefined> {
  for (let at = from; at < to; at += PART_BYTES) yield { from: at, to: Math.min(to, at + PART_BYTES) };
}
