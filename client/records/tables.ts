// Every kind of record that a client keeps, and its table. Who may write one, and what holds while it is there, is said here.

import {
  decodeSenderKeyRecord,
  decodeSessionRecord,
  encodeSenderKeyRecord,
  encodeSessionRecord,
  type SenderKeyRecord,
  type SessionRecord,
} from "#protocol";
import type {
  Bytes,
  DeviceAddress,
  DeviceId,
  GroupId,
  LogHead,
  MediaId,
  MessageId,
  RegistrationId,
  RendezvousId,
  SealedKind,
  UploadId,
  UserId,
} from "#wire";
import type { ContactState, HistoryChoice, NoticeKind, Settings } from "../api.ts";
import type { ErrorCode } from "../errors.ts";
import type { Awaited, Early } from "../receiving/early.ts";
import type { Token } from "../transport/tokens.ts";
import { decodeRecord, encodeRecord } from "./json.ts";
import type { Table } from "./vault.ts";

/** Sealed records were written by this program and are what it wrote: the type is the table's. */
function json<T>(name: string): Table<T> {
  return { name, encode: encodeRecord, decode: (bytes) => decodeRecord(bytes) as T };
}

function kept<T>(table: Table<T>): Table<T> {
  return { ...table, isKept: true };
}

/** The account on this device. `registered` is false until the server has answered; the same keys are then offered again. */
export interface OwnAccount {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
  readonly identity: Bytes;
  readonly server: string;
  readonly username: string | undefined;
  readonly registered: boolean;
  readonly trustRoots: readonly Bytes[];
  /** The encoded upload of the keys that were made with the account. */
  readonly upload: Bytes;
  readonly profile: { readonly name: string };
  readonly settings: Settings;
  /** When they were changed last, on any device of the account, in milliseconds: absent before the first change. */
  readonly profileChanged?: number;
  readonly settingsChanged?: Readonly<Partial<Record<keyof Settings, number>>>;
  /** Our picture that is here, as others see it. */
  readonly avatar?: ShownAvatar;
  /** Just linked: the other devices have not been told that it is here. */
  readonly unannounced?: boolean;
  /** Where this device asked to be let in: the server may still tell it of that. */
  readonly askedAt?: RendezvousId;
}

/** Written before the server is asked to let the device in. */
export interface Welcome {
  readonly deviceId: DeviceId;
  /** The private half is on that device alone: tells it from another one that has got its id. */
  readonly identityKey: Bytes;
  readonly name: string;
  readonly sinceMilliseconds: number;
  /** What it is given of the messages of before; absent: nothing. */
  readonly history?: HistoryChoice;
}

/** An archive of our messages for another device of ours, until that was told where it is. */
export interface GivenHistory {
  readonly deviceId: DeviceId;
  /** Tells it from another one that has got its id. */
  readonly identityKey: Bytes;
  readonly archiveId: Bytes;
  /** Nothing of before is in it. */
  readonly sinceMilliseconds: number;
  readonly state: "writing" | "sending" | "failed";
  /** Messages from this ordinal on are in its files, or are none of it. */
  readonly before: number;
  readonly messages: number;
  /** The newest messages first. */
  readonly files: readonly AttachmentRecord[];
  readonly error: ErrorCode | undefined;
}

/** An archive as another device of ours tells of it. */
export interface ToldHistory {
  readonly from: DeviceId;
  readonly archiveId: Bytes;
  readonly messages: number;
  readonly files: readonly AttachmentRecord[];
}

/** The archive that this device takes its messages of before from. Stays when it is done: another one goes before it. */
export interface TakenHistory extends ToldHistory {
  /** `coming`: another device makes it · `importing`: all of it is here and was found right. */
  readonly state: "coming" | "fetching" | "importing" | "done" | "failed";
  /** Bytes of its encrypted files that are here, from the first one on. */
  readonly fetched: number;
  /** Messages of it that are behind us. */
  readonly imported: number;
  /** Ordinals below this are free. */
  readonly oldest: number;
  readonly error: ErrorCode | undefined;
  /** Told meanwhile: its turn comes. */
  readonly next: ToldHistory | undefined;
  /** When it was told that it comes. */
  readonly sinceMilliseconds?: number;
}

