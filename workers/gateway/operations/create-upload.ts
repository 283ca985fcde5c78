// Begins an upload, with the first bytes of the file if the request brings some. The account pays for all of it, now and
// whatever comes of it. Who that is goes no further.

import { pathOf } from "#wire";
import { append, createUpload as create } from "../../media/index.ts";
import { spendMedia } from "../budget.ts";
import type { DeviceCall } from "../call.ts";
import { requireMedia } from "../media.ts";
import { announcedIn, progressHeaders, refusalOf, requireTus, uploadLengthOf } from "../tus.ts";

export async function createUpload({ request, caller, services }: DeviceCall): Promise<Response> {
  const media = requireMedia(services);
  requireTus(request.headers);
  const length = uploadLengthOf(request.headers);
  const body = firstBytes(request);
  const announced = body === undefined ? undefined : announcedIn(request);
  await spendMedia(services.mailboxes, caller.userId, length);
  const { uploadId, progress } = await create(media, length, services.random);
  const begun =
    body === undefined
      ? progress
      : await append(media, uploadId, { offset: 0, declaredLength: undefined, digest: undefined, ...announced }, body);
  if (begun.kind !== "progress") throw refusalOf(begun);
  const location = pathOf("getUpload", { uploadId });
  return new Response(null, { status: 201, headers: { location, ...progressHeaders(begun) } });
}

function firstBytes({ headers, body }: Request): ReadableStream<Uint8Array> | undefined {
  // The platform makes a body of `Content-Length: 0` too.
  const stream: ReadableStream<Uint8Array> | null = headers.get("content-length") === "0" ? null : body;
  return stream ?? undefined;
}
