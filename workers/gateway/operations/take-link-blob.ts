// One of the four blobs of a rendezvous, handed out for good. Nobody is kept waiting for one that is not there yet: a call that
// is held would keep the object awake, so devices ask again.

import { linkBlobOf, rendezvousIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { Problem } from "../problem.ts";

export async function takeLinkBlob({ parameters, services }: Call): Promise<Response> {
  const taken = await services.meetings.take(rendezvousIdOf(parameters), linkBlobOf(parameters));
  switch (taken.kind) {
    case "blob":
      return new Response(taken.content, { headers: { "content-type": "application/octet-stream" } });
    case "empty":
      throw new Problem("not-found");
    case "gone":
      throw new Problem("gone");
  }
}
