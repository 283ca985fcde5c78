import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bool,
  bytes,
  type Bytes,
  enumeration,
  exactly,
  type Extensible,
  fixed64,
  fromHex,
  InvariantError,
  list,
  message,
  type MessageKind,
  oneof,
  optional,
  packed,
  required,
  strictCodec,
  text,
  toHex,
  uint32,
  uint64,
  UsageError,
  withDefault,
} from "#wire";
import { mutated, outcome, OWN_FORMATS } from "../support/wire.ts";

interface Circle extends Extensible {
  readonly kind: "circle";
  readonly radius: number;
}

interface Point extends Extensible {
  readonly kind: "point";
}

/** A format that has one of everything. */
interface Everything extends Extensible {
  readonly id: Bytes;
  readonly count: number;
  readonly on: boolean;
  readonly name: string;
  readonly colour: "red" | "green";
  readonly shape: Circle | Point;
  readonly numbers: readonly number[];
  readonly parts: readonly Bytes[];
  readonly at: number;
  readonly next: Circle | undefined;
}

const CIRCLE: MessageKind<Circle> = message("test.Circle", { kind: "circle", radius: required(1, uint32) });
const POINT: MessageKind<Point> = message("test.Point", { kind: "point" });

const EVERYTHING: MessageKind<Everything> = message("test.Everything", {
  id: required(1, exactly(2)),
  count: withDefault(2, uint64, 0),
  on: withDefault(3, bool, false),
  name: withDefault(4, text(6), ""),
  colour: required(5, enumeration("test.Colour", { red: 1, green: 2 })),
  shape: oneof<Circle | Point>({ circle: [6, CIRCLE], point: [7, POINT] }),
  numbers: packed(8, 3, uint32),
  parts: list(9, 2, bytes(1, 4)),
  at: withDefault(10, fixed64, 0),
  next: optional(11, CIRCLE),
});

const codec = strictCodec(EVERYTHING, 200);

const LEAST: Everything = {
  id: fromHex("aabb"),
  count: 0,
  on: false,
  name: "",
  colour: "red",
  shape: { kind: "point" },
  numbers: [],
  parts: [],
  at: 0,
  next: undefined,
};

const MOST: Everything = {
  id: fromHex("aabb"),
  count: 300,
  on: true,
  name: "é",
  colour: "green",
  shape: { kind: "circle", radius: 5 },
  numbers: [0, 1, 0xffff_ffff],
  parts: [fromHex("01"), fromHex("0203")],
  at: Number.MAX_SAFE_INTEGER,
  next: { kind: "circle", radius: 1 },
};

const ID = "0a02aabb";
const COLOUR = "2801";
const SHAPE = "3a00";

test("a value has the encoding that protobuf gives it", () => {
  expect(toHex(codec.encode(LEAST))).toBe(ID + COLOUR + SHAPE);
  const most = `${ID}10ac0218012202c3a928023202080542070001ffffffff0f4a01014a02020351ffffffffffff1f005a020801`;
  expect(toHex(codec.encode(MOST))).toBe(most);
  expect(codec.decode(fromHex(ID + COLOUR + SHAPE))).toEqual(LEAST);
  expect(codec.decode(fromHex(most))).toEqual(MOST);
});

