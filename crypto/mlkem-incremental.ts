// ML-KEM-768 (FIPS 203) in the pieces that the ML-KEM Braid sends one by one. Keys and ciphertexts are exactly
// FIPS 203's; only the moment differs at which each part is made.
//
//   encapsulation key = vector t (1,152 bytes) ‖ matrix seed ρ (32)      header = ρ ‖ SHA3-256(encapsulation key)
//   ciphertext        = ct1, compressed u (960 bytes) ‖ ct2, compressed v (128)
//
// ct1 follows from ρ and the coins alone, so it can be sent before the vector has arrived. The library cannot stop
// half way; that half (K-PKE.Encrypt, algorithm 14 steps 4 to 19) is written out here over the library's NTT.

import { genCrystals, XOF128 } from "@noble/post-quantum/_crystals.js";
import { sha3_512, shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, copy, ProtocolError } from "#wire";
import { backend } from "./backend.ts";
import { equal } from "./equal.ts";
import { type Random, systemRandom } from "./random.ts";
import { exposeKey, Secret } from "./secret.ts";

export const KEM_HEADER_BYTES: number = 64;
export const KEM_VECTOR_BYTES: number = 1152;
export const KEM_CT1_BYTES: number = 960;
export const KEM_CT2_BYTES: number = 128;
const SEED_BYTES = 64;
const COINS_BYTES = 32;
const N = 256;
const Q = 3329;
const K = 3;

export interface IncrementalKeyPair {
  /** d ‖ z of FIPS 203, 64 bytes. */
  readonly seed: Secret;
  readonly header: Bytes;
  readonly vector: Bytes;
}

export function generateIncremental(random: Random): IncrementalKeyPair {
  const native = random === systemRandom ? backend().mlKem768.generate?.() : undefined;
  const seed = native?.seed ?? random(SEED_BYTES);
  const key = native?.publicKey ?? backend().mlKem768.publicKey(seed);
  const header = concat(key.subarray(KEM_VECTOR_BYTES), backend().sha3_256(key));
  return { seed: new Secret(seed), header, vector: key.slice(0, KEM_VECTOR_BYTES) };
}

export interface FirstHalf {
  /** m of FIPS 203: all that the second half needs besides the key. */
  readonly coins: Secret;
  readonly ct1: Bytes;
  readonly sharedSecret: Bytes;
}

/**
 * Encapsulates to a key of which only the header is known. The shared secret is final.
 * @throws ProtocolError `bad-key` unless the header has 64 bytes.
 */
export function encapsulateFirst(header: Bytes, random: Random): FirstHalf {
  if (header.length !== KEM_HEADER_BYTES) throw new ProtocolError("bad-key");
  const coins = random(COINS_BYTES);
  const derived = copy(sha3_512(concat(coins, header.subarray(32))));
  const sharedSecret = derived.slice(0, 32);
  const ct1 = compressedU(header.subarray(0, 32), derived.subarray(32));
  derived.fill(0);
  return { coins: new Secret(coins), ct1, sharedSecret };
}

/**
 * The rest of the ciphertext.
 * @throws ProtocolError `bad-key` when the vector is not the one that the header announced.
 * @throws UsageError `bad-argument` unless there are 32 bytes of coins.
 */
export function encapsulateSecond(header: Bytes, vector: Bytes, coins: Secret): Bytes {
  requireAnnounced(header, vector);
  const { ciphertext, sharedSecret } = backend().mlKem768.encapsulate(
    concat(vector, header.subarray(0, 32)),
    exposeKey(coins, COINS_BYTES),
  );
  sharedSecret.fill(0);
  return ciphertext.slice(KEM_CT1_BYTES);
}

/**
 * The shared secret; unrelated and without an error for a ciphertext made for another key (implicit rejection).
 * @throws ProtocolError `bad-key` for a half of another length.
 * @throws UsageError `bad-argument` unless the seed has 64 bytes.
 */
export function decapsulateHalves(seed: Secret, ct1: Bytes, ct2: Bytes): Bytes {
  if (ct1.length !== KEM_CT1_BYTES || ct2.length !== KEM_CT2_BYTES) throw new ProtocolError("bad-key");
  return backend().mlKem768.decapsulate(exposeKey(seed, SEED_BYTES), concat(ct1, ct2));
}

/**
 * @throws ProtocolError `bad-key` unless header and vector have their lengths and belong together, and every
 * coefficient is below q (FIPS 203 section 7.2).
 */
export function requireAnnounced(header: Bytes, vector: Bytes): void {
  if (header.length !== KEM_HEADER_BYTES || vector.length !== KEM_VECTOR_BYTES) throw new ProtocolError("bad-key");
  const digest = backend().sha3_256(concat(vector, header.subarray(0, 32)));
  if (!equal(digest, header.slice(32)) || !coefficientsBelowQ(vector)) throw new ProtocolError("bad-key");
}

