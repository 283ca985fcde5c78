// What a content does here: to messages, contacts, receipts. It was authenticated, allowed and put into order before; all of
// this is part of the one transaction that also keeps the session's new state.

import { assertNever, type Body, type Content, decodeContent, type DeviceAddress, type GroupId, type MessageId, type UserId } from "#wire";
import { conversationTopic, next, recordEvent } from "../core.ts";
import { contactOf } from "../records/contact.ts";
import {
  CONTACTS,
  type ConversationId,
  CONVERSATIONS,
  GROUPS,
  MESSAGES,
  type MessageRecord,
  OWED,
  type Owed,
  PLACES,
} from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { noteJoinRequest } from "../groups/invites.ts";
import { findGroup, isGroupId } from "../groups/state.ts";
import { toRecord } from "../media/attachments.ts";
import { compose, conversationOf, type Sending } from "../sending/compose.ts";

const MAX_REQUEST_MESSAGES = 100;

export interface Applied {
  readonly content: Content;
  readonly sender: DeviceAddress;
  /** Where it was said: with the sender, or in a group. */
  readonly conversation: ConversationId;
  readonly gapBefore: boolean;
}

export async function applyContent(sending: Sending, records: Writer, applied: Applied): Promise<void> {
  const { body } = applied.content;
  if ((await contactOf(records, applied.sender.userId)).state === "blocked") return;
  switch (body.kind) {
    case "text":
      await applyText(sending, records, applied, body);
      return;
    case "edit":
    case "delete":
    case "reaction":
      await applyChange(records, applied, body);
      return;
    case "receipt":
      await applyReceipt(sending, records, applied, body);
      return;
    case "profile":
      records.put(CONTACTS, { ...(await contactOf(records, applied.sender.userId)), name: body.name }, applied.sender.userId);
      records.touch("contacts");
      return;
    case "accept":
      await applyAccept(sending, records, applied.sender.userId, body);
      return;
    case "group-join":
      await noteJoinRequest(sending, records, applied.sender.userId, body.request);
      return;
    case "sync":
      await applySync(sending, records, applied, body);
      return;
    case "nothing":
    case "typing":
    case "presence-query":
    case "presence-answer":
    case "group-change":
    case "sender-key":
    case "decryption-error":
      return;
    default:
      assertNever(body);
  }
}

type BodyOf<Kind extends Body["kind"]> = Extract<Body, { readonly kind: Kind }>;

async function applyText(sending: Sending, records: Writer, applied: Applied, body: BodyOf<"text">): Promise<void> {
  if (isGroupId(applied.conversation)) await applyGroupText(sending, records, applied, applied.conversation, body);
  else await applyDirectText(records, applied, body);
}

/** In a group that somebody unknown has let us into, it waits like their own messages do. */
async function applyGroupText(
  sending: Sending,
  records: Writer,
  { content, sender, gapBefore }: Applied,
  groupId: GroupId,
  body: BodyOf<"text">,
): Promise<void> {
  const { userId } = sender;
  const isOwn = userId === sending.self.local.address.userId;
  const announced = (await records.get(GROUPS, groupId))?.standing !== "invited";
  const state = isOwn ? "sent" : "received";
  if (isOwn && (await findMessage(records, content.messageId, userId)) !== undefined) return;
  const message = await storeMessage(records, groupId, {
    ...messageFrom(content, body),
    author: userId,
    state,
    gapBefore,
    announced,
    seen: isOwn,
  });
  if (announced) await recordEvent(records, { type: "message", conversation: groupId, ordinal: message.ordinal });
  if (isOwn) return;
  const conversation = await conversationOf(records, groupId);
  records.put(CONVERSATIONS, { ...conversation, unread: conversation.unread + 1 }, groupId);
  if (announced) await owe(records, { conversation: groupId, userId }, "delivered", [message.id]);
}

