// Somebody's log and keys to begin sessions with. Costs the caller's budget and the owner's, and says to the owner when
// few keys are left. Of a deleted account there is the log, which says so, and no keys.

import { encodeAccountKeys } from "#wire";
import { type LowKeys, takeKeys } from "../../keys/index.ts";
import { spendFetch } from "../budget.ts";
import { afterOf, userIdOf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { protobufAnswer } from "../schemas.ts";

export async function getKeys({ parameters, url, caller, services, nowSeconds, afterwards }: DeviceCall): Promise<Response> {
  const userId = userIdOf(parameters);
  const after = afterOf(url);
  await spendFetch(services.mailboxes, caller.userId);
  const requester = services.requesterName(caller.userId);
  const budget = await services.mailboxes.once(userId, (mailbox) => mailbox.spendKeyBudget(requester));
  if (budget.kind === "unknown") throw new Problem("not-found");
  const oneTimeFor = budget.kind === "deleted" ? [] : budget.oneTimeFor;
  const taken = await takeKeys(services.keys, { userId, after, oneTimeFor, nowSeconds });
  if (taken === undefined) throw new Problem("not-found");
  if (taken.low.length > 0) afterwards(tellOwner(services.mailboxes, userId, taken.low));
  return protobufAnswer(encodeAccountKeys(taken.keys));
}

async function tellOwner(
  mailboxes: DeviceCall["services"]["mailboxes"],
  userId: DeviceCall["caller"]["userId"],
  low: readonly LowKeys[],
): Promise<void> {
  // A notice that is lost is no loss: the device asks for its counts when it connects.
  await Promise.allSettled(
    low.map(({ deviceId, keys, remaining }) => mailboxes.once(userId, (mailbox) => mailbox.preKeysLow(deviceId, keys, remaining))),
  );
}
