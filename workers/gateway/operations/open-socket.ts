// Hands a socket to the mailbox of the device that asks.

import { SOCKET_PROTOCOL } from "#wire";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";

export async function openSocket({ request, origin, caller, services }: DeviceCall): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new Problem("upgrade-required", { headers: { upgrade: "websocket" } });
  // Browsers say which page asks, and only ours may; programs say nothing.
  const page = request.headers.get("origin");
  if (page !== null && page !== origin) throw new Problem("not-admitted");
  // A request of our own: no address, no cookie, no token of the client's goes on to the mailbox.
  const upgrade = new Request(`https://mailbox/socket?device=${caller.deviceId}`, {
    headers: { upgrade: "websocket", "sec-websocket-protocol": SOCKET_PROTOCOL },
  });
  const response = await services.mailboxes.once(caller.userId, (mailbox) => mailbox.fetch(upgrade));
  // The mailbox knows of a revocation before this Worker's memory does.
  if (response.status !== 101) throw new Problem("unauthorized", { headers: { "www-authenticate": "Bearer" } });
  // As it comes: a response that is made anew would pin the socket here and keep the mailbox awake.
  return response;
}
