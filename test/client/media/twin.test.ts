// The slow twin agrees: on every length, on a thousand random files, and on what is no file.

import { useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { copy, encryptedMediaLength, MAX_MEDIA_BYTES, paddedMediaLength, sameBytes } from "#wire";
import { expect, test } from "vitest";
import { mediaVectors } from "../../reference/media-vectors.ts";
import { decrypt, digestOf, encrypt, paddedLength, storedLength } from "../../reference/media.ts";
import { readWhole, storedFile } from "../../support/media.ts";
import { mutate } from "../../support/mutate.ts";
import { seededDice, seededRandom } from "../../support/random.ts";
import vectors from "../../vectors/media.json" with { type: "json" };

useBackend(nodeBackend);
const BORDERS = [0, 1, 1023, 1024, 1025, 262_143, 262_144, 262_145, 270_336, 270_337, 524_287, 524_288, 524_289, 786_432];

test("the vectors are what the twin makes", () => {
  expect(vectors).toEqual(mediaVectors());
});

test("the lengths agree for small sizes, around every power of two and at random", () => {
  const dice = seededDice(11);
  const sizes = [
    ...Array.from({ length: 5000 }, (_, size) => size),
    ...Array.from({ length: 27 }, (_, e) => [2 ** e - 1, 2 ** e, 2 ** e + 1]).flat(),
    ...Array.from({ length: 5000 }, () => dice.roll(MAX_MEDIA_BYTES + 1)),
    MAX_MEDIA_BYTES,
  ].filter((size) => size <= MAX_MEDIA_BYTES);
  expect(sizes.map(paddedMediaLength)).toEqual(sizes.map(paddedLength));
  expect(sizes.map(encryptedMediaLength)).toEqual(sizes.map(storedLength));
});

/** Most are small, every fourth is about as long as a border. */
function sizes(count: number): readonly number[] {
  const dice = seededDice(12);
  return Array.from({ length: count }, (_, i) => {
    if (i % 4 > 0) return dice.roll(3000);
    return Math.max(0, dice.pick(BORDERS) + dice.roll(5) - 2);
  });
}

test("a thousand random files: the same stored bytes, and each reads the other's", async () => {
  const random = seededRandom(13);
  let chunks = 0;
  for (const size of sizes(1024)) {
    const [plaintext, key] = [random(size), random(32)];
    const { stored, secrets } = await storedFile(plaintext, key);
    const theirs = encrypt(plaintext, key);
    expect(theirs.equals(stored)).toBe(true);
    expect(decrypt(stored, secrets)?.equals(plaintext)).toBe(true);
    const { released, end } = await readWhole(copy(theirs), { ...secrets, digest: copy(digestOf(theirs)) });
    expect([end, sameBytes(released, plaintext)]).toEqual(["done", true]);
    chunks += Math.ceil(stored.length / 262_160);
  }
  expect(chunks).toBeGreaterThan(1250);
});

test("they agree on a file whose chunks have numbers above a byte", async () => {
  const plaintext = seededRandom(16)(256 * 262_144 + 1);
  const key = seededRandom(17)(32);
  const { stored } = await storedFile(plaintext, key);
  expect(encrypt(plaintext, key).equals(stored)).toBe(true);
});

test("what the one refuses the other refuses, whatever was damaged", async () => {
  const [random, dice] = [seededRandom(14), seededDice(15)];
  for (const size of sizes(200)) {
    const { stored, secrets } = await storedFile(random(size), random(32));
    const damaged = mutate(stored, dice);
    // With the digest of what is there, so that not the digest alone refuses it.
    const claimed = { ...secrets, digest: copy(digestOf(damaged)) };
    const { end } = await readWhole(damaged, claimed);
    expect(end === "done").toBe(decrypt(damaged, claimed) !== undefined);
    expect(end).not.toBe("done");
  }
});
