// SenderKeyMessage and SenderKeyDistributionMessage: one ciphertext for a whole group, and the key to it.
// Checks lengths and versions; signatures and chains are for protocol/.

import type { Bytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { type DistributionId, parseDistributionId, uuidFromBytes, uuidToBytes } from "./ids.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { readVersion, requireEnvelopeSize } from "./version.ts";

const VERSION = 3;
const VERSION_BYTE = 0x33;
const CHAIN_KEY_BYTES = 32;

export interface SenderKeyMessageFields {
  readonly distributionId: DistributionId;
  readonly chainId: number;
  readonly iteration: number;
  readonly ciphertext: Bytes;
}

export interface SenderKeyMessage extends SenderKeyMessageFields {
  readonly version: number;
  /** What the signature covers: the version byte and the protobuf, as received. */
  readonly signed: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** version ‖ protobuf: what is signed. The message is complete when its 64-byte signature is appended. */
export function encodeSenderKeyMessage(message: SenderKeyMessageFields): Bytes {
  return encodeFields(
    [
      [1, uuidToBytes(message.distributionId)],
      [2, message.chainId],
      [3, message.iteration],
      [4, message.ciphertext],
    ],
    VERSION_BYTE,
  );
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeSenderKeyMessage(bytes: Bytes): SenderKeyMessage {
  requireEnvelopeSize(bytes);
  const version = readVersion(bytes, VERSION);
  const end = bytes.length - SIGNATURE_BYTES;
  if (end < 1) throw new WireError("truncated");
  let distributionUuid: Bytes | undefined;
  let chainId: number | undefined;
  let iteration: number | undefined;
  let ciphertext: Bytes | undefined;
  const reader = new Reader(bytes, 1, end);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) distributionUuid = reader.bytes();
    else if (field === 2) chainId = reader.uint32();
    else if (field === 3) iteration = reader.uint32();
    else if (field === 4) ciphertext = reader.bytes();
    else reader.skip(field);
  }
  return {
    version,
    distributionId: distributionIdFromBytes(distributionUuid),
    chainId: present(chainId),
    iteration: present(iteration),
    ciphertext: present(ciphertext),
    signed: bytes.subarray(0, end),
    signature: bytes.subarray(end),
  };
}

export interface SenderKeyDistributionMessageFields {
  readonly distributionId: DistributionId;
  readonly chainId: number;
  readonly iteration: number;
  /** 32 bytes, and a secret: this message travels only inside a session. */
  readonly chainKey: Bytes;
  /** 33 bytes. */
  readonly signingKey: Bytes;
}

export interface SenderKeyDistributionMessage extends SenderKeyDistributionMessageFields {
  readonly version: number;
}

export function encodeSenderKeyDistributionMessage(message: SenderKeyDistributionMessageFields): Bytes {
  return encodeFields(
    [
      [1, uuidToBytes(message.distributionId)],
      [2, message.chainId],
      [3, message.iteration],
      [4, message.chainKey],
      [5, message.signingKey],
    ],
    VERSION_BYTE,
  );
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeSenderKeyDistributionMessage(bytes: Bytes): SenderKeyDistributionMessage {
  requireEnvelopeSize(bytes);
  const version = readVersion(bytes, VERSION);
  let distributionUuid: Bytes | undefined;
  let chainId: number | undefined;
  let iteration: number | undefined;
  let chainKey: Bytes | undefined;
  let signingKey: Bytes | undefined;
  const reader = new Reader(bytes, 1);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) distributionUuid = reader.bytes();
    else if (field === 2) chainId = reader.uint32();
    else if (field === 3) iteration = reader.uint32();
    else if (field === 4) chainKey = reader.bytes();
    else if (field === 5) signingKey = reader.bytes();
    else reader.skip(field);
  }
  return {
    version,
    distributionId: distributionIdFromBytes(distributionUuid),
    chainId: present(chainId),
    iteration: present(iteration),
    chainKey: sized(chainKey, CHAIN_KEY_BYTES),
    signingKey: sized(signingKey, PUBLIC_KEY_BYTES),
  };
}

function distributionIdFromBytes(bytes: Bytes | undefined): DistributionId {
  return parseDistributionId(uuidFromBytes(present(bytes)));
}
