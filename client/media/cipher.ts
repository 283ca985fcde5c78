// Encrypted files as streams (docs/media.md): what a sender makes of a file, and what a reader makes of that, whole or in part.
// Of a file of any length a few chunks are held. Knows neither where files come from nor where they go.

import { digestChunk, equal, importMediaKey, type MediaKey, openChunk, sealChunk, Secret } from "#crypto";
import { type MediaChunk, mediaChunk, mediaDigest, mediaKeys, type MediaPlan, planMedia } from "#protocol";
import {
  type Bytes,
  copy,
  EMPTY,
  MEDIA_CHUNK_BYTES,
  MEDIA_HEADER_BYTES,
  type MediaPointer,
  ProtocolError,
  UsageError,
  WireError,
} from "#wire";
import { inOrder } from "./ahead.ts";
import { cut } from "./pieces.ts";

/**
 * A file while it is encrypted. The file key belongs to this one run: whoever has to begin again, because the source failed or was
 * not what it was said to be, draws another.
 */
export class EncryptedMedia {
  /**
   * Its header, then each of its chunks.
   * @throws UsageError `bad-argument` when the source does not have `size` bytes, WireError `too-long` above 100 MiB.
   */
  readonly stored: AsyncGenerator<Bytes, void, undefined>;
  #header = EMPTY;
  readonly #digests: Bytes[] = [];

  constructor(source: AsyncIterable<Bytes>, size: number, fileKey: Secret) {
    this.stored = this.#encrypt(source, size, fileKey);
  }

  /** Of the whole stored file, for whoever has taken all of it. */
  digest(): Bytes {
    return mediaDigest(this.#header, this.#digests);
  }

  async *#encrypt(source: AsyncIterable<Bytes>, size: number, fileKey: Secret): AsyncGenerator<Bytes, void, undefined> {
    const plan = planMedia(size);
    const { commitment, aeadKey } = mediaKeys(fileKey);
    const key = await importMediaKey(aeadKey);
    aeadKey.wipe();
    this.#header = commitment;
    yield commitment;
    const chunks = chunksOf(plan, 0, plan.chunks);
    const pieces = cut(
      padded(source, plan),
      chunks.map(({ length }) => length),
    );
    const sealed = inOrder(pieces, async (plaintext, index) => {
      const bytes = await sealChunk(key, mediaChunk(plan, index).nonce, plaintext);
      return { bytes, digest: await digestChunk(bytes) };
    });
    for await (const { bytes, digest } of sealed) {
      this.#digests.push(digest);
      yield bytes;
    }
  }
}

const ZEROS: Bytes = new Uint8Array(MEDIA_CHUNK_BYTES);

async function* padded(source: AsyncIterable<Bytes>, { size, paddedBytes }: MediaPlan): AsyncGenerator<Bytes, void, undefined> {
  let left = size;
  for await (const piece of source) {
    left -= piece.length;
    if (left < 0) break;
    yield piece;
  }
  if (left !== 0) throw new UsageError("bad-argument", "the file is not as long as was said");
  for (let zeros = paddedBytes - size; zeros > 0; zeros -= ZEROS.length) yield ZEROS.subarray(0, zeros);
}

/** What a message says of the file itself. */
export type MediaSecrets = Pick<MediaPointer, "key" | "digest" | "size">;

/**
 * The plaintext of a whole stored file, which according to its server has `storedBytes`. A piece comes out when its chunk was
 * found authentic; the last one when the file's end, padding and digest were found right as well, so that whoever has all
 * pieces has what the sender sent.
 * @throws WireError `bad-length` before anything is read, `truncated`, `trailing`; ProtocolError `bad-key` before a chunk is
 * opened, `bad-tag`, `bad-padding`, `bad-digest`.
 */
export async function* decryptMedia(
  source: AsyncIterable<Bytes>,
  secrets: MediaSecrets,
  storedBytes: number,
): AsyncGenerator<Bytes, void, undefined> {
  const plan = planMedia(secrets.size);
  if (storedBytes !== plan.storedBytes) throw new WireError("bad-length");
  const chunks = chunksOf(plan, 0, plan.chunks);
  const pieces = cut(source, [MEDIA_HEADER_BYTES, ...chunks.map(({ storedLength }) => storedLength)]);
  try {
    const header = copy((await pieces.next()).value ?? EMPTY);
    const key = await keyBehind(header, secrets);
    const digests: Bytes[] = [];
    let last = EMPTY;
    const proven = inOrder(pieces, (sealed, index) => openedAndHashed(sealed, chunks[index], { key, size: plan.size }));
    for await (const { plaintext, digest } of proven) {
      digests.push(digest);
      // Behind the plaintext's end there may be chunks of padding only.
      if (plaintext.length === 0) continue;
      if (last.length > 0) yield last;
      last = plaintext;
    }
    if (!equal(mediaDigest(header, digests), secrets.digest)) throw new ProtocolError("bad-digest");
    if (last.length > 0) yield last;
  } finally {
    await pieces.return(undefined);
  }
}

