// edwards25519 in plain big integers, written from RFC 8032 section 5.1 and RFC 7748 section 4.1: the slow twin of
// everything that crypto/ does with the curve. It knows no shortcut, no constant time and no library.

import type { Bytes } from "#wire";

export const P: bigint = 2n ** 255n - 19n;
/** The order of the prime-order subgroup. */
export const Q: bigint = 2n ** 252n + 27742317777372353535851937790883648493n;
const D: bigint = mod(-121665n * invert(121666n));
const SQRT_MINUS_ONE: bigint = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. */
export interface Point {
  readonly X: bigint;
  readonly Y: bigint;
  readonly Z: bigint;
  readonly T: bigint;
}

export const IDENTITY: Point = { X: 0n, Y: 1n, Z: 1n, T: 0n };
export const BASE: Point = liftY(mod(4n * invert(5n)), 0);

export function mod(value: bigint, modulus: bigint = P): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), e = exponent; e > 0n; e >>= 1n, square = mod(square * square)) if (e & 1n) result = mod(result * square);
  return result;
}

/** 1 / value, and 0 for 0. */
export function invert(value: bigint): bigint {
  return power(value, P - 2n);
}

function fromAffine(x: bigint, y: bigint): Point {
  return { X: x, Y: y, Z: 1n, T: mod(x * y) };
}

export function add(a: Point, b: Point): Point {
  const A = mod((a.Y - a.X) * (b.Y - b.X));
  const B = mod((a.Y + a.X) * (b.Y + b.X));
  const C = mod(2n * D * a.T * b.T);
  const E = B - A;
  const F = 2n * a.Z * b.Z - C;
  const G = 2n * a.Z * b.Z + C;
  const H = B + A;
  return { X: mod(E * F), Y: mod(G * H), Z: mod(F * G), T: mod(E * H) };
}

export function negate(a: Point): Point {
  return { X: mod(-a.X), Y: a.Y, Z: a.Z, T: mod(-a.T) };
}

export function multiply(scalar: bigint, point: Point): Point {
  let result = IDENTITY;
  for (let doubled = point, k = scalar; k > 0n; k >>= 1n, doubled = add(doubled, doubled)) if (k & 1n) result = add(result, doubled);
  return result;
}

export function isIdentity(point: Point): boolean {
  return point.X === 0n && point.Y === point.Z;
}

/** Whether q times the point is the identity: the definition, where crypto/ uses a probe. */
export function isTorsionFree(point: Point): boolean {
  return isIdentity(multiply(Q, point));
}

/** The eight points whose order divides 8, the identity first. */
export function torsionPoints(): readonly Point[] {
  // Twice this y-coordinate's point is (±sqrt(-1), 0), of order 4: so it has order 8.
  const generator = decodePoint("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  return Array.from({ length: 8 }, (_, i) => multiply(BigInt(i), generator));
}

function decodePoint(hex: string): Point {
  const bytes = new Uint8Array(hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? []);
  const point = decode(bytes);
  if (point === undefined) throw new RangeError("not a point");
  return point;
}

/** RFC 8032 section 5.1.2. */
export function encode(point: Point): Bytes {
  const z = invert(point.Z);
  const bytes = toLittleEndian(mod(point.Y * z));
  bytes[31] = (bytes[31] ?? 0) | (Number(mod(point.X * z) & 1n) << 7);
  return bytes;
}

/** RFC 8032 section 5.1.3: `undefined` for what is not canonical or not on the curve. */
export function decode(bytes: Uint8Array): Point | undefined {
  const y = fromLittleEndian(bytes) & (2n ** 255n - 1n);
  const sign = (bytes[31] ?? 0) >> 7;
  if (bytes.length !== 32 || y >= P) return undefined;
  return tryLiftY(y, sign);
}

function tryLiftY(y: bigint, sign: number): Point | undefined {
  // x^2 = (y^2 - 1) / (d y^2 + 1)
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * SQRT_MINUS_ONE);
  if (mod(x * x - square) !== 0n) return undefined;
  if (x === 0n && sign === 1) return undefined;
  return fromAffine(Number(x & 1n) === sign ? x : mod(-x), y);
}

function liftY(y: bigint, sign: number): Point {
  const point = tryLiftY(y, sign);
  if (point === undefined) throw new RangeError("not a point");
  return point;
}

/** The point with x of the given sign that u maps to (RFC 7748 section 4.1), or `undefined` when u is on the twist. */
export function fromMontgomery(u: bigint, sign: number): Point | undefined {
  return tryLiftY(mod((u - 1n) * invert(u + 1n)), sign);
}

/** u = (1 + y) / (1 - y), with 0 for the identity. */
export function toMontgomery(point: Point): Bytes {
  return toLittleEndian(mod((point.Z + point.Y) * invert(point.Z - point.Y)));
}

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function toLittleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
