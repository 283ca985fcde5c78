// Content, what a message means, and ContentCopy, the plaintext that a ratchet encrypts. A content repeats who wrote it,
// to whom and in which view of the world; whether that agrees with what authenticated the message is the receiver's check.

import { type Body, bodyFromMessage, bodyToMessage } from "./body.ts";
import type { Bytes } from "./bytes.ts";
import { CONTENT_BOUNDS, COPY_BOUNDS } from "./content-bounds.ts";
import { assertNever, UsageError, WireError } from "./errors.ts";
import * as pb from "./gen/content_pb.js";
import {
  bytesOf,
  type Extensible,
  extensionsOf,
  groupIdOf,
  groupIdToField,
  make,
  messageIdOf,
  messageIdToField,
  serviceIdOf,
  serviceIdToField,
  userIdOf,
  userIdToField,
} from "./generated.ts";
import { type DeviceId, type GroupId, type MessageId, parseDeviceId, type ServiceId, type UserId } from "./ids.ts";
import { MAX_CONTENT_BYTES } from "./limits.ts";
import { present } from "./protobuf.ts";
import { strictCodec } from "./strict.ts";

export interface ContentCopy extends Extensible {
  /** The device it was encrypted for; absent in a sender-key message, which a whole group reads. */
  readonly recipientDevice: DeviceId | undefined;
  /** An encoded Content: the same bytes for every recipient, and what the next one's `previousHash` is the hash of. */
  readonly content: Bytes;
}

/** How many entries an account log has, and the hash of the last (32 bytes). */
export interface LogHead extends Extensible {
  readonly length: number;
  readonly hash: Bytes;
}

/** A conversation of two, from the sender's side. */
export interface Direct extends Extensible {
  readonly kind: "direct";
  readonly recipient: UserId;
  /** The recipient's log as the sender knows it. */
  readonly recipientHead: LogHead;
}

/** A group, and the state of it that the sender knows. */
export interface Group extends Extensible {
  readonly kind: "group";
  readonly groupId: GroupId;
  readonly version: number;
  /** 32 bytes. */
  readonly stateHash: Bytes;
}

/** The place in the sending device's sequence for this conversation. */
export interface Position extends Extensible {
  /** From 1. */
  readonly counter: number;
  /** SHA-256 of the content before; absent in the first and only there. */
  readonly previousHash: Bytes | undefined;
}

export interface Content extends Extensible {
  readonly sender: ServiceId;
  readonly senderHead: LogHead;
  readonly conversation: Direct | Group;
  /** Absent where losing a message leaves no gap: typing, presence. */
  readonly position: Position | undefined;
  readonly messageId: MessageId;
  /** Milliseconds since 1970 by the sender's clock: shown, never used for order. */
  readonly sentAt: number;
  readonly body: Body;
}

/** What a ContentCopy adds to its content, at most. */
const COPY_OVERHEAD = 64;

const copyCodec = strictCodec(pb.ContentCopySchema, COPY_BOUNDS, MAX_CONTENT_BYTES + COPY_OVERHEAD);
const contentCodec = strictCodec(pb.ContentSchema, CONTENT_BOUNDS, MAX_CONTENT_BYTES);

export function encodeContentCopy(copy: ContentCopy): Bytes {
  return copyCodec.encode(make(pb.ContentCopySchema, copy, { recipientDevice: copy.recipientDevice ?? 0, content: copy.content }));
}

/** @throws WireError */
export function decodeContentCopy(bytes: Bytes): ContentCopy {
  const message = copyCodec.decode(bytes);
  const recipientDevice = message.recipientDevice === 0 ? undefined : parseDeviceId(message.recipientDevice);
  return { recipientDevice, content: bytesOf(message.content), ...extensionsOf(message) };
}

export function encodeContent(content: Content): Bytes {
  return contentCodec.encode(
    make(pb.ContentSchema, content, {
      sender: serviceIdToField(content.sender),
      senderHead: headToMessage(content.senderHead),
      conversation: conversationToMessage(content.conversation),
      ...(content.position === undefined ? {} : { position: positionToMessage(content.position) }),
      messageId: messageIdToField(content.messageId),
      sentAt: BigInt(content.sentAt),
      body: bodyToMessage(content.body),
    }),
  );
}

/** Byte strings in the answer are views of `bytes`. @throws WireError */
export function decodeContent(bytes: Bytes): Content {
  const message = contentCodec.decode(bytes);
  return {
    sender: serviceIdOf(message.sender),
    senderHead: headFromMessage(present(message.senderHead)),
    conversation: conversationFromMessage(message.conversation),
    position: message.position === undefined ? undefined : positionFromMessage(message.position),
    messageId: messageIdOf(message.messageId),
    sentAt: Number(message.sentAt),
    body: bodyFromMessage(message.body),
    ...extensionsOf(message),
  };
}

function headToMessage(head: LogHead): pb.LogHead {
  return make(pb.LogHeadSchema, head, { length: head.length, hash: head.hash });
}

function headFromMessage(message: pb.LogHead): LogHead {
  return { length: message.length, hash: bytesOf(message.hash), ...extensionsOf(message) };
}

function conversationToMessage(conversation: Direct | Group): pb.Content["conversation"] {
  switch (conversation.kind) {
    case "direct": {
      const recipient = userIdToField(conversation.recipient);
      const recipientHead = headToMessage(conversation.recipientHead);
      return { case: "direct", value: make(pb.DirectSchema, conversation, { recipient, recipientHead }) };
    }
    case "group": {
      const groupId = groupIdToField(conversation.groupId);
      const version = BigInt(conversation.version);
      return { case: "group", value: make(pb.GroupSchema, conversation, { groupId, version, stateHash: conversation.stateHash }) };
    }
    default:
      return assertNever(conversation);
  }
}

function conversationFromMessage(conversation: pb.Content["conversation"]): Direct | Group {
  switch (conversation.case) {
    case "direct": {
      const { recipient, recipientHead } = conversation.value;
      const head = headFromMessage(present(recipientHead));
      return { kind: "direct", recipient: userIdOf(recipient), recipientHead: head, ...extensionsOf(conversation.value) };
    }
    case "group": {
      const { groupId, version, stateHash } = conversation.value;
      const hash = bytesOf(stateHash);
      return { kind: "group", groupId: groupIdOf(groupId), version: Number(version), stateHash: hash, ...extensionsOf(conversation.value) };
    }
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(conversation);
  }
}

function positionToMessage(position: Position): pb.Position {
  if (!beginsOrContinues(position)) throw new UsageError("bad-argument", "only the first content has no predecessor");
  const { counter, previousHash } = position;
  const fields = { counter: BigInt(counter) };
  return make(pb.PositionSchema, position, previousHash === undefined ? fields : { ...fields, previousHash });
}

function positionFromMessage(message: pb.Position): Position {
  const previousHash = message.previousHash.length === 0 ? undefined : bytesOf(message.previousHash);
  const position = { counter: Number(message.counter), previousHash, ...extensionsOf(message) };
  if (!beginsOrContinues(position)) throw new WireError("bad-value");
  return position;
}

function beginsOrContinues(position: Position): boolean {
  return (position.counter === 1) === (position.previousHash === undefined);
}