/** Written before the server is asked: an answer that is lost costs nothing. */
export interface Recovering {
  /** As it is going to be. */
  readonly account: OwnAccount;
  readonly entry: Bytes;
}

/** Numbers that only grow. */
export interface Counters {
  readonly message: number;
  readonly event: number;
  readonly job: number;
  readonly preKey: number;
}

/** Somebody's account log, as far as it was verified. */
export interface KnownAccount {
  readonly entries: readonly Bytes[];
  /** Of the newest prekey record that was seen of each device. */
  readonly recordSeconds: Readonly<Record<number, number>>;
  readonly forked: boolean;
  /** The furthest that its owner has said it goes. Nobody is written to while there is less of it here. */
  readonly claimed?: LogHead;
  /** Whether it was told that its owner has seen another history of our own account. */
  readonly doubtsUs?: true;
}

/** What this account thinks of somebody. */
export interface Contact {
  readonly userId: UserId;
  readonly state: ContactState;
  readonly name: string | undefined;
  readonly username: string | undefined;
  /** What we told them that we accept them with, and they us. */
  readonly ourSecret: Bytes | undefined;
  readonly theirSecret: Bytes | undefined;
  /** Entries of their log when the safety number was compared. */
  readonly verifiedAt: number | undefined;
  /** Whether they were a contact when they were blocked. */
  readonly wasAccepted?: boolean;
  /** The server knows their account no more: whoever has their username now is somebody else. */
  readonly gone?: true;
  /** Was found under the name of somebody who is gone. Nothing is sent to them until they were verified. */
  readonly unreviewed?: true;
  /** When it was decided what they are to us, on any device of the account. */
  readonly decidedMilliseconds?: number;
  /** Their picture that is here. */
  readonly avatar?: ShownAvatar;
}

/** With one person, or a group. */
export type ConversationId = UserId | GroupId;

export interface ConversationRecord {
  readonly id: ConversationId;
  readonly lastOrdinal: number;
  readonly unread: number;
  readonly draft: string;
  /** Of what this device sent last in it. */
  readonly position: { readonly counter: number; readonly hash: Bytes } | undefined;
}

/** Where the sequence of one sending device stands in one conversation. */
export interface Chain {
  readonly conversation: ConversationId;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly next: number;
  readonly hash: Bytes | undefined;
  /** Counters that came too early, with the time until which they wait. */
  readonly waiting: readonly { readonly counter: number; readonly untilMilliseconds: number }[];
}

/** A content that waits for its predecessor. */
export interface Held {
  readonly content: Bytes;
}

/** A file of a message. */
export interface AttachmentRecord {
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  /** Both 0 for what is no picture. */
  readonly width: number;
  readonly height: number;
  readonly thumbhash: Bytes;
  readonly key: Bytes;
  /** SHA-256 of the encrypted file. */
  readonly digest: Bytes;
  /** SHA-256 of its plaintext, of pictures of people and groups. */
  readonly contentDigest?: Bytes;
  /** Where it is at the server; absent until it is there. */
  readonly stored: { readonly mediaId: MediaId; readonly accessSecret: Bytes } | undefined;
}

export interface MessageRecord {
  readonly id: MessageId;
  readonly conversation: ConversationId;
  readonly ordinal: number;
  readonly author: UserId;
  readonly text: string;
  readonly sentAt: number;
  readonly state: "queued" | "sent" | "delivered" | "read" | "failed" | "received";
  readonly error: ErrorCode | undefined;
  readonly replyTo: { readonly author: UserId; readonly id: MessageId } | undefined;
  readonly history: readonly { readonly text: string; readonly sentAt: number }[];
  readonly editedAt: number | undefined;
  readonly deleted: boolean;
  readonly reactions: Readonly<Record<UserId, { readonly emoji: string; readonly sentAt: number }>>;
  readonly gapBefore: boolean;
  /** Of a message of theirs: whether its reader was told of it, and has read it. */
  readonly announced: boolean;
  readonly seen: boolean;
  /** Of a message of ours in a group: how far it has come with each member. */
  readonly receipts?: Readonly<Record<UserId, "delivered" | "read">>;
  readonly attachments?: readonly AttachmentRecord[];
}

