// XEdDSA in plain big integers, written from its specification: the slow twin of crypto/xeddsa.ts, and the malicious
// signer that its tests need.

import { sha512 } from "#crypto";
import { type Bytes, concat, sameBytes } from "#wire";
import {
  add,
  BASE,
  decode,
  encode,
  fromLittleEndian,
  fromMontgomery,
  isIdentity,
  isTorsionFree,
  mod,
  multiply,
  negate,
  P,
  type Point,
  Q,
  toLittleEndian,
} from "./edwards25519.ts";
import { clampedScalar } from "./x25519.ts";

/** hash_1 (section 2.4): SHA-512 after 2^256 - 2 as 32 little-endian bytes. */
function hash1(...parts: readonly Bytes[]): bigint {
  const prefix = new Uint8Array(32).fill(0xff);
  prefix[0] = 0xfe;
  return mod(fromLittleEndian(sha512(prefix, ...parts)), Q);
}

export function challenge(commitment: Bytes, edwards: Bytes, message: Bytes): bigint {
  return mod(fromLittleEndian(sha512(commitment, edwards, message)), Q);
}

/** Section 2.3, calculate_key_pair: the scalar whose point has sign bit 0. */
export function specificationKeyPair(privateKey: Uint8Array): { readonly scalar: bigint; readonly edwards: Bytes } {
  const k = mod(clampedScalar(privateKey), Q);
  const signed = encode(multiply(k, BASE));
  const scalar = (signed[31] ?? 0) & 0x80 ? mod(-k, Q) : k;
  return { scalar, edwards: encode(multiply(scalar, BASE)) };
}

/** Section 2.4. */
export function sign(privateKey: Uint8Array, message: Bytes, random64: Bytes): Bytes {
  const { scalar, edwards } = specificationKeyPair(privateKey);
  const nonce = hash1(toLittleEndian(scalar), message, random64);
  const commitment = encode(multiply(nonce, BASE));
  return concat(commitment, toLittleEndian(mod(nonce + challenge(commitment, edwards, message) * scalar, Q)));
}

/** The form that does not negate the scalar and carries the sign of the Edwards point in the last byte's top bit. */
export function signWithSignBit(privateKey: Uint8Array, message: Bytes, random64: Bytes): Bytes {
  const k = mod(clampedScalar(privateKey), Q);
  const edwards = encode(multiply(k, BASE));
  const nonce = hash1(toLittleEndian(k), message, random64);
  const commitment = encode(multiply(nonce, BASE));
  const signature = concat(commitment, toLittleEndian(mod(nonce + challenge(commitment, edwards, message) * k, Q)));
  signature[63] = (signature[63] ?? 0) | ((edwards[31] ?? 0) & 0x80);
  return signature;
}

/** The equation of section 2.5 and nothing else: encode(sB - hA) = R, with A as given. */
export function equationHolds(point: Point, message: Bytes, signature: Bytes): boolean {
  const commitment = signature.slice(0, 32);
  const s = fromLittleEndian(signature.slice(32));
  const h = challenge(commitment, encode(point), message);
  return sameBytes(encode(add(multiply(s, BASE), negate(multiply(h, point)))), commitment);
}

/** Section 2.5 with the stricter rules of `verify`, each written as its definition. */
export function verify(u: Uint8Array, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64 || u.length !== 32 || fromLittleEndian(u) >= P) return false;
  const plain = Uint8Array.from(signature);
  plain[63] = (plain[63] ?? 0) & 0x7f;
  if (fromLittleEndian(plain.slice(32)) >= Q) return false;
  const point = fromMontgomery(fromLittleEndian(u), (signature[63] ?? 0) >> 7);
  const commitment = decode(plain.slice(0, 32));
  if (point === undefined || commitment === undefined) return false;
  if (isIdentity(multiply(8n, point)) || !isTorsionFree(point) || isIdentity(commitment)) return false;
  return equationHolds(point, message, plain);
}
