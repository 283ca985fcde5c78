// What others wrote cannot act on a terminal, neither in lines for people nor in JSON that is shown as it is.

import fc from "fast-check";
import { expect, test } from "vitest";
import { visible, visibleJson } from "../../cli/visible.ts";

const ESCAPES: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["a colour", "\u001B[31mred", "\\u001b[31mred"],
  ["a colour by one upper control character", "\u009B31mred", "\\u009b31mred"],
  ["a new title of the window", "\u001B]0;title\u0007", "\\u001b]0;title\\u0007"],
  ["a return that overwrites the name", "hello\rBob: bye", "hello\\u000dBob: bye"],
  ["a backspace", "a\bb\u007F", "a\\u0008b\\u007f"],
  ["a turned reading direction", "user\u202Egpj.exe", "user\\u202egpj.exe"],
  ["an isolate that is never closed", "\u2066hidden", "\\u2066hidden"],
  ["half a surrogate pair", "\uD800", "\\ud800"],
];

test.each(ESCAPES)("%s is shown, not obeyed", (_what, text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("a second line cannot pretend to be another message", () => {
  expect(visible("hi\n12:00 Bob: bye\r\nend\u2028!")).toBe("hi ⏎ 12:00 Bob: bye ⏎ end\\u2028!");
});

test("ordinary text of any language is left alone", () => {
  for (const text of ["Grüße 👩‍👩‍👧 🇪🇪", "שלום עולם", "مرحبا", "नमस्ते", "日本語", "a\\u001b[31m"]) expect(visible(text)).toBe(text);
});

const anyText = fc.string({ unit: "binary", maxLength: 40 });
const ACTIVE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

test("nothing active is left in any text", () => {
  fc.assert(
    fc.property(anyText, (text) => !ACTIVE.test(visible(text)) && !ACTIVE.test(visibleJson({ text }))),
    { seed: 1, numRuns: 2000 },
  );
});

test("JSON says the same to a program", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(JSON.parse(visibleJson({ text }))).toEqual({ text });
    }),
    { seed: 2, numRuns: 2000 },
  );
});
