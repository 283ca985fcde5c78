// Damage for byte strings, decided by dice: what a hostile network or a broken disk does to a message.

import { type Bytes, concat } from "#wire";
import type { Dice } from "./random.ts";

/** Another byte string near `bytes`; never equal to it. */
export function mutate(bytes: Bytes, dice: Dice): Bytes {
  for (;;) {
    const changed = dice.pick(MUTATIONS)(bytes, dice);
    if (changed.length !== bytes.length || changed.some((byte, at) => byte !== bytes[at])) return changed;
  }
}

type Mutation = (bytes: Bytes, dice: Dice) => Bytes;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  flipBit,
  (bytes, dice) => bytes.slice(0, dice.roll(bytes.length + 1)),
  (bytes, dice) => bytes.slice(dice.roll(bytes.length + 1)),
  (bytes, dice) => concat(bytes, noise(dice, 1 + dice.roll(40))),
  (bytes, dice) => splice(bytes, dice, 0, 1 + dice.roll(20)),
  (bytes, dice) => splice(bytes, dice, 1 + dice.roll(20), 0),
  (bytes, dice) => splice(bytes, dice, 8, 8),
  (bytes, dice) => concat(bytes, bytes.slice(dice.roll(bytes.length + 1))),
  (bytes, dice) => noise(dice, dice.roll(2 * bytes.length + 1)),
  fillRun,
];

function flipBit(bytes: Bytes, dice: Dice): Bytes {
  const changed = bytes.slice();
  if (changed.length === 0) return noise(dice, 1);
  const at = dice.roll(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << dice.roll(8));
  return changed;
}

function splice(bytes: Bytes, dice: Dice, remove: number, insert: number): Bytes {
  const at = dice.roll(bytes.length + 1);
  return concat(bytes.subarray(0, at), noise(dice, insert), bytes.subarray(Math.min(bytes.length, at + remove)));
}

function fillRun(bytes: Bytes, dice: Dice): Bytes {
  const changed = bytes.slice();
  const at = dice.roll(bytes.length + 1);
  changed.fill(dice.pick([0x00, 0xff, 0x80, 0x7f]), at, at + 1 + dice.roll(9));
  return changed;
}

function noise(dice: Dice, length: number): Bytes {
  return Uint8Array.from({ length }, () => dice.roll(256));
}