export interface MessagePlace {
  readonly conversation: ConversationId;
  readonly ordinal: number;
  readonly author: UserId;
}

/** What has come about a message that is not here yet. */
export interface EarlyRecord extends Awaited {
  readonly sinceMilliseconds: number;
  readonly early: readonly Early[];
}

export type EventRecord =
  | { readonly type: "message"; readonly conversation: ConversationId; readonly ordinal: number }
  | { readonly type: "receipt"; readonly kind: "delivered" | "read"; readonly by: UserId; readonly messageIds: readonly MessageId[] }
  | { readonly type: "request"; readonly from: UserId }
  | {
      readonly type: "edit" | "delete" | "reaction";
      readonly from: UserId;
      readonly conversation: ConversationId;
      readonly ordinal: number;
      readonly emoji: string | undefined;
    }
  | {
      readonly type: "notice";
      readonly kind: NoticeKind;
      readonly peer: UserId;
      readonly deviceId: DeviceId | undefined;
      readonly reason: string | undefined;
      /** The group that it is about. */
      readonly groupId?: GroupId;
    };

/** One device's copy, inside the sealed sender, which is made anew at each try: certificates expire. */
export interface SealedCopy {
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
  readonly kind: SealedKind;
  readonly bytes: Bytes;
}

/** Something that must reach the devices of one user. There until the server has it for all of them, or it was given up. */
export interface Job {
  readonly ordinal: number;
  readonly recipient: UserId;
  readonly envelopeId: MessageId;
  /** An encoded Content; of a report, the plaintext content. */
  readonly content: Bytes;
  readonly kind: "content" | "report";
  /** Only this one, for repairs. */
  readonly only: DeviceId | undefined;
  readonly copies: readonly SealedCopy[] | undefined;
  /** The message of ours that it carries. */
  readonly message: MessagePlace | undefined;
}

/** Somebody, or a group, for whom there are jobs. */
export interface Waiting {
  readonly recipient: ConversationId;
  /** As many as there are: only queue.ts writes this, together with them. */
  readonly jobs: number;
}

/** Where we stand in a group: let in by somebody who is no contact yet, in it, or out of it. */
export type GroupStanding = "invited" | "member" | "left" | "removed";

/** A group, as far as this device has followed its log. */
export interface KnownGroup {
  readonly groupId: GroupId;
  readonly standing: GroupStanding;
  /** Who let us in; absent in a group of our own. */
  readonly invitedBy: UserId | undefined;
  /** What somebody says of the entry by which we come in, until it was read: a log that does not agree is none of this group. */
  readonly invitation:
    | { readonly by: UserId; readonly version: number; readonly stateHash: Bytes; readonly groupSecret: Bytes }
    | undefined;
  /** An encoded GroupRecord of protocol/: the newest state that was verified, and its secrets. */
  readonly record: Bytes | undefined;
  /** The last place of the log that was looked at. Places that nobody accepts are passed over, until the next look. */
  readonly place: number;
  /** What the state was at versions before, the newest last: somebody who is behind may show another one. */
  readonly past: readonly { readonly version: number; readonly stateHash: Bytes }[];
  /** Whether we have said our name there. */
  readonly introduced: boolean;
  /** Who was there before us: their sequences began without us. */
  readonly before: readonly UserId[];
  /** Who came after us, and with which version: what was said before that is not for them. */
  readonly arrived: readonly { readonly userId: UserId; readonly version: number }[];
  /** Who is gone, and since when: what they wrote before may still be on its way. */
  readonly former: readonly { readonly userId: UserId; readonly sinceMilliseconds: number }[];
  /** The encoded GroupAppend of a group of ours, until the server has it. */
  readonly beginning?: Bytes;
  /** An admin has spoken from a later state than we were shown. Until we are, nothing is said: it may be that somebody was removed. */
  readonly awaited?: { readonly version: number; readonly by: UserId };
  /** The newest record of it that another device of ours has told, an encoded GroupRecord, while the log was not read as far. */
  readonly told?: Bytes;
  /** Why nothing can be done in it any more. */
  readonly broken: "group-forked" | "group-unreadable" | "upgrade-required" | undefined;
  /** Its picture that is here. */
  readonly avatar?: ShownAvatar;
}

