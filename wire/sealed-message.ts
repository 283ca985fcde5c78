// A sealed-sender message as one device receives it: version 1 (two boxes in a protobuf) or version 2 (one
// recipient's part of a multi-recipient message). Opens nothing.

import type { Bytes } from "./bytes.ts";
import { concat } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { PUBLIC_KEY_BYTES } from "./sizes.ts";
import { requireEnvelopeSize } from "./version.ts";

const V1 = 0x11;
const V2_RECEIVED = 0x22;
/** C, the masked message key, and AT, the sender's tag on it. */
export const MASKED_KEY_BYTES: number = 32;
export const SENDER_TAG_BYTES: number = 16;
const EPHEMERAL_BYTES = 32;
const GCM_TAG_BYTES = 16;
const TAIL_AT = 1 + MASKED_KEY_BYTES + SENDER_TAG_BYTES;

export interface SealedV1 {
  /** 33 bytes. */
  readonly ephemeralPublic: Bytes;
  readonly encryptedStatic: Bytes;
  readonly encryptedMessage: Bytes;
}

export interface SealedV2 {
  /** C, 32 bytes. */
  readonly maskedKey: Bytes;
  /** AT, 16 bytes. */
  readonly senderTag: Bytes;
  /** e: the bare 32-byte u-coordinate, without a type byte. */
  readonly ephemeralPublic: Bytes;
  /** At least the 16 bytes of its tag. */
  readonly ciphertext: Bytes;
}

export type SealedMessage = ({ readonly kind: "v1" } & SealedV1) | ({ readonly kind: "v2" } & SealedV2);

export function encodeSealedV1(message: SealedV1): Bytes {
  return encodeFields(
    [
      [1, message.ephemeralPublic],
      [2, message.encryptedStatic],
      [3, message.encryptedMessage],
    ],
    V1,
  );
}

/** What one recipient gets of a version 2 message: its own C and AT, then the tail (e ‖ ciphertext) that all share. */
export function encodeSealedV2(maskedKey: Bytes, senderTag: Bytes, tail: Bytes): Bytes {
  return concat(new Uint8Array([V2_RECEIVED]), maskedKey, senderTag, tail);
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeSealedMessage(bytes: Bytes): SealedMessage {
  requireEnvelopeSize(bytes);
  if (bytes.length === 0) throw new WireError("truncated");
  if (bytes[0] === V1) return { kind: "v1", ...decodeV1(bytes) };
  if (bytes[0] === V2_RECEIVED) return { kind: "v2", ...decodeV2(bytes) };
  throw new WireError("unknown-version");
}

function decodeV1(bytes: Bytes): SealedV1 {
  let ephemeralPublic: Bytes | undefined;
  let encryptedStatic: Bytes | undefined;
  let encryptedMessage: Bytes | undefined;
  const reader = new Reader(bytes, 1);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) ephemeralPublic = reader.bytes();
    else if (field === 2) encryptedStatic = reader.bytes();
    else if (field === 3) encryptedMessage = reader.bytes();
    else reader.skip(field);
  }
  return {
    ephemeralPublic: sized(ephemeralPublic, PUBLIC_KEY_BYTES),
    encryptedStatic: present(encryptedStatic),
    encryptedMessage: present(encryptedMessage),
  };
}

function decodeV2(bytes: Bytes): SealedV2 {
  requireTail(bytes.length - TAIL_AT);
  return {
    maskedKey: bytes.subarray(1, 1 + MASKED_KEY_BYTES),
    senderTag: bytes.subarray(1 + MASKED_KEY_BYTES, TAIL_AT),
    ephemeralPublic: bytes.subarray(TAIL_AT, TAIL_AT + EPHEMERAL_BYTES),
    ciphertext: bytes.subarray(TAIL_AT + EPHEMERAL_BYTES),
  };
}

/** The shared tail holds an ephemeral key and at least an empty ciphertext's tag. @throws WireError `truncated`. */
export function requireTail(length: number): void {
  if (length < EPHEMERAL_BYTES + GCM_TAG_BYTES) throw new WireError("truncated");
}