test.each([
  ["a byte behind the end", `${ID}${COLOUR}${SHAPE}00`, "bad-field"],
  ["fields out of order", `${COLOUR}${ID}${SHAPE}`, "not-canonical"],
  ["a field twice", `${ID}${ID}${COLOUR}${SHAPE}`, "not-canonical"],
  ["two members of a oneof", `${ID}${COLOUR}320208053a00`, "not-canonical"],
  ["the same member of a oneof twice", `${ID}${COLOUR}3a003a00`, "not-canonical"],
  ["a message twice", `${ID}${COLOUR}${SHAPE}5a0208015a020801`, "not-canonical"],
  ["a list with another field in between", `${ID}${COLOUR}${SHAPE}4a01015a0208014a0102`, "not-canonical"],
  ["a packed list in two halves", `${ID}${COLOUR}${SHAPE}420101420102`, "not-canonical"],
  ["a packed list that is empty", `${ID}${COLOUR}${SHAPE}4200`, "not-canonical"],
  ["a packed list that is not packed", `${ID}${COLOUR}${SHAPE}4001`, "bad-field"],
  ["a packed list that ends inside a number", `${ID}${COLOUR}${SHAPE}420180`, "truncated"],
  ["a tag that is not minimal", `8a0002aabb${COLOUR}${SHAPE}`, "not-canonical"],
  ["a length that is not minimal", `0a8200aabb${COLOUR}${SHAPE}`, "not-canonical"],
  ["a number that is not minimal", `${ID}10818000${COLOUR}${SHAPE}`, "not-canonical"],
  ["a number that is 0 and written", `${ID}1000${COLOUR}${SHAPE}`, "not-canonical"],
  ["a flag that is false and written", `${ID}1800${COLOUR}${SHAPE}`, "not-canonical"],
  ["a flag that is 2", `${ID}1802${COLOUR}${SHAPE}`, "not-canonical"],
  ["a text that is empty and written", `${ID}2200${COLOUR}${SHAPE}`, "not-canonical"],
  ["a fixed64 that is 0 and written", `${ID}${COLOUR}${SHAPE}510000000000000000`, "not-canonical"],
  ["an enum value that is 0 and written", `${ID}2800${SHAPE}`, "not-canonical"],
  ["an enum value that is newer", `${ID}2803${SHAPE}`, "unknown-critical"],
  ["a member of a oneof that is newer", `${ID}${COLOUR}6200`, "unknown-critical"],
  ["a field that is newer and no extension", `${ID}${COLOUR}${SHAPE}fa0700`, "unknown-critical"],
  ["an unknown field inside a message", `${ID}${COLOUR}320408051001`, "unknown-critical"],
  ["a number above 2^53", `${ID}108080808080808010${COLOUR}${SHAPE}`, "bad-value"],
  ["a number of nine bytes", `${ID}10808080808080808001${COLOUR}${SHAPE}`, "bad-value"],
  ["a fixed64 above 2^53", `${ID}${COLOUR}${SHAPE}510000000000002000`, "bad-value"],
  ["a uint32 above 32 bits", `${ID}${COLOUR}3206088080808010`, "bad-value"],
  ["another wire type", `08aabb${COLOUR}${SHAPE}`, "bad-field"],
  ["a group", `${ID}${COLOUR}${SHAPE}83088408`, "bad-field"],
  ["a length beyond the end", `${ID}${COLOUR}${SHAPE}5a030801`, "truncated"],
  ["a length beyond the message that it is in", `${ID}${COLOUR}${SHAPE}4a05`, "truncated"],
  ["an end inside a fixed64", `${ID}${COLOUR}${SHAPE}51000000`, "truncated"],
  ["a byte string that is too short", `0a01aa${COLOUR}${SHAPE}`, "bad-length"],
  ["a byte string that is too long", `0a03aabbcc${COLOUR}${SHAPE}`, "too-long"],
  ["a text that is too long", `${ID}220761616161616161${COLOUR}${SHAPE}`, "too-long"],
  ["a text that is no UTF-8", `${ID}2202c328${COLOUR}${SHAPE}`, "bad-utf8"],
  ["a text with a surrogate", `${ID}2203eda080${COLOUR}${SHAPE}`, "bad-utf8"],
  ["an element that is too long", `${ID}${COLOUR}${SHAPE}4a050102030405`, "too-long"],
  ["too many elements", `${ID}${COLOUR}${SHAPE}4a01014a01024a0103`, "too-many"],
  ["too many packed elements", `${ID}${COLOUR}${SHAPE}420401020304`, "too-many"],
  ["no id", `${COLOUR}${SHAPE}`, "missing-field"],
  ["no colour", `${ID}${SHAPE}`, "missing-field"],
  ["no shape", `${ID}${COLOUR}`, "missing-field"],
  ["no radius", `${ID}${COLOUR}3200`, "missing-field"],
  ["nothing", "", "missing-field"],
  ["more bytes than the format may have", "00".repeat(201), "too-long"],
])("a message with %s is refused", (_, hex, code) => {
  expect(outcome(() => codec.decode(fromHex(hex)))).toBe(code);
});

