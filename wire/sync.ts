// Sync: what the devices of one account tell each other. From anybody else's device it is nothing; that rule is the
// receiver's and not known here.

import type { Bytes } from "./bytes.ts";
import type { DeviceId, UserId } from "./ids.ts";
import { deviceId, enumeration, text, upTo, userId } from "./kinds.ts";
import { MAX_CONTENT_BYTES, MAX_NAME_BYTES, MAX_READ_MARKS } from "./limits.ts";
import { REFERENCE, type Reference } from "./reference.ts";
import { type Extensible, list, message, type MessageKind, oneof, required, withDefault } from "./strict.ts";

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

/** What the account has decided about somebody. */
export interface Contact extends Extensible {
  readonly kind: "contact";
  readonly userId: UserId;
  readonly state: ContactState;
}

/** What the owner calls a device. */
export interface DeviceName extends Extensible {
  readonly kind: "device-name";
  readonly deviceId: DeviceId;
  readonly name: string;
}

export interface Sync extends Extensible {
  readonly kind: "sync";
  readonly sync: Sent | Read | Contact | DeviceName;
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
});

const DEVICE_NAME: MessageKind<DeviceName> = message("edgewise.DeviceName", {
  kind: "device-name",
  deviceId: required(1, deviceId),
  name: withDefault(2, text(MAX_NAME_BYTES), ""),
});

export const SYNC: MessageKind<Sync> = message("edgewise.Sync", {
  kind: "sync",
  sync: oneof<Sync["sync"]>({ sent: [1, SENT], read: [2, READ], contact: [3, CONTACT], "device-name": [4, DEVICE_NAME] }),
});
