// Files on their way into a message: read, once, encrypted, once, and kept in our own store. From there on nothing depends on where
// they came from. What does not become a message leaves nothing behind.

import { Secret } from "#crypto";
import { type Bytes, concat, copy, EMPTY, encryptedMediaLength, MAX_ATTACHMENTS, MAX_MEDIA_BYTES, UsageError } from "#wire";
import { type Core, next, UPLOADS_TOPIC } from "../core.ts";
import { ClientError } from "../errors.ts";
import { type AttachmentRecord, type MessageRecord, UPLOAD_PIECES, type Upload, UPLOADS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { safeMime, safeName } from "./attachments.ts";
import { EncryptedMedia } from "./cipher.ts";
import { forgetKept, pieceLengths } from "./kept-file.ts";
import { blur, preparePicture } from "./pictures/index.ts";
import { cut } from "./pieces.ts";
import type { Worker } from "./upload-records.ts";
import { isVideo, prepareVideo } from "./videos/index.ts";

const KEY_BYTES = 32;
/** By which a picture is known. */
const HEAD_BYTES = 16;

export interface KeptFile {
  readonly upload: Upload;
  readonly attachment: AttachmentRecord;
}

export interface KeepFiles {
  readonly files: readonly Blob[];
  readonly keepMetadata: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws ClientError `file-too-large`, `file-unreadable`, `picture-damaged`, `video-damaged`, `bad-argument`, `storage-…`; the signal's reason */
export async function keepFiles(core: Core, { files, keepMetadata, signal }: KeepFiles): Promise<readonly KeptFile[]> {
  if (files.length === 0 || files.length > MAX_ATTACHMENTS)
    throw new ClientError("bad-argument", { detail: "a message has 1 to 16 files" });
  if (files.some(({ size }) => size > MAX_MEDIA_BYTES)) throw new ClientError("file-too-large");
  const kept: KeptFile[] = [];
  try {
    for (const [index, file] of files.entries()) kept.push(await keepFile(core, await prepared(file, keepMetadata), index, signal));
    return kept;
  } catch (error) {
    await dropFiles(core, kept);
    throw error;
  }
}

/** What is no file of anybody's: it has no name, and is nothing but its bytes. */
export async function keepBytes(core: Core, content: Blob, index: number, signal: AbortSignal): Promise<KeptFile> {
  return await keepFile(core, { name: "", mime: "", content, width: 0, height: 0, thumbhash: EMPTY }, index, signal);
}

/** Of a message that did not come about. */
export async function dropFiles(core: Core, kept: readonly KeptFile[]): Promise<void> {
  for (const { upload } of kept) await drop(core, upload);
}

/** In the transaction that stores their message: from here on `worker` brings them to the server. */
export function takeKept(records: Writer, kept: readonly KeptFile[], worker: Worker, message: MessageRecord): void {
  const { id, conversation, ordinal, author } = message;
  for (const { upload } of kept) {
    records.put(UPLOADS, { ...upload, state: "waiting", worker, message: { id, conversation, ordinal, author } }, upload.ordinal);
  }
  records.touch(UPLOADS_TOPIC);
}

/** As well as it goes: what a full disk leaves behind is swept later. */
async function drop({ vault }: Core, upload: Upload): Promise<void> {
  await forgetKept(vault, upload).catch(() => undefined);
}

export interface Prepared {
  readonly name: string;
  readonly mime: string;
  readonly content: Blob;
  readonly width: number;
  readonly height: number;
  readonly thumbhash: Bytes;
}

/**
 * What a picture, a video or a recording holds besides what it shows is left out. @throws ClientError `picture-damaged`,
 * `video-damaged` when nobody knows what that is
 */
async function prepared(file: Blob, keepMetadata: boolean): Promise<Prepared> {
  const name = safeName("name" in file ? String(file.name) : "");
  const asItIs = { name, mime: safeMime(file.type), content: file, width: 0, height: 0, thumbhash: EMPTY };
  const head = await allOf(file.slice(0, HEAD_BYTES));
  if ((await preparePicture(head, { keepMetadata })).outcome === "unknown") {
    return isVideo(head) ? await preparedVideo(asItIs, keepMetadata) : asItIs;
  }
  const picture = await preparePicture(await allOf(file), { keepMetadata });
  if (picture.outcome === "stripped" || picture.outcome === "kept") {
    const { kind, bytes, width, height } = picture;
    return { name, mime: `image/${kind}`, content: new Blob([bytes]), width, height, thumbhash: await blur(picture) };
  }
  if (keepMetadata) return asItIs;
  throw new ClientError("picture-damaged");
}

async function preparedVideo(asItIs: Prepared, keepMetadata: boolean): Promise<Prepared> {
  const video = await prepareVideo(asItIs.content, allOf);
  if (video.outcome === "stripped") {
    const { mime, width, height } = video;
    return { ...asItIs, mime, width, height, content: keepMetadata ? asItIs.content : video.content };
  }
  if (keepMetadata) return asItIs;
  throw new ClientError("video-damaged");
}

export async function allOf(file: Blob): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for await (const piece of bytesOf(file)) pieces.push(piece);
  return concat(...pieces);
}

export async function keepFile(
  core: Core,
  { content, ...described }: Prepared,
  index: number,
  signal: AbortSignal | undefined,
): Promise<KeptFile> {
  const { size } = content;
  const upload = await begin(core, index, encryptedMediaLength(size));
  try {
    const key = core.random(KEY_BYTES);
    const encrypted = new EncryptedMedia(bytesOf(content), size, new Secret(copy(key)));
    await keepPieces(core, upload, encrypted.stored, signal);
    return { upload, attachment: { ...described, size, key, digest: encrypted.digest(), stored: undefined } };
  } catch (error) {
    await drop(core, upload);
    // The file has become longer or shorter while it was read.
    throw error instanceof UsageError && error.code === "bad-argument" ? new ClientError("file-unreadable", { cause: error }) : error;
  }
}

async function begin({ vault, clock }: Core, index: number, length: number): Promise<Upload> {
  return await vault.write(async (records) => {
    const ordinal = await next(records, "job");
    const startedMilliseconds = clock.nowMilliseconds();
    const upload = { ordinal, state: "encrypting", startedMilliseconds, message: undefined, index, length, uploadId: undefined } as const;
    records.put(UPLOADS, upload, ordinal);
    return upload;
  });
}

async function keepPieces(
  { vault }: Core,
  { ordinal, length }: Upload,
  stored: AsyncIterable<Bytes>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let place = 0;
  for await (const piece of cut(stored, pieceLengths(length))) {
    signal?.throwIfAborted();
    await vault.write(async (records) => records.put(UPLOAD_PIECES, piece, ordinal, place));
    place++;
  }
}

/** @throws ClientError `file-unreadable` */
async function* bytesOf(file: Blob): AsyncGenerator<Bytes, void, undefined> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { value } = await reader.read().catch((cause: unknown) => {
        throw new ClientError("file-unreadable", { cause });
      });
      if (value === undefined) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
