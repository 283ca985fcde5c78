// Envelope, what the server sees of a message, and the body of a send to the devices of one user.
// Opens nothing: `content` stays sealed.

import type { Bytes } from "./bytes.ts";
import { type DeviceId, type MessageId, parseRegistrationId, type RegistrationId } from "./ids.ts";
import { bool, deviceId, enumeration, messageId, registrationId, upTo } from "./kinds.ts";
import { MAX_DEVICES_PER_ACCOUNT, MAX_ENVELOPE_BYTES } from "./limits.ts";
import { type Extensible, list, message, type MessageKind, required, strictCodec, withDefault } from "./strict.ts";

export interface Envelope extends Extensible {
  readonly messageId: MessageId;
  /** A sealed-sender message, or an encoded Notice of the server's. */
  readonly type: "sealed" | "notice";
  readonly content: Bytes;
  /** Delivered now or dropped, never stored. */
  readonly ephemeral: boolean;
}

/** One device's copy in a send. */
export interface DeviceMessage extends Extensible {
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
  readonly content: Bytes;
}

export interface SendRequest extends Extensible {
  readonly messageId: MessageId;
  /** `all`: the list is exactly the user's devices, or nothing is stored; `some`: the repair of a refused send. */
  readonly scope: "all" | "some";
  readonly devices: readonly DeviceMessage[];
  readonly ephemeral: boolean;
}

export const ENVELOPE: MessageKind<Envelope> = message("edgewise.Envelope", {
  messageId: required(1, messageId),
  type: required(2, enumeration("edgewise.Envelope.Type", { sealed: 1, notice: 2 })),
  content: required(3, upTo(MAX_ENVELOPE_BYTES)),
  ephemeral: withDefault(4, bool, false),
});

export const DEVICE_MESSAGE: MessageKind<DeviceMessage> = message("edgewise.DeviceMessage", {
  deviceId: required(1, deviceId),
  registrationId: withDefault(2, registrationId, parseRegistrationId(0)),
  content: required(3, upTo(MAX_ENVELOPE_BYTES)),
});

export const SEND_REQUEST: MessageKind<SendRequest> = message("edgewise.SendRequest", {
  messageId: required(1, messageId),
  scope: required(2, enumeration("edgewise.SendRequest.Scope", { all: 1, some: 2 })),
  devices: list(3, MAX_DEVICES_PER_ACCOUNT, DEVICE_MESSAGE),
  ephemeral: withDefault(4, bool, false),
});

/** What an Envelope adds to its content, at most. */
const ENVELOPE_OVERHEAD = 256;
const envelope = strictCodec(ENVELOPE, MAX_ENVELOPE_BYTES + ENVELOPE_OVERHEAD);
export const MAX_SEND_REQUEST_BYTES: number = MAX_DEVICES_PER_ACCOUNT * (MAX_ENVELOPE_BYTES + ENVELOPE_OVERHEAD);
const sendRequest = strictCodec(SEND_REQUEST, MAX_SEND_REQUEST_BYTES);

export const encodeEnvelope: (value: Envelope) => Bytes = envelope.encode;
/** @throws WireError */
export const decodeEnvelope: (bytes: Bytes) => Envelope = envelope.decode;
export const encodeSendRequest: (value: SendRequest) => Bytes = sendRequest.encode;
/** @throws WireError */
export const decodeSendRequest: (bytes: Bytes) => SendRequest = sendRequest.decode;
