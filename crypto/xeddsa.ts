// XEdDSA (signal.org/docs/specifications/xeddsa): signatures with Curve25519 keys, and the one strict verifier.
//
// Signing has two forms with the same verifier. `sign` is the specification's, for identity keys. A key that is
// made only to sign (sender keys) is made from an Ed25519 seed instead, so that a platform's native Ed25519 can
// sign with it; seeds are drawn until the Edwards sign bit is 0, which makes the signature an XEdDSA one as it stands.

import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, concat, copy, toHex } from "#wire";
import { clamp } from "./agreement.ts";
import { backend } from "./backend.ts";
import { sha256, sha512 } from "./kdf.ts";
import { PublicKey } from "./public-key.ts";
import type { Random } from "./random.ts";
import { exposeKey, Secret } from "./secret.ts";

export const SIGNATURE_BYTES = 64;
const PRIVATE_KEY_BYTES = 32;
const SEED_BYTES = 32;

const { Point } = ed25519;
const { Fn } = Point;

/** hash_1 of XEdDSA section 2.4: 2^256 - 2 as 32 little-endian bytes. */
const HASH_1_PREFIX: Bytes = new Uint8Array(32).fill(0xff);
HASH_1_PREFIX[0] = 0xfe;

/** The identity point, encoded. */
const IDENTITY_POINT: Bytes = new Uint8Array(32);
IDENTITY_POINT[0] = 1;

/** XEdDSA section 2.4, with 64 random bytes in the nonce. @throws UsageError `bad-argument` unless the key has 32 bytes. */
export function sign(privateKey: Secret, message: Bytes, random: Random): Bytes {
  const { scalar, edwards } = calculateKeyPair(privateKey);
  const scalarBytes = new Uint8Array(Fn.toBytes(scalar));
  const nonce = reduce(sha512(HASH_1_PREFIX, scalarBytes, message, random(64)));
  const commitment = copy(Point.BASE.multiply(nonce).toBytes());
  const challenge = reduce(sha512(commitment, edwards, message));
  const response = Fn.add(nonce, Fn.mul(challenge, scalar));
  scalarBytes.fill(0);
  return concat(commitment, Fn.toBytes(response));
}

/** XEdDSA section 2.3: the scalar whose Edwards point has sign bit 0, and that point. Clamped as X25519 clamps it. */
function calculateKeyPair(privateKey: Secret): { readonly scalar: bigint; readonly edwards: Bytes } {
  const clamped = clamp(copy(exposeKey(privateKey, PRIVATE_KEY_BYTES)));
  const k = Fn.create(littleEndian(clamped));
  clamped.fill(0);
  const edwards = copy(Point.BASE.multiply(k).toBytes());
  const top = edwards[31] ?? 0;
  edwards[31] = top & 0x7f;
  return { scalar: top & 0x80 ? Fn.neg(k) : k, edwards };
}

/**
 * The one verifier of identity signatures, everywhere. Accepts the specification's form and the form that carries
 * the sign of the Edwards point in the top bit of the last byte. Beyond the equation sB = R + hA it asks for:
 * exactly 64 bytes; s < q; A on the curve and torsion-free; R not the identity. R is compared as bytes and without
 * a cofactor, so with such an A it is canonical and torsion-free as well.
 */
export function verify(publicKey: PublicKey, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const plain = copy(signature);
  const sign = (plain[63] ?? 0) & 0x80 ? "odd" : "even";
  plain[63] = (plain[63] ?? 0) & 0x7f;
  if (!isBelowOrder(plain.subarray(32))) return false;
  if (startsWith(plain, IDENTITY_POINT)) return false;
  if (!publicKey.isTorsionFree) return false;
  return backend().ed25519Verify(publicKey.edwards(sign), message, plain);
}

const remembered = new Set<string>();
const MAX_REMEMBERED = 1024;

/**
 * `verify` for statements that are met again and again, such as the certificate in every message of one sender: a
 * signature that was found good is known by its hash. Only speed depends on the memory.
 */
export function verifyRepeated(publicKey: PublicKey, message: Bytes, signature: Bytes): boolean {
  // With both lengths fixed the hash names one key, one signature and one message.
  if (signature.length !== SIGNATURE_BYTES) return false;
  const name = toHex(sha256(concat(publicKey.raw, signature, message)));
  if (remembered.has(name)) return true;
  if (!verify(publicKey, message, signature)) return false;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.add(name);
  return true;
}

/** A key pair that only signs, kept as its 32-byte Ed25519 seed (RFC 8032 section 5.1.5). */
export interface SigningKeyPair {
  readonly seed: Secret;
  readonly publicKey: PublicKey;
}

export function generateSigningKeyPair(random: Random): SigningKeyPair {
  for (;;) {
    const seed = random(32);
    const edwards = backend().ed25519PublicKey(seed);
    if (((edwards[31] ?? 0) & 0x80) === 0) {
      return { seed: new Secret(seed), publicKey: PublicKey.fromRaw(ed25519.utils.toMontgomery(edwards)) };
    }
    seed.fill(0);
  }
}

/** Signs with a key of `generateSigningKeyPair`; the nonce is RFC 8032's. @throws UsageError `bad-argument` unless the seed has 32 bytes. */
export function signWithSeed(seed: Secret, message: Bytes): Bytes {
  return backend().ed25519Sign(exposeKey(seed, SEED_BYTES), message);
}

function reduce(digest: Bytes): bigint {
  return Fn.create(littleEndian(digest));
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** q - 1, the largest scalar. */
const LARGEST_SCALAR: Bytes = copy(Fn.toBytes(Fn.ORDER - 1n));

/** s < q, compared from the top byte down: public data, and a big integer would cost more than all else here. */
function isBelowOrder(scalar: Bytes): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (scalar[i] ?? 0) - (LARGEST_SCALAR[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

function startsWith(bytes: Bytes, prefix: Bytes): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
