// An archive of messages, as bytes: what one device of an account gives to another that was not there. Which messages are in it, how
// its files are encrypted and what its reader makes of it is not known here.

import type { Bytes } from "./bytes.ts";
import type { GroupId, MessageId, UserId } from "./ids.ts";
import { bool, enumeration, exactly, groupId, messageId, text, uint32, uint64, userId } from "./kinds.ts";
import {
  MAX_ATTACHMENTS,
  MAX_EMOJI_BYTES,
  MAX_HISTORY_EDITS,
  MAX_HISTORY_MESSAGE_BYTES,
  MAX_HISTORY_REACTIONS,
  MAX_HISTORY_RECEIPTS,
  MAX_TEXT_BYTES,
} from "./limits.ts";
import { MEDIA_POINTER, type MediaPointer } from "./media-pointer.ts";
import { REFERENCE, type Reference } from "./reference.ts";
import { type Extensible, list, message, type MessageKind, oneof, optional, required, strictCodec, withDefault } from "./strict.ts";
import { HISTORY_ARCHIVE_ID_BYTES } from "./sync.ts";

/** The first record of each file. */
export interface HistoryHeader extends Extensible {
  /** Whose messages these are. */
  readonly userId: UserId;
  /** 16 bytes. */
  readonly archiveId: Bytes;
  /** Which of its files this is, from 0 on. */
  readonly file: number;
}

export interface HistoryPerson extends Extensible {
  readonly kind: "person";
  readonly userId: UserId;
}

export interface HistoryGroup extends Extensible {
  readonly kind: "group";
  readonly groupId: GroupId;
}

export interface HistoryEdit extends Extensible {
  readonly text: string;
  readonly sentAt: number;
}

export interface HistoryReaction extends Extensible {
  readonly by: UserId;
  readonly emoji: string;
  readonly sentAt: number;
}

export interface HistoryReceipt extends Extensible {
  readonly by: UserId;
  readonly state: "delivered" | "read";
}

/** A message as the giving device shows it. Times are milliseconds since 1970. */
export interface HistoryMessage extends Extensible {
  readonly messageId: MessageId;
  readonly author: UserId;
  readonly sentAt: number;
  readonly state: "sent" | "delivered" | "read" | "received";
  readonly text: string;
  readonly replyTo: Reference | undefined;
  /** What it said before, oldest first. */
  readonly edits: readonly HistoryEdit[];
  /** 0: never. */
  readonly editedAt: number;
  readonly deleted: boolean;
  readonly reactions: readonly HistoryReaction[];
  readonly gapBefore: boolean;
  readonly announced: boolean;
  readonly seen: boolean;
  readonly receipts: readonly HistoryReceipt[];
  readonly attachments: readonly MediaPointer[];
  readonly conversation: HistoryPerson | HistoryGroup;
}

const EDIT: MessageKind<HistoryEdit> = message("edgewise.HistoryEdit", {
  text: withDefault(1, text(MAX_TEXT_BYTES), ""),
  sentAt: withDefault(2, uint64, 0),
});

const REACTION: MessageKind<HistoryReaction> = message("edgewise.HistoryReaction", {
  by: required(1, userId),
  emoji: withDefault(2, text(MAX_EMOJI_BYTES), ""),
  sentAt: withDefault(3, uint64, 0),
});

const RECEIPT: MessageKind<HistoryReceipt> = message("edgewise.HistoryReceipt", {
  by: required(1, userId),
  state: required(2, enumeration("edgewise.HistoryReceipt.State", { delivered: 1, read: 2 })),
});

const PERSON: MessageKind<HistoryPerson> = message("edgewise.HistoryPerson", { kind: "person", userId: required(1, userId) });
const GROUP: MessageKind<HistoryGroup> = message("edgewise.HistoryGroup", { kind: "group", groupId: required(1, groupId) });

export const HISTORY_HEADER: MessageKind<HistoryHeader> = message("edgewise.HistoryHeader", {
  userId: required(1, userId),
  archiveId: required(2, exactly(HISTORY_ARCHIVE_ID_BYTES)),
  file: withDefault(3, uint32, 0),
});

export const HISTORY_MESSAGE: MessageKind<HistoryMessage> = message("edgewise.HistoryMessage", {
  messageId: required(1, messageId),
  author: required(2, userId),
  sentAt: withDefault(3, uint64, 0),
  state: required(4, enumeration("edgewise.HistoryMessage.State", { sent: 1, delivered: 2, read: 3, received: 4 })),
  text: withDefault(5, text(MAX_TEXT_BYTES), ""),
  replyTo: optional(6, REFERENCE),
  edits: list(7, MAX_HISTORY_EDITS, EDIT),
  editedAt: withDefault(8, uint64, 0),
  deleted: withDefault(9, bool, false),
  reactions: list(10, MAX_HISTORY_REACTIONS, REACTION),
  gapBefore: withDefault(11, bool, false),
  announced: withDefault(12, bool, false),
  seen: withDefault(13, bool, false),
  receipts: list(14, MAX_HISTORY_RECEIPTS, RECEIPT),
  attachments: list(15, MAX_ATTACHMENTS, MEDIA_POINTER),
  conversation: oneof<HistoryMessage["conversation"]>({ person: [16, PERSON], group: [17, GROUP] }),
});

const header = strictCodec(HISTORY_HEADER, MAX_HISTORY_MESSAGE_BYTES);
const said = strictCodec(HISTORY_MESSAGE, MAX_HISTORY_MESSAGE_BYTES);

export const encodeHistoryHeader: (value: HistoryHeader) => Bytes = header.encode;
/** Byte strings in the answer are views of `bytes`, here and below. @throws WireError */
export const decodeHistoryHeader: (bytes: Bytes) => HistoryHeader = header.decode;
export const encodeHistoryMessage: (value: HistoryMessage) => Bytes = said.encode;
/** @throws WireError */
export const decodeHistoryMessage: (bytes: Bytes) => HistoryMessage = said.decode;
