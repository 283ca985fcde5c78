// Puts one new device in the place of all: the one entry that a recovery key may write. The proof comes first, so that the answers
// about the entry say nothing of the log to anybody else; the mailbox leads, as for every entry.

import { base64url } from "jose";
import { decodeAppendLog, decodeLogEntry, decodeLogStatement, encodePreKeyUpload, MAX_APPEND_LOG_BYTES } from "#wire";
import { parsed, readProtobuf } from "../body.ts";
import type { Call } from "../call.ts";
import { denied } from "../denied.ts";
import { Problem } from "../problem.ts";
import { requireRecoveryKey } from "../recovery.ts";
import { answer } from "../schemas.ts";

export async function recoverAccount(call: Call): Promise<Response> {
  const { userId } = await requireRecoveryKey(call);
  const { entry, preKeys } = await readProtobuf(call.request, MAX_APPEND_LOG_BYTES, decodeAppendLog);
  const { signer } = parsed(() => decodeLogStatement(decodeLogEntry(entry).statement));
  if (signer !== undefined || preKeys === undefined) throw new Problem("malformed", { reason: "not-authorized" });
  const upload = encodePreKeyUpload(preKeys);
  const result = await call.services.mailboxes.once(userId, (mailbox) => mailbox.appendLog({ entry, upload }));
  call.services.devices.forget(userId);
  switch (result.kind) {
    case "appended":
      return answer("recoverAccount", { head: { length: result.length, hash: base64url.encode(result.hash) } });
    case "conflict":
      throw new Problem("log-conflict");
    case "denied":
      throw denied(result.code);
    case "unknown":
      throw new Problem("not-found");
  }
}
