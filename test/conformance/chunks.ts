// The part of the backend suite about chunks of files: AES-256-GCM, with published answers, and refusals that tell nothing.

import { digestChunk, importMediaKey, openChunk, sealChunk, Secret, sha256 } from "#crypto";
import { concat, EMPTY, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";

/** Test cases 13, 14 and 15 of McGrew and Viega's specification of GCM, appendix B, without associated data. */
const KNOWN = [
  { key: "00".repeat(32), nonce: "00".repeat(12), plaintext: "", sealed: "530f8afbc74536b9a963b4f1c4cb738b" },
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c",
  },
];

const random = seededRandom(4);
const imported = (hex: string) => importMediaKey(new Secret(fromHex(hex)));

export function chunkConformance(): void {
  test("AES-256-GCM gives the answers of its specification, both ways", async () => {
    for (const { key, nonce, plaintext, sealed } of KNOWN) {
      expect(toHex(await sealChunk(await imported(key), fromHex(nonce), fromHex(plaintext)))).toBe(sealed);
      expect(toHex(await openChunk(await imported(key), fromHex(nonce), fromHex(sealed)))).toBe(plaintext);
    }
  });

  test("every bit of a sealed chunk counts, and so do its length, its nonce and its key", async () => {
    const [key, nonce] = [await importMediaKey(new Secret(random(32))), random(12)];
    const sealed = await sealChunk(key, nonce, random(20));
    const refused = (bytes: Uint8Array<ArrayBuffer>, by = key, under = nonce) =>
      expect(openChunk(by, under, bytes)).rejects.toMatchObject({ name: "ProtocolError", code: "bad-tag" });
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const damaged = sealed.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await refused(damaged);
    }
    for (const other of [EMPTY, sealed.slice(0, 15), sealed.slice(0, -1), sealed.slice(1), concat(sealed, new Uint8Array(1))])
      await refused(other);
    await refused(sealed, key, random(12));
    await refused(sealed, await importMediaKey(new Secret(random(32))));
  });

  test("a chunk's digest is SHA-256, and the chunk may be overwritten as soon as it is asked for", async () => {
    for (const length of [0, 1, 63, 64, 65, 70_000]) {
      const chunk = random(length);
      const wanted = toHex(sha256(chunk));
      const hashing = digestChunk(chunk);
      chunk.fill(0);
      expect(toHex(await hashing)).toBe(wanted);
    }
  });

  test("what is sealed may be overwritten as soon as the call is made", async () => {
    const [key, nonce, plaintext] = [await importMediaKey(new Secret(random(32))), random(12), random(70_000)];
    const before = plaintext.slice();
    const sealing = sealChunk(key, nonce, plaintext);
    plaintext.fill(0);
    const sealed = await sealing;
    const opening = openChunk(key, nonce, sealed);
    sealed.fill(0);
    expect(toHex(await opening)).toBe(toHex(before));
  });

  test("a key has 32 bytes, a nonce 12, and the key cannot be read back", async () => {
    for (const length of [0, 16, 31, 33])
      await expect(importMediaKey(new Secret(random(length)))).rejects.toMatchObject({ code: "bad-argument" });
    const wiped = new Secret(random(32));
    const media = await importMediaKey(wiped);
    wiped.wipe();
    await expect(importMediaKey(wiped)).rejects.toMatchObject({ code: "wiped-secret" });
    if (media.kind === "web") expect(media.key.extractable).toBe(false);
    for (const length of [0, 11, 13, 16]) {
      await expect(sealChunk(media, random(length), random(5))).rejects.toMatchObject({ code: "bad-argument" });
      await expect(openChunk(media, random(length), random(50))).rejects.toMatchObject({ code: "bad-argument" });
    }
  });
}
