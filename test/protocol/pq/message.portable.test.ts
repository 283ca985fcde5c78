import { type Bytes, concat, fromHex, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BraidPayload, decodeSpqrMessage, encodeSpqrMessage, type SpqrMessage } from "../../../protocol/pq/message.ts";

const data: Bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
const DATA_HEX = toHex(data);
const CHUNKED = ["header", "vector", "vector-ct1-ack", "ct1", "ct2"] as const;

/** Version, epoch, index, type, chunk index and chunk: the layout, byte by byte. */
const WRITTEN: readonly (readonly [string, SpqrMessage])[] = [
  ["01010100", { epoch: 1, index: 1, payload: { kind: "none" } }],
  [`0101020100${DATA_HEX}`, { epoch: 1, index: 2, payload: { kind: "header", chunk: { index: 0, data } } }],
  [`01017f0223${DATA_HEX}`, { epoch: 1, index: 127, payload: { kind: "vector", chunk: { index: 35, data } } }],
  [`01018001037f${DATA_HEX}`, { epoch: 1, index: 128, payload: { kind: "vector-ct1-ack", chunk: { index: 127, data } } }],
  ["01ac02ffffffff0f04", { epoch: 300, index: 0xffff_ffff, payload: { kind: "ct1-ack" } }],
  [`010201058001${DATA_HEX}`, { epoch: 2, index: 1, payload: { kind: "ct1", chunk: { index: 128, data } } }],
  [`01020106ffff03${DATA_HEX}`, { epoch: 2, index: 1, payload: { kind: "ct2", chunk: { index: 65_535, data } } }],
];

test.each(WRITTEN)("%s", (hex, message) => {
  expect(toHex(encodeSpqrMessage(message))).toBe(hex);
  expect(decodeSpqrMessage(fromHex(hex))).toEqual(message);
});

const payload: fc.Arbitrary<BraidPayload> = fc.oneof(
  fc.constantFrom("none" as const, "ct1-ack" as const).map((kind) => ({ kind })),
  fc.record({
    kind: fc.constantFrom(...CHUNKED),
    chunk: fc.record({
      index: fc.nat(65_535),
      data: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
    }),
  }),
);
const message: fc.Arbitrary<SpqrMessage> = fc.record({
  epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  index: fc.nat(0xffff_ffff),
  payload,
});

test("what is written is read back, and what follows it is ignored", () => {
  fc.assert(
    fc.property(message, fc.uint8Array({ maxLength: 8 }), (written, after) => {
      const bytes = encodeSpqrMessage(written);
      expect(decodeSpqrMessage(bytes)).toEqual(written);
      expect(decodeSpqrMessage(concat(bytes, after))).toEqual(written);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("a message that ends early is refused, wherever it ends", () => {
  for (const [hex] of WRITTEN) {
    const bytes = fromHex(hex);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeSpqrMessage(bytes.slice(0, length))).toThrow("truncated");
    }
  }
});

test.each([
  ["an epoch of zero", "01000100"],
  ["an epoch that no number holds exactly", "0180808080808080100100"],
  ["an epoch without end", "01ffffffffffffffffffffff0100"],
  ["an index above 32 bits", "0101808080801000"],
  ["a type that does not exist", "01010107"],
  ["a type above 127", `010101810100${DATA_HEX}`],
  ["a chunk beyond the last", `01010101808004${DATA_HEX}`],
])("%s is refused", (_, hex) => {
  expect(() => decodeSpqrMessage(fromHex(hex))).toThrow("bad-value");
});

test("a number may be written longer than it must, as the deployed reader allows", () => {
  expect(decodeSpqrMessage(fromHex("0181008180000000"))).toEqual({ epoch: 1, index: 1, payload: { kind: "none" } });
});

test("the chunk that was read does not change with the bytes it was read from", () => {
  const bytes = encodeSpqrMessage({ epoch: 1, index: 1, payload: { kind: "ct1", chunk: { index: 0, data } } });
  const read = decodeSpqrMessage(bytes);
  bytes.fill(0);
  expect(read.payload).toEqual({ kind: "ct1", chunk: { index: 0, data } });
});
