// A file that somebody has sent, on its way to its reader: fetched, proven, and given on. Nothing comes out that its sender did not
// put there, and nothing counts as whole before all of it is proven.

import { importMediaKey, type MediaKey, sealChunk, Secret } from "#crypto";
import { mediaChunk, mediaKeys, type MediaPlan, planMedia } from "#protocol";
import { type Bytes, concat, copy, MAX_MEDIA_BYTES, MEDIA_CHUNK_BYTES, MEDIA_HEADER_BYTES, ProtocolError, WireError } from "#wire";
import type { FileSink, Progress } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { AttachmentRecord } from "../records/tables.ts";
import { decryptMedia, decryptMediaRange, mediaRange } from "./cipher.ts";
import { cut } from "./pieces.ts";
import { type Reading, StoredFile } from "./stored-file.ts";

export interface Download extends Reading {
  readonly file: AttachmentRecord & { readonly stored: NonNullable<AttachmentRecord["stored"]> };
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

type Pieces = AsyncGenerator<Bytes, void, undefined>;

/** All of it, in memory. */
export async function downloadWhole(download: Download, mime: string): Promise<Blob> {
  const pieces: Bytes[] = [];
  for await (const piece of readFrom(download, 0)) pieces.push(piece);
  return new Blob(pieces, { type: mime });
}

/** From a place on; from the beginning on, the whole is proven as well. @throws ClientError `bad-argument` where there is no such place */
export async function* readFrom(download: Download, from: number): Pieces {
  const { size } = download.file;
  if (!Number.isSafeInteger(from) || from < 0 || from > size) throw new ClientError("bad-argument", { detail: "no place in the file" });
  let done = from;
  for await (const piece of orDamaged(from === 0 ? whole(download, atServer(download)) : part(download, from))) {
    done += piece.length;
    download.onProgress?.({ done, total: size });
    yield piece;
  }
}

/** Into a file, behind what an earlier try has left there. */
export async function downloadTo(download: Download, sink: FileSink): Promise<void> {
  try {
    if ((await fill(download, sink, sink.left())) === "other") await fill(download, sink, NOTHING);
    await sink.finish();
  } finally {
    await sink.close();
  }
}

const NOTHING: AsyncIterable<Bytes> = {
  async *[Symbol.asyncIterator]() {
    // What was left is not used.
  },
};

/**
 * What is left counts when it is what would have come: it is encrypted as its sender has done it, and the digest is that of the file.
 * `other`: it was not.
 */
async function fill(download: Download, sink: FileSink, left: AsyncIterable<Bytes>): Promise<"filled" | "other"> {
  const { size } = download.file;
  const resumed = new Resumed(download, left);
  let done = 0;
  try {
    for await (const piece of orDamaged(whole(download, resumed.stored()))) {
      if (done >= resumed.keptBytes) {
        if (done === resumed.keptBytes) await sink.open(done);
        await sink.write(piece);
      }
      done += piece.length;
      download.onProgress?.({ done, total: size });
    }
  } catch (error) {
    if (!isOtherFile(error)) throw error;
    if (resumed.keptBytes > 0) return "other";
    await sink.discard();
    throw error;
  }
  if (done === resumed.keptBytes) await sink.open(done);
  return "filled";
}

function isOtherFile(error: unknown): boolean {
  return error instanceof ClientError && error.cause instanceof ProtocolError && error.cause.code === "bad-digest";
}

/** The stored file: from what is left, encrypted again, as far as that goes, then from the server. */
class Resumed {
  /** Plaintext of whole chunks that need not come again: all that `stored` has taken so far. */
  keptBytes = 0;
  readonly #download: Download;
  readonly #left: AsyncIterable<Bytes>;

  constructor(download: Download, left: AsyncIterable<Bytes>) {
    this.#download = download;
    this.#left = left;
  }

  async *stored(): Pieces {
    const plan = planOf(this.#download);
    const { commitment, key } = await keysOf(this.#download);
    let index = 0;
    for await (const plaintext of wholeChunks(this.#left, plan)) {
      if (index === 0) yield commitment;
      const sealed = await sealChunk(key, mediaChunk(plan, index).nonce, plaintext);
      this.keptBytes += plaintext.length;
      index++;
      yield sealed;
    }
    const from = index === 0 ? 0 : index === plan.chunks ? plan.storedBytes : mediaChunk(plan, index).storedStart;
    yield* storedFile(this.#download).bytes(from, plan.storedBytes);
  }
}

/** As many as there are whole: what follows was cut off somewhere. */
async function* wholeChunks(left: AsyncIterable<Bytes>, { size }: MediaPlan): Pieces {
  const lengths = Array.from({ length: Math.floor(size / MEDIA_CHUNK_BYTES) }, () => MEDIA_CHUNK_BYTES);
  try {
    yield* cut(left, lengths);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

async function keysOf({ file }: Download): Promise<{ readonly commitment: Bytes; readonly key: MediaKey }> {
  const { commitment, aeadKey } = mediaKeys(new Secret(copy(file.key)));
  return { commitment, key: await importMediaKey(aeadKey) };
}

function whole(download: Download, stored: AsyncIterable<Bytes>): Pieces {
  return decryptMedia(stored, download.file, planOf(download).storedBytes);
}

function atServer(download: Download): Pieces {
  return storedFile(download).bytes(0, planOf(download).storedBytes);
}

async function* part(download: Download, from: number): Pieces {
  const { file } = download;
  planOf(download);
  if (from === file.size) return;
  const range = mediaRange(file.size, from, file.size);
  const stored = storedFile(download);
  const header: Bytes[] = [];
  for await (const piece of stored.bytes(0, MEDIA_HEADER_BYTES)) header.push(piece);
  yield* decryptMediaRange({ range, header: concat(...header), source: stored.bytes(range.storedStart, range.storedEnd) }, file);
}

/** @throws ClientError `file-too-large`, whatever its sender says of it: nothing is fetched then */
function planOf({ file }: Download): MediaPlan {
  if (file.size > MAX_MEDIA_BYTES) throw new ClientError("file-too-large");
  return planMedia(file.size);
}

function storedFile(download: Download): StoredFile {
  const { mediaId, accessSecret } = download.file.stored;
  return new StoredFile({ mediaId, accessSecret, length: planOf(download).storedBytes }, download);
}

async function* orDamaged(pieces: Pieces): Pieces {
  try {
    yield* pieces;
  } catch (cause) {
    if (!(cause instanceof ProtocolError || cause instanceof WireError)) throw cause;
    throw new ClientError("file-damaged", { cause });
  }
}
