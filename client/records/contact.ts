// What is known of somebody, also of a stranger.

import type { UserId } from "#wire";
import { type Contact, CONTACTS } from "./tables.ts";
import type { Reader } from "./vault.ts";

export async function contactOf(records: Reader, userId: UserId): Promise<Contact> {
  const known = await records.get(CONTACTS, userId);
  if (known !== undefined) return known;
  const nothing = { name: undefined, username: undefined, ourSecret: undefined, theirSecret: undefined, verifiedAt: undefined };
  return { userId, state: "none", ...nothing };
}
