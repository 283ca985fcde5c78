// Temporary URLs: path, until when, and a MAC over both. Whoever has one can read one file until then; the server keeps nothing.

import { equal, hmac, LABELS, labelled } from "#crypto";
import { deriveServerKey, type SeedVersion } from "#durable-objects";
import { ascii, be64, type Bytes, fromHex, MEDIA_URL_SECONDS, type MediaId, pathOf, toHex } from "#wire";

export interface MediaUrl {
  /** Path and query. */
  readonly url: string;
  readonly expiresAt: number;
}

export class MediaUrls {
  readonly #keys: readonly Bytes[];

  /** @param seeds newest first: it signs, the others are accepted */
  constructor(seeds: readonly SeedVersion[]) {
    this.#keys = seeds.map((seed) => deriveServerKey(seed, LABELS.SERVER_MEDIA_URL));
  }

  issue(mediaId: MediaId, nowSeconds: number): MediaUrl {
    const expiresAt = nowSeconds + MEDIA_URL_SECONDS;
    const [newest = new Uint8Array()] = this.#keys;
    return { url: `${pathOf("getMedia", { mediaId })}?expires=${expiresAt}&signature=${signature(newest, mediaId, expiresAt)}`, expiresAt };
  }

  /** Whether this server has made the URL of which this is the query, and it is still good. */
  accepts(mediaId: MediaId, query: string, nowSeconds: number): boolean {
    const [, expires, given = ""] = QUERY.exec(query) ?? [];
    const expiresAt = Number(expires);
    if (expires === undefined || nowSeconds > expiresAt) return false;
    // As texts: every URL has one spelling.
    return this.#keys.some((key) => equal(ascii(signature(key, mediaId, expiresAt)), ascii(given)));
  }
}

const QUERY = /^\?expires=([1-9][0-9]{0,9})&signature=([0-9a-f]{64})$/;

function signature(key: Bytes, mediaId: MediaId, expiresAt: number): string {
  return toHex(hmac(key, labelled(LABELS.SERVER_MEDIA_URL, fromHex(mediaId), be64(expiresAt))));
}
