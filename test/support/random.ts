// Randomness that a seed decides, for tests only. Statistically fair (sfc32), worthless as a secret.
// Runs in every runtime: imports nothing of a platform.

import type { Random } from "#crypto";

/** A generator whose whole output follows from `seed`. Two generators of one seed are two, and do not share a position. */
export function seededRandom(seed: number): Random {
  const next = sfc32(seed);
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = next();
      for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  };
}

/** Decisions of a test: which frame is lost, which byte is flipped. */
export interface Dice {
  /** An integer from 0 to `sides` - 1. */
  readonly roll: (sides: number) => number;
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean;
  /** One of `items`, which must not be empty. */
  readonly pick: <T>(items: readonly T[]) => T;
}

export function seededDice(seed: number): Dice {
  const next = sfc32(seed);
  const fraction = (): number => next() / 0x1_0000_0000;
  const roll = (sides: number): number => Math.floor(fraction() * sides);
  return {
    roll,
    chance: (probability) => fraction() < probability,
    pick(items) {
      const item = items[roll(items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
}

function sfc32(seed: number): () => number {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Neighbouring seeds begin alike; after a few rounds they have nothing in common.
  for (let round = 0; round < 16; round++) next();
  return next;
}
