// Takes a message for many on: promised when it is durable, and then on its way. Who sends is checked here and goes no further.

import { MAX_CHUNK_MAILBOXES, MAX_MULTI_RECIPIENT_BYTES, parseMessageId } from "#wire";
import { decodeToMany, submit } from "../../fan-out/index.ts";
import { parsed, readOctets } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { answer } from "../schemas.ts";

/** May be repeated: the same sender and message id are the same job, and have the same handle. */
export async function sendToMany({ request, caller, services }: DeviceCall): Promise<Response> {
  const messageId = parsed(() => parseMessageId(request.headers.get("idempotency-key")));
  const message = await readOctets(request, MAX_MULTI_RECIPIENT_BYTES, decodeToMany);
  // As many requests as chunks: what it costs is paid for. One is counted already.
  await services.limits.countUser(caller.userId, Math.ceil(message.addressees.length / MAX_CHUNK_MAILBOXES) - 1);
  const handle = await submit(services.fanOut, { sender: caller.userId, messageId, ...message });
  return answer("sendToMany", { handle });
}