async function applyDirectText(records: Writer, { content, sender, gapBefore }: Applied, body: BodyOf<"text">): Promise<void> {
  const { userId } = sender;
  const contact = await contactOf(records, userId);
  const isContact = contact.state === "accepted";
  const conversation = await conversationOf(records, userId);
  if (!isContact && conversation.unread >= MAX_REQUEST_MESSAGES) return;
  const message = await storeMessage(records, userId, {
    ...messageFrom(content, body),
    author: userId,
    state: "received",
    gapBefore,
    announced: isContact,
  });
  records.put(CONVERSATIONS, { ...(await conversationOf(records, userId)), unread: conversation.unread + 1 }, userId);
  if (isContact) {
    await recordEvent(records, { type: "message", conversation: userId, ordinal: message.ordinal });
    await owe(records, { conversation: userId, userId }, "delivered", [message.id]);
  } else if (contact.state === "none") {
    records.put(CONTACTS, { ...contact, state: "request" }, userId);
    records.touch("contacts");
    await recordEvent(records, { type: "request", from: userId });
  }
}

/** Whom a receipt is for, and about which conversation. */
export type OwedTo = Pick<Owed, "conversation" | "userId">;

export async function owe(records: Writer, to: OwedTo, kind: "delivered" | "read", ids: readonly MessageId[]): Promise<void> {
  const owed = (await records.get(OWED, to.conversation, to.userId)) ?? { ...to, delivered: [], read: [] };
  records.put(OWED, { ...owed, [kind]: [...owed[kind], ...ids] }, to.conversation, to.userId);
  records.touch("owed");
}

type NewMessage = Omit<MessageRecord, "ordinal" | "conversation">;

function messageFrom(content: Content, body: BodyOf<"text">): Omit<NewMessage, "author" | "state" | "gapBefore" | "announced"> {
  const { replyTo, attachments } = body;
  return {
    id: content.messageId,
    text: body.text,
    sentAt: content.sentAt,
    error: undefined,
    replyTo: replyTo === undefined ? undefined : { author: replyTo.author, id: replyTo.messageId },
    history: [],
    editedAt: undefined,
    deleted: false,
    reactions: {},
    seen: false,
    ...(attachments.length === 0 ? {} : { attachments: attachments.map(toRecord) }),
  };
}

/** At the end of its conversation. */
export async function storeMessage(records: Writer, conversation: ConversationId, message: NewMessage): Promise<MessageRecord> {
  const ordinal = await next(records, "message");
  const stored = { ...message, conversation, ordinal };
  records.put(MESSAGES, stored, conversation, ordinal);
  records.put(PLACES, { conversation, ordinal, author: message.author }, message.id, message.author);
  records.put(CONVERSATIONS, { ...(await conversationOf(records, conversation)), lastOrdinal: ordinal }, conversation);
  records.touch(conversationTopic(conversation));
  return stored;
}

/** By its author's word only: an id alone could be anybody's. */
export async function findMessage(records: Writer, id: MessageId, author: UserId): Promise<MessageRecord | undefined> {
  const place = await records.get(PLACES, id, author);
  return place === undefined ? undefined : await records.get(MESSAGES, place.conversation, place.ordinal);
}

export function putMessage(records: Writer, message: MessageRecord): void {
  records.put(MESSAGES, message, message.conversation, message.ordinal);
  records.touch(conversationTopic(message.conversation));
}

async function applyChange(
  records: Writer,
  { content, sender, conversation }: Omit<Applied, "gapBefore">,
  body: BodyOf<"edit" | "delete" | "reaction">,
): Promise<void> {
  const by = sender.userId;
  const author = body.kind === "reaction" ? body.target.author : by;
  const message = await findMessage(records, body.kind === "reaction" ? body.target.messageId : body.messageId, author);
  // In its own conversation: nobody changes what was said elsewhere.
  if (message?.conversation !== conversation) return;
  const changed = changeMessage(message, by, body, content.sentAt);
  if (changed === undefined) return;
  putMessage(records, changed);
  if (!message.announced && message.state === "received") return;
  const emoji = body.kind === "reaction" ? body.emoji : undefined;
  await recordEvent(records, { type: body.kind, from: by, conversation, ordinal: message.ordinal, emoji });
}

