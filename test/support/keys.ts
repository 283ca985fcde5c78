// Curve25519 keys that a peer should not be able to hand us, made from the definitions.

import { type Bytes, concat, fromHex } from "#wire";
import {
  add,
  fromLittleEndian,
  fromMontgomery,
  multiply,
  P,
  type Point,
  toLittleEndian,
  toMontgomery,
  torsionPoints,
  BASE,
} from "../reference/edwards25519.ts";

const TOP_BIT = 2n ** 255n;

/** The u-coordinates whose order divides 8, on the curve (0, 1, two of order 8) and on its twist (0, -1). */
const LOW_ORDER_VALUES: readonly bigint[] = [
  0n,
  1n,
  fromLittleEndian(fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
  fromLittleEndian(fromHex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")),
  P - 1n,
];

/** Every 32-byte string that X25519 reads as one of the five: themselves, with p added where it fits, with the top bit. */
export const lowOrderEncodings: readonly Bytes[] = LOW_ORDER_VALUES.flatMap((u) => [u, u + P])
  .filter((value) => value < TOP_BIT)
  .flatMap((value) => [value, value + TOP_BIT])
  .map(toLittleEndian);

/** Keys of any order that are not canonical: every value from p to 2^255 - 1, and honest keys with the top bit set. */
export const nonCanonicalEncodings: readonly Bytes[] = [
  ...Array.from({ length: 19 }, (_, i) => P + BigInt(i)),
  ...[2n, 9n, P - 2n, P + 2n].map((value) => value + TOP_BIT),
].map(toLittleEndian);

/** The point times the base point, with each of the eight torsion points added: the first is honest, the others are not. */
export function withTorsion(scalar: bigint): readonly Point[] {
  const honest = multiply(scalar, BASE);
  return torsionPoints().map((torsion) => add(honest, torsion));
}

/** As keys: u-coordinates of points with a torsion part that is not trivial. */
export const mixedOrderKeys: readonly Bytes[] = withTorsion(7_654_321n).slice(1).map(toMontgomery);

/** u-coordinates that are on the twist and not on the curve. */
export const twistKeys: readonly Bytes[] = Array.from({ length: 40 }, (_, i) => BigInt(i + 2))
  .filter((u) => fromMontgomery(u, 0) === undefined)
  .map(toLittleEndian);

/** The wire form. */
export function encoded(u: Bytes): Bytes {
  return concat(new Uint8Array([5]), u);
}
