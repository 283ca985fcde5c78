// The budgets that an account has for a day: to ask about others, and to upload. They are counted in the caller's own mailbox.

import type { UserId } from "#wire";
import type { Mailboxes } from "./mailboxes.ts";
import { Problem } from "./problem.ts";

/** It comes back with the day; nobody needs to know when that is. */
const RETRY_SECONDS = 3600;

/** @throws Problem `rate-limited` */
export async function spendFetch(mailboxes: Mailboxes, caller: UserId): Promise<void> {
  const spent = await mailboxes.once(caller, (mailbox) => mailbox.spendFetchBudget());
  if (!spent) throw new Problem("rate-limited", { retryAfterSeconds: RETRY_SECONDS });
}

/** @param bytes that the caller is about to upload. @throws Problem `rate-limited` */
export async function spendMedia(mailboxes: Mailboxes, caller: UserId, bytes: number): Promise<void> {
  const spent = await mailboxes.once(caller, (mailbox) => mailbox.spendMediaBudget(bytes));
  if (!spent) throw new Problem("rate-limited", { retryAfterSeconds: RETRY_SECONDS });
}