function coefficientsBelowQ(vector: Bytes): boolean {
  for (let i = 0; i < vector.length; i += 3) {
    const [a = 0, b = 0, c = 0] = [vector[i], vector[i + 1], vector[i + 2]];
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}

const { NTT, mod, nttZetas } = genCrystals({
  N,
  Q,
  F: 3303,
  ROOT_OF_UNITY: 17,
  newPoly: (n: number) => new Uint16Array(n),
  brvBits: 7,
  isKyber: true,
});

/** ByteEncode_10(Compress_10(u)) for u = NTT⁻¹(Âᵀ ∘ r̂) + e1. */
function compressedU(matrixSeed: Bytes, coins: Bytes): Bytes {
  const matrix = XOF128(matrixSeed);
  const noise = Array.from({ length: 2 * K }, (_, nonce) => centredBinomial(coins, nonce));
  const rHat = noise.slice(0, K).map((r) => NTT.encode(r));
  const out = new Uint8Array(KEM_CT1_BYTES);
  for (let i = 0; i < K; i++) {
    const sum = new Uint16Array(N);
    rHat.forEach((r, j) => addProduct(sum, sampleNtt(matrix.get(i, j)), r));
    NTT.decode(sum);
    packCompressed(sum, noise[K + i] ?? sum, out.subarray((i * KEM_CT1_BYTES) / K));
    sum.fill(0);
  }
  matrix.clean();
  for (const polynomial of [...noise, ...rHat]) polynomial.fill(0);
  return out;
}

/** SamplePolyCBD with η = 2 over PRF(coins, nonce) (FIPS 203 algorithms 8 and 14). */
function centredBinomial(coins: Bytes, nonce: number): Uint16Array {
  const stream = shake256(concat(coins, new Uint8Array([nonce])), { dkLen: N / 2 });
  const polynomial = new Uint16Array(N);
  for (let i = 0; i < N; i++) {
    const bits = (stream[i >> 1] ?? 0) >> (4 * (i & 1));
    const value = (bits & 1) + ((bits >> 1) & 1) - ((bits >> 2) & 1) - ((bits >> 3) & 1);
    polynomial[i] = value < 0 ? value + Q : value;
  }
  stream.fill(0);
  return polynomial;
}

/** SampleNTT (FIPS 203 algorithm 7): rejection sampling of 12-bit values. Public data. */
function sampleNtt(block: () => Uint8Array): Uint16Array {
  const polynomial = new Uint16Array(N);
  for (let filled = 0; filled < N;) {
    const bytes = block();
    for (let i = 0; i + 3 <= bytes.length && filled < N; i += 3) {
      const [a = 0, b = 0, c = 0] = [bytes[i], bytes[i + 1], bytes[i + 2]];
      const low = a | ((b & 15) << 8);
      const high = (b >> 4) | (c << 4);
      if (low < Q) polynomial[filled++] = low;
      if (high < Q && filled < N) polynomial[filled++] = high;
    }
  }
  return polynomial;
}

/** sum += f ∘ g in the NTT domain (FIPS 203 algorithms 11 and 12). */
function addProduct(sum: Uint16Array, f: Uint16Array, g: Uint16Array): void {
  for (let i = 0; i < N; i += 2) {
    const zeta = nttZetas[64 + (i >> 2)] ?? 0;
    const [f0 = 0, f1 = 0, g0 = 0, g1 = 0] = [f[i], f[i + 1], g[i], g[i + 1]];
    const twisted = mod(f1 * g1) * ((i >> 1) & 1 ? Q - zeta : zeta);
    sum[i] = ((sum[i] ?? 0) + mod(twisted + f0 * g0)) % Q;
    sum[i + 1] = ((sum[i + 1] ?? 0) + mod(f0 * g1 + f1 * g0)) % Q;
  }
}

/** Compress_10 of a + b, four coefficients to five bytes. */
function packCompressed(a: Uint16Array, b: Uint16Array, out: Uint8Array): void {
  for (let i = 0, at = 0; i < N; i += 4, at += 5) {
    const [w = 0, x = 0, y = 0, z = 0] = [0, 1, 2, 3].map((k) => compress10((a[i + k] ?? 0) + (b[i + k] ?? 0)));
    out[at] = w;
    out[at + 1] = (w >> 8) | (x << 2);
    out[at + 2] = (x >> 6) | (y << 4);
    out[at + 3] = (y >> 4) | (z << 6);
    out[at + 4] = z >> 2;
  }
}

/** round(1024 · x / q) mod 1024. */
function compress10(x: number): number {
  return Math.floor((((x % Q) << 10) + (Q >> 1)) / Q) & 1023;
}
