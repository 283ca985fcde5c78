// Sync: what the devices of one account tell each other. From anybody else's device it is nothing; that rule is the
// receiver's and not known here.

import type { Bytes } from "./bytes.ts";
import { assertNever, WireError } from "./errors.ts";
import * as pb from "./gen/content_pb.js";
import { bytesOf, type Extensible, extensionsOf, make, userIdOf, userIdToField } from "./generated.ts";
import { type DeviceId, parseDeviceId, type UserId } from "./ids.ts";
import { type Reference, referenceFromMessage, referenceToMessage } from "./reference.ts";

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

const NUMBER_OF_STATE: Readonly<Record<ContactState, pb.Contact_State>> = {
  accepted: pb.Contact_State.ACCEPTED,
  blocked: pb.Contact_State.BLOCKED,
  unblocked: pb.Contact_State.UNBLOCKED,
  verified: pb.Contact_State.VERIFIED,
};

export function syncToMessage(sync: Sync): pb.Sync {
  return make(pb.SyncSchema, sync, { sync: kindToMessage(sync.sync) });
}

export function syncFromMessage(message: pb.Sync): Sync {
  return { kind: "sync", sync: kindFromMessage(message.sync), ...extensionsOf(message) };
}

function kindToMessage(sync: Sync["sync"]): pb.Sync["sync"] {
  switch (sync.kind) {
    case "sent":
      return { case: "sent", value: make(pb.SentSchema, sync, { content: sync.content }) };
    case "read":
      return { case: "read", value: make(pb.ReadSchema, sync, { messages: sync.messages.map(referenceToMessage) }) };
    case "contact": {
      const userId = userIdToField(sync.userId);
      return { case: "contact", value: make(pb.ContactSchema, sync, { userId, state: NUMBER_OF_STATE[sync.state] }) };
    }
    case "device-name":
      return { case: "deviceName", value: make(pb.DeviceNameSchema, sync, { deviceId: sync.deviceId, name: sync.name }) };
    default:
      return assertNever(sync);
  }
}

function kindFromMessage(sync: pb.Sync["sync"]): Sync["sync"] {
  switch (sync.case) {
    case "sent":
      return { kind: "sent", content: bytesOf(sync.value.content), ...extensionsOf(sync.value) };
    case "read":
      return { kind: "read", messages: sync.value.messages.map(referenceFromMessage), ...extensionsOf(sync.value) };
    case "contact": {
      const { userId, state } = sync.value;
      return { kind: "contact", userId: userIdOf(userId), state: stateOf(state), ...extensionsOf(sync.value) };
    }
    case "deviceName": {
      const { deviceId, name } = sync.value;
      return { kind: "device-name", deviceId: parseDeviceId(deviceId), name, ...extensionsOf(sync.value) };
    }
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(sync);
  }
}

function stateOf(state: pb.Contact_State): ContactState {
  switch (state) {
    case pb.Contact_State.ACCEPTED:
      return "accepted";
    case pb.Contact_State.BLOCKED:
      return "blocked";
    case pb.Contact_State.UNBLOCKED:
      return "unblocked";
    case pb.Contact_State.VERIFIED:
      return "verified";
    case pb.Contact_State.UNSPECIFIED:
      throw new WireError("missing-field");
    default:
      return assertNever(state);
  }
}
