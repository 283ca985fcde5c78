// Stores a file that comes in one request, which may be repeated.

import { isDrawnByServer } from "#identity";
import { MAX_MEDIA_REQUEST_BYTES } from "#wire";
import { putFile } from "../../media/index.ts";
import { requireType, uploadIdOf } from "../body.ts";
import { spendMedia } from "../budget.ts";
import type { DeviceCall } from "../call.ts";
import { requireMedia } from "../media.ts";
import { Problem } from "../problem.ts";
import { mediaLength } from "../tus.ts";

export async function putMedia({ request, parameters, caller, services, nowSeconds }: DeviceCall): Promise<Response> {
  const media = requireMedia(services);
  const uploadId = uploadIdOf(parameters);
  // Those belong to uploads in several requests, which have their own way to the bucket.
  if (isDrawnByServer(uploadId)) throw new Problem("malformed", { reason: "bad-id" });
  requireType(request, "application/octet-stream");
  const length = declaredLength(request.headers);
  const { body } = request;
  if (body === null) throw new Problem("malformed", { reason: "bad-length" });
  const pay = async (): Promise<void> => await spendMedia(services.mailboxes, caller.userId, length);
  if ((await putFile(media, { uploadId, length, body, pay }, nowSeconds)) === "conflict") throw new Problem("version-conflict");
  return new Response(null, { status: 204 });
}

/** It has to be there: the bucket takes no body whose length nobody knows. */
function declaredLength(headers: Headers): number {
  const length = mediaLength(Number(headers.get("content-length") ?? 0));
  if (length > MAX_MEDIA_REQUEST_BYTES) throw new Problem("too-large");
  return length;
}
