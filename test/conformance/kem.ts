// The key-encapsulation part of the backend suite: ML-KEM of both sizes as the backends do it, and Kyber1024 on top.

import { type Backend, kyberEncapsulate, KyberPublicKey, type MlKem, sha256 } from "#crypto";
import { concat, fromHex, sameBytes, toHex } from "#wire";
import { describe, expect, test } from "vitest";
import { sha3_256 } from "../reference/keccak.ts";
import { kyber1024PublicKey } from "../reference/kyber.ts";
import kyber from "../vectors/kyber1024-round3.json" with { type: "json" };
import mlkem1024 from "../vectors/mlkem1024.json" with { type: "json" };
import mlkem768 from "../vectors/mlkem768.json" with { type: "json" };

type Vectors = Pick<typeof mlkem768, "keyGen" | "encapsulate" | "decapsulate">;

export function kemConformance(backend: Backend): void {
  describe("ML-KEM-768", () => {
    mlKemConformance(backend.mlKem768, mlkem768);
  });
  describe("ML-KEM-1024", () => {
    mlKemConformance(backend.mlKem1024, mlkem1024);
  });

  test("Kyber1024 gives the known answers of round 3", () => {
    for (const { keySeed, publicKeySha3, coins, ciphertextSha3, sharedSecret } of kyber.cases.slice(0, 8)) {
      // Round 3 derives the key pair from a seed as FIPS 203 does not, so the public key comes from the slow twin.
      const publicKey = kyber1024PublicKey(fromHex(keySeed).slice(0, 32), "round-3");
      expect(toHex(sha3_256(publicKey))).toBe(publicKeySha3);
      const sealed = kyberEncapsulate(KyberPublicKey.parse(concat(new Uint8Array([8]), publicKey)), () => fromHex(coins));
      expect(toHex(sha3_256(sealed.ciphertext.slice(1)))).toBe(ciphertextSha3);
      expect(toHex(sealed.sharedSecret)).toBe(sharedSecret);
    }
  });
}

function mlKemConformance(kem: MlKem, vectors: Vectors): void {
  test("key generation gives the answers of ACVP", () => {
    for (const { d, z, publicKeySha256 } of vectors.keyGen) {
      expect(toHex(sha256(kem.publicKey(fromHex(d + z))))).toBe(publicKeySha256);
    }
    expect(vectors.keyGen).toHaveLength(25);
  });

  test("encapsulation gives the answers of ACVP", () => {
    for (const { publicKey, m, ciphertextSha256, sharedSecret } of vectors.encapsulate) {
      const sealed = kem.encapsulate(fromHex(publicKey), fromHex(m));
      expect(toHex(sha256(sealed.ciphertext))).toBe(ciphertextSha256);
      expect(toHex(sealed.sharedSecret)).toBe(sharedSecret);
    }
    expect(vectors.encapsulate).toHaveLength(10);
  });

  test("decapsulation gives the answers of Wycheproof, implicit rejection included", () => {
    for (const { seed, ciphertext, sharedSecret } of vectors.decapsulate) {
      expect(toHex(kem.decapsulate(fromHex(seed), fromHex(ciphertext)))).toBe(sharedSecret);
    }
    expect(vectors.decapsulate.length).toBeGreaterThan(8);
  });

  test("what is encapsulated to an ACVP key is decapsulated with its seed, and with no other", () => {
    const [first, second] = vectors.keyGen;
    if (first === undefined || second === undefined) throw new Error("no vectors");
    const seed = fromHex(first.d + first.z);
    for (const { m } of vectors.encapsulate.slice(0, 3)) {
      const { ciphertext, sharedSecret } = kem.encapsulate(kem.publicKey(seed), fromHex(m));
      expect(toHex(kem.decapsulate(seed, ciphertext))).toBe(toHex(sharedSecret));
      expect(toHex(kem.decapsulate(fromHex(second.d + second.z), ciphertext))).not.toBe(toHex(sharedSecret));
    }
  });

  test("without coins the platform draws its own, differently each time", () => {
    const seed = new Uint8Array(64).fill(3);
    const publicKey = kem.publicKey(seed);
    const [one, two] = [kem.encapsulate(publicKey, undefined), kem.encapsulate(publicKey, undefined)];
    expect(sameBytes(one.ciphertext, two.ciphertext)).toBe(false);
    for (const { ciphertext, sharedSecret } of [one, two]) expect(toHex(kem.decapsulate(seed, ciphertext))).toBe(toHex(sharedSecret));
  });

  test("a pair that the platform draws is a seed and its public key", () => {
    const drawn = kem.generate?.();
    if (drawn === undefined) return;
    expect(drawn.seed).toHaveLength(64);
    expect(toHex(kem.publicKey(Uint8Array.from(drawn.seed)))).toBe(toHex(drawn.publicKey));
  });
}
