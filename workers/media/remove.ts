// The end of a file, or of what came of one, for whoever has its uploadId.

import { mediaKey, type NoProgress } from "#durable-objects";
import { isDrawnByServer, mediaIdOf } from "#identity";
import type { UploadId } from "#wire";
import { asked, findFile } from "./bucket.ts";
import type { MediaServices } from "./services.ts";

/** @throws Unavailable */
export async function removeFile(
  services: MediaServices,
  uploadId: UploadId,
  nowSeconds: number,
): Promise<{ readonly kind: "removed" } | NoProgress> {
  const mediaId = mediaIdOf(uploadId);
  if (isDrawnByServer(uploadId)) return await services.upload(mediaId, async (upload) => await upload.remove());
  if ((await findFile(services.bucket, mediaId, nowSeconds)) === undefined) return { kind: "unknown" };
  await asked(services.bucket.delete(mediaKey(mediaId)));
  return { kind: "removed" };
}
