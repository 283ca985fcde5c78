// The bytes of a file, or some of them, for whoever has a temporary URL.

import { type FileAnswer, readFile } from "../../media/index.ts";
import { mediaIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireMedia } from "../media.ts";
import { Problem } from "../problem.ts";

export async function getMedia({ request, url, parameters, services, nowSeconds }: Call): Promise<Response> {
  const media = requireMedia(services);
  const reading = { mediaId: mediaIdOf(parameters), query: url.search, range: request.headers.get("range") };
  const file = await readFile(media, reading, nowSeconds);
  if (file === undefined) throw new Problem("not-found");
  if (file.kind === "unsatisfiable") throw new Problem("range-not-satisfiable", { headers: { "content-range": `bytes */${file.size}` } });
  return fileResponse(file);
}

function fileResponse({ body, size, slice }: Extract<FileAnswer, { readonly kind: "file" }>): Response {
  const headers = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
  if (slice === undefined) return new Response(body, { status: 200, headers });
  const range = `bytes ${slice.offset}-${slice.offset + slice.length - 1}/${size}`;
  return new Response(body, { status: 206, headers: { ...headers, "content-range": range } });
}
