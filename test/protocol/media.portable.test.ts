// The plan of an encrypted file: its chunks cover it, no two have the same nonce, and its keys are its own.

import { mediaChunk, mediaDigest, mediaKeys, mediaNonce, planMedia } from "#protocol";
import { Secret } from "#crypto";
import { encryptedMediaLength, MAX_MEDIA_BYTES, MEDIA_CHUNK_BYTES, MEDIA_HEADER_BYTES, toHex, UsageError, WireError } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const SIZES = [0, 1, 1024, 1025, 262_143, 262_144, 262_145, 524_288, 524_289, 5_242_879, 5_242_881, MAX_MEDIA_BYTES - 1, MAX_MEDIA_BYTES];

test("the chunks of a file follow each other without a gap, in the plaintext and in the stored file, to its end", () => {
  for (const size of SIZES) {
    const plan = planMedia(size);
    let [start, stored] = [0, MEDIA_HEADER_BYTES];
    for (let i = 0; i < plan.chunks; i++) {
      const chunk = mediaChunk(plan, i);
      expect([chunk.index, chunk.start, chunk.storedStart]).toEqual([i, start, stored]);
      expect(chunk.length).toBeGreaterThan(0);
      expect(chunk.length === MEDIA_CHUNK_BYTES || i === plan.chunks - 1).toBe(true);
      start += chunk.length;
      stored += chunk.storedLength;
    }
    expect([start, stored]).toEqual([plan.paddedBytes, plan.storedBytes]);
    expect(stored).toBe(encryptedMediaLength(size));
    expect(start).toBeGreaterThanOrEqual(size);
  }
});

test("a nonce is the chunk's place, and whether it is the last; no other place has it", () => {
  expect(toHex(mediaNonce(0, false))).toBe("000000000000000000000000");
  expect(toHex(mediaNonce(0, true))).toBe("000000000000000000000001");
  expect(toHex(mediaNonce(0x01020304, true))).toBe("000000000000000102030401");
  const plan = planMedia(MAX_MEDIA_BYTES);
  const nonces = Array.from({ length: plan.chunks }, (_, i) => toHex(mediaChunk(plan, i).nonce));
  expect(new Set(nonces).size).toBe(400);
  expect(nonces.findIndex((nonce) => nonce.endsWith("01"))).toBe(399);
});

test("a chunk that the file does not have cannot be asked for", () => {
  const plan = planMedia(262_145);
  for (const index of [-1, 2, 0.5, 2 ** 32, Number.NaN]) expect(thrownBy(() => mediaChunk(plan, index))).toBeInstanceOf(UsageError);
});

test("no file is planned that is larger than 100 MiB, also when 32 bits would show it small", () => {
  for (const size of [MAX_MEDIA_BYTES + 1, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 65_536, 2 ** 40]) {
    expect(thrownBy(() => planMedia(size))).toEqual(new WireError("too-long"));
  }
});

test("every bit of the file key changes both of its keys, and the two never are the same", () => {
  const fileKey = seededRandom(3)(32);
  const seen = new Set<string>();
  const note = (bytes: Uint8Array<ArrayBuffer>): void => {
    const { commitment, aeadKey } = mediaKeys(new Secret(bytes));
    seen.add(toHex(commitment)).add(toHex(aeadKey.expose()));
  };
  note(fileKey.slice());
  for (let bit = 0; bit < 256; bit++) {
    const other = fileKey.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    note(other);
  }
  expect(seen.size).toBe(2 * 257);
});

test("a file key has 32 bytes, and a wiped one is none", () => {
  for (const length of [0, 16, 31, 33, 64])
    expect(thrownBy(() => mediaKeys(new Secret(new Uint8Array(length))))).toBeInstanceOf(UsageError);
  const wiped = new Secret(new Uint8Array(32));
  wiped.wipe();
  expect(thrownBy(() => mediaKeys(wiped))).toBeInstanceOf(UsageError);
});

test("the digest of a file is that of its header and its chunks, in their order and number", () => {
  const random = seededRandom(5);
  const [header, one, two] = [random(32), random(32), random(32)];
  const digests = [
    mediaDigest(header, [one, two]),
    mediaDigest(header, [two, one]),
    mediaDigest(header, [one]),
    mediaDigest(header, [one, two, two]),
    mediaDigest(one, [header, two]),
    mediaDigest(header, []),
  ].map(toHex);
  expect(new Set(digests).size).toBe(digests.length);
  expect(toHex(mediaDigest(header.slice(), [one.slice(), two.slice()]))).toBe(digests[0]);
});
