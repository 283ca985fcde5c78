// Honest signatures: who signs, who accepts, and what no longer is accepted when anything changes.

import {
  backend,
  clamp,
  generateKeyPair,
  generateSigningKeyPair,
  type KeyPair,
  keyPairFromPrivate,
  PublicKey,
  Secret,
  sign,
  SIGNATURE_BYTES,
  signWithSeed,
  useBackend,
  verify,
  verifyRepeated,
} from "#crypto";
import { ascii, type Bytes, concat, EMPTY, ProtocolError, sameBytes, toHex } from "#wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BASE, encode, IDENTITY, Q, toLittleEndian } from "../reference/edwards25519.ts";
import * as twin from "../reference/xeddsa.ts";
import { mixedOrderKeys, twistKeys } from "../support/keys.ts";
import { seededRandom } from "../support/random.ts";

const random = seededRandom(3);
const alice = generateKeyPair(random);
const message = ascii("Meet me at the lighthouse");

function flipped(bytes: Bytes, at: number, bit: number): Bytes {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

/** Whether a changed key is refused, by its parser or by the verifier. */
function keyRefused(u: Bytes, signature: Bytes): boolean {
  try {
    return !verify(PublicKey.fromRaw(u), message, signature);
  } catch (error) {
    return error instanceof ProtocolError;
  }
}

test("what a key signs, its public key verifies, whatever the message", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000 }), fc.uint8Array({ maxLength: 300 }), (seed, bytes) => {
      const text = Uint8Array.from(bytes);
      const source = seededRandom(seed);
      const { privateKey, publicKey } = generateKeyPair(source);
      const signature = sign(privateKey, text, source);
      expect(signature).toHaveLength(SIGNATURE_BYTES);
      expect(verify(publicKey, text, signature)).toBe(true);
      expect(verify(publicKey, concat(text, new Uint8Array(1)), signature)).toBe(false);
      expect(verify(alice.publicKey, text, signature)).toBe(false);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test("our signatures are the bytes of the specification, for keys of both signs", () => {
  const signs = new Set<number>();
  for (let i = 0; i < 16; i++) {
    const { privateKey } = generateKeyPair(random);
    const noise = random(64);
    const signature = sign(privateKey, message, () => Uint8Array.from(noise));
    expect(toHex(signature)).toBe(toHex(twin.sign(privateKey.expose(), message, noise)));
    expect((signature[63] ?? 0) >> 5).toBe(0);
    signs.add((twin.signWithSignBit(privateKey.expose(), message, noise)[63] ?? 0) >> 7);
  }
  expect(signs.size).toBe(2);
});

test("the form that carries the sign of the Edwards point is accepted, and its sign bit is authenticated", () => {
  for (let i = 0; i < 8; i++) {
    const { privateKey, publicKey } = generateKeyPair(random);
    const signature = twin.signWithSignBit(privateKey.expose(), message, random(64));
    expect(verify(publicKey, message, signature)).toBe(true);
    expect(verify(publicKey, message, flipped(signature, 63, 7))).toBe(false);
  }
});

test("a flipped bit in any byte of the signature, the message or the key is refused", () => {
  const signature = sign(alice.privateKey, message, random);
  for (let at = 0; at < 64; at++) expect(verify(alice.publicKey, message, flipped(signature, at, at % 8))).toBe(false);
  for (let bit = 0; bit < 8; bit++) expect(verify(alice.publicKey, message, flipped(signature, 63, bit))).toBe(false);
  for (let at = 0; at < message.length; at++) expect(verify(alice.publicKey, flipped(message, at, at % 8), signature)).toBe(false);
  for (let at = 0; at < 32; at++) expect(keyRefused(flipped(alice.publicKey.raw, at, at % 8), signature)).toBe(true);
});

test("a signature of any other length is refused", () => {
  const signature = concat(sign(alice.privateKey, message, random), new Uint8Array(70));
  const accepted = Array.from({ length: signature.length + 1 }, (_, length) =>
    verify(alice.publicKey, message, signature.slice(0, length)),
  );
  expect(accepted.flatMap((yes, length) => (yes ? [length] : []))).toEqual([SIGNATURE_BYTES]);
});

test("verification writes to none of its arguments", () => {
  const signature = twin.signWithSignBit(alice.privateKey.expose(), message, random(64));
  const before = [signature, message, alice.publicKey.raw].map(toHex);
  verify(alice.publicKey, message, signature);
  expect([signature, message, alice.publicKey.raw].map(toHex)).toEqual(before);
});

test("a private key that was not clamped signs for the public key it agrees with", () => {
  for (let i = 0; i < 8; i++) {
    const raw = random(32);
    raw[0] = (raw[0] ?? 0) | 7;
    raw[31] = (raw[31] ?? 0) | 0x80;
    const { publicKey } = keyPairFromPrivate(new Secret(Uint8Array.from(raw)));
    expect(verify(publicKey, message, sign(new Secret(Uint8Array.from(raw)), message, random))).toBe(true);
    expect(publicKey.equals(keyPairFromPrivate(new Secret(clamp(Uint8Array.from(raw)))).publicKey)).toBe(true);
  }
});

describe("a statement that is verified again and again", () => {
  const signature = sign(alice.privateKey, message, random);

  test("is accepted each time, and nothing else is", () => {
    for (let i = 0; i < 3; i++) {
      expect(verifyRepeated(alice.publicKey, message, signature)).toBe(true);
      expect(verifyRepeated(alice.publicKey, flipped(message, i, i), signature)).toBe(false);
      expect(verifyRepeated(alice.publicKey, message, flipped(signature, i, i))).toBe(false);
      expect(verifyRepeated(generateKeyPair(random).publicKey, message, signature)).toBe(false);
    }
  });

  test("is not recognised when the border between signature and message moves", () => {
    expect(verifyRepeated(alice.publicKey, message, signature)).toBe(true);
    const whole = concat(signature, message);
    for (let cut = 0; cut <= whole.length; cut++) {
      const accepted = verifyRepeated(alice.publicKey, whole.slice(cut), whole.slice(0, cut));
      expect({ cut, accepted }).toEqual({ cut, accepted: cut === SIGNATURE_BYTES });
    }
  });
});

describe("the nonce", () => {
  const stuck = (length: number): Bytes => new Uint8Array(length);
  const commitment = (signature: Bytes): string => toHex(signature.slice(0, 32));
  const withKey = (pair: KeyPair, text: Bytes): string => commitment(sign(pair.privateKey, text, stuck));

  test("is drawn anew, so one message signed twice gives two signatures", () => {
    const [one, two] = [sign(alice.privateKey, message, random), sign(alice.privateKey, message, random)];
    expect(commitment(one)).not.toBe(commitment(two));
    expect(verify(alice.publicKey, message, one) && verify(alice.publicKey, message, two)).toBe(true);
  });

  test("depends on message and key even when the random source is stuck, so it never repeats for two messages", () => {
    expect(withKey(alice, message)).toBe(withKey(alice, message));
    expect(withKey(alice, message)).not.toBe(withKey(alice, flipped(message, 0, 0)));
    expect(withKey(alice, message)).not.toBe(withKey(generateKeyPair(random), message));
  });

  test("takes 64 random bytes, every one of which matters", () => {
    const asked: number[] = [];
    sign(alice.privateKey, message, (length) => {
      asked.push(length);
      return random(length);
    });
    expect(asked).toEqual([64]);
    const seen = Array.from({ length: 64 }, (_, at) =>
      commitment(sign(alice.privateKey, message, () => flipped(new Uint8Array(64), at, 0))),
    );
    expect(new Set(seen).size).toBe(64);
  });
});

test("a signing key made from a seed gives signatures that the one verifier accepts, with no sign bit", () => {
  for (let i = 0; i < 12; i++) {
    const { seed, publicKey } = generateSigningKeyPair(random);
    const signature = signWithSeed(seed, message);
    expect((signature[63] ?? 0) & 0x80).toBe(0);
    expect(verify(publicKey, message, signature)).toBe(true);
    expect(twin.verify(publicKey.raw, message, signature)).toBe(true);
    expect(verify(publicKey, EMPTY, signature)).toBe(false);
    expect(publicKey.isTorsionFree).toBe(true);
    expect(sameBytes(signature, signWithSeed(seed, message))).toBe(true);
  }
});

test("a seed whose Edwards point has the other sign is passed over and wiped", () => {
  const drawn: Bytes[] = [];
  const pairs = Array.from({ length: 16 }, () =>
    generateSigningKeyPair((length) => {
      const bytes = random(length);
      drawn.push(bytes);
      return bytes;
    }),
  );
  const kept = new Set(pairs.map(({ seed }) => seed.expose()));
  const passedOver = drawn.filter((bytes) => !kept.has(bytes));
  expect(passedOver.length).toBeGreaterThan(4);
  expect(passedOver.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
});

describe("the checks around the equation", () => {
  /** A backend to which every signature is good: what is refused now, our own checks refuse. */
  function acceptedWithoutBackend(publicKey: PublicKey, signature: Bytes): boolean {
    const before = useBackend({ ...backend(), ed25519Verify: () => true });
    try {
      return verify(publicKey, message, signature);
    } finally {
      useBackend(before);
    }
  }
  const commitment = encode(BASE);
  const withResponse = (value: bigint): Bytes => concat(commitment, toLittleEndian(value));

  test("let a reduced response through and stop every other, whatever the backend would say", () => {
    for (const value of [0n, 1n, Q - 2n, Q - 1n, 2n ** 252n])
      expect(acceptedWithoutBackend(alice.publicKey, withResponse(value))).toBe(true);
    for (const value of [Q, Q + 1n, 2n * Q - 1n, 2n ** 253n, 2n ** 254n + 1n, 2n ** 255n - 1n]) {
      expect(acceptedWithoutBackend(alice.publicKey, withResponse(value))).toBe(false);
      expect(acceptedWithoutBackend(alice.publicKey, withResponse(value + 2n ** 255n))).toBe(false);
    }
  });

  test("stop the identity as a commitment, keys that are not torsion-free, and other lengths", () => {
    const good = withResponse(1n);
    expect(acceptedWithoutBackend(alice.publicKey, good)).toBe(true);
    expect(acceptedWithoutBackend(alice.publicKey, concat(encode(IDENTITY), good.slice(32)))).toBe(false);
    for (const u of [...mixedOrderKeys, ...twistKeys]) expect(acceptedWithoutBackend(PublicKey.fromRaw(u), good)).toBe(false);
    for (const length of [0, 32, 63]) expect(acceptedWithoutBackend(alice.publicKey, good.slice(0, length))).toBe(false);
    expect(acceptedWithoutBackend(alice.publicKey, concat(good, EMPTY, new Uint8Array(1)))).toBe(false);
  });
});
