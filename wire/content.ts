// Content, what a message means, and ContentCopy, the plaintext that a ratchet encrypts. A content repeats who wrote it,
// to whom and in which view of the world; whether that agrees with what authenticated the message is the receiver's check.

import { BODY, type Body } from "./body.ts";
import type { Bytes } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";
import type { DeviceId, GroupId, MessageId, ServiceId, UserId } from "./ids.ts";
import { deviceId, exactly, groupId, messageId, serviceId, uint32, uint64, upTo, userId } from "./kinds.ts";
import { MAX_CONTENT_BYTES } from "./limits.ts";
import { type Extensible, message, type MessageKind, oneof, optional, required, strictCodec } from "./strict.ts";

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
  /** Absent where losing a message leaves no gap: typing, presence. */
  readonly position: Position | undefined;
  readonly messageId: MessageId;
  /** Milliseconds since 1970 by the sender's clock: shown, never used for order. */
  readonly sentAt: number;
  readonly conversation: Direct | Group;
  readonly body: Body;
}

export const CONTENT_COPY: MessageKind<ContentCopy> = message("edgewise.ContentCopy", {
  recipientDevice: optional(1, deviceId),
  content: required(2, upTo(MAX_CONTENT_BYTES)),
});

export const LOG_HEAD: MessageKind<LogHead> = message("edgewise.LogHead", {
  length: required(1, uint32),
  hash: required(2, exactly(32)),
});

const DIRECT: MessageKind<Direct> = message("edgewise.Direct", {
  kind: "direct",
  recipient: required(1, userId),
  recipientHead: required(2, LOG_HEAD),
});

const GROUP: MessageKind<Group> = message("edgewise.Group", {
  kind: "group",
  groupId: required(1, groupId),
  version: required(2, uint64),
  stateHash: required(3, exactly(32)),
});

const POSITION: MessageKind<Position> = message("edgewise.Position", {
  counter: required(1, uint64),
  previousHash: optional(2, exactly(32)),
});

export const CONTENT: MessageKind<Content> = message("edgewise.Content", {
  sender: required(1, serviceId),
  senderHead: required(2, LOG_HEAD),
  position: optional(3, POSITION),
  messageId: required(4, messageId),
  sentAt: required(5, uint64),
  conversation: oneof<Content["conversation"]>({ direct: [14, DIRECT], group: [15, GROUP] }),
  body: BODY,
});

/** What a ContentCopy adds to its content, at most. */
const COPY_OVERHEAD = 64;
const contentCopy = strictCodec(CONTENT_COPY, MAX_CONTENT_BYTES + COPY_OVERHEAD);
const content = strictCodec(CONTENT, MAX_CONTENT_BYTES);

export const encodeContentCopy: (value: ContentCopy) => Bytes = contentCopy.encode;
/** @throws WireError */
export const decodeContentCopy: (bytes: Bytes) => ContentCopy = contentCopy.decode;

export function encodeContent(value: Content): Bytes {
  if (!isContinuous(value.position)) throw new UsageError("bad-argument", "the first content and no other has no predecessor");
  return content.encode(value);
}

/** Byte strings in the answer are views of `bytes`. @throws WireError */
export function decodeContent(bytes: Bytes): Content {
  const value = content.decode(bytes);
  if (!isContinuous(value.position)) throw new WireError("bad-value");
  return value;
}

function isContinuous(position: Position | undefined): boolean {
  return position === undefined || (position.counter === 1) === (position.previousHash === undefined);
}
