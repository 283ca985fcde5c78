// How much of an upload is there for good: where its client carries on.

import { progressOf } from "../../media/index.ts";
import { uploadIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { progressHeaders, refusalOf, requireTus } from "../tus.ts";

export async function getUpload({ request, parameters, services }: Call): Promise<Response> {
  const media = requireMedia(services);
  requireTus(request.headers);
  const progress = await progressOf(media, uploadIdOf(parameters));
  if (progress.kind !== "progress") throw refusalOf(progress);
  return new Response(null, { status: 200, headers: { "upload-length": String(progress.length), ...progressHeaders(progress) } });
}