/** The picture of a person or a group that is here, and may be shown. Written together with its bytes, by avatars/records.ts alone. */
export interface ShownAvatar {
  /** SHA-256 of its bytes. */
  readonly digest: Bytes;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
}

/** What is known of the picture of a person, of a group or our own, beside the one that is here. */
export interface AvatarRecord {
  readonly of: ConversationId;
  /** The last that was told; absent when there is none. */
  readonly told: AttachmentRecord | undefined;
  /** When that was brought to the server, or taken away, as far as this device knows. Of our own: by the device that did it. */
  readonly changedMilliseconds: number;
  /** By this device. */
  readonly isOurs: boolean;
  /** The device that told, and when, by its clock: what it said before that comes too late. */
  readonly toldBy: { readonly deviceId: DeviceId; readonly sentAt: number } | undefined;
  /** Of fetching what was told: how often it failed for more than now, and until when it is left alone. */
  readonly failures: number;
  readonly retryMilliseconds: number;
  /** One of ours that is on its way to the server and will be told then. */
  readonly pending: PendingAvatar | undefined;
}

export interface PendingAvatar {
  /** Of its upload. */
  readonly ordinal: number;
  readonly file: AttachmentRecord;
  /** Of one that goes up again: what it takes the place of. If that is not what is told any more, nothing is. */
  readonly renews: MediaId | undefined;
  /** Why it did not come about. Whoever set it is told, and may set another. */
  readonly error: ErrorCode | undefined;
}

export interface HeldBy {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
}

/** The key that this device sends with in one group, and whose devices have it. */
export interface OwnSenderKey {
  /** An encoded SenderKeyRecord. */
  readonly key: Bytes;
  readonly createdMilliseconds: number;
  readonly messages: number;
  readonly heldBy: readonly HeldBy[];
}

/** A message to a group, until the server has it for every device. */
export interface GroupJob {
  readonly ordinal: number;
  readonly groupId: GroupId;
  readonly envelopeId: MessageId;
  /** An encoded Content. */
  readonly content: Bytes;
  /** The sender-key message and whom it is for. Absent until it was sealed, which happens once. */
  readonly sealed: { readonly bytes: Bytes; readonly to: readonly HeldBy[] } | undefined;
  /** Once the server has it: under which handle it tells how it went, and for whom it was, in its order. */
  readonly accepted: { readonly handle: string; readonly users: readonly UserId[] } | undefined;
  readonly message: MessagePlace | undefined;
}

/** Somebody with an invite link who wants to be let into a group of which we are an admin. */
export interface JoinAsked {
  readonly groupId: GroupId;
  readonly userId: UserId;
  readonly inviteId: Bytes;
  /** Whether a person decides; otherwise the invite has. */
  readonly approval: boolean;
}

/** A message to a group that cannot be opened yet: its sender's key, or word of the group, is still on its way. */
export interface HeldGroupMessage {
  readonly distribution: string;
  readonly guid: number;
  readonly sender: DeviceAddress;
  readonly bytes: Bytes;
  readonly envelopeId: MessageId;
  readonly untilMilliseconds: number;
}

/**
 * A file of ours that was encrypted, once, and is on its way to the server. Its pieces are there before the message is, and go after
 * the row says `done`: whoever finds the row knows what is left to do.
 */
