// What a content does here: to messages, contacts, receipts. It was authenticated, allowed and put into order before; all of
// this is part of the one transaction that also keeps the session's new state.

import {
  assertNever,
  type Body,
  type Bytes,
  type Content,
  decodeContent,
  type DeviceAddress,
  type GroupId,
  type MessageId,
  serviceIdOfDevice,
  type UserId,
  WireError,
} from "#wire";
import { AVATARS_TOPIC, takeFromPerson } from "../avatars/records.ts";
import { conversationTopic, next, recordEvent } from "../core.ts";
import { contactOf } from "../records/contact.ts";
import {
  CONTACTS,
  type ConversationId,
  CONVERSATIONS,
  GROUPS,
  HISTORY_ROOM,
  MESSAGES,
  type MessageRecord,
  OWED,
  type Owed,
  PLACES,
} from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { noteJoinRequest } from "../groups/invites.ts";
import { findGroup, isGroupId } from "../groups/state.ts";
import { isHistoryComing } from "../history/taking.ts";
import { unwantFilesOf } from "../media/stored-records.ts";
import { toRecord } from "../media/attachments.ts";
import { canCompose, compose, conversationOf, type Sending } from "../sending/compose.ts";
import { hasOtherDevices } from "../sending/own-devices.ts";
import { type Awaited, type Early, keepEarly, takeEarly } from "./early.ts";

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
      await applyChange(sending, records, changeIn(applied), body);
      return;
    case "receipt":
      await applyReceipt(sending, records, changeIn(applied), body);
      return;
    case "profile":
      await applyProfile(sending, records, applied, body);
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

/** Of ourselves, in a group, our other devices have told this one before. */
async function applyProfile(sending: Sending, records: Writer, { content, sender }: Applied, body: BodyOf<"profile">): Promise<void> {
  records.put(CONTACTS, { ...(await contactOf(records, sender.userId)), name: body.name }, sender.userId);
  records.touch("contacts");
  if (sender.userId === sending.self.local.address.userId) return;
  await takeFromPerson(records, sender, { pointer: body.avatar, sentAt: content.sentAt });
}

type BodyOf<Kind extends Body["kind"]> = Extract<Body, { readonly kind: Kind }>;

async function applyText(sending: Sending, records: Writer, applied: Applied, body: BodyOf<"text">): Promise<void> {
  if (isGroupId(applied.conversation)) await applyGroupText(sending, records, applied, applied.conversation, body);
  else await applyDirectText(sending, records, applied, body);
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
  if (await isGiven(records, content.messageId, userId)) return;
  const message = await storeMessage(records, groupId, {
    ...messageFrom(content, body),
    author: userId,
    state,
    gapBefore,
    announced,
    seen: isOwn,
  });
  if (announced) await recordEvent(records, { type: "message", conversation: groupId, ordinal: message.ordinal });
  if (!isOwn) await countUnread(records, groupId);
  await applyEarly(sending, records, message);
  if (isOwn) return;
  if (announced) await owe(records, { conversation: groupId, userId }, "delivered", [message.id]);
}

/** Another device of ours has given it, as one of before, and it comes itself only now. */
async function isGiven(records: Writer, id: MessageId, author: UserId): Promise<boolean> {
  const place = await records.get(PLACES, id, author);
  return place !== undefined && place.ordinal <= HISTORY_ROOM;
}

async function countUnread(records: Writer, id: ConversationId): Promise<void> {
  const conversation = await conversationOf(records, id);
  records.put(CONVERSATIONS, { ...conversation, unread: conversation.unread + 1 }, id);
}

