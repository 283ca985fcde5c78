// One of the four blobs of a rendezvous, written. Whoever knows the id may: it is 256 random bits that two devices share.

import { MAX_LINK_BLOB_BYTES } from "#wire";
import { linkBlobOf, readOctets, rendezvousIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { Problem } from "../problem.ts";

export async function putLinkBlob({ request, parameters, services }: Call): Promise<Response> {
  const rendezvousId = rendezvousIdOf(parameters);
  const blob = linkBlobOf(parameters);
  const content = await readOctets(request, MAX_LINK_BLOB_BYTES, (bytes) => bytes);
  if (content.length === 0) throw new Problem("malformed", { reason: "truncated" });
  const { kind } = await services.meetings.put(rendezvousId, blob, content);
  if (kind === "gone") throw new Problem("gone");
  return new Response(undefined, { status: 204 });
}
