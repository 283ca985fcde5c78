// What is let in as a Curve25519 public key, and what is not.

import {
  ENCODED_PUBLIC_KEY_BYTES,
  generateKeyPair,
  nobleBackend,
  parseIdentityKey,
  parsePublicKey,
  PublicKey,
  requireTorsionFree,
  useBackend,
} from "#crypto";
import { type Bytes, concat, EMPTY, sameBytes, toHex } from "#wire";
import { expect, test } from "vitest";
import { encode, fromLittleEndian, mod, P, Q, toLittleEndian, toMontgomery } from "../reference/edwards25519.ts";
import { clampedScalar } from "../reference/x25519.ts";
import { encoded, lowOrderEncodings, mixedOrderKeys, nonCanonicalEncodings, twistKeys, withTorsion } from "../support/keys.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const BAD_KEY = { name: "ProtocolError", code: "bad-key", message: "bad-key" };
const random = seededRandom(1);
const parsers = [PublicKey.fromRaw, (u: Bytes) => parsePublicKey(encoded(u)), (u: Bytes) => parseIdentityKey(encoded(u))];

test("an honest key is parsed by every parser and encodes to the bytes it came from", () => {
  for (let i = 0; i < 20; i++) {
    const { publicKey } = generateKeyPair(random);
    for (const parse of parsers) {
      const key = parse(publicKey.raw);
      expect(toHex(key.encode())).toBe(`05${toHex(publicKey.raw)}`);
      expect(key.encode()).toHaveLength(ENCODED_PUBLIC_KEY_BYTES);
      expect(key.equals(publicKey)).toBe(true);
      expect(key.isTorsionFree).toBe(true);
    }
  }
  expect(generateKeyPair(random).publicKey.equals(generateKeyPair(random).publicKey)).toBe(false);
});

test("a parsed key shares no memory with the bytes it came from", () => {
  const bytes = encoded(Uint8Array.from(generateKeyPair(random).publicKey.raw));
  const key = parsePublicKey(bytes);
  const before = toHex(key.raw);
  bytes.fill(0);
  expect(toHex(key.raw)).toBe(before);
});

test("every length but the right one is refused", () => {
  const honest = generateKeyPair(random).publicKey.encode();
  const tooMuch = concat(honest, new Uint8Array(40));
  for (let length = 0; length <= tooMuch.length; length++) {
    if (length === 33) continue;
    const bytes = tooMuch.slice(0, length);
    expect(thrownBy(() => parsePublicKey(bytes))).toMatchObject(BAD_KEY);
    expect(thrownBy(() => parseIdentityKey(bytes))).toMatchObject(BAD_KEY);
    if (length !== 32) expect(thrownBy(() => PublicKey.fromRaw(bytes))).toMatchObject(BAD_KEY);
  }
  expect(thrownBy(() => PublicKey.fromRaw(EMPTY))).toMatchObject(BAD_KEY);
});

test("every type byte but 0x05 is refused", () => {
  const honest = generateKeyPair(random).publicKey.encode();
  for (let type = 0; type < 256; type++) {
    if (type === 5) continue;
    honest[0] = type;
    expect(thrownBy(() => parsePublicKey(honest))).toMatchObject(BAD_KEY);
    expect(thrownBy(() => parseIdentityKey(honest))).toMatchObject(BAD_KEY);
  }
});

test("every encoding of a low-order point is refused, canonical or not", () => {
  expect(new Set(lowOrderEncodings.map(toHex)).size).toBe(14);
  for (const u of lowOrderEncodings) {
    expect(toHex(nobleBackend.x25519(random(32), u))).toBe("00".repeat(32));
    for (const parse of parsers) expect(thrownBy(() => parse(u))).toMatchObject(BAD_KEY);
  }
});

test("every encoding that is not canonical is refused, and the nearest canonical ones are not", () => {
  expect(nonCanonicalEncodings).toHaveLength(23);
  for (const u of nonCanonicalEncodings) for (const parse of parsers) expect(thrownBy(() => parse(u))).toMatchObject(BAD_KEY);
  for (const u of [2n, 9n, P - 2n]) expect(toHex(PublicKey.fromRaw(toLittleEndian(u)).raw)).toBe(toHex(toLittleEndian(u)));
});

test("an honest key with its top bit set is another key's name and is refused", () => {
  const u = Uint8Array.from(generateKeyPair(random).publicKey.raw);
  u[31] = (u[31] ?? 0) | 0x80;
  for (const parse of parsers) expect(thrownBy(() => parse(u))).toMatchObject(BAD_KEY);
});

