import { toHex } from "#wire";
import { expect, test } from "vitest";
import { addChunk, type Chunk, CHUNK_BYTES, decodeMessage, nextChunk, startDecoder, startEncoder } from "../../../protocol/pq/chunks.ts";
import { divide, multiply } from "../../../protocol/pq/gf65536.ts";
import { slowInterpolate, slowInverse, slowMultiply } from "../../reference/gf65536.ts";
import { seededDice, seededRandom } from "../../support/random.ts";

const COUNTS = [3, 5, 30, 36];

function chunksOf(message: Uint8Array<ArrayBuffer>, count: number): Chunk[] {
  let encoder = startEncoder(message);
  return Array.from({ length: count }, () => {
    const step = nextChunk(encoder);
    encoder = step.encoder;
    return step.chunk;
  });
}

test("multiplication and division agree with their slow twins", () => {
  const dice = seededDice(1);
  for (let i = 0; i < 3000; i++) {
    const [a, b] = [dice.roll(65_536), 1 + dice.roll(65_535)];
    expect(multiply(a, b)).toBe(slowMultiply(a, b));
    expect(divide(a, b)).toBe(slowMultiply(a, slowInverse(b)));
  }
  expect(multiply(0, 7)).toBe(0);
  expect(divide(0, 7)).toBe(0);
});

test("the first chunks are the message itself", () => {
  const message = seededRandom(1)(5 * CHUNK_BYTES);
  expect(
    chunksOf(message, 5)
      .map(({ data }) => toHex(data))
      .join(""),
  ).toBe(toHex(message));
});

test("every later chunk is the interpolation of the message's words", () => {
  const message = seededRandom(2)(3 * CHUNK_BYTES);
  for (const { index, data } of chunksOf(message, 9)) {
    for (let word = 0; word < 16; word++) {
      const at = (chunk: number): number => ((message[32 * chunk + 2 * word] ?? 0) << 8) | (message[32 * chunk + 2 * word + 1] ?? 0);
      const value = slowInterpolate(
        [0, 1, 2].map((x) => [x, at(x)] as const),
        index,
      );
      expect(((data[2 * word] ?? 0) << 8) | (data[2 * word + 1] ?? 0)).toBe(value);
    }
  }
});

test("any N chunks of N give the message back, in any order, and one less gives nothing", () => {
  const dice = seededDice(3);
  for (const count of COUNTS) {
    const message = seededRandom(count)(count * CHUNK_BYTES);
    const all = chunksOf(message, 4 * count);
    for (let round = 0; round < 12; round++) {
      const rest = [...all];
      let decoder = startDecoder(message.length);
      for (let taken = 0; taken < count; taken++) {
        expect(decodeMessage(decoder)).toBeUndefined();
        const [chunk] = rest.splice(dice.roll(rest.length), 1);
        if (chunk === undefined) throw new RangeError("four times as many chunks as needed");
        decoder = addChunk(decoder, chunk);
      }
      expect(toHex(decodeMessage(decoder) ?? new Uint8Array(0))).toBe(toHex(message));
    }
  }
});

test("a chunk that came already counts once", () => {
  const message = seededRandom(4)(3 * CHUNK_BYTES);
  const [first] = chunksOf(message, 1);
  if (first === undefined) throw new RangeError("one chunk");
  const once = addChunk(startDecoder(message.length), first);
  expect(addChunk(once, first)).toBe(once);
});

test("a changed chunk gives another message", () => {
  const message = seededRandom(5)(5 * CHUNK_BYTES);
  const chunks = chunksOf(message, 12).slice(7);
  const damaged = chunks.map((chunk, i) => (i === 2 ? { ...chunk, data: chunk.data.map((byte) => byte ^ 1) } : chunk));
  const decoder = damaged.reduce(addChunk, startDecoder(message.length));
  expect(toHex(decodeMessage(decoder) ?? message)).not.toBe(toHex(message));
});
