// What of tus this server can do.

import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { TUS_OPTIONS } from "../tus.ts";

export function getUploadOptions({ services }: Call): Response {
  requireMedia(services);
  return new Response(null, { status: 204, headers: TUS_OPTIONS });
}
