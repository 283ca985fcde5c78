// Which backend is installed shows only in speed: the same bytes for every input, and each opens what the other sealed.

import { type Backend, nobleBackend, PublicKey, useBackend, verify } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { type Bytes, EMPTY, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromLittleEndian, P, toLittleEndian } from "../reference/edwards25519.ts";
import { x25519 } from "../reference/x25519.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const random = seededRandom(6);
const bytes = (constraints: fc.IntArrayConstraints) => fc.uint8Array(constraints).map((drawn) => Uint8Array.from(drawn));
const exactly = (length: number) => bytes({ minLength: length, maxLength: length });

function same(compute: (backend: Backend) => Bytes): void {
  expect(toHex(compute(nodeBackend))).toBe(toHex(compute(nobleBackend)));
}

/** Around every border of a 64-byte block, with and without the padding of SHA-256, and around the short-input limit. */
const borders: readonly number[] = [
  0, 1, 31, 32, 33, 54, 55, 56, 63, 64, 65, 118, 119, 120, 128, 149, 150, 151, 182, 183, 184, 191, 192, 256,
];

test("HMAC agrees for every length of data up to 400 and keys on both sides of a block", () => {
  for (let length = 0; length <= 400; length++) {
    const [key, data] = [random(borders[length % borders.length] ?? 0), random(length)];
    same((backend) => backend.hmacSha256(key, data));
  }
  for (const keyLength of borders) {
    const key = random(keyLength);
    for (const length of borders) {
      const data = random(length);
      same((backend) => backend.hmacSha256(key, data));
    }
  }
});

test("HKDF agrees for lengths of salt, key and info around every border", () => {
  for (const saltLength of borders) {
    for (const length of borders) {
      const [salt, inputKey, info] = [random(saltLength), random(length), random(borders[(saltLength + length) % borders.length] ?? 0)];
      same((backend) => backend.hkdfSha256(salt, inputKey, info, 80));
      same((backend) => backend.hkdfSha256(salt, info, inputKey, 80));
    }
  }
});

test("HKDF agrees for every length of output near a block, and for the most it can make", () => {
  const [salt, inputKey, info] = [random(32), random(32), random(20)];
  for (const length of [0, 1, 16, 31, 32, 33, 63, 64, 65, 80, 96, 97, 160, 255 * 32 - 1, 255 * 32]) {
    same((backend) => backend.hkdfSha256(salt, inputKey, info, length));
    same((backend) => backend.hkdfSha256(EMPTY, inputKey, EMPTY, length));
    expect(nodeBackend.hkdfSha256(salt, inputKey, info, length)).toHaveLength(length);
  }
});

test("one short HMAC leaves nothing behind for the next", () => {
  const key = random(32);
  const first = nodeBackend.hmacSha256(key, EMPTY);
  nodeBackend.hmacSha256(random(64), random(183));
  nodeBackend.hkdfSha256(random(64), random(183), random(150), 255 * 32);
  expect(toHex(nodeBackend.hmacSha256(key, EMPTY))).toBe(toHex(first));
});

test("SHA-256 and SHA-512 agree around every border, whole and in parts", () => {
  for (const length of [...borders, 111, 112, 113, 127, 129, 239, 240, 241, 1000]) {
    const data = random(length);
    same((backend) => backend.sha256(data));
    same((backend) => backend.sha3_256(data));
    same((backend) => backend.sha512(data));
    same((backend) => backend.sha512(data.slice(0, length >> 1), EMPTY, data.slice(length >> 1)));
  }
});

test("XChaCha20-Poly1305 agrees for every length up to ten blocks, and each opens what the other sealed and nothing else", () => {
  const lengths = [...Array.from({ length: 161 }, (_, i) => i), 1000, 4096, 65_536];
  for (const length of lengths) {
    const [key, nonce, associated, data] = [random(32), random(24), random(length % 70), random(length)];
    same((backend) => backend.xchacha20Poly1305Seal(key, nonce, associated, data));
    const sealed = nobleBackend.xchacha20Poly1305Seal(key, nonce, associated, data);
    same((backend) => backend.xchacha20Poly1305Open(key, nonce, associated, sealed));
    const changed = Uint8Array.from(sealed);
    const at = (length * 7) % changed.length;
    changed[at] = (changed[at] ?? 0) ^ 1;
    for (const backend of [nodeBackend, nobleBackend]) {
      expect(thrownBy(() => backend.xchacha20Poly1305Open(key, nonce, associated, changed))).toMatchObject({ code: "bad-tag" });
      expect(thrownBy(() => backend.xchacha20Poly1305Open(key, nonce, random(71), sealed))).toMatchObject({ code: "bad-tag" });
    }
  }
});