/** `undefined` when it changes nothing. */
export function changeMessage(
  message: MessageRecord,
  by: UserId,
  body: BodyOf<"edit" | "delete" | "reaction">,
  sentAt: number,
): MessageRecord | undefined {
  switch (body.kind) {
    case "edit": {
      if (message.deleted || message.text === body.text) return undefined;
      const before = { text: message.text, sentAt: message.editedAt ?? message.sentAt };
      return { ...message, text: body.text, editedAt: sentAt, history: [...message.history, before].slice(-20) };
    }
    case "delete":
      return message.deleted ? undefined : { ...message, deleted: true, text: "", history: [], reactions: {}, attachments: [] };
    case "reaction": {
      const before = message.reactions[by];
      if (message.deleted || (before !== undefined && before.sentAt > sentAt) || (before?.emoji ?? "") === body.emoji) return undefined;
      const { [by]: _, ...others } = message.reactions;
      return { ...message, reactions: body.emoji === "" ? others : { ...others, [by]: { emoji: body.emoji, sentAt } } };
    }
    default:
      return assertNever(body);
  }
}

const RANK: Readonly<Record<MessageRecord["state"], number>> = { failed: 0, queued: 0, sent: 1, delivered: 2, read: 3, received: 9 };

/** About messages that we wrote to them, or in the group that it is about, and no others. */
async function applyReceipt(sending: Sending, records: Writer, { sender, conversation }: Applied, body: BodyOf<"receipt">): Promise<void> {
  const { userId } = sending.self.local.address;
  const by = sender.userId;
  const others = isGroupId(conversation) ? await othersIn(records, conversation, userId) : undefined;
  const changed: MessageId[] = [];
  for (const id of body.messageIds) {
    const message = await findMessage(records, id, userId);
    const next = message?.conversation === conversation ? confirmed(message, by, body.receipt, others) : undefined;
    if (next === undefined) continue;
    putMessage(records, next);
    changed.push(id);
  }
  if (changed.length > 0) await recordEvent(records, { type: "receipt", kind: body.receipt, by, messageIds: changed });
}

async function othersIn(records: Writer, groupId: GroupId, own: UserId): Promise<readonly UserId[]> {
  const group = await findGroup(records, groupId);
  return (group?.state.members ?? []).map(({ userId }) => userId).filter((userId) => userId !== own);
}

/**
 * The message once somebody has it; `undefined` when that is no news. In a group it is delivered, or read, when all `others` say so:
 * those who are in it now.
 */
function confirmed(
  message: MessageRecord,
  by: UserId,
  receipt: "delivered" | "read",
  others: readonly UserId[] | undefined,
): MessageRecord | undefined {
  if (others === undefined) return RANK[message.state] >= RANK[receipt] ? undefined : { ...message, state: receipt, error: undefined };
  const before = message.receipts?.[by];
  if (before !== undefined && RANK[before] >= RANK[receipt]) return undefined;
  const receipts: NonNullable<MessageRecord["receipts"]> = { ...message.receipts, [by]: receipt };
  const least = Math.min(...others.map((userId) => RANK[receipts[userId] ?? "sent"]));
  const reached = (["read", "delivered"] as const).find((state) => least >= RANK[state] && RANK[message.state] < RANK[state]);
  return { ...message, receipts, ...(reached === undefined ? {} : { state: reached, error: undefined }) };
}

/** They know us. Whoever began does the same, once. */
async function applyAccept(sending: Sending, records: Writer, userId: UserId, body: BodyOf<"accept">): Promise<void> {
  const contact = await contactOf(records, userId);
  records.put(CONTACTS, { ...contact, theirSecret: body.deliverySecret }, userId);
  records.touch("contacts");
  if (contact.state === "accepted") await sendAccept(sending, records, userId);
}

/** Says that we accept them, with our name, unless that was said before. */
async function sendAccept(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  const contact = await contactOf(records, userId);
  if (contact.ourSecret !== undefined) return;
  const ourSecret = sending.random(32);
  records.put(CONTACTS, { ...contact, ourSecret }, userId);
  await compose(sending, records, { recipient: userId, body: { kind: "accept", deliverySecret: ourSecret } });
}

