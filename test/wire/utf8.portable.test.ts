import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, fromUtf8, toHex, toUtf8, UsageError } from "#wire";
import { bytesOf, outcome } from "../support/wire.ts";

test("any text reads back, in the bytes that the platform's encoder makes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const bytes = toUtf8(text);
      expect(toHex(bytes)).toBe(toHex(new TextEncoder().encode(text)));
      expect(fromUtf8(bytes)).toBe(text);
    }),
    { seed: 51, numRuns: 500 },
  );
  for (const text of ["", "\u0000", "\u007f\u0080\u07ff\u0800\uffff", "\ufeffx", "\u{10000}\u{10ffff}"]) {
    expect(fromUtf8(toUtf8(text))).toBe(text);
  }
});

test("bytes are refused exactly when the platform's strict decoder refuses them", () => {
  const platform = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const accepted = (bytes: Uint8Array): boolean => {
    try {
      platform.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  const lead = fc.constantFrom(0x41, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xf8, 0xff, 0x80, 0xbf, 0xc0, 0xc1);
  const follow = fc.oneof(fc.integer({ min: 0x80, max: 0xbf }), fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0));
  const shaped = fc.tuple(lead, fc.array(follow, { maxLength: 4 })).map(([first, rest]) => new Uint8Array([first, ...rest]));
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(shaped, bytesOf(0, 6)), (bytes) => {
      const ours = outcome(() => fromUtf8(bytes));
      expect(ours).toBe(accepted(bytes) ? "accepted" : "bad-utf8");
      if (ours !== "accepted") refused++;
    }),
    { seed: 52, numRuns: 4000 },
  );
  expect(refused).toBeGreaterThan(500);
});

test.each([
  ["an overlong slash", "c0af"],
  ["an overlong slash of three bytes", "e080af"],
  ["a surrogate", "eda080"],
  ["more than U+10FFFF", "f4908080"],
  ["five bytes", "f888808080"],
  ["a continuation alone", "80"],
  ["a lead byte at the end", "41c3"],
])("%s is no text", (_, hex) => {
  expect(outcome(() => fromUtf8(fromHex(hex)))).toBe("bad-utf8");
});

test("a lone surrogate has no UTF-8 form", () => {
  for (const text of ["\ud800", "a\udfffb", "\udc00\ud800"]) expect(() => toUtf8(text)).toThrow(UsageError);
});
