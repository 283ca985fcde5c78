// SignalMessage and PreKeySignalMessage: what the ratchet sends and what opens a session.
// Knows lengths and versions; whether a key is a key and a MAC is right is for protocol/.

import type { Bytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { type DeviceAddress, parseRegistrationId, type RegistrationId, serviceIdOfDevice, serviceIdToFixedWidth } from "./ids.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { KYBER_CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, SIGNAL_MAC_BYTES } from "./sizes.ts";
import { readVersion, requireEnvelopeSize } from "./version.ts";

/** Session version 4: PQXDH, triple ratchet. */
const VERSION = 4;
const VERSION_BYTE = 0x44;
const ADDRESSES_BYTES = 36;

export interface SignalMessageFields {
  /** 33 bytes. */
  readonly ratchetKey: Bytes;
  readonly counter: number;
  readonly previousCounter: number;
  readonly ciphertext: Bytes;
  /** The sparse ratchet's message; absent when there is nothing to say. */
  readonly pqRatchet: Bytes | undefined;
  /** 36 bytes of `encodeAddresses`; the official library writes them only inside a PreKey message. */
  readonly addresses: Bytes | undefined;
}

export interface SignalMessage extends SignalMessageFields {
  readonly version: number;
  /** 8 bytes. */
  readonly mac: Bytes;
  /** What the MAC covers after the identity keys: the version byte and the protobuf, as received. */
  readonly authenticated: Bytes;
}

/** version ‖ protobuf: what is authenticated. The message is complete when its 8-byte MAC is appended. */
export function encodeSignalMessage(message: SignalMessageFields): Bytes {
  return encodeFields(
    [
      [1, message.ratchetKey],
      [2, message.counter],
      [3, message.previousCounter],
      [4, message.ciphertext],
      [5, message.pqRatchet],
      [6, message.addresses],
    ],
    VERSION_BYTE,
  );
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeSignalMessage(bytes: Bytes): SignalMessage {
  requireEnvelopeSize(bytes);
  const version = readVersion(bytes, VERSION);
  const end = bytes.length - SIGNAL_MAC_BYTES;
  if (end < 1) throw new WireError("truncated");
  let ratchetKey: Bytes | undefined;
  let counter: number | undefined;
  let previousCounter = 0;
  let ciphertext: Bytes | undefined;
  let pqRatchet: Bytes | undefined;
  let addresses: Bytes | undefined;
  const reader = new Reader(bytes, 1, end);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) ratchetKey = reader.bytes();
    else if (field === 2) counter = reader.uint32();
    else if (field === 3) previousCounter = reader.uint32();
    else if (field === 4) ciphertext = reader.bytes();
    else if (field === 5) pqRatchet = reader.bytes();
    else if (field === 6) addresses = reader.bytes();
    else reader.skip(field);
  }
  return {
    version,
    ratchetKey: sized(ratchetKey, PUBLIC_KEY_BYTES),
    counter: present(counter),
    previousCounter,
    ciphertext: present(ciphertext),
    // An empty message and none are the same thing to the sparse ratchet.
    pqRatchet: pqRatchet?.length === 0 ? undefined : pqRatchet,
    addresses: addresses === undefined ? undefined : sized(addresses, ADDRESSES_BYTES),
    mac: bytes.subarray(end),
    authenticated: bytes.subarray(0, end),
  };
}

/** Both ends of a message, as its `addresses` field has them: the receiver compares with its own view. */
export function encodeAddresses(sender: DeviceAddress, recipient: DeviceAddress): Bytes {
  const bytes = new Uint8Array(ADDRESSES_BYTES);
  bytes.set(serviceIdToFixedWidth(serviceIdOfDevice(sender)));
  bytes[17] = sender.deviceId;
  bytes.set(serviceIdToFixedWidth(serviceIdOfDevice(recipient)), 18);
  bytes[35] = recipient.deviceId;
  return bytes;
}

export interface PreKeySignalMessageFields {
  /** Absent when the bundle had no one-time key. */
  readonly preKeyId: number | undefined;
  /** 33 bytes. */
  readonly baseKey: Bytes;
  /** 33 bytes. */
  readonly identityKey: Bytes;
  /** A whole SignalMessage, with its MAC. */
  readonly message: Bytes;
  readonly registrationId: RegistrationId;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** 1,569 bytes. */
  readonly kyberCiphertext: Bytes;
}

export interface PreKeySignalMessage extends PreKeySignalMessageFields {
  readonly version: number;
}

export function encodePreKeySignalMessage(message: PreKeySignalMessageFields): Bytes {
  return encodeFields(
    [
      [1, message.preKeyId],
      [2, message.baseKey],
      [3, message.identityKey],
      [4, message.message],
      [5, message.registrationId],
      [6, message.signedPreKeyId],
      [7, message.kyberPreKeyId],
      [8, message.kyberCiphertext],
    ],
    VERSION_BYTE,
  );
}

/** The fields are views of `bytes`. @throws WireError */
export function decodePreKeySignalMessage(bytes: Bytes): PreKeySignalMessage {
  requireEnvelopeSize(bytes);
  const version = readVersion(bytes, VERSION);
  let preKeyId: number | undefined;
  let baseKey: Bytes | undefined;
  let identityKey: Bytes | undefined;
  let message: Bytes | undefined;
  let registrationId = 0;
  let signedPreKeyId: number | undefined;
  let kyberPreKeyId: number | undefined;
  let kyberCiphertext: Bytes | undefined;
  const reader = new Reader(bytes, 1);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) preKeyId = reader.uint32();
    else if (field === 2) baseKey = reader.bytes();
    else if (field === 3) identityKey = reader.bytes();
    else if (field === 4) message = reader.bytes();
    else if (field === 5) registrationId = reader.uint32();
    else if (field === 6) signedPreKeyId = reader.uint32();
    else if (field === 7) kyberPreKeyId = reader.uint32();
    else if (field === 8) kyberCiphertext = reader.bytes();
    else reader.skip(field);
  }
  return {
    version,
    preKeyId,
    baseKey: sized(baseKey, PUBLIC_KEY_BYTES),
    identityKey: sized(identityKey, PUBLIC_KEY_BYTES),
    message: present(message),
    registrationId: parseRegistrationId(registrationId),
    signedPreKeyId: present(signedPreKeyId),
    kyberPreKeyId: present(kyberPreKeyId),
    kyberCiphertext: sized(kyberCiphertext, KYBER_CIPHERTEXT_BYTES),
  };
}
