// An upload that comes in several requests, by its id: each is a call of its object.

import type { Append, AppendResult, NoProgress, Progress } from "#durable-objects";
import { accessSecretOf, drawUploadId, isDrawnByServer, mediaIdOf } from "#identity";
import { type Random, sha256 } from "#crypto";
import { toHex, type UploadId } from "#wire";
import type { MediaServices } from "./services.ts";

const UNKNOWN: NoProgress = { kind: "unknown" };

/** Begins an upload of a file that is `length` bytes long. @throws Unavailable */
export async function createUpload(
  services: MediaServices,
  length: number,
  random: Random,
): Promise<{ readonly uploadId: UploadId; readonly progress: Progress | NoProgress }> {
  const uploadId = drawUploadId("server", random);
  const accessHash = accessHashOf(uploadId);
  const progress = await services.upload(mediaIdOf(uploadId), async (upload) => await upload.create({ length, accessHash }));
  return { uploadId, progress };
}

/** @throws Unavailable */
export async function progressOf(services: MediaServices, uploadId: UploadId): Promise<Progress | NoProgress> {
  if (!isDrawnByServer(uploadId)) return UNKNOWN;
  return await services.upload(mediaIdOf(uploadId), async (upload) => await upload.progress());
}

/** @throws Unavailable */
export async function append(
  services: MediaServices,
  uploadId: UploadId,
  append: Append,
  body: ReadableStream<Uint8Array>,
): Promise<AppendResult> {
  if (!isDrawnByServer(uploadId)) return UNKNOWN;
  return await services.uploadWithBody(mediaIdOf(uploadId), async (upload) => await upload.append(append, body));
}

/** What is kept beside a file, so that its readers can be told from others. */
export function accessHashOf(uploadId: UploadId): string {
  return toHex(sha256(accessSecretOf(uploadId)));
}
