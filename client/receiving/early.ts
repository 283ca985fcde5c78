// What comes about a message before the message itself: a receipt or a reaction of somebody who has it already, while the copy from
// our other device, which wrote it, is still on its way; or word that it was read there. It waits and is acted on when the message is
// here. Knows no conversation.

import { type Body, MAILBOX_TTL_SECONDS, type MessageId, type UserId } from "#wire";
import { type ConversationId, EARLY } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";

/** About one message; who says more was heard. */
const MAX_EARLY = 32;

export interface Early {
  readonly by: UserId;
  readonly conversation: ConversationId;
  readonly sentAt: number;
  readonly body: EarlyBody;
}

export type EarlyBody =
  | Extract<Body, { readonly kind: "edit" | "delete" | "reaction" }>
  | { readonly kind: "receipt"; readonly receipt: "delivered" | "read" }
  /** By ourselves. */
  | { readonly kind: "seen" };

/** A message is known by its author, too: an id alone could be anybody's. */
export interface Awaited {
  readonly id: MessageId;
  readonly author: UserId;
}

export async function keepEarly(records: Writer, { id, author }: Awaited, early: Early, nowMilliseconds: number): Promise<void> {
  const known = (await records.get(EARLY, id, author))?.early ?? [];
  if (known.length < MAX_EARLY)
    records.put(EARLY, { id, author, sinceMilliseconds: nowMilliseconds, early: [...known, early] }, id, author);
}

/** In the order in which it came. */
export async function takeEarly(records: Writer, { id, author }: Awaited): Promise<readonly Early[]> {
  const kept = await records.get(EARLY, id, author);
  if (kept === undefined) return [];
  records.delete(EARLY, id, author);
  return kept.early;
}

/** What has waited for as long as a message may be on its way waits for nothing. */
export async function sweepEarly(records: Writer, nowMilliseconds: number): Promise<void> {
  for (const { id, author, sinceMilliseconds } of await records.all(EARLY)) {
    if (nowMilliseconds - sinceMilliseconds > MAILBOX_TTL_SECONDS * 1000) records.delete(EARLY, id, author);
  }
}