test("AES agrees for every length up to ten blocks and around a kibibyte, and each opens the other's", () => {
  const key = random(32);
  const lengths = [...Array.from({ length: 161 }, (_, i) => i), ...Array.from({ length: 50 }, (_, i) => 1000 + i), 4096, 65_536];
  for (const length of lengths) {
    const [iv, data] = [random(16), random(length)];
    same((backend) => backend.aes256CbcEncrypt(key, iv, data));
    same((backend) => backend.aes256Ctr(key, iv, data));
    same((backend) => backend.aes256Ctr(key, new Uint8Array(16).fill(0xff), data));
    const ciphertext = nodeBackend.aes256CbcEncrypt(key, iv, data);
    for (const backend of [nodeBackend, nobleBackend]) expect(toHex(backend.aes256CbcDecrypt(key, iv, ciphertext))).toBe(toHex(data));
  }
});

test("AES-CBC opens random bytes to the same plaintext or refuses them with the same code", () => {
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const [key, iv, ciphertext] = [random(32), random(16), random(16 * (i % 2 === 0 ? 6 + (i % 5) : 62 + (i % 5)))];
    const outcome = (backend: Backend): string => {
      try {
        return toHex(backend.aes256CbcDecrypt(key, iv, ciphertext));
      } catch {
        return String(thrownBy(() => backend.aes256CbcDecrypt(key, iv, ciphertext)));
      }
    };
    const expected = outcome(nobleBackend);
    expect(outcome(nodeBackend)).toBe(expected);
    if (expected === "ProtocolError: bad-padding") refused++;
  }
  expect(refused).toBeGreaterThan(250);
  expect(refused).toBeLessThan(300);
});

test("X25519 agrees on any u, on the curve, on the twist, canonical or not, and with the definition", () => {
  fc.assert(
    fc.property(exactly(32), exactly(32), (scalar, u) => {
      same((backend) => backend.x25519(scalar, u));
      same((backend) => backend.x25519PublicKey(scalar));
      expect(toHex(nodeBackend.x25519(scalar, u))).toBe(toHex(x25519(scalar, u)));
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("Ed25519 keys and signatures agree, and each verifies the other's", () => {
  fc.assert(
    fc.property(exactly(32), bytes({ maxLength: 200 }), (seed, message) => {
      same((backend) => backend.ed25519PublicKey(seed));
      same((backend) => backend.ed25519Sign(seed, message));
      const [publicKey, signature] = [nobleBackend.ed25519PublicKey(seed), nobleBackend.ed25519Sign(seed, message)];
      expect(nodeBackend.ed25519Verify(publicKey, message, signature)).toBe(true);
      expect(nobleBackend.ed25519Verify(publicKey, message, nodeBackend.ed25519Sign(seed, message))).toBe(true);
    }),
    { seed: 2, numRuns: 30 },
  );
});

test("the verifier says the same of random keys and signatures on both", () => {
  const verdict = (backend: Backend, u: Bytes, signature: Bytes): boolean => {
    const before = useBackend(backend);
    try {
      return verify(PublicKey.fromRaw(u), EMPTY, signature);
    } finally {
      useBackend(before);
    }
  };
  for (let i = 0; i < 60; i++) {
    const [u, signature] = [toLittleEndian(fromLittleEndian(random(32)) % P), random(64)];
    expect(verdict(nodeBackend, u, signature)).toBe(verdict(nobleBackend, u, signature));
  }
});

test("a KEM ciphertext made by one is opened by the other, honest or damaged", () => {
  for (const size of ["mlKem768", "mlKem1024"] as const) {
    for (let i = 0; i < 6; i++) {
      const [seed, coins] = [random(64), random(32)];
      same((backend) => backend[size].publicKey(seed));
      same((backend) => backend[size].encapsulate(nobleBackend[size].publicKey(seed), coins).ciphertext);
      const publicKey = nodeBackend[size].publicKey(seed);
      for (const [maker, opener] of [
        [nodeBackend, nobleBackend],
        [nobleBackend, nodeBackend],
      ] as const) {
        const { ciphertext, sharedSecret } = maker[size].encapsulate(publicKey, undefined);
        expect(toHex(opener[size].decapsulate(seed, ciphertext))).toBe(toHex(sharedSecret));
        ciphertext[i] = (ciphertext[i] ?? 0) ^ 1;
        same((backend) => backend[size].decapsulate(seed, ciphertext));
        expect(toHex(opener[size].decapsulate(seed, ciphertext))).not.toBe(toHex(sharedSecret));
      }
    }
  }
});

test("a seed that the platform drew is a seed for the other backend", () => {
  for (const size of ["mlKem768", "mlKem1024"] as const) {
    const drawn = nodeBackend[size].generate?.();
    expect(drawn === undefined ? undefined : toHex(nobleBackend[size].publicKey(drawn.seed))).toBe(toHex(drawn?.publicKey ?? EMPTY));
  }
  const pair = nodeBackend.generateX25519?.();
  expect(toHex(nobleBackend.x25519PublicKey(pair?.privateKey ?? EMPTY))).toBe(toHex(pair?.publicKey ?? EMPTY));
});
