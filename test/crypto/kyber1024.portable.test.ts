// Kyber1024 of round 3 as a wrapper around ML-KEM-1024: its equations, computed a second time with another Keccak,
// and what is refused at its door. Known answers are in test/conformance/kem.ts.

import {
  generateKyberKeyPair,
  KYBER_CIPHERTEXT_BYTES,
  KYBER_PUBLIC_KEY_BYTES,
  kyberDecapsulate,
  kyberEncapsulate,
  kyberKeyPairFromSeed,
  KyberPublicKey,
  nobleBackend,
  Secret,
  systemRandom,
} from "#crypto";
import { type Bytes, concat, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import { sha3_256, shake256 } from "../reference/keccak.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";
import mlkem1024 from "../vectors/mlkem1024.json" with { type: "json" };

const BAD_KEY = { name: "ProtocolError", code: "bad-key" };
const Q = 3329;
const random = seededRandom(7);

test("the encapsulator hashes its coins first, and the secret is hashed with the ciphertext", () => {
  for (let i = 0; i < 4; i++) {
    const { publicKey } = generateKyberKeyPair(random);
    const coins = random(32);
    const sealed = kyberEncapsulate(publicKey, () => Uint8Array.from(coins));
    const inner = nobleBackend.mlKem1024.encapsulate(publicKey.encoded.slice(1), sha3_256(coins));
    expect(toHex(sealed.ciphertext)).toBe(`08${toHex(inner.ciphertext)}`);
    expect(toHex(sealed.sharedSecret)).toBe(toHex(shake256(concat(inner.sharedSecret, sha3_256(inner.ciphertext)), 32)));
    expect(toHex(sealed.sharedSecret)).not.toBe(toHex(inner.sharedSecret));
  }
});

test("the decapsulator wraps in the same way, for honest ciphertexts and for rejected ones", () => {
  const { seed, publicKey } = generateKyberKeyPair(random);
  const { ciphertext, sharedSecret } = kyberEncapsulate(publicKey, random);
  expect(toHex(kyberDecapsulate(seed, ciphertext))).toBe(toHex(sharedSecret));
  for (const at of [1, 700, 1568]) {
    const damaged = Uint8Array.from(ciphertext);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const inner = nobleBackend.mlKem1024.decapsulate(seed.expose(), damaged.slice(1));
    expect(toHex(kyberDecapsulate(seed, damaged))).toBe(toHex(shake256(concat(inner, sha3_256(damaged.slice(1))), 32)));
    expect(toHex(kyberDecapsulate(seed, damaged))).not.toBe(toHex(sharedSecret));
  }
});

test("the platform's own randomness works as well as a seeded one", () => {
  const { seed, publicKey } = generateKyberKeyPair(systemRandom);
  const [one, two] = [kyberEncapsulate(publicKey, systemRandom), kyberEncapsulate(publicKey, systemRandom)];
  expect(toHex(one.ciphertext)).not.toBe(toHex(two.ciphertext));
  for (const { ciphertext, sharedSecret } of [one, two]) expect(toHex(kyberDecapsulate(seed, ciphertext))).toBe(toHex(sharedSecret));
  expect(one.ciphertext).toHaveLength(KYBER_CIPHERTEXT_BYTES);
});

test("a pair is its seed: the same seed gives the same public key", () => {
  const { seed, publicKey } = generateKyberKeyPair(random);
  expect(seed).toHaveLength(64);
  expect(toHex(kyberKeyPairFromSeed(new Secret(Uint8Array.from(seed.expose()))).publicKey.encoded)).toBe(toHex(publicKey.encoded));
});

test("a public key of another type or length is refused", () => {
  const encoded = generateKyberKeyPair(random).publicKey.encoded;
  expect(encoded).toHaveLength(KYBER_PUBLIC_KEY_BYTES);
  for (const type of [0x00, 0x05, 0x07, 0x0a, 0x88]) {
    const other = Uint8Array.from(encoded);
    other[0] = type;
    expect(thrownBy(() => KyberPublicKey.parse(other))).toMatchObject(BAD_KEY);
  }
  for (const length of [0, 1, 33, 1184, 1568])
    expect(thrownBy(() => KyberPublicKey.parse(encoded.slice(0, length)))).toMatchObject(BAD_KEY);
  expect(thrownBy(() => KyberPublicKey.parse(concat(encoded, new Uint8Array(1))))).toMatchObject(BAD_KEY);
});

test("a ciphertext of another type or length is refused", () => {
  const { seed, publicKey } = generateKyberKeyPair(random);
  const { ciphertext } = kyberEncapsulate(publicKey, random);
  for (const type of [0x00, 0x05, 0x07, 0x0a]) {
    const other = Uint8Array.from(ciphertext);
    other[0] = type;
    expect(thrownBy(() => kyberDecapsulate(seed, other))).toMatchObject(BAD_KEY);
  }
  for (const length of [0, 1, 1088, 1568])
    expect(thrownBy(() => kyberDecapsulate(seed, ciphertext.slice(0, length)))).toMatchObject(BAD_KEY);
  expect(thrownBy(() => kyberDecapsulate(seed, concat(ciphertext, new Uint8Array(1))))).toMatchObject(BAD_KEY);
});

/** `encoded` with coefficient `index` replaced. */
function withCoefficient(encoded: Bytes, index: number, value: number): Bytes {
  const changed = Uint8Array.from(encoded);
  const at = 1 + 3 * (index >> 1);
  const [a = 0, b = 0, c = 0] = changed.subarray(at, at + 3);
  changed.set(index & 1 ? [a, (b & 15) | ((value & 15) << 4), value >> 4] : [value & 0xff, (b & 0xf0) | (value >> 8), c], at);
  return changed;
}

test("a coefficient of q or more is refused wherever it stands, and q - 1 is not", () => {
  const { encoded } = generateKyberKeyPair(random).publicKey;
  for (let index = 0; index < 1024; index++) {
    for (const value of [Q, 4095])
      expect(thrownBy(() => KyberPublicKey.parse(withCoefficient(encoded, index, value)))).toMatchObject(BAD_KEY);
    expect(KyberPublicKey.parse(withCoefficient(encoded, index, Q - 1)).encoded).toHaveLength(KYBER_PUBLIC_KEY_BYTES);
  }
});

test("the key checks of ACVP come out as published", () => {
  const accepted = mlkem1024.publicKeyCheck.map(({ publicKey }) => {
    try {
      return KyberPublicKey.parse(concat(fromHex("08"), fromHex(publicKey))).encoded.length > 0;
    } catch {
      return false;
    }
  });
  expect(accepted).toEqual(mlkem1024.publicKeyCheck.map(({ valid }) => valid));
  expect(new Set(accepted).size).toBe(2);
});

test("a parsed key shares no memory with the bytes it came from", () => {
  const bytes = Uint8Array.from(generateKyberKeyPair(random).publicKey.encoded);
  const key = KyberPublicKey.parse(bytes);
  const before = toHex(key.encoded);
  bytes.fill(0);
  expect(toHex(key.encoded)).toBe(before);
});
