// A file that comes in one request, under an id that its client has drawn. Stored once: what is there is not replaced, and a
// repeat finds it.

import { mediaIdOf } from "#identity";
import type { UploadId } from "#wire";
import { findFile, storeOnce } from "./bucket.ts";
import type { MediaServices } from "./services.ts";
import { accessHashOf } from "./upload.ts";

export interface Put {
  readonly uploadId: UploadId;
  readonly length: number;
  /** Of `length` bytes, or it breaks off. */
  readonly body: ReadableStream;
  /** Asked before anything is stored, and not for a repeat. */
  readonly pay: () => Promise<void>;
}

/** `conflict`: something of another length is there. @throws Unavailable, and what `pay` throws */
export async function putFile(services: MediaServices, put: Put, nowSeconds: number): Promise<"stored" | "conflict"> {
  const mediaId = mediaIdOf(put.uploadId);
  const before = await findFile(services.bucket, mediaId, nowSeconds);
  if (before !== undefined) return before.size === put.length ? "stored" : "conflict";
  await put.pay();
  const { body, uploadId } = put;
  if ((await storeOnce(services.bucket, mediaId, { body, accessHash: accessHashOf(uploadId) })) === "stored") return "stored";
  const there = await findFile(services.bucket, mediaId, nowSeconds);
  return there?.size === put.length ? "stored" : "conflict";
}
