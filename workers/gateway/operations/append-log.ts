// Lengthens the caller's own log. The mailbox leads: it decides, writes, and acts on what has changed.

import { base64url } from "jose";
import { decodeAppendLog, encodePreKeyUpload, MAX_APPEND_LOG_BYTES } from "#wire";
import { readProtobuf, userIdOf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { denied } from "../denied.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

export async function appendLog({ request, parameters, caller, services }: DeviceCall): Promise<Response> {
  // Another's log is as far away as one that is not there.
  if (userIdOf(parameters) !== caller.userId) throw new Problem("not-found");
  const { entry, preKeys } = await readProtobuf(request, MAX_APPEND_LOG_BYTES, decodeAppendLog);
  const upload = preKeys === undefined ? undefined : encodePreKeyUpload(preKeys);
  const result = await services.mailboxes.once(caller.userId, (mailbox) => mailbox.appendLog({ entry, upload }));
  services.devices.forget(caller.userId);
  switch (result.kind) {
    case "appended":
      return answer("appendLog", { head: { length: result.length, hash: base64url.encode(result.hash) } });
    case "conflict":
      throw new Problem("log-conflict");
    case "denied":
      throw denied(result.code);
    case "unknown":
      throw new Problem("not-found");
  }
}
