// The SDK as its users see it: what createClient() gives, in words and types. How it is done is in the files beside it.

import type { Bytes, DeviceId, MessageId, UserId } from "#wire";
import type { ConnectionStatus } from "./connection-api.ts";
import type { ErrorCode } from "./errors.ts";

/** A value that changes. The listener is called at once with the value of now, and after every change; returns its own undo. */
export interface Live<T> {
  readonly value: T;
  subscribe(listener: (value: T) => void): () => void;
}

export interface Options {
  readonly signal?: AbortSignal;
}

/** One device of an account. Every call may reject with a ClientError. */
export interface Client extends AsyncDisposable {
  /** `new`: the store has no account yet. */
  readonly state: "new" | "registered";
  /** @throws ClientError `not-registered` */
  readonly account: Account;
  readonly connection: Live<ConnectionState>;
  readonly conversations: Conversations;
  readonly contacts: Contacts;
  /** Also the way to get an account on a new store: by another device of it. */
  readonly devices: Devices;
  /** And when no device is left. */
  readonly recovery: RecoveryKeys;
  /** Makes the keys and the account. `name`, by default the username, is what others see. May be repeated after a failure. */
  register(options?: Options & { readonly username?: string; readonly invite?: string; readonly name?: string }): Promise<Account>;
  /** Receives, and goes on after every loss of connection. Resolves when everything that waited is here. */
  connect(options?: Options): Promise<void>;
  /**
   * What has happened here, in the order in which it was stored, from the first that `next` was not asked behind. With
   * `wait: false` it ends when there is nothing more now.
   */
  events(options?: Options & { readonly after?: Cursor; readonly wait?: boolean }): AsyncIterableIterator<ClientEvent>;
  message(id: MessageId | string): Promise<Message>;
  /** Newest first. Words by their beginnings, or any part of the text. */
  search(text: string, options?: { readonly conversation?: Conversation; readonly limit?: number }): Promise<readonly Message[]>;
  readonly profile: Live<Profile>;
  /**
   * Changes what is named. A new picture is told, and shown, once the server has it, and that is when this resolves; `undefined` takes
   * the picture away. If the server cannot be reached this rejects, and the picture is brought there later all the same.
   * @throws ClientError `not-a-picture`, `picture-damaged`, `picture-too-large`, `file-refused`, `offline`…
   */
  setProfile(profile: ProfileChange, options?: Options): Promise<void>;
  readonly settings: Live<Settings>;
  setSettings(settings: Partial<Settings>): Promise<void>;
  /**
   * Waits until everything owed is out: messages that were sent, receipts, pictures that were set. Rejects with what keeps it from going.
   * With `pictures` also until those of others are here, unless they cannot be had for now.
   */
  settled(options?: Options & { readonly pictures?: boolean }): Promise<void>;
  /**
   * Ends the account, for good: leaves its groups, writes the last entry of its log, which contacts see, and removes everything from
   * the store. Then this client is closed. May be repeated after a failure, in a later program too. With `force` groups are left as
   * they are where leaving fails, also those that then have no admin.
   * @throws ClientError `last-admin` before anything is done: a group would be left without one. `offline`…
   */
  deleteAccount(options?: Options & { readonly force?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface Account {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly username: string | undefined;
  /** Names this account and its server; whoever has it can write to us. */
  readonly link: string;
}

export interface ConnectionState {
  readonly status: ConnectionStatus;
  /** Messages of ours that the server does not have yet. */
  readonly queued: number;
  /** Why nothing is received any more; another `connect()` is needed. */
  readonly error: ErrorCode | undefined;
}

export interface Profile {
  readonly name: string;
  readonly avatar: Avatar | undefined;
}

export interface ProfileChange {
  readonly name?: string;
  /** JPEG, PNG, WebP or GIF of at most 1 MiB and 2048 pixels on each side; larger ones are made smaller where the platform can. */
  readonly avatar?: Blob | undefined;
}

/** The picture of a person or a group. It is in this device's own store: nothing is fetched to show it. */
export interface Avatar {
  /** The same for the same picture, and another one for any other. */
  readonly id: string;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  /** Its bytes; `undefined` when another one, or none, has taken its place meanwhile. */
  blob(): Promise<Blob | undefined>;
}

/** Both ways: who does not tell is not told. */
export interface Settings {
  readonly readReceipts: boolean;
  readonly typing: boolean;
  readonly presence: boolean;
}

/** Where one was in the events; a string that only this store understands. */
export type Cursor = string;

export interface Conversations {
  /** With the latest first. */
  readonly live: Live<readonly Conversation[]>;
  /** With one person: a username, a userId or a contact link. A username is looked up once and never again. */
  direct(who: string, options?: Options): Promise<DirectConversation>;
  /** A new group with these people in it; whoever has accepted us is in at once. `title`: 1 to 100 characters. */
  createGroup(title: string, members: readonly (string | Peer)[], options?: Options): Promise<GroupConversation>;
  /** One that this account is or was in, by its title or its id. @throws ClientError `unknown-group` */
  group(titleOrId: string): Promise<GroupConversation>;
  /** Asks to be let into a group, by a link. Resolves when that is stored here; the group is there once an admin's program has answered. */
  join(link: string, options?: Options): Promise<void>;
  /** Every group that this account is or was in. */
  groups(): Promise<readonly GroupConversation[]>;
  list(): Promise<readonly Conversation[]>;
}

export type Conversation = DirectConversation | GroupConversation;

export interface DirectConversation extends ConversationBase {
  readonly kind: "direct";
  readonly peer: Peer;
}

export type GroupRole = "admin" | "member";

export interface GroupConversation extends ConversationBase {
  readonly kind: "group";
  readonly title: string;
  /** Absent while there is none, or it is not here yet. */
  readonly avatar: Avatar | undefined;
  readonly members: readonly GroupMember[];
  /** Ours; absent when we are not in it any more. */
  readonly role: GroupRole | undefined;
  /** `invited`: somebody whom we have not accepted let us in, and is in our requests. */
  readonly standing: "invited" | "member" | "left" | "removed";
  // What only admins can do. All of it resolves when the server has it; the others follow.
  add(people: readonly (string | Peer)[], options?: Options): Promise<void>;
  /** They read nothing that is said afterwards. */
  remove(people: readonly (string | Peer)[], options?: Options): Promise<void>;
  rename(title: string, options?: Options): Promise<void>;
  /** As in `setProfile`; `undefined` takes the picture away. */
  setAvatar(picture: Blob | undefined, options?: Options): Promise<void>;
  setRole(who: string | Peer, role: GroupRole, options?: Options): Promise<void>;
  /** A link that lets people in: so many, until then; with `approval` (the default) each of them after an admin's `approve`. */
  invite(options?: Options & InviteTerms): Promise<string>;
  /** Who has shown a link and waits. */
  joinRequests(): Promise<readonly Peer[]>;
  /** Lets somebody in who has shown a link. @throws ClientError `nobody-asked` */
  approve(who: string | Peer, options?: Options): Promise<void>;
  /** What anybody can do, except the last admin while others are in it. */
  leave(options?: Options): Promise<void>;
}

export interface InviteTerms {
  /** 1 to 100; by default 1. */
  readonly uses?: number;
  /** By default seven days, at most a year. */
  readonly expiresSeconds?: number;
  readonly approval?: boolean;
}

export interface GroupMember {
  readonly peer: Peer;
  readonly role: GroupRole;
}

export interface ConversationBase {
  /** In a conversation of two, the other person's userId; of a group, its own. */
  readonly id: string;
  readonly unread: number;
  readonly draft: string;
  readonly lastMessage: Message | undefined;
  /** The latest messages, oldest first. */
  readonly live: Live<readonly Message[]>;
  /**
   * Stores the message and sends it as soon as there is a way. Resolves when it is stored here; the message's `sent()`
   * resolves when the server has it for every device.
   */
  send(text: string, options?: { readonly replyTo?: Message }): Promise<Message>;
  /**
   * A message with files, each of at most 100 MiB. Resolves when it is stored here, the files encrypted with it; then they are taken to
   * the server, and go on from there after every loss of connection and every end of this program. Only when they are there the message
   * goes out: what is said meanwhile overtakes it.
   */
  sendFile(file: Blob | readonly Blob[], options?: SendFileOptions): Promise<Message>;
  /** Newest first, a page at a time. */
  history(options?: { readonly before?: MessageId; readonly limit?: number }): Promise<readonly Message[]>;
  /** Marks everything up to now, or up to a message, as read. */
  markRead(upTo?: Message): Promise<void>;
  /** Told to accepted contacts only, and only with the setting on. */
  setTyping(on: boolean): Promise<void>;
  setDraft(text: string): Promise<void>;
}

export interface SendFileOptions {
  /** What stands beside the files. */
  readonly caption?: string;
  readonly replyTo?: Message;
  /** Bytes at the server, of all that go there: more than the files have, because they are padded. Until they are there or refused. */
  readonly onProgress?: (progress: Progress) => void;
  /** Aborted before the message went out, there is no such message. */
  readonly signal?: AbortSignal;
  /** Pictures, videos and recordings otherwise lose what cameras write into them: the place, the time, the device. */
  readonly keepMetadata?: boolean;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** A file of a message. Its name, type and measures are what its sender says. */
export interface Attachment {
  /** Never a path, and of printable characters only. */
  readonly name: string;
  /** `application/octet-stream` where nobody knows. */
  readonly mime: string;
  readonly size: number;
  /** Of a picture or a video. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** A blurred picture in some 30 bytes (evanw.github.io/thumbhash). */
  readonly thumbhash: Bytes | undefined;
  /** The whole file, once it is proven to be the one that was sent. After a loss of connection it goes on where it was. */
  download(options?: DownloadOptions): Promise<Blob>;
  /** The same into a file, where also what an earlier try has left counts; `fileSink` of `edgewise/node` makes one. */
  download(options: DownloadOptions & { readonly to: FileSink }): Promise<void>;
  /**
   * From a place on, piece by piece, each proven to be the sender's and in its place. Whoever reads all of it from the beginning is
   * also told at the end that it was whole.
   */
  stream(options?: DownloadOptions & { readonly from?: number }): AsyncIterableIterator<Bytes>;
}

export interface DownloadOptions extends Options {
  /** Bytes of the file. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Where a file goes that is downloaded. One download at a time. */
export interface FileSink {
  /** What an earlier try has left, from the beginning on; without pieces if there is nothing. */
  left(): AsyncIterable<Bytes>;
  /** Keeps so many bytes of that, and gets what comes behind them. */
  open(length: number): Promise<void>;
  write(bytes: Bytes): Promise<void>;
  /** Everything is here, and proven: from now on, and not before, it may look like a whole file. */
  finish(): Promise<void>;
  /** What is here stays for the next try. */
  close(): Promise<void>;
  /** What is here is worth nothing. */
  discard(): Promise<void>;
}

export type MessageState = "queued" | "sent" | "delivered" | "read" | "failed" | "received";

export interface Message {
  readonly id: MessageId;
  readonly conversation: Conversation;
  readonly from: Peer;
  /** Whether one of our own devices wrote it. */
  readonly own: boolean;
  readonly text: string;
  /** By the writer's clock. */
  readonly sentAt: Date;
  readonly state: MessageState;
  /** Why it failed. */
  readonly error: ErrorCode | undefined;
  readonly replyTo: { readonly author: UserId; readonly id: MessageId } | undefined;
  readonly attachments: readonly Attachment[];
  readonly edited: boolean;
  /** What it said before, oldest first. */
  readonly history: readonly { readonly text: string; readonly sentAt: Date }[];
  readonly deleted: boolean;
  readonly reactions: readonly { readonly by: UserId; readonly emoji: string }[];
  /** Something that its writer sent before this one never came. */
  readonly gapBefore: boolean;
  /** Resolves when the server has it for every device. */
  sent(options?: Options): Promise<void>;
  /** Resolves when a device of the other person has it. */
  delivered(options?: Options): Promise<void>;
  edit(text: string): Promise<void>;
  /** For everyone. One whose files are still on their way nobody has heard of, and it is gone. */
  delete(): Promise<void>;
  /** An empty one takes the reaction back. */
  react(emoji: string): Promise<void>;
  reply(text: string): Promise<Message>;
  markRead(): Promise<void>;
  /** After it failed. */
  retry(): Promise<void>;
}

/** `none`: not in touch yet · `request`: they wrote and wait for an answer · `accepted` · `blocked`. */
export type ContactState = "none" | "request" | "accepted" | "blocked";

/** A person. */
export interface Peer {
  readonly userId: UserId;
  /** What they call themselves; before they told, the username they were found by, or the beginning of the userId. */
  readonly name: string;
  readonly username: string | undefined;
  /** Of a contact. Absent while there is none, or it is not here yet; nothing is fetched of anybody else, nor shown of whoever is blocked. */
  readonly avatar: Avatar | undefined;
  readonly self: boolean;
  readonly contact: ContactState;
  verification(): Promise<Verification>;
}

export interface Verification {
  /** 60 digits, the same on both sides. */
  readonly safetyNumber: string;
  /** What to show as a QR code, and what `scan` takes. */
  readonly scannable: string;
  readonly verified: boolean;
  scan(scanned: string): "match" | "mismatch";
  /** "I have compared them." If their account is recovered or made anew later, nothing is sent until this is said again. */
  confirm(): Promise<void>;
}

export interface Contacts {
  readonly requests: Live<readonly Peer[]>;
  listRequests(): Promise<readonly Peer[]>;
  /** Username, userId or contact link. */
  find(who: string, options?: Options): Promise<Peer>;
  accept(who: string | Peer, options?: Options): Promise<void>;
  block(who: string | Peer, options?: Options): Promise<void>;
  unblock(who: string | Peer, options?: Options): Promise<void>;
  /**
   * Whether somebody is there, and every change. Asks again for as long as somebody is subscribed; `undefined` until they
   * answered.
   */
  presence(who: Peer): Live<boolean | undefined>;
}

/** The devices of this account. Any of them can let another in or put it out: none is above the others. */
export interface Devices {
  /** This one among them, in the order in which they came. */
  readonly live: Live<readonly LinkedDevice[]>;
  /** As the server has it now. */
  list(options?: Options): Promise<readonly LinkedDevice[]>;
  /** New devices that ask to be linked, for as long as they can be. */
  readonly requests: Live<readonly LinkAsked[]>;
  /**
   * On a new store: asks to become a device of an account, which is ours when `done` resolves. Two minutes are left, and the store
   * stays new if it comes to nothing.
   * @throws ClientError `already-registered`, `in-progress`, `bad-argument`
   */
  requestLink(options: RequestLink): Promise<LinkRequest>;
  /**
   * Lets a new device in that shows a link, or asks. Resolves when it is in the account's log and has been told so.
   * @throws ClientError `link-expired`, `wrong-digits`, `untrusted-link`, `devices-full`
   */
  approveLink(what: string | LinkAsked, options: ApproveLink): Promise<LinkedDevice>;
  /**
   * Gives a device of ours the messages of before, again or after all: what it has stays as it is there. Resolves when that is stored
   * here; `history` tells how it goes.
   * @throws ClientError `unknown-device`, also for this one
   */
  giveHistory(deviceId: number, history: HistoryChoice, options?: Options): Promise<void>;
  /** Messages of before that come to this device, or go to others of ours. */
  readonly history: Live<readonly HistoryTransfer[]>;
  /** Known to our own devices only. */
  rename(deviceId: number, name: string): Promise<void>;
  /**
   * Puts a device out; this one, too. When this resolves it receives nothing any more and is refused everywhere, and the groups of which
   * we are an admin have new secrets. What it knew of others and their groups is made anew as they learn of it.
   * @throws ClientError `unknown-device`, `last-device`
   */
  revoke(deviceId: number, options?: Options): Promise<void>;
}

export interface LinkedDevice {
  readonly deviceId: DeviceId;
  /** What its owner calls it; empty when nobody has said. */
  readonly name: string;
  readonly addedAt: Date;
  /** The device that let it in; absent for the first one and for one that recovered the account. */
  readonly addedBy: DeviceId | undefined;
  /** Came within the last seven days: to be shown, so that none comes unseen. */
  readonly isNew: boolean;
  /**
   * `false` while nothing has come from it since it was let in. One that stays so ended between its entry in the account's log and the
   * answer: its keys are nobody's, so it should be put out. Of those that were there before this one, this one knows nothing else than `true`.
   */
  readonly hasCome: boolean;
  /** This one. */
  readonly current: boolean;
}

export interface RequestLink extends Options {
  /** What our owner is asked about on the other device, and what it is called there. */
  readonly name: string;
  /** The userId or contact link of the account, whose devices are then asked. Without it there is a link to show. */
  readonly account?: string;
}

export interface LinkRequest {
  /** To be shown, as a QR code or as text, to a device of the account; absent when that was named. Good once, for two minutes. */
  readonly link: string | undefined;
  /** Six digits, to be typed on the other device, as soon as that has answered. */
  readonly digits: Promise<string>;
  /** Rejects with `link-expired`, `link-refused`, `untrusted-link`. */
  readonly done: Promise<Account>;
}

/** A new device asks. Who it is, it tells whoever answers. */
export interface LinkAsked {
  readonly askedAt: Date;
  /** Is not shown any more here. */
  dismiss(): void;
}

export interface ApproveLink extends Options {
  /** What the new device shows, or how to ask a person for it: three times, and never when what was said before was right. */
  readonly digits: string | ((asked: { readonly deviceName: string; readonly triesLeft: number }) => Promise<string>);
  /** What it gets of the messages of before; by default `none`. They come behind the linking, which does not wait for them. */
  readonly history?: "none" | HistoryChoice;
}

/** By the clocks of those who wrote the messages. */
export type HistoryChoice = "30d" | "all";

export interface HistoryTransfer {
  readonly direction: "from" | "to";
  /** The other device. */
  readonly deviceId: DeviceId;
  /**
   * There, `writing` the archive and `sending` it; here, `coming` until that is done, then `fetching` and `importing`. What comes stays
   * `done` or `failed`; what goes is no more in the list when the other device was told that it is there.
   */
  readonly state: "writing" | "sending" | "coming" | "fetching" | "importing" | "done" | "failed";
  /** Messages; of `sending` files, and of `fetching` bytes. `total` is 0 as long as nobody knows. */
  readonly done: number;
  readonly total: number;
  /** Why it failed. */
  readonly error: ErrorCode | undefined;
}

/** A key that the owner keeps on paper. It restores the account when no device is left, and can do nothing else. */
export interface RecoveryKeys {
  state(): Promise<RecoveryState>;
  /**
   * A new key, shown this once and kept nowhere. In force at once where none is, or with the `current` one; otherwise after seven days,
   * in which any device can object by revoking this one.
   * @throws ClientError `wrong-recovery-key`, `bad-argument`
   */
  create(options?: Options & { readonly current?: string }): Promise<string>;
  /**
   * On a new store: the same account with the same safety numbers, on this device alone. Contacts are told. Messages, contacts and the
   * profile of before are not here, and groups have to let it in again. May be repeated after a failure.
   * @throws ClientError `wrong-recovery-key`, `bad-argument`, `already-registered`, `in-progress`
   */
  restore(key: string, options?: Options): Promise<Account>;
}

export interface RecoveryState {
  readonly isSet: boolean;
  /** A key that was named without the one in force. */
  readonly waiting: { readonly namedBy: DeviceId; readonly inForceAt: Date } | undefined;
}

interface EventBase {
  readonly cursor: Cursor;
}

export interface MessageEvent extends EventBase {
  readonly type: "message";
  readonly message: Message;
}

/** About messages of ours. */
export interface ReceiptEvent extends EventBase {
  readonly type: "receipt";
  readonly kind: "delivered" | "read";
  readonly by: Peer;
  readonly messageIds: readonly MessageId[];
}

/** Somebody writes for the first time. Their messages wait behind it. */
export interface RequestEvent extends EventBase {
  readonly type: "request";
  readonly from: Peer;
  accept(): Promise<void>;
  block(): Promise<void>;
}

export interface ChangeEvent extends EventBase {
  readonly type: "edit" | "delete" | "reaction";
  readonly from: Peer;
  readonly message: Message;
  /** Of a reaction; empty when it was taken back. */
  readonly emoji: string | undefined;
}

/** Not stored: of now. */
export interface TypingEvent extends EventBase {
  readonly type: "typing";
  readonly conversation: Conversation;
  readonly by: Peer;
  readonly on: boolean;
}

/** Not stored: of now. */
export interface PresenceEvent extends EventBase {
  readonly type: "presence";
  readonly by: Peer;
  readonly online: boolean;
}

/** Not stored: of now. A new device asks to be linked; whoever does not know of one says nothing. */
export interface LinkRequestEvent extends EventBase {
  readonly type: "link-request";
  /** For `devices.approveLink`. */
  readonly request: LinkAsked;
}

/** About `peer`, who may be ourselves. */
export type NoticeKind =
  | "device-added"
  | "device-revoked"
  /** Of our own account: `reason` is `set`, `waits` (the one before is in force for seven days) or `withdrawn`. */
  | "recovery-key-changed"
  /**
   * Their account was recovered with its recovery key: all devices are new ones. Or it is gone, and there is a new one under the same
   * name. Who was known before has to be verified.
   */
  | "account-changed"
  /** They have deleted their account, or another device has deleted ours: the last entry of its log says so. */
  | "account-deleted"
  /** Two histories of an account exist. */
  | "account-forked"
  /** A message came that cannot be opened; `reason` says why, and it is being asked for again. */
  | "unreadable"
  /** What this device sends can be opened again. */
  | "repaired"
  /** A message to them was given up; `reason` is its error code. */
  | "not-sent"
  /** `peer` has changed a group; `reason` says how: `joined` and `removed` (ourselves), `add`, `remove`, `leave`, `rename`, `promote`, … */
  | "group-changed"
  /** `peer` has shown an invite link and waits to be let in. */
  | "join-asked"
  /** Two histories of a group exist. */
  | "group-forked"
  /** A group cannot be followed any more; `reason` says why. */
  | "group-broken";

export interface NoticeEvent extends EventBase {
  readonly type: "notice";
  readonly kind: NoticeKind;
  readonly peer: Peer;
  readonly deviceId: DeviceId | undefined;
  readonly reason: string | undefined;
  /** The group that it is about. */
  readonly group: GroupConversation | undefined;
}

export type ClientEvent =
  | MessageEvent
  | ReceiptEvent
  | RequestEvent
  | ChangeEvent
  | TypingEvent
  | PresenceEvent
  | LinkRequestEvent
  | NoticeEvent;