describe("extensions", () => {
  const base = ID + COLOUR + SHAPE;

  test("of every wire type, repeated or not, are kept where they stood, outside and inside", () => {
    for (const hex of [
      `${base}800801`,
      `${base}8008ffffffffffffffffff01`,
      `${base}820803616263`,
      `${base}81080102030405060708`,
      `${base}850801020304`,
      `${base}800801800802820800fa3f0101`,
      `${ID}${COLOUR}32050805800801`,
    ]) {
      const value = codec.decode(fromHex(hex));
      expect(toHex(codec.encode(value))).toBe(hex);
    }
    expect(codec.decode(fromHex(`${base}800801`)).extensions?.map((field) => toHex(field))).toEqual(["800801"]);
  });

  test.each([
    ["before a known field", `${ID}${COLOUR}800801${SHAPE}`, "not-canonical"],
    ["out of order", `${base}880801800801`, "not-canonical"],
    ["with a number that is not minimal", `${base}80088000`, "not-canonical"],
    ["with a number above 64 bits", `${base}8008ffffffffffffffffff02`, "bad-value"],
    ["with a number of eleven bytes", `${base}8008ffffffffffffffffffff01`, "bad-value"],
    ["that is cut off", `${base}820803aabb`, "truncated"],
    ["that is a group", `${base}83088408`, "bad-field"],
    ["beyond the largest field number", `${base}808080801001`, "bad-field"],
    ["seventeen times", base + "800801".repeat(17), "too-many"],
  ])("%s are refused", (_, hex, code) => {
    expect(outcome(() => codec.decode(fromHex(hex)))).toBe(code);
  });

  test("sixteen times are kept", () => {
    expect(codec.decode(fromHex(base + "800801".repeat(16))).extensions?.length).toBe(16);
  });
});

describe("what a receiver would refuse is not encoded", () => {
  test.each([
    ["an id of another length", { id: fromHex("aa") }],
    ["an empty id", { id: fromHex("") }],
    ["a text that is too long", { name: "1234567" }],
    ["a text with a lone surrogate", { name: "\ud800" }],
    ["a fraction", { count: 1.5 }],
    ["a negative number", { count: -1 }],
    ["a number above 2^53", { count: 2 ** 53 }],
    ["a radius of 33 bits", { shape: { kind: "circle" as const, radius: 2 ** 32 } }],
    ["a required number that is 0", { shape: { kind: "circle" as const, radius: 0 } }],
    ["too many elements", { parts: [fromHex("01"), fromHex("02"), fromHex("03")] }],
    ["an empty element", { parts: [fromHex("")] }],
  ])("%s", (_, change) => {
    expect(() => codec.encode({ ...LEAST, ...change })).toThrow(UsageError);
  });
});

test("a table without a strict form fails when it is made", () => {
  const twice = { a: required(1, uint32), b: required(1, uint32) };
  expect(() => message<{ a: number; b: number }>("test.Twice", twice)).toThrow(InvariantError);
  expect(() => message<{ a: number }>("test.Extension", { a: required(128, uint32) })).toThrow(InvariantError);
  expect(() => message<{ a: number }>("test.Zero", { a: required(0, uint32) })).toThrow(InvariantError);
  const torn = { between: required(7, uint32), shape: oneof<Circle | Point>({ circle: [6, CIRCLE], point: [8, POINT] }) };
  expect(() => message<{ between: number; shape: Circle | Point }>("test.Torn", torn)).toThrow(InvariantError);
});

describe.each(OWN_FORMATS)("$name", ({ pair, decode, again, valid }) => {
  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(pair, ([value, encoded]) => {
        expect(decode(encoded)).toEqual(value);
      }),
      { seed: 31, numRuns: 250 },
    );
  });

  test("has one encoding for each value: whatever is accepted encodes to the same bytes", () => {
    let accepted = 0;
    fc.assert(
      fc.property(mutated(valid), (damaged) => {
        if (outcome(() => decode(damaged)) !== "accepted") return;
        accepted++;
        expect(toHex(again(damaged))).toBe(toHex(damaged));
      }),
      { seed: 32, numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});
