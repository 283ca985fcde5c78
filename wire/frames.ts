// The binary frames of the socket, in both directions. The heartbeat is the text frame "ping" and not one of these.

import { type Bounds, exactly, listOf, optional, REQUIRED } from "./bounds.ts";
import { type Bytes, EMPTY } from "./bytes.ts";
import { assertNever, WireError } from "./errors.ts";
import {
  type DeviceMessage,
  deviceMessageFromMessage,
  deviceMessageToMessage,
  type Envelope,
  ENVELOPE_BOUNDS,
  envelopeFromMessage,
  envelopeToMessage,
  SEND_BOUNDS,
} from "./envelope.ts";
import * as pb from "./gen/frames_pb.js";
import { bytesOf, type Extensible, extensionsOf, make, userIdOf, userIdToField } from "./generated.ts";
import type { UserId } from "./ids.ts";
import { MAILBOX_WINDOW_MESSAGES, MAX_DEVICES_PER_ACCOUNT, MAX_ENVELOPE_BYTES, MAX_FRAME_BYTES } from "./limits.ts";
import { present } from "./protobuf.ts";
import { strictCodec } from "./strict.ts";

/** One queued message. `guid` names it in this device's mailbox and is what an Ack answers. */
export interface Deliver extends Extensible {
  readonly kind: "deliver";
  readonly guid: number;
  readonly envelope: Envelope;
  /** Milliseconds since 1970, when the server accepted the message. */
  readonly serverTimestamp: number;
}

/** What was queued when the socket opened has been delivered and acknowledged. */
export interface QueueEmpty extends Extensible {
  readonly kind: "queue-empty";
}

/** Few one-time prekeys of a kind are left. */
export interface PreKeysLow extends Extensible {
  readonly kind: "pre-keys-low";
  readonly keys: "ec" | "kem";
  readonly remaining: number;
}

/** The device has stored these: the server may forget them. */
export interface Ack extends Extensible {
  readonly kind: "ack";
  readonly guids: readonly number[];
}

/** Delivered now or dropped, and not answered. */
export interface SendEphemeral extends Extensible {
  readonly kind: "send-ephemeral";
  readonly userId: UserId;
  /** 16 bytes that admit the sender to the mailbox; absent where the socket's own token is enough. */
  readonly capability: Bytes | undefined;
  readonly devices: readonly DeviceMessage[];
}

export interface ServerFrame extends Extensible {
  readonly frame: Deliver | QueueEmpty | PreKeysLow;
}

export interface ClientFrame extends Extensible {
  readonly frame: Ack | SendEphemeral;
}

export const SERVER_FRAME_BOUNDS: Bounds = {
  ...ENVELOPE_BOUNDS,
  "edgewise.ServerFrame.frame": REQUIRED,
  "edgewise.Deliver.guid": REQUIRED,
  "edgewise.Deliver.envelope": REQUIRED,
  "edgewise.Deliver.server_timestamp": REQUIRED,
  "edgewise.PreKeysLow.kind": REQUIRED,
};

export const CLIENT_FRAME_BOUNDS: Bounds = {
  ...SEND_BOUNDS,
  "edgewise.ClientFrame.frame": REQUIRED,
  "edgewise.Ack.guids": listOf(MAILBOX_WINDOW_MESSAGES),
  "edgewise.SendEphemeral.user_id": exactly(16),
  "edgewise.SendEphemeral.capability": optional(exactly(16)),
  "edgewise.SendEphemeral.devices": listOf(MAX_DEVICES_PER_ACCOUNT),
};

const serverCodec = strictCodec(pb.ServerFrameSchema, SERVER_FRAME_BOUNDS, MAX_FRAME_BYTES);
const clientCodec = strictCodec(pb.ClientFrameSchema, CLIENT_FRAME_BOUNDS, MAX_ENVELOPE_BYTES);

export function encodeServerFrame(frame: ServerFrame): Bytes {
  return serverCodec.encode(make(pb.ServerFrameSchema, frame, { frame: serverToMessage(frame.frame) }));
}

/** @throws WireError */
export function decodeServerFrame(bytes: Bytes): ServerFrame {
  const message = serverCodec.decode(bytes);
  return { frame: serverFromMessage(message.frame), ...extensionsOf(message) };
}

export function encodeClientFrame(frame: ClientFrame): Bytes {
  return clientCodec.encode(make(pb.ClientFrameSchema, frame, { frame: clientToMessage(frame.frame) }));
}

/** @throws WireError */
export function decodeClientFrame(bytes: Bytes): ClientFrame {
  const message = clientCodec.decode(bytes);
  return { frame: clientFromMessage(message.frame), ...extensionsOf(message) };
}

function serverToMessage(frame: ServerFrame["frame"]): pb.ServerFrame["frame"] {
  switch (frame.kind) {
    case "deliver": {
      const guid = BigInt(frame.guid);
      const serverTimestamp = BigInt(frame.serverTimestamp);
      const envelope = envelopeToMessage(frame.envelope);
      return { case: "deliver", value: make(pb.DeliverSchema, frame, { guid, envelope, serverTimestamp }) };
    }
    case "queue-empty":
      return { case: "queueEmpty", value: make(pb.QueueEmptySchema, frame, {}) };
    case "pre-keys-low": {
      const kind = frame.keys === "ec" ? pb.PreKeysLow_Kind.EC : pb.PreKeysLow_Kind.KEM;
      return { case: "preKeysLow", value: make(pb.PreKeysLowSchema, frame, { kind, remaining: frame.remaining }) };
    }
    default:
      return assertNever(frame);
  }
}

function serverFromMessage(frame: pb.ServerFrame["frame"]): ServerFrame["frame"] {
  switch (frame.case) {
    case "deliver":
      return {
        kind: "deliver",
        guid: Number(frame.value.guid),
        envelope: envelopeFromMessage(present(frame.value.envelope)),
        serverTimestamp: Number(frame.value.serverTimestamp),
        ...extensionsOf(frame.value),
      };
    case "queueEmpty":
      return { kind: "queue-empty", ...extensionsOf(frame.value) };
    case "preKeysLow": {
      const keys = frame.value.kind === pb.PreKeysLow_Kind.EC ? "ec" : "kem";
      return { kind: "pre-keys-low", keys, remaining: frame.value.remaining, ...extensionsOf(frame.value) };
    }
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(frame);
  }
}

function clientToMessage(frame: ClientFrame["frame"]): pb.ClientFrame["frame"] {
  switch (frame.kind) {
    case "ack":
      return { case: "ack", value: make(pb.AckSchema, frame, { guids: frame.guids.map(BigInt) }) };
    case "send-ephemeral": {
      const userId = userIdToField(frame.userId);
      const devices = frame.devices.map(deviceMessageToMessage);
      const value = make(pb.SendEphemeralSchema, frame, { userId, devices, capability: frame.capability ?? EMPTY });
      return { case: "sendEphemeral", value };
    }
    default:
      return assertNever(frame);
  }
}

function clientFromMessage(frame: pb.ClientFrame["frame"]): ClientFrame["frame"] {
  switch (frame.case) {
    case "ack":
      return { kind: "ack", guids: frame.value.guids.map(Number), ...extensionsOf(frame.value) };
    case "sendEphemeral":
      return {
        kind: "send-ephemeral",
        userId: userIdOf(frame.value.userId),
        capability: frame.value.capability.length === 0 ? undefined : bytesOf(frame.value.capability),
        devices: frame.value.devices.map(deviceMessageFromMessage),
        ...extensionsOf(frame.value),
      };
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(frame);
  }
}