async function applyDirectText(
  sending: Sending,
  records: Writer,
  { content, sender, gapBefore }: Applied,
  body: BodyOf<"text">,
): Promise<void> {
  const { userId } = sender;
  const contact = await contactOf(records, userId);
  const isContact = contact.state === "accepted";
  const conversation = await conversationOf(records, userId);
  if (!isContact && conversation.unread >= MAX_REQUEST_MESSAGES) return;
  if (await isGiven(records, content.messageId, userId)) return;
  const message = await storeMessage(records, userId, {
    ...messageFrom(content, body),
    author: userId,
    state: "received",
    gapBefore,
    announced: isContact,
  });
  await countUnread(records, userId);
  await applyEarly(sending, records, message);
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

/** What somebody says about a message that is there, or should be. */
type About = Omit<Early, "body">;

function changeIn({ content, sender, conversation }: Omit<Applied, "gapBefore">): About {
  return { by: sender.userId, conversation, sentAt: content.sentAt };
}

/** Waits for the message, if one of our own devices may still bring it. */
async function wait(sending: Sending, records: Writer, awaited: Awaited, early: Early): Promise<void> {
  const { clock, self } = sending;
  const own = self.local.address.userId;
  // What others have written comes by itself, but for what is still on its way from our other device.
  const isOurs = awaited.author === own || early.by === own || (await isHistoryComing(records));
  const isHeard = isGroupId(early.conversation) || (await contactOf(records, early.conversation)).state === "accepted";
  if (!isOurs || !isHeard || !(await hasOtherDevices(sending, records))) return;
  await keepEarly(records, awaited, early, clock.nowMilliseconds());
}

/** What came about a message before it did. */
export async function applyEarly(sending: Sending, records: Writer, message: MessageRecord): Promise<void> {
  if (!(await hasOtherDevices(sending, records))) return;
  for (const { body, ...about } of await takeEarly(records, message)) {
    switch (body.kind) {
      case "receipt":
        await applyReceipt(sending, records, about, { ...body, messageIds: [message.id] });
        break;
      case "seen":
        await seeElsewhere(records, message);
        break;
      case "edit":
      case "delete":
      case "reaction":
        await applyChange(sending, records, about, body);
        break;
      default:
        assertNever(body);
    }
  }
}

async function applyChange(sending: Sending, records: Writer, about: About, body: BodyOf<"edit" | "delete" | "reaction">): Promise<void> {
  const { by, conversation, sentAt } = about;
  const author = body.kind === "reaction" ? body.target.author : by;
  const id = body.kind === "reaction" ? body.target.messageId : body.messageId;
  const message = await findMessage(records, id, author);
  if (message === undefined) await wait(sending, records, { id, author }, { ...about, body });
  // In its own conversation: nobody changes what was said elsewhere.
  if (message?.conversation !== conversation) return;
  const changed = changeMessage(message, by, body, sentAt);
  if (changed === undefined) return;
  putMessage(records, changed);
  if (changed.deleted && by === sending.self.local.address.userId) await unwantFilesOf(sending, records, id);
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
async function applyReceipt(sending: Sending, records: Writer, about: About, body: BodyOf<"receipt">): Promise<void> {
  const { userId } = sending.self.local.address;
  const { by, conversation } = about;
  const others = isGroupId(conversation) ? await othersIn(records, conversation, userId) : undefined;
  const changed: MessageId[] = [];
  for (const id of body.messageIds) {
    const message = await findMessage(records, id, userId);
    const { receipt } = body;
    if (message === undefined) await wait(sending, records, { id, author: userId }, { ...about, body: { kind: "receipt", receipt } });
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
  if (contact.ourSecret !== undefined || !(await canCompose(sending, records, userId))) return;
  const ourSecret = sending.random(32);
  records.put(CONTACTS, { ...contact, ourSecret }, userId);
  await compose(sending, records, { recipient: userId, body: { kind: "accept", deliverySecret: ourSecret } });
}

/** What another device of ours did, in the order in which it did it. */
async function applySync(sending: Sending, records: Writer, { content, sender }: Applied, { sync }: BodyOf<"sync">): Promise<void> {
  switch (sync.kind) {
    case "sent":
      await applySent(sending, records, sync.content, sender);
      return;
    case "read":
      for (const { author, messageId } of sync.messages) {
        const message = await findMessage(records, messageId, author);
        if (message !== undefined) await seeElsewhere(records, message);
        else await awaitSeen(sending, records, { id: messageId, author }, content.sentAt);
      }
      return;
    case "contact":
    case "device-name":
    case "profile":
    case "settings":
    case "group":
    case "history":
      return;
    default:
      assertNever(sync);
  }
}

/** The server may hand out word that something was read before the thing itself, where that had to be sent again. */
async function awaitSeen(sending: Sending, records: Writer, awaited: Awaited, sentAt: number): Promise<void> {
  const by = sending.self.local.address.userId;
  const early = { by, conversation: awaited.author, sentAt, body: { kind: "seen" } } as const;
  await keepEarly(records, awaited, early, sending.clock.nowMilliseconds());
}

async function seeElsewhere(records: Writer, message: MessageRecord): Promise<void> {
  if (message.seen) return;
  await see(records, message);
  records.touch("contacts");
}

async function applySent(sending: Sending, records: Writer, bytes: Bytes, sender: DeviceAddress): Promise<void> {
  const content = contentIn(bytes);
  if (typeof content === "string") {
    const notice = { type: "notice", kind: "unreadable", peer: sender.userId, deviceId: sender.deviceId, reason: content } as const;
    await recordEvent(records, notice);
    return;
  }
  const { conversation, body } = content;
  if (conversation.kind !== "direct" || content.sender !== serviceIdOfDevice(sender)) return;
  const { recipient } = conversation;
  if (body.kind === "edit" || body.kind === "delete" || body.kind === "reaction") {
    await applyChange(sending, records, changeIn({ content, sender, conversation: recipient }), body);
  }
  if (body.kind !== "text" || (await findMessage(records, content.messageId, sender.userId)) !== undefined) return;
  const contact = await contactOf(records, recipient);
  // Whoever was decided about here stays what they are: that is told by itself.
  const isUndecided = contact.decidedMilliseconds === undefined && (contact.state === "none" || contact.state === "request");
  if (isUndecided) await welcome(sending, records, recipient);
  const message = { ...messageFrom(content, body), author: sender.userId, gapBefore: false, announced: true, seen: true };
  const stored = await storeMessage(records, recipient, { ...message, state: "sent" });
  await recordEvent(records, { type: "message", conversation: recipient, ordinal: stored.ordinal });
  await applyEarly(sending, records, stored);
}

function contentIn(bytes: Bytes): Content | string {
  try {
    return decodeContent(bytes);
  } catch (error) {
    if (error instanceof WireError) return error.code === "unknown-critical" ? "upgrade-required" : error.code;
    throw error;
  }
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

/** The same where another device of ours has told them. */
export async function welcome(sending: Sending, records: Writer, userId: UserId): Promise<void> {
  const contact = await contactOf(records, userId);
  records.put(CONTACTS, { ...contact, state: "accepted" }, userId);
  records.touch("contacts");
  records.touch(AVATARS_TOPIC);
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
