import { toHex } from "#wire";
import { expect, test } from "vitest";
import { seededDice, seededRandom } from "./random.ts";

test("one seed gives one stream, whatever the sizes it is read in multiples of four", () => {
  const whole = toHex(seededRandom(7)(32));
  const random = seededRandom(7);
  expect(toHex(random(8)) + toHex(random(24))).toBe(whole);
});

test("neighbouring seeds have nothing in common", () => {
  const first = seededRandom(1)(256);
  const second = seededRandom(2)(256);
  const same = first.filter((byte, at) => byte === second[at]).length;
  expect(same).toBeLessThan(8);
});

test("every byte value comes up about as often as it should", () => {
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of seededRandom(3)(65_536)) counts[byte] = (counts[byte] ?? 0) + 1;
  expect(Math.min(...counts)).toBeGreaterThan(180);
  expect(Math.max(...counts)).toBeLessThan(340);
});

test("a chance comes true as often as it says, and dice reach every side", () => {
  const dice = seededDice(4);
  const hits = Array.from({ length: 10_000 }, () => dice.chance(0.25)).filter(Boolean).length;
  expect(hits).toBeGreaterThan(2_300);
  expect(hits).toBeLessThan(2_700);
  expect(new Set(Array.from({ length: 200 }, () => dice.roll(6)))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  expect(dice.pick(["only"])).toBe("only");
  expect(() => dice.pick([])).toThrow(RangeError);
});
