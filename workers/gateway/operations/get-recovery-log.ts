// A page of an account's log, for whoever proves its recovery key.

import { encodeAccountLog, MAX_LOG_PAGE_ENTRIES } from "#wire";
import { afterOf } from "../body.ts";
import type { Call } from "../call.ts";
import { requireRecoveryKey } from "../recovery.ts";
import { protobufAnswer } from "../schemas.ts";

export async function getRecoveryLog(call: Call): Promise<Response> {
  const after = afterOf(call.url);
  const { entries } = await requireRecoveryKey(call);
  return protobufAnswer(encodeAccountLog({ entries: entries.slice(after, after + MAX_LOG_PAGE_ENTRIES) }));
}
