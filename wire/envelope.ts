// Envelope, what the server sees of a message, and the body of a send to the devices of one user.
// Opens nothing: `content` stays sealed.

import { type Bounds, exactly, listOf, REQUIRED, upTo } from "./bounds.ts";
import type { Bytes } from "./bytes.ts";

import * as pb from "./gen/envelope_pb.js";
import { bytesOf, type Extensible, extensionsOf, make, messageIdOf, messageIdToField } from "./generated.ts";
import { type DeviceId, type MessageId, parseDeviceId, parseRegistrationId, type RegistrationId } from "./ids.ts";
import { MAX_DEVICES_PER_ACCOUNT, MAX_ENVELOPE_BYTES } from "./limits.ts";
import { strictCodec } from "./strict.ts";

export interface Envelope extends Extensible {
  readonly messageId: MessageId;
  /** A sealed-sender message, or an encoded Notice of the server's. */
  readonly kind: "sealed" | "notice";
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

/** What an Envelope adds to its content, at most. */
const ENVELOPE_OVERHEAD = 256;
const MAX_SEND_REQUEST_BYTES = MAX_DEVICES_PER_ACCOUNT * (MAX_ENVELOPE_BYTES + ENVELOPE_OVERHEAD);

export const ENVELOPE_BOUNDS: Bounds = {
  "edgewise.Envelope.message_id": exactly(16),
  "edgewise.Envelope.kind": REQUIRED,
  "edgewise.Envelope.content": upTo(MAX_ENVELOPE_BYTES),
};

export const SEND_BOUNDS: Bounds = {
  "edgewise.DeviceMessage.device_id": REQUIRED,
  "edgewise.DeviceMessage.content": upTo(MAX_ENVELOPE_BYTES),
  "edgewise.SendRequest.message_id": exactly(16),
  "edgewise.SendRequest.scope": REQUIRED,
  "edgewise.SendRequest.devices": listOf(MAX_DEVICES_PER_ACCOUNT),
};

const envelopeCodec = strictCodec(pb.EnvelopeSchema, ENVELOPE_BOUNDS, MAX_ENVELOPE_BYTES + ENVELOPE_OVERHEAD);
const sendRequestCodec = strictCodec(pb.SendRequestSchema, SEND_BOUNDS, MAX_SEND_REQUEST_BYTES);

export function encodeEnvelope(envelope: Envelope): Bytes {
  return envelopeCodec.encode(envelopeToMessage(envelope));
}

/** @throws WireError */
export function decodeEnvelope(bytes: Bytes): Envelope {
  return envelopeFromMessage(envelopeCodec.decode(bytes));
}

export function encodeSendRequest(request: SendRequest): Bytes {
  return sendRequestCodec.encode(
    make(pb.SendRequestSchema, request, {
      messageId: messageIdToField(request.messageId),
      scope: request.scope === "all" ? pb.SendRequest_Scope.ALL : pb.SendRequest_Scope.SOME,
      devices: request.devices.map(deviceMessageToMessage),
      ephemeral: request.ephemeral,
    }),
  );
}

/** @throws WireError */
export function decodeSendRequest(bytes: Bytes): SendRequest {
  const message = sendRequestCodec.decode(bytes);
  return {
    messageId: messageIdOf(message.messageId),
    scope: message.scope === pb.SendRequest_Scope.ALL ? "all" : "some",
    devices: message.devices.map(deviceMessageFromMessage),
    ephemeral: message.ephemeral,
    ...extensionsOf(message),
  };
}

// Between our types and the generated ones; frames.ts needs these too.

export function envelopeToMessage(envelope: Envelope): pb.Envelope {
  return make(pb.EnvelopeSchema, envelope, {
    messageId: messageIdToField(envelope.messageId),
    kind: envelope.kind === "sealed" ? pb.Envelope_Kind.SEALED : pb.Envelope_Kind.NOTICE,
    content: envelope.content,
    ephemeral: envelope.ephemeral,
  });
}

export function envelopeFromMessage(message: pb.Envelope): Envelope {
  return {
    messageId: messageIdOf(message.messageId),
    kind: message.kind === pb.Envelope_Kind.SEALED ? "sealed" : "notice",
    content: bytesOf(message.content),
    ephemeral: message.ephemeral,
    ...extensionsOf(message),
  };
}

export function deviceMessageToMessage(device: DeviceMessage): pb.DeviceMessage {
  return make(pb.DeviceMessageSchema, device, {
    deviceId: device.deviceId,
    registrationId: device.registrationId,
    content: device.content,
  });
}

export function deviceMessageFromMessage(message: pb.DeviceMessage): DeviceMessage {
  return {
    deviceId: parseDeviceId(message.deviceId),
    registrationId: parseRegistrationId(message.registrationId),
    content: bytesOf(message.content),
    ...extensionsOf(message),
  };
}