export interface Upload {
  readonly ordinal: number;
  /** `encrypting`: no message has it yet · `refused`: waits for somebody to try again · `done`: nobody needs it any more. */
  readonly state: "encrypting" | "waiting" | "refused" | "done";
  readonly startedMilliseconds: number;
  /** The message of ours that it is for. Absent while it is being encrypted, of an archive and of a picture. */
  readonly message: (MessagePlace & { readonly id: MessageId }) | undefined;
  /** The archive that it is of. */
  readonly archive?: Pick<GivenHistory, "deviceId" | "archiveId">;
  /** Whose picture it is: a group's or our own. */
  readonly avatarOf?: ConversationId;
  /** Which of the files of that it is. */
  readonly index: number;
  /** Bytes of the encrypted file. */
  readonly length: number;
  /** Which program brings it, and until when the others leave it alone unless it says so again. */
  readonly worker?: { readonly id: string; readonly untilMilliseconds: number } | undefined;
  /** What the server calls the upload, and only we know. */
  readonly uploadId: UploadId | undefined;
}

/** A file of a message of ours that is at the server. */
export interface StoredFile {
  readonly id: MessageId;
  /** Which of the files of the message it is. */
  readonly index: number;
  readonly uploadId: UploadId;
  readonly storedMilliseconds: number;
}

/** Files of an archive of ours that are at the server, until the device that it is for needs them no more. */
export interface StoredArchive extends Pick<GivenHistory, "deviceId" | "identityKey" | "archiveId"> {
  readonly uploadIds: readonly UploadId[];
  readonly storedMilliseconds: number;
}

/** A file at the server that nobody needs any more: it is removed there, and tried again until it is. */
export interface Removal {
  readonly uploadId: UploadId;
  readonly sinceMilliseconds: number;
}

/** What was sent, for as long as somebody may report that it could not be opened. */
export interface SentRecord {
  readonly ordinal: number;
  readonly content: Bytes;
  readonly sentMilliseconds: number;
  readonly resends: number;
}

export interface Owed {
  readonly conversation: ConversationId;
  readonly userId: UserId;
  readonly delivered: readonly MessageId[];
  readonly read: readonly MessageId[];
}

/** How the repair of a device's sessions goes. */
export interface Repair {
  /** When we last reported to it that we cannot open what it sends, and last acted on such a report of its. */
  readonly reportedMilliseconds: number;
  readonly resentMilliseconds: number;
  /** Something of its could not be opened, and nothing was since. */
  readonly broken?: boolean;
}

export interface EcKey {
  readonly id: number;
  readonly privateKey: Bytes;
  readonly createdMilliseconds: number;
  /** Of a signed one: when another took its place. */
  readonly replacedMilliseconds: number | undefined;
}

export interface KemKey extends Omit<EcKey, "privateKey"> {
  readonly seed: Bytes;
  readonly lastResort: boolean;
}

export interface CertificateRecord {
  readonly bytes: Bytes;
  readonly untilMilliseconds: number;
}

