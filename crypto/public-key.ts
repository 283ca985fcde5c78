// A Curve25519 public key that was parsed, and the checks a parse makes. There is no other way to obtain one
// from outside bytes, so a function that takes a PublicKey need not check again.
//
// Every key: exact length, type byte 0x05, canonical (below 2^255 - 19, top bit 0), never of low order.
// Identity keys and base keys also: on the curve and torsion-free (`requireTorsionFree`).

import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, concat, copy, fromHex, ProtocolError, sameBytes, toHex } from "#wire";
import { backend } from "./backend.ts";

const TYPE_CURVE25519 = 0x05;
export const ENCODED_PUBLIC_KEY_BYTES = 33;
const TYPE_BYTE: Bytes = new Uint8Array([TYPE_CURVE25519]);

const { Fp } = ed25519.Point;

/** The canonical u-coordinates whose order divides 8, on the curve or its twist (RFC 7748 section 6.1). */
const LOW_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * A clamped scalar k with k = 0 (mod 8) and k = ±1 (mod q). Multiplying by it removes the torsion part and
 * leaves the rest, up to sign, as it was: X25519(k, u) = u exactly when u is on the curve and torsion-free.
 * One scalar multiplication that every platform has natively instead of a multiplication by q that none has.
 */
const TORSION_PROBE: Bytes = torsionProbe();

function torsionProbe(): Bytes {
  const q = ed25519.Point.Fn.ORDER;
  let k = 1n;
  while (k % 8n !== 0n) k += q;
  if (k < 1n << 254n) k = 8n * q - k;
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[i] = Number((k >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

export class PublicKey {
  /** The 32-byte u-coordinate, little-endian. Borrowed: never written to. */
  readonly raw: Bytes;
  #torsionFree: boolean | undefined;
  #even: Bytes | undefined;
  #odd: Bytes | undefined;

  private constructor(raw: Bytes) {
    this.raw = raw;
  }

  /** @throws ProtocolError `bad-key`: wrong length, not canonical, or of low order. */
  static fromRaw(raw: Uint8Array): PublicKey {
    if (raw.length !== 32 || !isCanonical(raw) || isLowOrder(raw)) throw new ProtocolError("bad-key");
    return new PublicKey(copy(raw));
  }

  /** The wire form: 0x05 and the u-coordinate. */
  encode(): Bytes {
    return concat(TYPE_BYTE, this.raw);
  }

  equals(other: PublicKey): boolean {
    return sameBytes(this.raw, other.raw);
  }

  get isTorsionFree(): boolean {
    this.#torsionFree ??= sameBytes(backend().x25519(TORSION_PROBE, this.raw), this.raw);
    return this.#torsionFree;
  }

  /**
   * The Edwards point that this key maps to, encoded: y = (u - 1) / (u + 1) (XEdDSA section 2.3), with the wanted sign
   * of x. Borrowed, and the same array each time.
   */
  edwards(sign: "even" | "odd"): Bytes {
    this.#even ??= this.#toEdwards();
    if (sign === "even") return this.#even;
    if (this.#odd === undefined) {
      this.#odd = copy(this.#even);
      this.#odd[31] = (this.#odd[31] ?? 0) | 0x80;
    }
    return this.#odd;
  }

  #toEdwards(): Bytes {
    const u = Fp.fromBytes(this.raw);
    return copy(Fp.toBytes(Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE))));
  }
}

/** 2^255 - 19 is ed ff … ff 7f: a canonical value is smaller. */
function isCanonical(raw: Uint8Array): boolean {
  const top = raw[31] ?? 0xff;
  if (top !== 0x7f) return top < 0x7f;
  for (let i = 30; i > 0; i--) if (raw[i] !== 0xff) return true;
  return (raw[0] ?? 0xff) < 0xed;
}

/** The first byte tells almost every honest key from the five bad ones; only then is the whole looked up. */
function isLowOrder(raw: Uint8Array): boolean {
  return LOW_ORDER_FIRST.has(raw[0] ?? 0) && LOW_ORDER.has(toHex(raw));
}

const LOW_ORDER_FIRST: ReadonlySet<number> = new Set([...LOW_ORDER].map((hex) => fromHex(hex)[0] ?? 0));

/** Parses the 33-byte wire form. @throws ProtocolError `bad-key`. */
export function parsePublicKey(encoded: Uint8Array): PublicKey {
  if (encoded.length !== ENCODED_PUBLIC_KEY_BYTES || encoded[0] !== TYPE_CURVE25519) throw new ProtocolError("bad-key");
  return PublicKey.fromRaw(encoded.subarray(1));
}

/** @throws ProtocolError `bad-key` unless the key is on the curve and in the prime-order subgroup. */
export function requireTorsionFree(key: PublicKey): PublicKey {
  if (!key.isTorsionFree) throw new ProtocolError("bad-key");
  return key;
}

/** Public keys met again and again (identity, certificate and sender-key signing keys), with what was computed about them. */
const known = new Map<number, PublicKey>();
const MAX_KNOWN = 1024;

/**
 * Parses a long-lived key: as `parsePublicKey`, torsion-free as well, checked once and remembered.
 * @throws ProtocolError `bad-key`.
 */
export function parseIdentityKey(encoded: Uint8Array): PublicKey {
  const name = placeOf(encoded);
  const met = known.get(name);
  if (met !== undefined && encoded[0] === TYPE_CURVE25519 && sameBytes(met.raw, encoded.subarray(1))) return met;
  const key = requireTorsionFree(parsePublicKey(encoded));
  // Whoever floods the memory costs us time, nothing else.
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, key);
  return key;
}

/** Six bytes of the key as a number. Keys that share it push each other out. */
function placeOf(encoded: Uint8Array): number {
  let place = 0;
  for (let i = 1; i < 7; i++) place = place * 256 + (encoded[i] ?? 0);
  return place;
}
