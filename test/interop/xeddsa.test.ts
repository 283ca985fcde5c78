import { describe, expect, test } from "vitest";
import { generateKeyPair, generateSigningKeyPair, parseIdentityKey, sign, signWithSeed, verify } from "../../crypto/index.ts";
import { type Bytes, concat, copy } from "../../wire/index.ts";
import { chooseBackend } from "./backends.ts";
import { LIBRARIES, type Library } from "./library.ts";
import { flipped } from "./sealed-world.ts";

const SEEDS = Array.from({ length: 40 }, (_, i) => i);

function verifyByTheirs({ api }: Library, publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  return api.PublicKey.deserialize(publicKey).verify(message, signature);
}

describe.each(LIBRARIES)("XEdDSA with $version", (library) => {
  test("forty signatures of ours, of either form, are verified by both, and altered ones by neither", () => {
    for (const seed of SEEDS) {
      const random = chooseBackend(seed);
      const message = random(seed * 5);
      const identity = generateKeyPair(random);
      const signer = generateSigningKeyPair(random);
      for (const [publicKey, signature] of [
        [identity.publicKey, sign(identity.privateKey, message, random)],
        [signer.publicKey, signWithSeed(signer.seed, message)],
      ] as const) {
        const believed = (bytes: Bytes): readonly boolean[] => [
          verify(publicKey, message, bytes),
          verifyByTheirs(library, publicKey.encode(), message, bytes),
        ];
        expect(believed(signature)).toEqual([true, true]);
        for (const at of [seed, 31, 32 + (seed % 32), 63]) expect(believed(flipped(signature, at))).toEqual([false, false]);
      }
    }
  });

  test("forty signatures of theirs are verified by ours, with their sign bit, and not for another message", () => {
    let signed = 0;
    for (const seed of SEEDS) {
      const random = chooseBackend(seed);
      const message = random(seed * 5);
      const key = library.api.PrivateKey.generate();
      const publicKey = parseIdentityKey(copy(key.getPublicKey().serialize()));
      const signature = copy(key.sign(message));
      if ((signature[63] ?? 0) >= 0x80) signed++;
      expect(verify(publicKey, message, signature)).toBe(true);
      expect(verify(publicKey, concat(message, new Uint8Array(1)), signature)).toBe(false);
      expect(verify(publicKey, message, flipped(signature, seed))).toBe(false);
    }
    expect(signed).toBeGreaterThan(5);
    expect(signed).toBeLessThan(35);
  });
});
