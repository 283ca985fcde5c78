// A new device asks an account's devices to link it. Nobody has signed anything, so the answer says the same about accounts that
// are there and others, and so does the time it takes: the mailbox, which counts how often it is asked, is told afterwards.

import { decodeLinkRequest, MAX_LINK_REQUEST_BYTES } from "#wire";
import { readProtobuf, userIdOf } from "../body.ts";
import type { Call } from "../call.ts";

export async function requestLink({ request, parameters, services, afterwards }: Call): Promise<Response> {
  const userId = userIdOf(parameters);
  const { rendezvousId, commitment } = await readProtobuf(request, MAX_LINK_REQUEST_BYTES, decodeLinkRequest);
  await services.limits.countTarget(userId);
  afterwards(services.mailboxes.retried(userId, (mailbox) => mailbox.requestLink({ rendezvousId, commitment: commitment.slice() })));
  return new Response(undefined, { status: 202 });
}
