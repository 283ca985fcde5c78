// Messages as an archive carries them, and back. Whoever reads one has it from a device of the same account, and believes no more of it
// than that: what does not fit to who we are or to itself is refused, and nothing in it is about contacts, devices or keys.

import {
  be32,
  type Bytes,
  concat,
  decodeHistoryHeader,
  decodeHistoryMessage,
  EMPTY,
  encodeHistoryHeader,
  encodeHistoryMessage,
  type HistoryHeader,
  type HistoryMessage,
  MAX_HISTORY_MESSAGE_BYTES,
  MAX_HISTORY_REACTIONS,
  MAX_HISTORY_RECEIPTS,
  UsageError,
  type UserId,
  WireError,
} from "#wire";
import { isGroupId } from "../groups/state.ts";
import { toPointers, toRecord } from "../media/attachments.ts";
import type { ConversationId, MessageRecord } from "../records/tables.ts";

const LENGTH_BYTES = 4;

export function frameHeader(header: HistoryHeader): Bytes {
  return framed(encodeHistoryHeader(header));
}

/** `undefined` for what is no message to others yet, or never was: it belongs to the device that tries to send it. */
export function frameMessage(message: MessageRecord): Bytes | undefined {
  const said = saidIn(message);
  if (said === undefined) return undefined;
  try {
    return framed(encodeHistoryMessage(said));
  } catch (error) {
    // Longer than anything that anybody can have said: without it all others can be given.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function saidIn(message: MessageRecord): HistoryMessage | undefined {
  const { conversation, state, replyTo, reactions, receipts = {} } = message;
  const attachments = toPointers(message.attachments);
  if (state === "failed" || attachments === undefined) return undefined;
  return {
    messageId: message.id,
    author: message.author,
    sentAt: message.sentAt,
    // The device that sends it goes on to do so.
    state: state === "queued" ? "sent" : state,
    text: message.text,
    replyTo: replyTo === undefined ? undefined : { author: replyTo.author, messageId: replyTo.id },
    edits: message.history,
    editedAt: message.editedAt ?? 0,
    deleted: message.deleted,
    reactions: entriesOf(reactions, MAX_HISTORY_REACTIONS).map(([by, reaction]) => ({ by, ...reaction })),
    gapBefore: message.gapBefore,
    announced: message.announced,
    seen: message.seen,
    receipts: entriesOf(receipts, MAX_HISTORY_RECEIPTS).map(([by, receipt]) => ({ by, state: receipt })),
    attachments,
    conversation: isGroupId(conversation) ? { kind: "group", groupId: conversation } : { kind: "person", userId: conversation },
  };
}

function entriesOf<T>(values: Readonly<Record<UserId, T>>, most: number): readonly (readonly [UserId, T])[] {
  // Written by that key.
  return (Object.entries(values) as [UserId, T][]).slice(0, most);
}

function framed(record: Bytes): Bytes {
  return concat(be32(record.length), record);
}

/** The messages of one file. @throws WireError when it is not this file of this archive of ours, or holds what nobody can have said */
export async function* messagesIn(
  file: AsyncIterable<Bytes>,
  expected: HistoryHeader,
): AsyncGenerator<Omit<MessageRecord, "ordinal">, void, undefined> {
  let isFirst = true;
  for await (const record of unframed(file)) {
    if (isFirst) requireSame(decodeHistoryHeader(record), expected);
    else yield messageFrom(decodeHistoryMessage(record), expected.userId);
    isFirst = false;
  }
  if (isFirst) throw new WireError("truncated");
}

async function* unframed(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  let rest: Bytes = EMPTY;
  for await (const piece of pieces) {
    rest = concat(rest, piece);
    let at = 0;
    for (;;) {
      const length = lengthAt(rest, at);
      if (length === undefined || rest.length - at - LENGTH_BYTES < length) break;
      at += LENGTH_BYTES + length;
      yield rest.slice(at - length, at);
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new WireError("truncated");
}

function lengthAt(bytes: Bytes, at: number): number | undefined {
  if (bytes.length - at < LENGTH_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
  if (length > MAX_HISTORY_MESSAGE_BYTES) throw new WireError("too-long");
  return length;
}

function requireSame(found: HistoryHeader, expected: HistoryHeader): void {
  const isSame = found.userId === expected.userId && found.file === expected.file;
  if (!isSame || found.archiveId.some((byte, at) => byte !== expected.archiveId[at])) throw new WireError("bad-value");
}

function messageFrom(said: HistoryMessage, own: UserId): Omit<MessageRecord, "ordinal"> {
  const { author, state, replyTo, deleted, receipts, attachments } = said;
  const conversation: ConversationId = said.conversation.kind === "group" ? said.conversation.groupId : said.conversation.userId;
  const isOwn = author === own;
  const isTheirs = said.conversation.kind === "group" || author === conversation;
  if (isOwn === (state === "received") || !(isOwn || isTheirs)) throw new WireError("bad-value");
  return {
    id: said.messageId,
    conversation,
    author,
    text: deleted ? "" : said.text,
    sentAt: said.sentAt,
    state,
    error: undefined,
    replyTo: replyTo === undefined ? undefined : { author: replyTo.author, id: replyTo.messageId },
    history: deleted ? [] : said.edits.map(({ text, sentAt }) => ({ text, sentAt })),
    editedAt: said.editedAt === 0 ? undefined : said.editedAt,
    deleted,
    reactions: deleted ? {} : Object.fromEntries(said.reactions.map(({ by, emoji, sentAt }) => [by, { emoji, sentAt }])),
    gapBefore: said.gapBefore,
    announced: said.announced,
    seen: said.seen || isOwn,
    ...(receipts.length === 0 ? {} : { receipts: Object.fromEntries(receipts.map(({ by, state: receipt }) => [by, receipt])) }),
    ...(attachments.length === 0 || deleted ? {} : { attachments: attachments.map(toRecord) }),
  };
}
