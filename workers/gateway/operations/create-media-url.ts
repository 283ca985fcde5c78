// A temporary URL of a file, for whoever shows the access secret that came with the file's pointer. No account is asked for: who
// reads what is nobody's business.

import { base64url } from "jose";
import { type Bytes, copy, MEDIA_SCHEME } from "#wire";
import { mediaUrl } from "../../media/index.ts";
import { mediaIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

export async function createMediaUrl({ request, parameters, services, nowSeconds }: Call): Promise<Response> {
  const media = requireMedia(services);
  const mediaId = mediaIdOf(parameters);
  const secret = secretIn(request.headers);
  const url = secret === undefined ? undefined : await mediaUrl(media, mediaId, secret, nowSeconds);
  if (url === undefined) throw new Problem("not-found");
  return answer("createMediaUrl", url);
}

function secretIn(headers: Headers): Bytes | undefined {
  const text = SECRET.exec(headers.get("authorization") ?? "")?.[1];
  return text === undefined ? undefined : copy(base64url.decode(text));
}

/** 32 bytes in base64url. */
const SECRET = new RegExp(`^${MEDIA_SCHEME} ([\\w-]{43})$`, "i");
