// The scannable form of a safety number: both halves of a fingerprint, as a QR code carries them.

import type { Bytes } from "./bytes.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { requireEnvelopeSize } from "./version.ts";

const HALF_BYTES = 32;

export interface ScannableFingerprint {
  readonly version: number;
  /** 32 bytes, about the side that shows the code. */
  readonly local: Bytes;
  /** 32 bytes, about the side that scans it. */
  readonly remote: Bytes;
}

export function encodeScannableFingerprint(fingerprint: ScannableFingerprint): Bytes {
  return encodeFields([
    [1, fingerprint.version],
    [2, encodeFields([[1, fingerprint.local]])],
    [3, encodeFields([[1, fingerprint.remote]])],
  ]);
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeScannableFingerprint(bytes: Bytes): ScannableFingerprint {
  requireEnvelopeSize(bytes);
  let version: number | undefined;
  let local: Bytes | undefined;
  let remote: Bytes | undefined;
  const reader = new Reader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) version = reader.uint32();
    else if (field === 2) local = decodeHalf(reader.bytes());
    else if (field === 3) remote = decodeHalf(reader.bytes());
    else reader.skip(field);
  }
  return { version: present(version), local: present(local), remote: present(remote) };
}

function decodeHalf(bytes: Bytes): Bytes {
  let content: Bytes | undefined;
  const reader = new Reader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) content = reader.bytes();
    else reader.skip(field);
  }
  return sized(content, HALF_BYTES);
}
