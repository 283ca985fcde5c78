// The first half of a send: what is said becomes a content with its place in the sequence, and a job. One transaction, nothing
// sent yet: from here on it survives everything.

import { sha256 } from "#crypto";
import {
  type Body,
  type Bytes,
  type Content,
  type DeviceId,
  encodeContent,
  type GroupId,
  type MessageId,
  ProtocolError,
  serviceIdOfDevice,
  UsageError,
  type UserId,
  WireError,
} from "#wire";
import type { Accounts } from "../accounts.ts";
import { type Core, drawMessageId, next, type Self } from "../core.ts";
import { ClientError } from "../errors.ts";
import { type ConversationId, CONVERSATIONS, type ConversationRecord, type Job, type MessagePlace, SENT } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { TrustRoots } from "../trust-roots.ts";
import { addGroupJob, addJob } from "./queue.ts";

export interface Sending extends Core {
  readonly self: Self;
  readonly accounts: Accounts;
  readonly trust: TrustRoots;
}

export interface Compose {
  readonly recipient: UserId;
  readonly body: Body;
  readonly message?: MessagePlace & { readonly id: MessageId; readonly sentAt: number };
}

export async function compose(sending: Sending, records: Writer, input: Compose): Promise<void> {
  const content = await encodePositioned(sending, records, input);
  await enqueue(records, sending, { ...input, content, kind: "content" });
}

/** A group, and the state of it that we know. */
export interface ToGroup {
  readonly groupId: GroupId;
  readonly version: number;
  readonly stateHash: Bytes;
}

export interface ComposeForGroup extends Pick<Compose, "body" | "message"> {
  readonly group: ToGroup;
}

/** The same for all members of a group, our own other devices among them: encrypted once. */
export async function composeForGroup(sending: Sending, records: Writer, { group, body, message }: ComposeForGroup): Promise<void> {
  const { groupId } = group;
  const content = await place(records, groupId, await contentFor(sending, records, { kind: "group", ...group }, { body, message }));
  const ordinal = await next(records, "job");
  const at = message === undefined ? undefined : placeOf(message);
  const envelopeId = drawMessageId(sending.random);
  await addGroupJob(records, { ordinal, groupId, envelopeId, content, sealed: undefined, accepted: undefined, message: at });
  records.put(SENT, { ordinal, content, sentMilliseconds: sending.clock.nowMilliseconds(), resends: 0 }, groupId, ordinal);
}

export interface ComposeToMember extends Pick<Compose, "recipient" | "body"> {
  readonly group: ToGroup;
}

/**
 * About a group, to one person of it: has no place in the group's sequence, because the others do not get it. To nobody, where they have
 * deleted their account and are a member in name only.
 */
export async function composeToMember(sending: Sending, records: Writer, { group, recipient, body }: ComposeToMember): Promise<void> {
  if (await sending.accounts.isDeleted(records, recipient)) return;
  const content = encoded(await contentFor(sending, records, { kind: "group", ...group }, { body, message: undefined }), undefined);
  await enqueue(records, sending, { recipient, content, kind: "content" });
}

/**
 * Whether anything may be said to somebody now. What only answers or is owed is left out where not: nobody else waits because one
 * person's account, or our own, has two histories.
 */
export async function canCompose({ accounts, self }: Sending, records: Reader, recipient: UserId): Promise<boolean> {
  return (await accounts.isWritable(records, recipient)) && (await accounts.isWritable(records, self.local.address.userId));
}

export interface ComposeUnplaced extends Pick<Compose, "recipient" | "body"> {
  /** One device only: to the others it would be a gap. */
  readonly only?: DeviceId | undefined;
}

/** What has no place in a sequence, because only one device gets it, or because it may be told again and in any order. */
export async function composeUnplaced(sending: Sending, records: Writer, { recipient, body, only }: ComposeUnplaced): Promise<void> {
  const content = await encodeUnplaced(sending, records, recipient, body);
  // Whom there is a conversation with is looked at when what was sent is swept.
  records.put(CONVERSATIONS, await conversationOf(records, recipient), recipient);
  await enqueue(records, sending, { recipient, content, kind: "content", ...(only === undefined ? {} : { only }) });
}

async function encodePositioned(sending: Sending, records: Writer, { recipient, body, message }: Compose): Promise<Bytes> {
  const conversation = await directWith(sending, records, recipient);
  return await place(records, recipient, await contentFor(sending, records, conversation, { body, message }));
}

/** The content at the end of this device's sequence in a conversation. */
async function place(records: Writer, id: ConversationId, content: Unplaced): Promise<Bytes> {
  const conversation = await conversationOf(records, id);
  const before = conversation.position;
  const counter = (before?.counter ?? 0) + 1;
  const bytes = encoded(content, { counter, previousHash: before?.hash });
  records.put(CONVERSATIONS, { ...conversation, position: { counter, hash: sha256(bytes) } }, id);
  return bytes;
}

/** Leaves no gap where it does not come. */
export async function encodeUnplaced(sending: Sending, records: Writer, recipient: UserId, body: Body): Promise<Bytes> {
  const conversation = await directWith(sending, records, recipient);
  return encoded(await contentFor(sending, records, conversation, { body, message: undefined }), undefined);
}

type Unplaced = Omit<Content, "position">;

async function directWith({ accounts }: Sending, records: Writer, recipient: UserId): Promise<Content["conversation"]> {
  return { kind: "direct", recipient, recipientHead: (await accounts.require(records, recipient)).head };
}

async function contentFor(
  { self, accounts, clock, random }: Sending,
  records: Writer,
  conversation: Content["conversation"],
  { body, message }: { readonly body: Body; readonly message: Compose["message"] | undefined },
): Promise<Unplaced> {
  const { address } = self.local;
  return {
    sender: serviceIdOfDevice(address),
    senderHead: (await accounts.require(records, address.userId)).head,
    messageId: message?.id ?? drawMessageId(random),
    sentAt: message?.sentAt ?? clock.nowMilliseconds(),
    conversation,
    body,
  };
}

function encoded(content: Unplaced, position: Content["position"]): Bytes {
  try {
    return encodeContent({ ...content, position });
  } catch (cause) {
    if (cause instanceof ProtocolError || cause instanceof WireError || cause instanceof UsageError) {
      throw new ClientError("too-long", { cause });
    }
    throw cause;
  }
}

export async function conversationOf(records: Writer, id: ConversationId): Promise<ConversationRecord> {
  return (await records.get(CONVERSATIONS, id)) ?? { id, lastOrdinal: 0, unread: 0, draft: "", position: undefined };
}

interface Enqueue {
  readonly recipient: UserId;
  readonly content: Bytes;
  readonly kind: Job["kind"];
  readonly only?: DeviceId;
  readonly message?: MessagePlace;
  /** It was kept when it was sent first. */
  readonly again?: true;
}

export async function enqueue(records: Writer, { random, clock }: Core, input: Enqueue): Promise<void> {
  const { recipient, content, kind, only, message } = input;
  const ordinal = await next(records, "job");
  const envelopeId = drawMessageId(random);
  const at = message === undefined ? undefined : placeOf(message);
  await addJob(records, { ordinal, recipient, envelopeId, content, kind, only, copies: undefined, message: at });
  if (kind === "content" && input.again === undefined)
    records.put(SENT, { ordinal, content, sentMilliseconds: clock.nowMilliseconds(), resends: 0 }, recipient, ordinal);
}

function placeOf({ conversation, ordinal, author }: MessagePlace): MessagePlace {
  return { conversation, ordinal, author };
}
