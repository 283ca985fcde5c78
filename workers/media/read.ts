// Reading a file: a temporary URL for whoever shows its access secret, and the bytes, or some of them, for whoever has the URL.
// Nobody is told whether it was the file, the secret or the URL that was wrong.

import { mediaKey } from "#durable-objects";
import type { Bytes, MediaId } from "#wire";
import { asked, findFile, isExpired, opens } from "./bucket.ts";
import { type Slice, sliceOf } from "./range.ts";
import type { MediaServices } from "./services.ts";
import type { MediaUrl } from "./urls.ts";

/** `undefined` for a file that is not there, and for a wrong secret. @throws Unavailable */
export async function mediaUrl(
  { bucket, urls }: MediaServices,
  mediaId: MediaId,
  accessSecret: Bytes,
  nowSeconds: number,
): Promise<MediaUrl | undefined> {
  const file = await findFile(bucket, mediaId, nowSeconds);
  return file !== undefined && opens(file, accessSecret) ? urls.issue(mediaId, nowSeconds) : undefined;
}

export interface Reading {
  readonly mediaId: MediaId;
  /** Of the URL, with its question mark. */
  readonly query: string;
  /** The header. */
  readonly range: string | null;
}

export type FileAnswer =
  | { readonly kind: "file"; readonly body: ReadableStream; readonly size: number; readonly slice: Slice | undefined }
  | { readonly kind: "unsatisfiable"; readonly size: number };

/** `undefined` for what there is no file to. @throws Unavailable */
export async function readFile(services: MediaServices, reading: Reading, nowSeconds: number): Promise<FileAnswer | undefined> {
  const { mediaId, query, range } = reading;
  if (!services.urls.accepts(mediaId, query, nowSeconds)) return undefined;
  if (range === null) return await open(services.bucket, mediaId, undefined, nowSeconds);
  const found = await findFile(services.bucket, mediaId, nowSeconds);
  if (found === undefined) return undefined;
  const slice = sliceOf(range, found.size);
  if (slice === "unsatisfiable") return { kind: "unsatisfiable", size: found.size };
  return await open(services.bucket, mediaId, slice, nowSeconds);
}

async function open(bucket: R2Bucket, mediaId: MediaId, slice: Slice | undefined, nowSeconds: number): Promise<FileAnswer | undefined> {
  const file = await asked(bucket.get(mediaKey(mediaId), slice === undefined ? {} : { range: slice }));
  if (file === null) return undefined;
  const { body, size } = file;
  if (!isExpired(file, nowSeconds)) return { kind: "file", body, size, slice };
  await body.cancel();
  return undefined;
}
