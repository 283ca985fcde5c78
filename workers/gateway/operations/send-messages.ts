// Puts a message into the mailbox of one user, a copy for each device. Who sends is checked here and goes no further.

import { decodeSendRequest, MAX_SEND_REQUEST_BYTES, type SendRequest } from "#wire";
import { readProtobuf, userIdOf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

/** May be repeated: the message id tells the mailbox that it has this message. */
export async function sendMessages({ request, parameters, services }: DeviceCall): Promise<Response> {
  const userId = userIdOf(parameters);
  const send = await readProtobuf(request, MAX_SEND_REQUEST_BYTES, decodeSendRequest);
  requireDistinctDevices(send);
  const { messageId, scope, ephemeral, devices } = send;
  const copies = devices.map(({ deviceId, registrationId, content }) => ({ deviceId, registrationId, content }));
  const result = await services.mailboxes.retried(userId, (mailbox) => mailbox.accept({ messageId, scope, ephemeral, devices: copies }));
  switch (result.kind) {
    case "accepted":
      return answer("sendMessages", {});
    case "devices-changed": {
      const { missing, extra, stale } = result;
      throw new Problem("devices-changed", { members: { missing, extra, stale } });
    }
    case "mailbox-full":
      throw new Problem("mailbox-full");
    case "deleted":
      throw new Problem("account-deleted");
    case "unknown":
      throw new Problem("not-found");
  }
}

function requireDistinctDevices({ devices }: SendRequest): void {
  const distinct = new Set(devices.map(({ deviceId }) => deviceId)).size === devices.length;
  if (!distinct || devices.length === 0) throw new Problem("malformed", { reason: "bad-value" });
}
