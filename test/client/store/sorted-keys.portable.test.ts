// The order of the store in memory, against sorting everything every time.

import { expect, test } from "vitest";
import { SortedKeys } from "../../../client/store/sorted-keys.ts";
import { type Dice, seededDice } from "../../support/random.ts";

test("whatever comes and goes, a selection is what sorting would give", () => {
  const dice = seededDice(3);
  const keys = new SortedKeys();
  const model = new Set<string>();
  // First it grows over many runs, then it shrinks to nothing.
  for (const [growth, steps] of [
    [0.9, 4_000],
    [0.5, 1_000],
    [0.05, 5_000],
  ] as const) {
    for (let i = 0; i < steps; i++) change(keys, model, dice, growth);
    for (let i = 0; i < 30; i++) compare(keys, model, dice);
  }
  for (const key of model) keys.delete(key);
  expect(keys.select({ from: "", to: "~" })).toEqual([]);
  keys.add("again");
  expect(keys.select({ from: "", to: "~", reverse: true })).toEqual(["again"]);
});

test("a hundred thousand keys in any order are selected in order", () => {
  const keys = new SortedKeys();
  const count = 100_000;
  for (let i = 0; i < count; i++) keys.add(nameOf((i * 7_919) % count));
  expect(keys.select({ from: nameOf(500), to: nameOf(503) })).toEqual([nameOf(500), nameOf(501), nameOf(502)]);
  expect(keys.select({ from: "", to: "~", limit: 2, reverse: true })).toEqual([nameOf(count - 1), nameOf(count - 2)]);
  const all = keys.select({ from: "", to: "~" });
  expect(all).toHaveLength(count);
  expect(all.every((key, i) => key === nameOf(i))).toBe(true);
});

function change(keys: SortedKeys, model: Set<string>, dice: Dice, growth: number): void {
  if (model.size === 0 || dice.chance(growth)) {
    const key = nameOf(dice.roll(1_000_000));
    if (!model.has(key)) keys.add(key);
    model.add(key);
    return;
  }
  const key = dice.pick([...model].slice(0, 1 + dice.roll(20)));
  keys.delete(key);
  model.delete(key);
}

function compare(keys: SortedKeys, model: ReadonlySet<string>, dice: Dice): void {
  const [from, to] = [nameOf(dice.roll(1_000_000)), nameOf(dice.roll(1_000_000))];
  const limit = dice.roll(3_000);
  const inOrder = [...model].filter((key) => key >= from && key < to).sort();
  expect(keys.select({ from, to })).toEqual(inOrder);
  expect(keys.select({ from, to, limit })).toEqual(inOrder.slice(0, limit));
  expect(keys.select({ from, to, limit, reverse: true })).toEqual(inOrder.toReversed().slice(0, limit));
}

function nameOf(number: number): string {
  return `key-${String(number).padStart(7, "0")}`;
}
