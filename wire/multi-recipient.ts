// The sealed-sender version 2 message as it is sent: one payload for many devices. The server splits it into what each
// device receives, and needs no key for that. On our wire each entry names one device, because each device is a
// ServiceId of its own.
//
//   0x23 ‖ varint count ‖ entries ‖ e (32) ‖ ciphertext
//   entry    = ServiceId (17) ‖ device (1) ‖ registration id (2, big-endian) ‖ C (32) ‖ AT (16)
//   excluded = ServiceId (17) ‖ 0x00

import { type Bytes, concat, sameBytes } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";
import {
  deviceOfServiceId,
  parseRegistrationId,
  type RegistrationId,
  type ServiceId,
  serviceIdFromFixedWidth,
  serviceIdToFixedWidth,
} from "./ids.ts";
import { MAX_ENVELOPE_BYTES, MAX_MULTI_RECIPIENT_BYTES, MAX_RECIPIENT_DEVICES } from "./limits.ts";
import { putVarint, Reader, varintSize } from "./protobuf.ts";
import { encodeSealedV2, MASKED_KEY_BYTES, requireTail, SENDER_TAG_BYTES } from "./sealed-message.ts";

const SENT = 0x23;
const SERVICE_ID_BYTES = 17;
const RECEIVED_HEAD_BYTES = 1 + MASKED_KEY_BYTES + SENDER_TAG_BYTES;
/** Set in a registration id when another device of the same entry follows. */
const MORE = 0x8000;

/** One device's part: everything that differs between recipients. */
export interface Recipient {
  readonly serviceId: ServiceId;
  readonly registrationId: RegistrationId;
  /** C, 32 bytes. */
  readonly maskedKey: Bytes;
  /** AT, 16 bytes. */
  readonly senderTag: Bytes;
}

export interface MultiRecipient {
  readonly recipients: readonly Recipient[];
  /** Devices that the sender knows of and leaves out on purpose. */
  readonly excluded: readonly ServiceId[];
  /** e ‖ ciphertext: what all share. */
  readonly tail: Bytes;
}

export function encodeMultiRecipient(message: MultiRecipient): Bytes {
  const { recipients, excluded, tail } = message;
  const count = recipients.length + excluded.length;
  if (count > MAX_RECIPIENT_DEVICES) throw new UsageError("bad-argument", "too many recipients");
  if (RECEIVED_HEAD_BYTES + tail.length > MAX_ENVELOPE_BYTES) throw new UsageError("bad-argument", "payload larger than an envelope");
  const head = new Uint8Array(1 + varintSize(count));
  head[0] = SENT;
  putVarint(head, 1, count);
  return concat(head, ...recipients.map(encodeRecipient), ...excluded.map(encodeExcluded), tail);
}

/**
 * The fields are views of `bytes`; what one device gets is made by `receivedMessage`, one at a time, so that 600
 * recipients never mean 600 copies of the payload.
 * @throws WireError
 */
export function splitMultiRecipient(bytes: Bytes): MultiRecipient {
  if (bytes.length > MAX_MULTI_RECIPIENT_BYTES) throw new WireError("too-long");
  if (bytes.length === 0) throw new WireError("truncated");
  if (bytes[0] !== SENT) throw new WireError("unknown-version");
  const reader = new Reader(bytes, 1);
  const count = reader.bareVarint();
  if (count > MAX_RECIPIENT_DEVICES) throw new WireError("too-many");
  const entries = new Map<ServiceId, Recipient | undefined>();
  for (let i = 0; i < count; i++) {
    const serviceId = serviceIdFromFixedWidth(reader.bareBytes(SERVICE_ID_BYTES));
    const entry = readEntry(reader, serviceId);
    if (entries.has(serviceId)) requireSame(entries.get(serviceId), entry);
    entries.set(serviceId, entry);
  }
  const tail = reader.rest();
  requireTail(tail.length);
  if (RECEIVED_HEAD_BYTES + tail.length > MAX_ENVELOPE_BYTES) throw new WireError("too-long");
  const recipients = [...entries.values()].filter((entry) => entry !== undefined);
  const excluded = [...entries].flatMap(([serviceId, entry]) => (entry === undefined ? [serviceId] : []));
  return { recipients, excluded, tail };
}

/** What one recipient's device receives. */
export function receivedMessage(message: MultiRecipient, recipient: Recipient): Bytes {
  return encodeSealedV2(recipient.maskedKey, recipient.senderTag, message.tail);
}

/** An entry's devices, C and AT; nothing for a recipient that is left out. */
function readEntry(reader: Reader, serviceId: ServiceId): Recipient | undefined {
  const [deviceId = 0] = reader.bareBytes(1);
  if (deviceId === 0) return undefined;
  // A second device in the entry, or one that the ServiceId does not name, is none of ours.
  if (deviceId !== deviceOfServiceId(serviceId).deviceId) throw new WireError("bad-id");
  const [high = 0, low = 0] = reader.bareBytes(2);
  const registration = (high << 8) | low;
  if ((registration & MORE) !== 0) throw new WireError("bad-id");
  return {
    serviceId,
    registrationId: parseRegistrationId(registration),
    maskedKey: reader.bareBytes(MASKED_KEY_BYTES),
    senderTag: reader.bareBytes(SENDER_TAG_BYTES),
  };
}

/**
 * Two entries for one ServiceId merge their devices. Ours have one device, so they can only be the same entry twice;
 * anything else (left out and not, two registrations, two keys) contradicts itself.
 */
function requireSame(first: Recipient | undefined, second: Recipient | undefined): void {
  if (first === undefined || second === undefined) throw new WireError("bad-value");
  const same =
    first.registrationId === second.registrationId &&
    sameBytes(first.maskedKey, second.maskedKey) &&
    sameBytes(first.senderTag, second.senderTag);
  if (!same) throw new WireError("bad-value");
}

function encodeRecipient(recipient: Recipient): Bytes {
  const { serviceId, registrationId, maskedKey, senderTag } = recipient;
  if (maskedKey.length !== MASKED_KEY_BYTES || senderTag.length !== SENDER_TAG_BYTES) {
    throw new UsageError("bad-argument", "maskedKey is 32 bytes and senderTag 16");
  }
  const device = new Uint8Array([deviceOfServiceId(serviceId).deviceId, registrationId >> 8, registrationId & 0xff]);
  return concat(serviceIdToFixedWidth(serviceId), device, maskedKey, senderTag);
}

function encodeExcluded(serviceId: ServiceId): Bytes {
  return concat(serviceIdToFixedWidth(serviceId), new Uint8Array(1));
}
