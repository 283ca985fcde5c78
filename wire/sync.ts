// Sync: what the devices of one account tell each other. From anybody else's device it is nothing; that rule is the
// receiver's and not known here.

import type { Bytes } from "./bytes.ts";
import type { DeviceId, UserId, Username } from "./ids.ts";
import { bool, bytes, deviceId, enumeration, exactly, text, uint32, uint64, upTo, userId, username } from "./kinds.ts";
import { MAX_CONTENT_BYTES, MAX_GROUP_STATE_BYTES, MAX_HISTORY_FILES, MAX_NAME_BYTES, MAX_READ_MARKS } from "./limits.ts";
import { MEDIA_POINTER, type MediaPointer } from "./media-pointer.ts";
import { REFERENCE, type Reference } from "./reference.ts";
import { type Extensible, list, message, type MessageKind, oneof, optional, required, withDefault } from "./strict.ts";

/** The encoded Content that this device sent to others. */
export interface Sent extends Extensible {
  readonly kind: "sent";
  readonly content: Bytes;
}

export interface Read extends Extensible {
  readonly kind: "read";
  readonly messages: readonly Reference[];
}

export type ContactState = "accepted" | "blocked" | "unblocked" | "verified";

/** What the account has decided about somebody, and what goes with it. */
export interface Contact extends Extensible {
  readonly kind: "contact";
  readonly userId: UserId;
  readonly state: ContactState;
  /** By the clock of the device that decided: of two decisions the later one holds. */
  readonly decidedMilliseconds: number;
  /** What they were found by and call themselves, as far as that is known. */
  readonly username: Username | undefined;
  readonly name: string;
  /** What they were told that we accept them with, and what they have told us: 32 bytes each. */
  readonly ourSecret: Bytes | undefined;
  readonly theirSecret: Bytes | undefined;
  /** Of somebody who was verified: the length of their account log at that time. */
  readonly verifiedLength: number | undefined;
  /** Their picture, as they have told of it last. */
  readonly avatar: MediaPointer | undefined;
}

/** What the owner calls a device. */
export interface DeviceName extends Extensible {
  readonly kind: "device-name";
  readonly deviceId: DeviceId;
  readonly name: string;
}

/** What the account calls itself. */
export interface OwnProfile extends Extensible {
  readonly kind: "profile";
  readonly name: string;
  readonly changedMilliseconds: number;
  readonly avatar: MediaPointer | undefined;
  /** When it was brought to the server, or taken away; 0 before the first. */
  readonly avatarChangedMilliseconds: number;
}

/** What the account tells others about itself. */
export interface OwnSettings extends Extensible {
  readonly kind: "settings";
  readonly readReceipts: boolean;
  readonly typing: boolean;
  readonly presence: boolean;
  /** Of each. */
  readonly readReceiptsChanged: number;
  readonly typingChanged: number;
  readonly presenceChanged: number;
}

/** A group that the account is in, for a device that could not read its log or was given no secret of it. */
export interface GroupCopy extends Extensible {
  readonly kind: "group";
  /** An encoded GroupState. */
  readonly state: Bytes;
  /** The secrets of its epoch, 32 bytes each; the second one of an admin. */
  readonly groupSecret: Bytes;
  readonly adminSecret: Bytes | undefined;
  /** Whether we have said our name there. */
  readonly introduced: boolean;
}

/** The messages of before, for one device that was not there. */
export interface History extends Extensible {
  readonly kind: "history";
  /** 16 bytes. */
  readonly archiveId: Bytes;
  /**
   * `coming`: it is being made · `ready`: its files are at the server · `withdrawn`: it does not come · `taken`, by the one that it is
   * for: its files are needed no more.
   */
  readonly state: "coming" | "ready" | "withdrawn" | "taken";
  /** How many there are in it. */
  readonly messages: number;
  /** The newest first. */
  readonly files: readonly MediaPointer[];
}

export interface Sync extends Extensible {
  readonly kind: "sync";
  readonly sync: Sent | Read | Contact | DeviceName | OwnProfile | OwnSettings | GroupCopy | History;
}

const SENT: MessageKind<Sent> = message("edgewise.Sent", {
  kind: "sent",
  content: required(1, upTo(MAX_CONTENT_BYTES)),
});

const READ: MessageKind<Read> = message("edgewise.Read", {
  kind: "read",
  messages: list(1, MAX_READ_MARKS, REFERENCE),
});

const CONTACT: MessageKind<Contact> = message("edgewise.Contact", {
  kind: "contact",
  userId: required(1, userId),
  state: required(2, enumeration("edgewise.Contact.State", { accepted: 1, blocked: 2, unblocked: 3, verified: 4 })),
  decidedMilliseconds: withDefault(3, uint64, 0),
  username: optional(4, username),
  name: withDefault(5, text(MAX_NAME_BYTES), ""),
  ourSecret: optional(6, exactly(32)),
  theirSecret: optional(7, exactly(32)),
  verifiedLength: optional(8, uint32),
  avatar: optional(9, MEDIA_POINTER),
});

const DEVICE_NAME: MessageKind<DeviceName> = message("edgewise.DeviceName", {
  kind: "device-name",
  deviceId: required(1, deviceId),
  name: withDefault(2, text(MAX_NAME_BYTES), ""),
});

const OWN_PROFILE: MessageKind<OwnProfile> = message("edgewise.OwnProfile", {
  kind: "profile",
  name: withDefault(1, text(MAX_NAME_BYTES), ""),
  changedMilliseconds: withDefault(2, uint64, 0),
  avatar: optional(3, MEDIA_POINTER),
  avatarChangedMilliseconds: withDefault(4, uint64, 0),
});

const OWN_SETTINGS: MessageKind<OwnSettings> = message("edgewise.OwnSettings", {
  kind: "settings",
  readReceipts: withDefault(1, bool, false),
  typing: withDefault(2, bool, false),
  presence: withDefault(3, bool, false),
  readReceiptsChanged: withDefault(4, uint64, 0),
  typingChanged: withDefault(5, uint64, 0),
  presenceChanged: withDefault(6, uint64, 0),
});

const GROUP_COPY: MessageKind<GroupCopy> = message("edgewise.GroupCopy", {
  kind: "group",
  state: required(1, bytes(1, MAX_GROUP_STATE_BYTES)),
  groupSecret: required(2, exactly(32)),
  adminSecret: optional(3, exactly(32)),
  introduced: withDefault(4, bool, false),
});

export const HISTORY_ARCHIVE_ID_BYTES: number = 16;

const HISTORY: MessageKind<History> = message("edgewise.History", {
  kind: "history",
  archiveId: required(1, exactly(HISTORY_ARCHIVE_ID_BYTES)),
  state: required(2, enumeration("edgewise.History.State", { coming: 1, ready: 2, withdrawn: 3, taken: 4 })),
  messages: withDefault(3, uint32, 0),
  files: list(4, MAX_HISTORY_FILES, MEDIA_POINTER),
});

export const SYNC: MessageKind<Sync> = message("edgewise.Sync", {
  kind: "sync",
  sync: oneof<Sync["sync"]>({
    sent: [1, SENT],
    read: [2, READ],
    contact: [3, CONTACT],
    "device-name": [4, DEVICE_NAME],
    profile: [5, OWN_PROFILE],
    settings: [6, OWN_SETTINGS],
    group: [7, GROUP_COPY],
    history: [8, HISTORY],
  }),
});
