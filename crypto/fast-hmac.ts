// HMAC-SHA-256 and HKDF for the short inputs of a ratchet, written for speed: one block layout, no objects, no
// streaming. A ratchet step is some fifteen HMACs over at most three blocks, and a general-purpose implementation
// spends most of its time preparing to be general. The noble backend is its slow twin in test/conformance.
//
// Scratch memory is shared between calls, which is safe because nothing here can be interrupted; each entry
// point clears what it left there.

import type { Bytes } from "#wire";

const BLOCK = 64;
const DIGEST = 32;

/** SHA-256 round constants and initial state (FIPS 180-4 sections 4.2.2 and 5.3.3), computed from the primes. */
const K: Int32Array = new Int32Array(64);
const INITIAL: Int32Array = new Int32Array(8);
fillConstants();

function fillConstants(): void {
  let found = 0;
  for (let candidate = 2; found < 64; candidate++) {
    if (!isPrime(candidate)) continue;
    if (found < 8) INITIAL[found] = fraction(integerRoot(candidate, 2));
    K[found++] = fraction(integerRoot(candidate, 3));
  }
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

/** floor(n^(1/degree) × 2^32), exactly. */
function integerRoot(n: number, degree: number): bigint {
  const target = BigInt(n) << BigInt(32 * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(degree) <= target) low = middle;
    else high = middle;
  }
  return low;
}

function fraction(root: bigint): number {
  return Number(BigInt.asIntN(32, root));
}

const W: Int32Array = new Int32Array(64);
const message: Bytes = new Uint8Array(4 * BLOCK);
const view: DataView = new DataView(message.buffer);

/** One compression of the block at `offset` of the scratch message into `state` (FIPS 180-4 section 6.2.2). */
function compress(state: Int32Array, offset: number): void {
  for (let i = 0; i < 16; i++) W[i] = view.getInt32(offset + 4 * i);
  for (let i = 16; i < 64; i++) {
    const w15 = W[i - 15] as number; // i - 15 ≥ 1: in range, like the three below
    const w2 = W[i - 2] as number;
    const s0 = ((w15 >>> 7) | (w15 << 25)) ^ ((w15 >>> 18) | (w15 << 14)) ^ (w15 >>> 3);
    const s1 = ((w2 >>> 17) | (w2 << 15)) ^ ((w2 >>> 19) | (w2 << 13)) ^ (w2 >>> 10);
    W[i] = ((W[i - 16] as number) + s0 + (W[i - 7] as number) + s1) | 0;
  }
  // Fixed-length arrays: every index below is in range.
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (W[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

const innerStart: Int32Array = new Int32Array(8);
const outerStart: Int32Array = new Int32Array(8);
const state: Int32Array = new Int32Array(8);

/** The longest HMAC input that fits the scratch message together with its padding. */
export const MAX_SHORT_INPUT: number = 4 * BLOCK - 9;

/** Absorbs a key of at most 64 bytes: the two states that every HMAC under it starts from. */
function startHmac(key: Uint8Array): void {
  absorbPad(key, 0x36, innerStart);
  absorbPad(key, 0x5c, outerStart);
}

function absorbPad(key: Uint8Array, pad: number, into: Int32Array): void {
  message.fill(pad, 0, BLOCK);
  for (let i = 0; i < key.length; i++) message[i] = (key[i] as number) ^ pad; // i < key.length
  into.set(INITIAL);
  compress(into, 0);
}

/** HMAC of the first `length` bytes of the scratch message under the started key, into `out` at `at`. */
function finishHmac(length: number, out: Uint8Array, at: number): void {
  state.set(innerStart);
  absorbPadded(length);
  for (let i = 0; i < 8; i++) view.setInt32(4 * i, state[i] as number); // fixed length 8
  state.set(outerStart);
  absorbPadded(DIGEST);
  for (let i = 0; i < 8; i++) view.setInt32(4 * i, state[i] as number); // fixed length 8
  out.set(message.subarray(0, Math.min(DIGEST, out.length - at)), at);
}

function absorbPadded(length: number): void {
  const blocks = Math.ceil((length + 9) / BLOCK);
  message.fill(0, length, blocks * BLOCK);
  message[length] = 0x80;
  view.setUint32(blocks * BLOCK - 4, 8 * (BLOCK + length));
  for (let i = 0; i < blocks; i++) compress(state, i * BLOCK);
}

function clearScratch(): void {
  message.fill(0);
  W.fill(0);
  innerStart.fill(0);
  outerStart.fill(0);
  state.fill(0);
}

/** HMAC-SHA-256 for `key` of at most 64 bytes and `data` of at most `MAX_SHORT_INPUT`. */
export function shortHmac(key: Bytes, data: Bytes): Bytes {
  const out = new Uint8Array(DIGEST);
  startHmac(key);
  message.set(data);
  finishHmac(data.length, out, 0);
  clearScratch();
  return out;
}

/** Whether `shortHkdf` takes these lengths: salt and info bounded by the scratch, the input key likewise. */
export function fitsShortHkdf(salt: Bytes, inputKey: Bytes, info: Bytes): boolean {
  return salt.length <= BLOCK && inputKey.length <= MAX_SHORT_INPUT && info.length <= MAX_SHORT_INPUT - DIGEST - 1;
}

/** HKDF-SHA-256 (RFC 5869) for inputs that `fitsShortHkdf`, and a length of at most 255 × 32. */
export function shortHkdf(salt: Bytes, inputKey: Bytes, info: Bytes, length: number): Bytes {
  const pseudorandomKey = new Uint8Array(DIGEST);
  startHmac(salt);
  message.set(inputKey);
  finishHmac(inputKey.length, pseudorandomKey, 0);
  startHmac(pseudorandomKey);
  const out = new Uint8Array(length);
  for (let at = 0, counter = 1; at < length; at += DIGEST, counter++) {
    // T(i) = HMAC(PRK, T(i-1) ‖ info ‖ i); T(0) is empty.
    const before = at === 0 ? 0 : DIGEST;
    if (before > 0) message.set(out.subarray(at - DIGEST, at));
    message.set(info, before);
    message[before + info.length] = counter;
    finishHmac(before + info.length + 1, out, at);
  }
  pseudorandomKey.fill(0);
  clearScratch();
  return out;
}
