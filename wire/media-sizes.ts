// How long an encrypted file is at the server: the plaintext padded so that its length is one of few (Padmé: 435 lengths,
// at most 6.3 % more), cut into chunks, each with a tag, behind a header. Anybody can compute it; nothing here knows a key.

import { WireError } from "./errors.ts";
import { MAX_MEDIA_BYTES } from "./limits.ts";

/** The key commitment. */
export const MEDIA_HEADER_BYTES: number = 32;
/** Bytes of plaintext in every chunk but the last, which has from one up to as many. */
export const MEDIA_CHUNK_BYTES: number = 262_144;
export const MEDIA_TAG_BYTES: number = 16;
/** Shorter files are all of this length. */
const MIN_PADDED_BYTES = 1024;

/**
 * The padded length of a file of `size` bytes. Padmé (Nikitin et al., PETS 2019, section 4): a length with the exponent E
 * keeps as many leading bits after its first as E has bits itself, and is rounded up.
 * @throws WireError `bad-value` unless `size` is a whole number from 0 on, `too-long` above `MAX_MEDIA_BYTES`.
 */
export function paddedMediaLength(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new WireError("bad-value");
  if (size > MAX_MEDIA_BYTES) throw new WireError("too-long");
  if (size <= MIN_PADDED_BYTES) return MIN_PADDED_BYTES;
  const exponent = bitLength(size) - 1;
  const step = 2 ** (exponent - bitLength(exponent));
  return Math.ceil(size / step) * step;
}

function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}

/** How long the file is as it is stored. @throws WireError as `paddedMediaLength`. */
export function encryptedMediaLength(size: number): number {
  const padded = paddedMediaLength(size);
  return MEDIA_HEADER_BYTES + padded + Math.ceil(padded / MEDIA_CHUNK_BYTES) * MEDIA_TAG_BYTES;
}

export const MAX_ENCRYPTED_MEDIA_BYTES: number = encryptedMediaLength(MAX_MEDIA_BYTES);

/** Whether some file is `stored` bytes long when it is encrypted. A server refuses the others, so that nobody leaks a length by them. */
export function isMediaLength(stored: number): boolean {
  if (!Number.isSafeInteger(stored) || stored > MAX_ENCRYPTED_MEDIA_BYTES) return false;
  const body = stored - MEDIA_HEADER_BYTES;
  const padded = body - Math.ceil(body / (MEDIA_CHUNK_BYTES + MEDIA_TAG_BYTES)) * MEDIA_TAG_BYTES;
  return padded >= MIN_PADDED_BYTES && encryptedMediaLength(padded) === stored;
}