export const OWN: Table<OwnAccount> = kept(json("own"));
export const COUNTERS: Table<Counters> = kept(json("counters"));
export const TOKEN: Table<Token> = json("token");
export const CERTIFICATE: Table<CertificateRecord> = kept(json("certificate"));
/** What our devices are called, by device. */
export const DEVICE_NAMES: Table<{ readonly deviceId: DeviceId; readonly name: string }> = json("device-name");
/** Devices of ours that something has come from, by device. */
export const HEARD_DEVICES: Table<{ readonly deviceId: DeviceId }> = json("heard-device");
/** Devices that we are about to let in, or have let in, and that have still to be told what the account knows. By device. */
export const WELCOMES: Table<Welcome> = json("welcome");
/** By device. */
export const GIVEN_HISTORIES: Table<GivenHistory> = json("given-history");
export const TAKEN_HISTORY: Table<TakenHistory> = json("taken-history");
/** By file of the archive that is being fetched, then place: the encrypted file in pieces of one length. */
export const HISTORY_PIECES: Table<Bytes> = { name: "history-piece", encode: (bytes) => bytes, decode: (bytes) => bytes };
/** An account that is being recovered on this device. */
export const RECOVERING: Table<Recovering> = json("recovering");
/** When what is too old to be of use was removed last. */
export const SWEPT: Table<{ readonly atMilliseconds: number }> = json("swept");
export const CURSOR: Table<{ readonly consumed: number }> = kept(json("cursor"));
/** By userId. */
export const ACCOUNTS: Table<KnownAccount> = kept(json("account"));
export const CONTACTS: Table<Contact> = kept(json("contact"));
export const CONVERSATIONS: Table<ConversationRecord> = kept(json("conversation"));
/** By conversation, then whom they are owed. */
export const OWED: Table<Owed> = kept(json("owed"));
/** By userId and device. Written in the transaction that also writes what came out of the session. */
export const SESSIONS: Table<SessionRecord> = { name: "session", encode: encodeSessionRecord, decode: decodeSessionRecord };
export const REPAIRS: Table<Repair> = json("repair");
/** By conversation and `user/device`. */
export const CHAINS: Table<Chain> = kept(json("chain"));
/** By conversation and `user/device`, then counter. */
export const HELD: Table<Held> = json("held");
/** By conversation, then ordinal. */
export const MESSAGES: Table<MessageRecord> = kept(json("message"));
/** By message id, then author. */
export const PLACES: Table<MessagePlace> = kept(json("place"));
/** By ordinal. */
export const EVENTS: Table<EventRecord> = kept(json("event"));
/** By recipient, then ordinal. */
export const JOBS: Table<Job> = json("job");
/** By recipient. */
export const WAITING: Table<Waiting> = kept(json("waiting"));
/** By groupId. */
export const GROUPS: Table<KnownGroup> = json("group");
export const OWN_SENDER_KEYS: Table<OwnSenderKey> = json("own-sender-key");
/** By distribution id: which group a sender-key message is of. */
export const DISTRIBUTIONS: Table<{ readonly groupId: GroupId }> = json("distribution");
/** By groupId and `user/device`. */
export const SENDER_KEYS: Table<SenderKeyRecord> = { name: "sender-key", encode: encodeSenderKeyRecord, decode: decodeSenderKeyRecord };
/** By groupId, then ordinal. */
export const GROUP_JOBS: Table<GroupJob> = json("group-job");
/** By groupId, then who asks. */
export const JOINS: Table<JoinAsked> = json("join");
/** By distribution id, then the guid of its delivery. */
export const HELD_GROUP_MESSAGES: Table<HeldGroupMessage> = json("held-group-message");
/** By ordinal. */
export const UPLOADS: Table<Upload> = json("upload");
/** By the ordinal of the upload, then place: the encrypted file in pieces of one length. */
export const UPLOAD_PIECES: Table<Bytes> = { name: "upload-piece", encode: (bytes) => bytes, decode: (bytes) => bytes };
/** By message id, then which of its files. */
export const STORED_FILES: Table<StoredFile> = json("stored-file");
/** By archive id. */
export const STORED_ARCHIVES: Table<StoredArchive> = json("stored-archive");
/** By uploadId. */
export const REMOVALS: Table<Removal> = json("removal");
/** By userId or groupId. */
export const AVATARS: Table<AvatarRecord> = kept(json("avatar"));
/** By userId or groupId, then `shown` or `pending`: pictures of people and groups as they are. */
export const AVATAR_BYTES: Table<Bytes> = { name: "avatar-bytes", encode: (bytes) => bytes, decode: (bytes) => bytes };
/** By message id, then author. */
export const EARLY: Table<EarlyRecord> = json("early");
/** By recipient or group, then the ordinal of its job. */
export const SENT: Table<SentRecord> = json("sent");
/** By period, then `user/device/message`: a content that was applied is not applied again. */
export const MARKS: Table<1> = json("mark");
/** By id. */
export const EC_KEYS: Table<EcKey> = json("ec");
export const SIGNED_KEYS: Table<EcKey> = json("signed");
export const KEM_KEYS: Table<KemKey> = json("kem");
/** By signed prekey id, then use. */
export const KEY_USES: Table<1> = json("key-use");

/** Ordinals that are left to messages of before: they come later and stand in front. */
export const HISTORY_ROOM: number = 2 ** 32;

export const NO_COUNTERS: Counters = { message: HISTORY_ROOM, event: 0, job: 0, preKey: 0 };
