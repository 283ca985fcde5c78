// The lengths of encrypted files: few, never too short, and no others are taken.

import { encryptedMediaLength, isMediaLength, MAX_ENCRYPTED_MEDIA_BYTES, MAX_MEDIA_BYTES, paddedMediaLength, WireError } from "#wire";
import { expect, test } from "vitest";
import { seededDice } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

/** Every padded length there is: each is the least for the size one above the one before. */
const PADDED: readonly number[] = [...paddedLengths()];

function* paddedLengths(): Generator<number> {
  for (let size = 0; size <= MAX_MEDIA_BYTES;) {
    const padded = paddedMediaLength(size);
    yield padded;
    size = padded + 1;
  }
}

test("there are 435 lengths from 1 KiB to 100 MiB", () => {
  expect([PADDED[0], PADDED.length, PADDED.at(-1)]).toEqual([1024, 435, MAX_MEDIA_BYTES]);
});

test("padding never shortens, adds at most a sixteenth above 1 KiB, and leaves alone what is padded", () => {
  const dice = seededDice(1);
  for (let i = 0; i < 3000; i++) {
    const size = dice.roll(2 ** (1 + dice.roll(26)));
    const padded = paddedMediaLength(size);
    expect(padded).toBeGreaterThanOrEqual(size);
    expect(padded).toBeLessThanOrEqual(Math.max(1024, size * (1 + 1 / 16)));
    expect(paddedMediaLength(padded)).toBe(padded);
  }
});

test("a larger file is never shorter", () => {
  for (const [i, padded] of PADDED.entries()) {
    expect(padded).toBeGreaterThan(PADDED[i - 1] ?? 0);
    expect(paddedMediaLength(Math.min(padded + 1, MAX_MEDIA_BYTES))).toBe(PADDED[i + 1] ?? MAX_MEDIA_BYTES);
  }
});

test("the stored lengths are media lengths, and nothing else is", () => {
  const stored = new Set(PADDED.map(encryptedMediaLength));
  expect(stored.size).toBe(PADDED.length);
  expect(Math.max(...stored)).toBe(MAX_ENCRYPTED_MEDIA_BYTES);
  for (const length of stored) {
    for (const near of [-262_160, -16, -1, 0, 1, 16, 32, 262_160].map((by) => length + by))
      expect(isMediaLength(near)).toBe(stored.has(near));
  }
  const small = Array.from({ length: 200_000 }, (_, i) => i - 10);
  expect(small.filter(isMediaLength)).toEqual(small.filter((length) => stored.has(length)));
  for (const no of [Number.NaN, Number.POSITIVE_INFINITY, 1072.5, 2 ** 32 + 1072, 2 ** 53 + 1072, -1072])
    expect(isMediaLength(no)).toBe(false);
});

test("no file has a size above the maximum, just above 2^32, below 0, or that is no whole number", () => {
  for (const size of [MAX_MEDIA_BYTES + 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 1000, 2 ** 53 - 1]) {
    for (const length of [paddedMediaLength, encryptedMediaLength]) expect(thrownBy(() => length(size))).toEqual(new WireError("too-long"));
  }
  for (const size of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const length of [paddedMediaLength, encryptedMediaLength])
      expect(thrownBy(() => length(size))).toEqual(new WireError("bad-value"));
  }
});
