// Ends an upload, or removes the file that it has become.

import { removeFile } from "../../media/index.ts";
import { uploadIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { refusalOf, requireTus } from "../tus.ts";

export async function deleteUpload({ request, parameters, services, nowSeconds }: Call): Promise<Response> {
  const media = requireMedia(services);
  requireTus(request.headers);
  const result = await removeFile(media, uploadIdOf(parameters), nowSeconds);
  if (result.kind !== "removed") throw refusalOf(result);
  return new Response(null, { status: 204 });
}