test("a key with a torsion part is refused as an identity key, whichever of the seven parts it is", () => {
  expect(new Set(mixedOrderKeys.map(toHex)).size).toBe(7);
  for (const u of mixedOrderKeys) {
    const key = parsePublicKey(encoded(u));
    expect(key.isTorsionFree).toBe(false);
    expect(thrownBy(() => requireTorsionFree(key))).toMatchObject(BAD_KEY);
    expect(thrownBy(() => parseIdentityKey(encoded(u)))).toMatchObject(BAD_KEY);
  }
});

test("the same point without its torsion part is accepted", () => {
  const [honest] = withTorsion(7_654_321n).map(toMontgomery);
  const key = parseIdentityKey(encoded(honest ?? EMPTY));
  expect(requireTorsionFree(key)).toBe(key);
});

test("a point of the twist is refused as an identity key", () => {
  expect(twistKeys.length).toBeGreaterThan(10);
  for (const u of twistKeys) {
    expect(PublicKey.fromRaw(u).isTorsionFree).toBe(false);
    expect(thrownBy(() => parseIdentityKey(encoded(u)))).toMatchObject(BAD_KEY);
  }
});

test("the torsion probe is clamped, 0 modulo 8 and ±1 modulo q, and is the scalar that is used", () => {
  const scalars: Bytes[] = [];
  const before = useBackend({
    ...nobleBackend,
    x25519(privateKey, publicKey) {
      scalars.push(Uint8Array.from(privateKey));
      return nobleBackend.x25519(privateKey, publicKey);
    },
  });
  try {
    expect(PublicKey.fromRaw(toLittleEndian(9n)).isTorsionFree).toBe(true);
  } finally {
    useBackend(before);
  }
  expect(scalars).toHaveLength(1);
  const probe = scalars[0] ?? EMPTY;
  const value = fromLittleEndian(probe);
  expect(clampedScalar(probe)).toBe(value);
  expect(mod(value, 8n)).toBe(0n);
  expect([1n, Q - 1n]).toContain(mod(value, Q));
});

test("the Edwards form of a key is the point that u maps to, with the sign that is asked for", () => {
  for (const point of withTorsion(31_337n)) {
    const key = PublicKey.fromRaw(toMontgomery(point));
    const [even, odd] = [encode(point), encode(point)];
    even[31] = (even[31] ?? 0) & 0x7f;
    odd[31] = (odd[31] ?? 0) | 0x80;
    // In both orders, because both forms are kept.
    expect([key.edwards("odd"), key.edwards("even"), key.edwards("odd")].map(toHex)).toEqual([odd, even, odd].map(toHex));
  }
});

test("an identity key stays accepted or refused when more keys than the memory holds have passed", () => {
  const first = generateKeyPair(random).publicKey.encode();
  const met = parseIdentityKey(first);
  expect(parseIdentityKey(first)).toBe(met);
  const [mixed = EMPTY] = mixedOrderKeys;
  // 1,024 keys are remembered, so the first one has to be judged again.
  for (let i = 0; i < 1100; i++) parseIdentityKey(generateKeyPair(random).publicKey.encode());
  expect(sameBytes(parseIdentityKey(first).raw, met.raw)).toBe(true);
  expect(thrownBy(() => parseIdentityKey(encoded(mixed)))).toMatchObject(BAD_KEY);
  expect(thrownBy(() => parseIdentityKey(concat(first, new Uint8Array(1))))).toMatchObject(BAD_KEY);
  expect(thrownBy(() => parseIdentityKey(first.slice(0, 32)))).toMatchObject(BAD_KEY);
});

test("two identity keys that begin alike are told apart, and so is a key from one of another type", () => {
  const { publicKey } = generateKeyPair(random);
  const met = parseIdentityKey(publicKey.encode());
  const [mixed = EMPTY] = mixedOrderKeys;
  // Only the first bytes decide where a key is remembered.
  const alike = concat(met.encode().subarray(0, 12), mixed.subarray(11));
  expect(thrownBy(() => parseIdentityKey(alike))).toMatchObject(BAD_KEY);
  const otherType = met.encode();
  otherType[0] = 0x08;
  expect(thrownBy(() => parseIdentityKey(otherType))).toMatchObject(BAD_KEY);
  expect(parseIdentityKey(publicKey.encode()).equals(publicKey)).toBe(true);
});
