// Hashes and key derivation: SHA-2, HMAC (RFC 2104), HKDF (RFC 5869).

import { type Bytes, UsageError } from "#wire";
import { backend, type Sha256Stream } from "./backend.ts";

export function sha256(data: Bytes): Bytes {
  return backend().sha256(data);
}

/** SHA-256 of a file too large to hold. */
export function sha256Stream(): Sha256Stream {
  return backend().sha256Stream();
}

/** SHA-512 of the parts one after another. */
export function sha512(...parts: readonly Bytes[]): Bytes {
  return backend().sha512(...parts);
}

/** HMAC-SHA-256, 32 bytes. */
export function hmac(key: Bytes, data: Bytes): Bytes {
  return backend().hmacSha256(key, data);
}

export interface HkdfInput {
  /** Empty means 32 zero bytes (RFC 5869 section 2.2). */
  readonly salt: Bytes;
  readonly inputKey: Bytes;
  readonly info: Bytes;
  /** In bytes, at most 255 × 32. */
  readonly length: number;
}

const MAX_HKDF_BYTES = 255 * 32;

/** HKDF-SHA-256. @throws UsageError `bad-argument` for more than 255 blocks, whose counter would begin again. */
export function hkdf(input: HkdfInput): Bytes {
  if (input.length > MAX_HKDF_BYTES) throw new UsageError("bad-argument", "HKDF makes at most 255 blocks");
  return backend().hkdfSha256(input.salt, input.inputKey, input.info, input.length);
}
