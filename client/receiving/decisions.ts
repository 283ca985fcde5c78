// What becomes of a person who is blocked or unblocked, here or on another device of ours.

import type { UserId } from "#wire";
import { contactOf } from "../records/contact.ts";
import { CONTACTS, CONVERSATIONS, OWED } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { conversationOf } from "../sending/compose.ts";

/** Nothing of theirs is shown or answered any more. */
export async function block(records: Writer, userId: UserId): Promise<void> {
  const contact = await contactOf(records, userId);
  const wasAccepted = contact.state === "blocked" ? contact.wasAccepted === true : contact.state === "accepted";
  records.put(CONTACTS, { ...contact, state: "blocked", ourSecret: undefined, wasAccepted }, userId);
  records.put(CONVERSATIONS, { ...(await conversationOf(records, userId)), unread: 0 }, userId);
  records.delete(OWED, userId, userId);
  records.touch("contacts");
}

/** A stranger again. True when they were a contact before. */
export async function unblock(records: Writer, userId: UserId): Promise<boolean> {
  const contact = await contactOf(records, userId);
  if (contact.state !== "blocked") return false;
  records.put(CONTACTS, { ...contact, state: "none" }, userId);
  records.touch("contacts");
  return contact.wasAccepted === true;
}
