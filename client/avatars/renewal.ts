// When a picture has to go to the server again: it forgets every file after 30 days, and whoever meets us later asks for it. Who has set it
// does so first; another device of theirs, or another admin of the group, some days later. Two at once do no harm.

import { isGroupAdmin } from "#protocol";
import { AVATAR_RENEWAL_BY_OTHERS_SECONDS, AVATAR_RENEWAL_SECONDS, sameBytes } from "#wire";
import { findGroup, isGroupId } from "../groups/state.ts";
import type { AvatarRecord } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { shownOf } from "./records.ts";

/** Whether the server is about to forget what we answer for: our own, and those of groups of which we are an admin. */
export async function isRenewalDue({ clock, self }: Sending, records: Reader, row: AvatarRecord): Promise<boolean> {
  const { of, told, changedMilliseconds, isOurs, pending } = row;
  const due = isOurs ? AVATAR_RENEWAL_SECONDS : AVATAR_RENEWAL_BY_OTHERS_SECONDS;
  const isOld = clock.nowMilliseconds() - changedMilliseconds > due * 1000;
  if (told?.contentDigest === undefined || !isOld || (pending !== undefined && pending.error === undefined)) return false;
  const shown = await shownOf(records, of);
  if (shown === undefined || !sameBytes(shown.digest, told.contentDigest)) return false;
  const own = self.local.address.userId;
  if (!isGroupId(of)) return of === own;
  const group = await findGroup(records, of);
  return group?.known.standing === "member" && group.known.broken === undefined && isGroupAdmin(group.state, own);
}
