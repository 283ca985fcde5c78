// The binary frames of the socket, in both directions. The heartbeat is the text frame "ping" and not one of these.

import type { Bytes } from "./bytes.ts";
import { DEVICE_MESSAGE, type DeviceMessage, ENVELOPE, type Envelope } from "./envelope.ts";
import type { UserId } from "./ids.ts";
import { enumeration, exactly, uint32, uint64, userId } from "./kinds.ts";
import { MAILBOX_WINDOW_MESSAGES, MAX_DEVICES_PER_ACCOUNT, MAX_ENVELOPE_BYTES, MAX_FRAME_BYTES } from "./limits.ts";
import { type Extensible, list, message, type MessageKind, oneof, optional, packed, required, strictCodec, withDefault } from "./strict.ts";

/** The guid of an ephemeral message: below every number of a queued one, so that nobody acknowledges another message by it. */
export const EPHEMERAL_GUID: number = 1;

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

const DELIVER: MessageKind<Deliver> = message("edgewise.Deliver", {
  kind: "deliver",
  guid: required(1, uint64),
  envelope: required(2, ENVELOPE),
  serverTimestamp: required(3, uint64),
});

const QUEUE_EMPTY: MessageKind<QueueEmpty> = message("edgewise.QueueEmpty", { kind: "queue-empty" });

const PRE_KEYS_LOW: MessageKind<PreKeysLow> = message("edgewise.PreKeysLow", {
  kind: "pre-keys-low",
  keys: required(1, enumeration("edgewise.PreKeysLow.Kind", { ec: 1, kem: 2 })),
  remaining: withDefault(2, uint32, 0),
});

export const SERVER_FRAME: MessageKind<ServerFrame> = message("edgewise.ServerFrame", {
  frame: oneof<ServerFrame["frame"]>({
    deliver: [1, DELIVER],
    "queue-empty": [2, QUEUE_EMPTY],
    "pre-keys-low": [3, PRE_KEYS_LOW],
  }),
});

const ACK: MessageKind<Ack> = message("edgewise.Ack", {
  kind: "ack",
  guids: packed(1, MAILBOX_WINDOW_MESSAGES, uint64),
});

const SEND_EPHEMERAL: MessageKind<SendEphemeral> = message("edgewise.SendEphemeral", {
  kind: "send-ephemeral",
  userId: required(1, userId),
  capability: optional(2, exactly(16)),
  devices: list(3, MAX_DEVICES_PER_ACCOUNT, DEVICE_MESSAGE),
});

export const CLIENT_FRAME: MessageKind<ClientFrame> = message("edgewise.ClientFrame", {
  frame: oneof<ClientFrame["frame"]>({ ack: [1, ACK], "send-ephemeral": [2, SEND_EPHEMERAL] }),
});

const serverFrame = strictCodec(SERVER_FRAME, MAX_FRAME_BYTES);
const clientFrame = strictCodec(CLIENT_FRAME, MAX_ENVELOPE_BYTES);

export const encodeServerFrame: (value: ServerFrame) => Bytes = serverFrame.encode;
/** @throws WireError */
export const decodeServerFrame: (bytes: Bytes) => ServerFrame = serverFrame.decode;
export const encodeClientFrame: (value: ClientFrame) => Bytes = clientFrame.encode;
/** @throws WireError */
export const decodeClientFrame: (bytes: Bytes) => ClientFrame = clientFrame.decode;
