import { be64, concat, copy, EMPTY, fromHex, sameBytes, toHex, WireError } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";

test("hexadecimal text of any bytes reads back as the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const text = toHex(bytes);
      expect(text).toMatch(/^[0-9a-f]*$/);
      expect(sameBytes(fromHex(text), bytes)).toBe(true);
      expect(sameBytes(fromHex(text.toUpperCase()), bytes)).toBe(true);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test.each(["0", "abc", "0g", " 00", "0x00", "00\n", "ÿÿ"])("text that is not hexadecimal is refused: %j", (text) => {
  expect(() => fromHex(text)).toThrow(WireError);
});

test("a copy shares no memory with its original", () => {
  const original = new Uint8Array([1, 2, 3]);
  const own = copy(original);
  original[0] = 9;
  expect([...own]).toEqual([1, 2, 3]);
});

test("concatenation keeps order and loses nothing", () => {
  expect(toHex(concat(fromHex("00ff"), EMPTY, fromHex("10"), fromHex("")))).toBe("00ff10");
});

test("byte strings differ when a byte or the length differs", () => {
  expect(sameBytes(fromHex("0102"), fromHex("0102"))).toBe(true);
  expect(sameBytes(fromHex("0102"), fromHex("0103"))).toBe(false);
  expect(sameBytes(fromHex("0102"), fromHex("010200"))).toBe(false);
});

test("eight-byte numbers are big-endian up to the largest safe integer", () => {
  expect(toHex(be64(0x1_0000_0002))).toBe("0000000100000002");
  expect(toHex(be64(Number.MAX_SAFE_INTEGER))).toBe("001fffffffffffff");
});
