// Lengthens an upload. The body goes to its object as it comes.

import { append } from "../../media/index.ts";
import { uploadIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { announcedIn, progressHeaders, refusalOf, requireTus, uploadOffsetOf } from "../tus.ts";

export async function appendUpload({ request, parameters, services }: Call): Promise<Response> {
  const media = requireMedia(services);
  requireTus(request.headers);
  const uploadId = uploadIdOf(parameters);
  const announced = announcedIn(request);
  const offset = uploadOffsetOf(request.headers);
  const body: ReadableStream<Uint8Array> | null = request.body;
  const result = await append(media, uploadId, { offset, ...announced }, body ?? emptyBody());
  if (result.kind !== "progress") throw refusalOf(result);
  return new Response(null, { status: 204, headers: progressHeaders(result) });
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ type: "bytes", start: (controller) => controller.close() });
}
