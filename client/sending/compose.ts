// The first half of a send: what is said becomes a content with its place in the sequence, and a job. One transaction, nothing
// sent yet: from here on it survives everything.

import { sha256 } from "#crypto";
import {
  type Body,
  type Bytes,
  type DeviceId,
  encodeContent,
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
import { CONVERSATIONS, type ConversationRecord, type Job, type MessagePlace, SENT } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { TrustRoots } from "../trust-roots.ts";
import { addJob } from "./queue.ts";

export interface Sending extends Core {
  readonly self: Self;
  readonly accounts: Accounts;
  readonly trust: TrustRoots;
}

export interface Compose {
  readonly recipient: UserId;
  readonly body: Body;
  readonly message?: MessagePlace & { readonly id: MessageId; readonly sentAt: number };
  /** One device only. */
  readonly only?: DeviceId;
}

/** Also writes what our own other devices should see of it. */
export async function compose(sending: Sending, records: Writer, input: Compose): Promise<void> {
  const content = await encodePositioned(sending, records, input);
  await enqueue(records, sending, { ...input, content, kind: "content" });
  const { userId } = sending.self.local.address;
  const own = await sending.accounts.require(records, userId);
  if (own.devices.length < 2 || input.recipient === userId || !isSynced(input.body)) return;
  const sync = { recipient: userId, body: { kind: "sync", sync: { kind: "sent", content } } } as const;
  await enqueue(records, sending, { ...sync, content: await encodePositioned(sending, records, sync), kind: "content" });
}

/** What other devices of ours show, too. */
function isSynced(body: Body): boolean {
  return body.kind === "text" || body.kind === "edit" || body.kind === "delete" || body.kind === "reaction";
}

async function encodePositioned(sending: Sending, records: Writer, { recipient, body, message }: Compose): Promise<Bytes> {
  const conversation = await conversationOf(records, recipient);
  const before = conversation.position;
  const content = encoded(await contentFor(sending, records, recipient, body, message), {
    counter: (before?.counter ?? 0) + 1,
    previousHash: before?.hash,
  });
  records.put(CONVERSATIONS, { ...conversation, position: { counter: (before?.counter ?? 0) + 1, hash: sha256(content) } }, recipient);
  return content;
}

/** Of now or never: has no place, and leaves no gap. */
export async function encodeEphemeral(sending: Sending, records: Writer, recipient: UserId, body: Body): Promise<Bytes> {
  return encoded(await contentFor(sending, records, recipient, body, undefined), undefined);
}

type Unplaced = Omit<Parameters<typeof encodeContent>[0], "position">;

async function contentFor(
  { self, accounts, clock, random }: Sending,
  records: Writer,
  recipient: UserId,
  body: Body,
  message: Compose["message"],
): Promise<Unplaced> {
  const { address } = self.local;
  const [own, theirs] = [await accounts.require(records, address.userId), await accounts.require(records, recipient)];
  return {
    sender: serviceIdOfDevice(address),
    senderHead: own.head,
    messageId: message?.id ?? drawMessageId(random),
    sentAt: message?.sentAt ?? clock.nowMilliseconds(),
    conversation: { kind: "direct", recipient, recipientHead: theirs.head },
    body,
  };
}

function encoded(content: Unplaced, position: Parameters<typeof encodeContent>[0]["position"]): Bytes {
  try {
    return encodeContent({ ...content, position });
  } catch (cause) {
    if (cause instanceof ProtocolError || cause instanceof WireError || cause instanceof UsageError) {
      throw new ClientError("too-long", { cause });
    }
    throw cause;
  }
}

export async function conversationOf(records: Writer, id: UserId): Promise<ConversationRecord> {
  return (await records.get(CONVERSATIONS, id)) ?? { id, lastOrdinal: 0, unread: 0, draft: "", position: undefined };
}

interface Enqueue {
  readonly recipient: UserId;
  readonly content: Bytes;
  readonly kind: Job["kind"];
  readonly only?: DeviceId;
  readonly message?: MessagePlace & { readonly id: MessageId };
  /** It was kept when it was sent first. */
  readonly again?: true;
}

export async function enqueue(records: Writer, { random, clock }: Core, input: Enqueue): Promise<void> {
  const { recipient, content, kind, only, message } = input;
  const ordinal = await next(records, "job");
  const envelopeId = drawMessageId(random);
  const place =
    message === undefined ? undefined : { conversation: message.conversation, ordinal: message.ordinal, author: message.author };
  await addJob(records, { ordinal, recipient, envelopeId, content, kind, only, copies: undefined, message: place });
  if (kind === "content" && input.again === undefined)
    records.put(SENT, { ordinal, content, sentMilliseconds: clock.nowMilliseconds(), resends: 0 }, recipient, ordinal);
}
