import {
  backend,
  decapsulateHalves,
  encapsulateFirst,
  encapsulateSecond,
  generateIncremental,
  KEM_CT1_BYTES,
  KEM_CT2_BYTES,
  KEM_HEADER_BYTES,
  KEM_VECTOR_BYTES,
  requireAnnounced,
  sha256,
} from "#crypto";
import { type Bytes, concat, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import { sha3_256 } from "../reference/keccak.ts";
import { seededRandom } from "../support/random.ts";
import vectors from "../vectors/mlkem768.json" with { type: "json" };

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

test("the two halves are the ordinary encapsulation with the same coins, cut in two", () => {
  for (const seed of SEEDS) {
    const random = seededRandom(seed);
    const { header, vector } = generateIncremental(random);
    const { coins, ct1, sharedSecret } = encapsulateFirst(header, random);
    const whole = backend().mlKem768.encapsulate(concat(vector, header.subarray(0, 32)), coins.expose());
    expect(toHex(sharedSecret)).toBe(toHex(whole.sharedSecret));
    expect(toHex(concat(ct1, encapsulateSecond(header, vector, coins)))).toBe(toHex(whole.ciphertext));
    expect([header.length, vector.length, ct1.length]).toEqual([KEM_HEADER_BYTES, KEM_VECTOR_BYTES, KEM_CT1_BYTES]);
  }
});

test("the two halves give the answers of ACVP", () => {
  for (const { publicKey, m, ciphertextSha256, sharedSecret } of vectors.encapsulate) {
    const key = fromHex(publicKey);
    const vector = key.slice(0, KEM_VECTOR_BYTES);
    const header = announce(vector, key.slice(KEM_VECTOR_BYTES));
    const first = encapsulateFirst(header, () => fromHex(m));
    expect(toHex(first.sharedSecret)).toBe(sharedSecret);
    expect(toHex(sha256(concat(first.ct1, encapsulateSecond(header, vector, first.coins))))).toBe(ciphertextSha256);
  }
  expect(vectors.encapsulate).toHaveLength(10);
});

test("the header is the matrix seed and the hash of the key as FIPS 203 orders it", () => {
  for (const seed of SEEDS.slice(0, 3)) {
    const { header, vector } = generateIncremental(seededRandom(seed));
    const matrixSeed = header.slice(0, 32);
    expect(toHex(header)).toBe(toHex(announce(vector, matrixSeed)));
    const otherOrder = concat(matrixSeed, sha3_256(concat(matrixSeed, vector)));
    expect(() => requireAnnounced(otherOrder, vector)).toThrow("bad-key");
  }
});

/** The header that announces a key truthfully. */
function announce(vector: Bytes, matrixSeed: Bytes): Bytes {
  return concat(matrixSeed, sha3_256(concat(vector, matrixSeed)));
}

test("the halves together decapsulate to the secret that the first half promised", () => {
  for (const seed of SEEDS) {
    const random = seededRandom(seed);
    const keys = generateIncremental(random);
    const { coins, ct1, sharedSecret } = encapsulateFirst(keys.header, random);
    const ct2 = encapsulateSecond(keys.header, keys.vector, coins);
    expect(ct2).toHaveLength(KEM_CT2_BYTES);
    expect(toHex(decapsulateHalves(keys.seed, ct1, ct2))).toBe(toHex(sharedSecret));
    ct2[seed] = (ct2[seed] ?? 0) ^ 1;
    expect(toHex(decapsulateHalves(keys.seed, ct1, ct2))).not.toBe(toHex(sharedSecret));
  }
});

test("a coefficient of q or above is refused, though the header announces the vector as it is", () => {
  const { header, vector } = generateIncremental(seededRandom(3));
  const matrixSeed = header.slice(0, 32);
  for (const coefficient of [0, 1, 2, 767]) {
    for (const value of [3329, 3330, 4095]) {
      const changed = withCoefficient(vector, coefficient, value);
      expect(() => requireAnnounced(announce(changed, matrixSeed), changed)).toThrow("bad-key");
    }
    const largest = withCoefficient(vector, coefficient, 3328);
    expect(() => requireAnnounced(announce(largest, matrixSeed), largest)).not.toThrow();
  }
});

/** Coefficients are 12 bits each, two in three bytes, low bits first. */
function withCoefficient(vector: Bytes, coefficient: number, value: number): Bytes {
  const changed = vector.slice();
  const at = 3 * (coefficient >> 1);
  const [first = 0, second = 0, third = 0] = changed.subarray(at, at + 3);
  if (coefficient % 2 === 0) changed.set([value & 0xff, (second & 0xf0) | (value >> 8), third], at);
  else changed.set([first, (second & 0x0f) | ((value & 0x0f) << 4), value >> 4], at);
  return changed;
}

test("a vector that the header did not announce is refused", () => {
  const { header, vector } = generateIncremental(seededRandom(1));
  const other = generateIncremental(seededRandom(2));
  expect(() => requireAnnounced(header, other.vector)).toThrow("bad-key");
  expect(() => requireAnnounced(other.header, vector)).toThrow("bad-key");
  for (let at = 0; at < vector.length; at += 97) {
    const changed = vector.map((byte, i) => (i === at ? byte ^ 1 : byte));
    expect(() => requireAnnounced(header, changed)).toThrow("bad-key");
  }
  expect(() => requireAnnounced(header, vector)).not.toThrow();
});