/** What another device of ours did. */
async function applySync(sending: Sending, records: Writer, { sender }: Applied, { sync }: BodyOf<"sync">): Promise<void> {
  switch (sync.kind) {
    case "sent":
      await applySent(records, decodeContent(sync.content), sender);
      return;
    case "contact": {
      const contact = await contactOf(records, sync.userId);
      if (sync.state === "accepted") await acceptedElsewhere(sending, records, sync.userId);
      else if (sync.state === "blocked") records.put(CONTACTS, { ...contact, state: "blocked" }, sync.userId);
      else if (sync.state === "unblocked") records.put(CONTACTS, { ...contact, state: "none" }, sync.userId);
      records.touch("contacts");
      return;
    }
    case "read":
      for (const { author, messageId } of sync.messages) {
        const message = await findMessage(records, messageId, author);
        if (message !== undefined && !message.seen) await see(records, message);
      }
      return;
    case "device-name":
      return;
    default:
      assertNever(sync);
  }
}

async function applySent(records: Writer, content: Content, sender: DeviceAddress): Promise<void> {
  const { conversation, body } = content;
  if (conversation.kind !== "direct") return;
  const { recipient } = conversation;
  if (body.kind === "edit" || body.kind === "delete" || body.kind === "reaction") {
    await applyChange(records, { content, sender, conversation: recipient }, body);
  }
  if (body.kind !== "text" || (await findMessage(records, content.messageId, sender.userId)) !== undefined) return;
  const contact = await contactOf(records, recipient);
  if (contact.state === "none") records.put(CONTACTS, { ...contact, state: "accepted" }, recipient);
  const message = { ...messageFrom(content, body), author: sender.userId, gapBefore: false, announced: true, seen: true };
  const stored = await storeMessage(records, recipient, { ...message, state: "sent" });
  await recordEvent(records, { type: "message", conversation: recipient, ordinal: stored.ordinal });
}

export async function see(records: Writer, message: MessageRecord): Promise<void> {
  putMessage(records, { ...message, seen: true });
  const conversation = await conversationOf(records, message.conversation);
  records.put(CONVERSATIONS, { ...conversation, unread: Math.max(0, conversation.unread - 1) }, message.conversation);
}

/** From now on a contact; what they wrote before is told now, and receipts are owed for it. */
export async function acceptContact(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  await welcome(sending, records, userId);
  await sendAccept(sending, records, userId);
}

/** Another device of ours has told them. This one does so as well, if it has heard of them. */
async function acceptedElsewhere(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  await welcome(sending, records, userId);
  if ((await sending.accounts.find(records, userId)) !== undefined) await sendAccept(sending, records, userId);
}

async function welcome(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  const contact = await contactOf(records, userId);
  records.put(CONTACTS, { ...contact, state: "accepted" }, userId);
  records.touch("contacts");
  const rows = contact.state === "accepted" ? [] : await records.page(MESSAGES, [userId]);
  for (const { value: message } of rows.filter((row) => !row.value.announced)) {
    putMessage(records, { ...message, announced: true });
    await recordEvent(records, { type: "message", conversation: userId, ordinal: message.ordinal });
    await owe(records, { conversation: userId, userId }, "delivered", [message.id]);
  }
  await admit(sending, records, userId);
}

/** Groups into which somebody has let us who is a contact now. */
async function admit(sending: Sending, records: Writer, inviter: UserId): Promise<void> {
  for (const known of await records.all(GROUPS)) {
    if (known.standing !== "invited" || known.invitedBy !== inviter || known.record === undefined) continue;
    const { groupId } = known;
    records.put(GROUPS, { ...known, standing: "member" }, groupId);
    const notice = { type: "notice", kind: "group-changed", peer: inviter, deviceId: undefined, reason: "joined", groupId } as const;
    await recordEvent(records, notice);
    for (const { value: message } of await records.page(MESSAGES, [groupId])) {
      if (message.announced) continue;
      putMessage(records, { ...message, announced: true });
      await recordEvent(records, { type: "message", conversation: groupId, ordinal: message.ordinal });
      if (message.author !== sending.self.local.address.userId)
        await owe(records, { conversation: groupId, userId: message.author }, "delivered", [message.id]);
    }
  }
}
