// Body: what a content says. One kind each; a kind that is not listed here is refused with `unknown-critical`, so that
// an older client says "newer than me" and never drops something silently. Which kinds a sender may use over which
// channel is the receiver's table and not known here.

import type { Bytes } from "./bytes.ts";
import type { GroupId, MessageId } from "./ids.ts";
import { bool, enumeration, exactly, groupId, messageId, text, uint32, uint64, upTo } from "./kinds.ts";
import {
  MAX_ATTACHMENTS,
  MAX_DECRYPTION_ERROR_BYTES,
  MAX_EMOJI_BYTES,
  MAX_JOIN_REQUEST_BYTES,
  MAX_NAME_BYTES,
  MAX_RECEIPT_IDS,
  MAX_SENDER_KEY_DISTRIBUTION_BYTES,
  MAX_TEXT_BYTES,
} from "./limits.ts";
import { MEDIA_POINTER, type MediaPointer } from "./media-pointer.ts";
import { REFERENCE, type Reference } from "./reference.ts";
import { type Extensible, type Field, list, message, type MessageKind, oneof, optional, required, withDefault } from "./strict.ts";
import { SYNC, type Sync } from "./sync.ts";

export interface Text extends Extensible {
  readonly kind: "text";
  readonly text: string;
  readonly replyTo: Reference | undefined;
  readonly attachments: readonly MediaPointer[];
}

/** Of a message of the sender's own. */
export interface Edit extends Extensible {
  readonly kind: "edit";
  readonly messageId: MessageId;
  readonly text: string;
}

/** Of a message of the sender's own, for everyone. */
export interface Delete extends Extensible {
  readonly kind: "delete";
  readonly messageId: MessageId;
}

export interface Reaction extends Extensible {
  readonly kind: "reaction";
  readonly target: Reference;
  /** Empty: the reaction is taken back. */
  readonly emoji: string;
}

/** About messages of the recipient's. */
export interface Receipt extends Extensible {
  readonly kind: "receipt";
  readonly receipt: "delivered" | "read";
  readonly messageIds: readonly MessageId[];
}

export interface Typing extends Extensible {
  readonly kind: "typing";
  readonly on: boolean;
}

/** "Tell me whether you are there, and of changes for so long." */
export interface PresenceQuery extends Extensible {
  readonly kind: "presence-query";
  readonly leaseSeconds: number;
}

export interface PresenceAnswer extends Extensible {
  readonly kind: "presence-answer";
  readonly online: boolean;
}

export interface Profile extends Extensible {
  readonly kind: "profile";
  readonly name: string;
  readonly avatar: MediaPointer | undefined;
}

/** "The group has changed: read its log." */
export interface GroupChange extends Extensible {
  readonly kind: "group-change";
  readonly groupId: GroupId;
  readonly version: number;
  /** 32 bytes. */
  readonly stateHash: Bytes;
  /** 32 bytes that open the log, for a new member. */
  readonly groupSecret: Bytes | undefined;
}

/** "Let me in": to an admin, from somebody who has an invite link. */
export interface GroupJoin extends Extensible {
  readonly kind: "group-join";
  /** An encoded JoinRequest. */
  readonly request: Bytes;
}

/** The sender's key for a group: an encoded SenderKeyDistributionMessage. */
export interface SenderKey extends Extensible {
  readonly kind: "sender-key";
  readonly groupId: GroupId;
  readonly distribution: Bytes;
}

/** "I could not read that": an encoded DecryptionErrorMessage, for when there is a session to send it in. */
export interface DecryptionError extends Extensible {
  readonly kind: "decryption-error";
  readonly error: Bytes;
}

/** "I know you": write to me with capabilities made from these 32 bytes. */
export interface Accept extends Extensible {
  readonly kind: "accept";
  readonly deliverySecret: Bytes;
}

/** Completes a fresh session. */
export interface Nothing extends Extensible {
  readonly kind: "nothing";
}

export type Body =
  | Text
  | Edit
  | Delete
  | Reaction
  | Receipt
  | Typing
  | PresenceQuery
  | PresenceAnswer
  | Profile
  | GroupChange
  | GroupJoin
  | SenderKey
  | DecryptionError
  | Accept
  | Sync
  | Nothing;

