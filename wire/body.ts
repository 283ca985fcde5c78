// Body: what a content says. One kind each; a kind that is not listed here is refused with `unknown-critical`, so that
// an older client says "newer than me" and never drops something silently. Which kinds a sender may use over which
// channel is the receiver's table and not known here.

import { type Bytes, EMPTY } from "./bytes.ts";
import { assertNever, WireError } from "./errors.ts";
import * as pb from "./gen/content_pb.js";
import { bytesOf, type Extensible, extensionsOf, groupIdOf, groupIdToField, make, messageIdOf, messageIdToField } from "./generated.ts";
import type { GroupId, MessageId } from "./ids.ts";
import { type MediaPointer, mediaPointerFromMessage, mediaPointerToMessage } from "./media-pointer.ts";
import { present } from "./protobuf.ts";
import { type Reference, referenceFromMessage, referenceToMessage } from "./reference.ts";
import { type Sync, syncFromMessage, syncToMessage } from "./sync.ts";

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
  | SenderKey
  | DecryptionError
  | Accept
  | Sync
  | Nothing;

export function bodyToMessage(body: Body): pb.Content["body"] {
  switch (body.kind) {
    case "text":
      return { case: "text", value: textToMessage(body) };
    case "edit":
      return { case: "edit", value: make(pb.EditSchema, body, { messageId: messageIdToField(body.messageId), text: body.text }) };
    case "delete":
      return { case: "delete", value: make(pb.DeleteSchema, body, { messageId: messageIdToField(body.messageId) }) };
    case "reaction":
      return { case: "reaction", value: make(pb.ReactionSchema, body, { target: referenceToMessage(body.target), emoji: body.emoji }) };
    case "receipt":
      return { case: "receipt", value: receiptToMessage(body) };
    case "typing":
      return { case: "typing", value: make(pb.TypingSchema, body, { on: body.on }) };
    case "presence-query":
      return { case: "presenceQuery", value: make(pb.PresenceQuerySchema, body, { leaseSeconds: body.leaseSeconds }) };
    case "presence-answer":
      return { case: "presenceAnswer", value: make(pb.PresenceAnswerSchema, body, { online: body.online }) };
    case "profile":
      return { case: "profile", value: profileToMessage(body) };
    case "group-change":
      return { case: "groupChange", value: groupChangeToMessage(body) };
    case "sender-key":
      return { case: "senderKey", value: senderKeyToMessage(body) };
    case "decryption-error":
      return { case: "decryptionError", value: make(pb.DecryptionErrorSchema, body, { error: body.error }) };
    case "accept":
      return { case: "accept", value: make(pb.AcceptSchema, body, { deliverySecret: body.deliverySecret }) };
    case "sync":
      return { case: "sync", value: syncToMessage(body) };
    case "nothing":
      return { case: "nothing", value: make(pb.NothingSchema, body, {}) };
    default:
      return assertNever(body);
  }
}

export function bodyFromMessage(body: pb.Content["body"]): Body {
  switch (body.case) {
    case "text":
      return textFromMessage(body.value);
    case "edit":
      return { kind: "edit", messageId: messageIdOf(body.value.messageId), text: body.value.text, ...extensionsOf(body.value) };
    case "delete":
      return { kind: "delete", messageId: messageIdOf(body.value.messageId), ...extensionsOf(body.value) };
    case "reaction":
      return reactionFromMessage(body.value);
    case "receipt":
      return receiptFromMessage(body.value);
    case "typing":
      return { kind: "typing", on: body.value.on, ...extensionsOf(body.value) };
    case "presenceQuery":
      return { kind: "presence-query", leaseSeconds: body.value.leaseSeconds, ...extensionsOf(body.value) };
    case "presenceAnswer":
      return { kind: "presence-answer", online: body.value.online, ...extensionsOf(body.value) };
    case "profile":
      return profileFromMessage(body.value);
    case "groupChange":
      return groupChangeFromMessage(body.value);
    case "senderKey":
      return senderKeyFromMessage(body.value);
    case "decryptionError":
      return { kind: "decryption-error", error: bytesOf(body.value.error), ...extensionsOf(body.value) };
    case "accept":
      return { kind: "accept", deliverySecret: bytesOf(body.value.deliverySecret), ...extensionsOf(body.value) };
    case "sync":
      return syncFromMessage(body.value);
    case "nothing":
      return { kind: "nothing", ...extensionsOf(body.value) };
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(body);
  }
}

function textToMessage(body: Text): pb.Text {
  const replyTo = body.replyTo === undefined ? {} : { replyTo: referenceToMessage(body.replyTo) };
  return make(pb.TextSchema, body, { text: body.text, attachments: body.attachments.map(mediaPointerToMessage), ...replyTo });
}

function textFromMessage(message: pb.Text): Text {
  return {
    kind: "text",
    text: message.text,
    replyTo: message.replyTo === undefined ? undefined : referenceFromMessage(message.replyTo),
    attachments: message.attachments.map(mediaPointerFromMessage),
    ...extensionsOf(message),
  };
}

function reactionFromMessage(message: pb.Reaction): Reaction {
  return { kind: "reaction", target: referenceFromMessage(present(message.target)), emoji: message.emoji, ...extensionsOf(message) };
}

function receiptToMessage(body: Receipt): pb.Receipt {
  const kind = body.receipt === "read" ? pb.Receipt_Kind.READ : pb.Receipt_Kind.DELIVERED;
  return make(pb.ReceiptSchema, body, { kind, messageIds: body.messageIds.map(messageIdToField) });
}

function receiptFromMessage(message: pb.Receipt): Receipt {
  const receipt = message.kind === pb.Receipt_Kind.READ ? "read" : "delivered";
  return { kind: "receipt", receipt, messageIds: message.messageIds.map(messageIdOf), ...extensionsOf(message) };
}

function profileToMessage(body: Profile): pb.Profile {
  const avatar = body.avatar === undefined ? {} : { avatar: mediaPointerToMessage(body.avatar) };
  return make(pb.ProfileSchema, body, { name: body.name, ...avatar });
}

function profileFromMessage(message: pb.Profile): Profile {
  const avatar = message.avatar === undefined ? undefined : mediaPointerFromMessage(message.avatar);
  return { kind: "profile", name: message.name, avatar, ...extensionsOf(message) };
}

function groupChangeToMessage(body: GroupChange): pb.GroupChange {
  return make(pb.GroupChangeSchema, body, {
    groupId: groupIdToField(body.groupId),
    version: BigInt(body.version),
    stateHash: body.stateHash,
    groupSecret: body.groupSecret ?? EMPTY,
  });
}

function groupChangeFromMessage(message: pb.GroupChange): GroupChange {
  return {
    kind: "group-change",
    groupId: groupIdOf(message.groupId),
    version: Number(message.version),
    stateHash: bytesOf(message.stateHash),
    groupSecret: message.groupSecret.length === 0 ? undefined : bytesOf(message.groupSecret),
    ...extensionsOf(message),
  };
}

function senderKeyToMessage(body: SenderKey): pb.SenderKey {
  return make(pb.SenderKeySchema, body, { groupId: groupIdToField(body.groupId), distribution: body.distribution });
}

function senderKeyFromMessage(message: pb.SenderKey): SenderKey {
  const groupId = groupIdOf(message.groupId);
  return { kind: "sender-key", groupId, distribution: bytesOf(message.distribution), ...extensionsOf(message) };
}
