// What a record is made of: text, numbers, lists, other records, and bytes anywhere in it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecord, encodeRecord } from "../../client/records/json.ts";

const bytes = fc.uint8Array({ maxLength: 80 }).map((drawn) => Uint8Array.from(drawn));
const { record } = fc.letrec((tie) => ({
  record: fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("part"), { maxKeys: 6, noNullPrototype: true }),
  part: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary" }),
    fc.constant("$bytes"),
    fc.integer(),
    fc.boolean(),
    bytes,
    tie("list"),
    tie("record"),
  ),
  list: fc.array(tie("part"), { maxLength: 5 }),
}));

test("a record comes back as it was, with bytes or without", () => {
  fc.assert(
    fc.property(record, (value) => {
      expect(decodeRecord(encodeRecord(value))).toStrictEqual(value);
    }),
    { seed: 71, numRuns: 400 },
  );
});

test("what was left undefined is absent", () => {
  expect(decodeRecord(encodeRecord({ text: "x", error: undefined }))).toStrictEqual({ text: "x" });
});

test.each([
  ["half a record", new TextEncoder().encode('{"text":"x"')],
  ["what is no text", Uint8Array.of(0x22, 0xff, 0x22)],
  ["bytes that are no base64url", new TextEncoder().encode('{"$bytes":"a b"}')],
])("%s is refused", (_, damaged) => {
  expect(() => decodeRecord(damaged)).toThrow();
});
