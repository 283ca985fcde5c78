// DecryptionErrorMessage ("I could not read that") and PlaintextContent, the only message that travels without a
// session because there may be none. A receiver believes it only inside sealed sender.

import type { Bytes } from "./bytes.ts";
import { concat } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { type DeviceId, parseDeviceId } from "./ids.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { PUBLIC_KEY_BYTES } from "./sizes.ts";
import { requireEnvelopeSize } from "./version.ts";

const IDENTIFIER = 0xc0;
const PADDING_BOUNDARY = 0x80;

export interface DecryptionErrorMessage {
  /** The ratchet key (33 bytes) of the message that could not be read; absent when that was a sender-key message. */
  readonly ratchetKey: Bytes | undefined;
  /** When the unread message was sent, in milliseconds. */
  readonly timestamp: number;
  /** The device that sent the unread message. */
  readonly deviceId: DeviceId;
}

export function encodeDecryptionErrorMessage(message: DecryptionErrorMessage): Bytes {
  return encodeFields([
    [1, message.ratchetKey],
    [2, message.timestamp],
    [3, message.deviceId],
  ]);
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeDecryptionErrorMessage(bytes: Bytes): DecryptionErrorMessage {
  requireEnvelopeSize(bytes);
  let ratchetKey: Bytes | undefined;
  let timestamp: number | undefined;
  let deviceId: number | undefined;
  const reader = new Reader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) ratchetKey = reader.bytes();
    else if (field === 2) timestamp = reader.uint64();
    else if (field === 3) deviceId = reader.uint32();
    else reader.skip(field);
  }
  return {
    ratchetKey: ratchetKey === undefined ? undefined : sized(ratchetKey, PUBLIC_KEY_BYTES),
    timestamp: present(timestamp),
    deviceId: parseDeviceId(present(deviceId)),
  };
}

/** The plaintext message that carries an encoded DecryptionErrorMessage. */
export function encodePlaintextContent(decryptionError: Bytes): Bytes {
  return concat(encodeFields([[8, decryptionError]], IDENTIFIER), new Uint8Array([PADDING_BOUNDARY]));
}

/**
 * The encoded DecryptionErrorMessage inside. Whatever else the content holds is ignored: it is not authenticated
 * by any session, so nothing else of it may ever be used.
 * @throws WireError
 */
export function decodePlaintextContent(bytes: Bytes): Bytes {
  requireEnvelopeSize(bytes);
  if (bytes[0] !== IDENTIFIER) throw new WireError(bytes.length === 0 ? "truncated" : "unknown-version");
  let end = bytes.length;
  while (bytes[end - 1] === 0) end--;
  if (end < 2 || bytes[end - 1] !== PADDING_BOUNDARY) throw new WireError("bad-value");
  let decryptionError: Bytes | undefined;
  const reader = new Reader(bytes, 1, end - 1);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 8) decryptionError = reader.bytes();
    else reader.skip(field);
  }
  return present(decryptionError);
}