const TEXT: MessageKind<Text> = message("edgewise.Text", {
  kind: "text",
  text: withDefault(1, text(MAX_TEXT_BYTES), ""),
  replyTo: optional(2, REFERENCE),
  attachments: list(3, MAX_ATTACHMENTS, MEDIA_POINTER),
});

const EDIT: MessageKind<Edit> = message("edgewise.Edit", {
  kind: "edit",
  messageId: required(1, messageId),
  text: withDefault(2, text(MAX_TEXT_BYTES), ""),
});

const DELETE: MessageKind<Delete> = message("edgewise.Delete", {
  kind: "delete",
  messageId: required(1, messageId),
});

const REACTION: MessageKind<Reaction> = message("edgewise.Reaction", {
  kind: "reaction",
  target: required(1, REFERENCE),
  emoji: withDefault(2, text(MAX_EMOJI_BYTES), ""),
});

const RECEIPT: MessageKind<Receipt> = message("edgewise.Receipt", {
  kind: "receipt",
  receipt: required(1, enumeration("edgewise.Receipt.Kind", { delivered: 1, read: 2 })),
  messageIds: list(2, MAX_RECEIPT_IDS, messageId),
});

const TYPING: MessageKind<Typing> = message("edgewise.Typing", {
  kind: "typing",
  on: withDefault(1, bool, false),
});

const PRESENCE_QUERY: MessageKind<PresenceQuery> = message("edgewise.PresenceQuery", {
  kind: "presence-query",
  leaseSeconds: required(1, uint32),
});

const PRESENCE_ANSWER: MessageKind<PresenceAnswer> = message("edgewise.PresenceAnswer", {
  kind: "presence-answer",
  online: withDefault(1, bool, false),
});

const PROFILE: MessageKind<Profile> = message("edgewise.Profile", {
  kind: "profile",
  name: withDefault(1, text(MAX_NAME_BYTES), ""),
  avatar: optional(2, MEDIA_POINTER),
});

const GROUP_CHANGE: MessageKind<GroupChange> = message("edgewise.GroupChange", {
  kind: "group-change",
  groupId: required(1, groupId),
  version: required(2, uint64),
  stateHash: required(3, exactly(32)),
  groupSecret: optional(4, exactly(32)),
});

const GROUP_JOIN: MessageKind<GroupJoin> = message("edgewise.GroupJoin", {
  kind: "group-join",
  request: required(1, upTo(MAX_JOIN_REQUEST_BYTES)),
});

const SENDER_KEY: MessageKind<SenderKey> = message("edgewise.SenderKey", {
  kind: "sender-key",
  groupId: required(1, groupId),
  distribution: required(2, upTo(MAX_SENDER_KEY_DISTRIBUTION_BYTES)),
});

const DECRYPTION_ERROR: MessageKind<DecryptionError> = message("edgewise.DecryptionError", {
  kind: "decryption-error",
  error: required(1, upTo(MAX_DECRYPTION_ERROR_BYTES)),
});

const ACCEPT: MessageKind<Accept> = message("edgewise.Accept", {
  kind: "accept",
  deliverySecret: required(1, exactly(32)),
});

const NOTHING: MessageKind<Nothing> = message("edgewise.Nothing", { kind: "nothing" });

export const BODY: Field<Body> = oneof<Body>({
  text: [16, TEXT],
  edit: [17, EDIT],
  delete: [18, DELETE],
  reaction: [19, REACTION],
  receipt: [20, RECEIPT],
  typing: [21, TYPING],
  "presence-query": [22, PRESENCE_QUERY],
  "presence-answer": [23, PRESENCE_ANSWER],
  profile: [24, PROFILE],
  "group-change": [25, GROUP_CHANGE],
  "sender-key": [26, SENDER_KEY],
  "decryption-error": [27, DECRYPTION_ERROR],
  accept: [28, ACCEPT],
  sync: [29, SYNC],
  nothing: [30, NOTHING],
  "group-join": [31, GROUP_JOIN],
});
