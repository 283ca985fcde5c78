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
} from "#crypto";
import { concat, toHex } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";

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

test("a vector that the header did not announce is refused, and so is one with a coefficient out of range", () => {
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
