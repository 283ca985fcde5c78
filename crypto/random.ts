// Randomness is an argument everywhere below client/. This is the one source of it outside tests.

import { type Bytes, UsageError } from "#wire";

/** Returns `length` fresh bytes, which the caller owns. */
export type Random = (length: number) => Bytes;

const MAX_REQUEST_BYTES = 65_536;

/** The platform's generator. @throws UsageError for more than 65,536 bytes at once (the Web Crypto limit). */
export const systemRandom: Random = (length) => {
  if (length > MAX_REQUEST_BYTES) throw new UsageError("bad-argument", "too many random bytes at once");
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
};