/** A part of a file, and where in the stored file the chunks lie that hold it. */
export interface MediaRange {
  /** In the plaintext, from the first byte to the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** In the stored file, likewise. */
  readonly storedStart: number;
  readonly storedEnd: number;
  readonly chunks: readonly MediaChunk[];
}

/** @throws UsageError `bad-argument` unless the file has bytes from `start` up to `end`; WireError as `planMedia`. */
export function mediaRange(size: number, start: number, end: number): MediaRange {
  const plan = planMedia(size);
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start < end && end <= size)) {
    throw new UsageError("bad-argument", "the file has no such part");
  }
  const chunks = chunksOf(plan, Math.floor(start / MEDIA_CHUNK_BYTES), Math.ceil(end / MEDIA_CHUNK_BYTES));
  const storedStart = chunks[0]?.storedStart ?? 0;
  const storedEnd = chunks.reduce((at, { storedLength }) => at + storedLength, storedStart);
  return { start, end, storedStart, storedEnd, chunks };
}

export interface SealedRange {
  readonly range: MediaRange;
  /** The first bytes of the stored file, `MEDIA_HEADER_BYTES` of them. */
  readonly header: Bytes;
  /** The stored file from `storedStart` up to `storedEnd`. */
  readonly source: AsyncIterable<Bytes>;
}

/**
 * The plaintext of a part. The sender wrote these bytes at this place of this file; that everybody was given the same file is
 * shown by the digest alone, and so by reading the whole only.
 * @throws as `decryptMedia`, but for `bad-length` and `bad-digest`.
 */
export async function* decryptMediaRange(
  { range, header, source }: SealedRange,
  secrets: Pick<MediaSecrets, "key" | "size">,
): AsyncGenerator<Bytes, void, undefined> {
  const key = await keyBehind(header, secrets);
  const pieces = cut(
    source,
    range.chunks.map(({ storedLength }) => storedLength),
  );
  let at = range.chunks[0]?.start ?? 0;
  const plaintexts = inOrder(pieces, (sealed, index) => opened(sealed, range.chunks[index], { key, size: secrets.size }));
  for await (const plaintext of plaintexts) {
    yield plaintext.subarray(Math.max(0, range.start - at), range.end - at);
    at += plaintext.length;
  }
}

function chunksOf(plan: MediaPlan, first: number, end: number): readonly MediaChunk[] {
  return Array.from({ length: end - first }, (_, i) => mediaChunk(plan, first + i));
}

/** @throws ProtocolError `bad-key` when the file was not encrypted under this key. */
async function keyBehind(header: Bytes, { key }: Pick<MediaSecrets, "key">): Promise<MediaKey> {
  const fileKey = new Secret(copy(key));
  const { commitment, aeadKey } = mediaKeys(fileKey);
  fileKey.wipe();
  try {
    if (!equal(header, commitment)) throw new ProtocolError("bad-key");
    return await importMediaKey(aeadKey);
  } finally {
    aeadKey.wipe();
  }
}

interface Opening {
  readonly key: MediaKey;
  readonly size: number;
}

/** Both at once, by the platform's threads where it has them. */
async function openedAndHashed(sealed: Bytes, chunk: MediaChunk | undefined, opening: Opening) {
  const digest = digestChunk(sealed);
  // Whoever waits for both hears of the first that fails; the digest cannot.
  return { plaintext: await opened(sealed, chunk, opening), digest: await digest };
}

async function opened(sealed: Bytes, chunk: MediaChunk | undefined, { key, size }: Opening): Promise<Bytes> {
  if (chunk === undefined) throw new WireError("trailing");
  return withoutPadding(await openChunk(key, chunk.nonce, sealed), size - chunk.start);
}

/** @throws ProtocolError `bad-padding` when there is anything but zeros behind the file's end. */
function withoutPadding(plaintext: Bytes, left: number): Bytes {
  const length = Math.min(plaintext.length, Math.max(0, left));
  if (plaintext.subarray(length).some((byte) => byte !== 0)) throw new ProtocolError("bad-padding");
  return plaintext.subarray(0, length);
}
