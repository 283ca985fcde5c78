// The bytes of a job: the message, and for whom it is. Written and read by this object alone.
//
//   version (1) ‖ message id (16) ‖ recipients (1) ‖ recipient… ‖ tail
//   recipient = mailbox (32) ‖ scope (1) ‖ devices (1) ‖ device…
//   device    = id (1) ‖ registration id (2, big-endian) ‖ C (32) ‖ AT (16)

import {
  be16,
  type Bytes,
  concat,
  fromHex,
  InvariantError,
  MASKED_KEY_BYTES,
  parseDeviceId,
  parseMessageId,
  parseRegistrationId,
  SENDER_TAG_BYTES,
  toHex,
  uuidFromBytes,
  uuidToBytes,
} from "#wire";
import type { JobDevice, JobRecipient, Payload } from "./api.ts";

const VERSION = 1;
const MESSAGE_ID_BYTES = 16;
const MAILBOX_NAME_BYTES = 32;

export function encodePayload({ messageId, recipients, tail }: Payload): Bytes {
  const head = Uint8Array.of(VERSION);
  return concat(head, uuidToBytes(messageId), Uint8Array.of(recipients.length), ...recipients.flatMap(recipientParts), tail);
}

function recipientParts({ mailbox, scope, devices }: JobRecipient): readonly Bytes[] {
  const parts = devices.map((device) =>
    concat(Uint8Array.of(device.deviceId), be16(device.registrationId), device.maskedKey, device.senderTag),
  );
  return [fromHex(mailbox), Uint8Array.of(scope === "all" ? 1 : 0, devices.length), ...parts];
}

/** The byte strings are views of `bytes`. */
export function decodePayload(bytes: Bytes): Payload {
  let at = 0;
  const take = (length: number): Bytes => {
    if (length > bytes.length - at) throw new InvariantError("INV-14", "a job's payload is cut");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (): number => take(1)[0] ?? 0;
  const device = (): JobDevice => ({
    deviceId: parseDeviceId(number()),
    registrationId: parseRegistrationId(number() * 256 + number()),
    maskedKey: take(MASKED_KEY_BYTES),
    senderTag: take(SENDER_TAG_BYTES),
  });
  const recipient = (): JobRecipient => ({
    mailbox: toHex(take(MAILBOX_NAME_BYTES)),
    scope: number() === 1 ? "all" : "some",
    devices: Array.from({ length: number() }, device),
  });
  if (number() !== VERSION) throw new InvariantError("INV-14", "a job's payload is of another version");
  const messageId = parseMessageId(uuidFromBytes(take(MESSAGE_ID_BYTES)));
  const recipients = Array.from({ length: number() }, recipient);
  return { messageId, recipients, tail: bytes.subarray(at) };
}
