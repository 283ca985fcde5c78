// Files come back as they were, however they are cut on the way, in whole and in part; and a stream that is not what it was said
// to be ends in a refusal.

import { Secret } from "#crypto";
import { type Bytes, concat, EMPTY, encryptedMediaLength, MAX_MEDIA_BYTES, MEDIA_HEADER_BYTES, sameBytes } from "#wire";
import { describe, expect, test } from "vitest";
import { decryptMedia, decryptMediaRange, EncryptedMedia, mediaRange } from "../../../client/media/cipher.ts";
import { gathered, reading, type StoredFile, storedFile, stream } from "../../support/media.ts";
import { seededDice, seededRandom } from "../../support/random.ts";

const random = seededRandom(21);
const SIZES = [0, 1, 1023, 1024, 1025, 262_143, 262_144, 262_145, 524_287, 524_288, 524_289, 800_000];
const CUTS = [[1, 7, 500], [16], [262_144], [262_160], [262_143, 2], [1_000_000]];

function encrypted(source: AsyncIterable<Bytes>, size: number, key: Bytes = random(32)): AsyncGenerator<Bytes, void, undefined> {
  return new EncryptedMedia(source, size, new Secret(key.slice())).stored;
}

describe("round trips", () => {
  test.each(SIZES)("%i bytes, whatever the pieces of the source are", async (size) => {
    const [plaintext, key] = [random(size), random(32)];
    const { stored, secrets } = await storedFile(plaintext, key);
    expect(stored).toHaveLength(encryptedMediaLength(size));
    for (const cuts of CUTS) {
      expect(sameBytes(await gathered(encrypted(stream(plaintext, cuts), size, key)), stored)).toBe(true);
      expect(sameBytes(await gathered(decryptMedia(stream(stored, cuts), secrets, stored.length)), plaintext)).toBe(true);
    }
  });

  test("empty pieces change nothing", async () => {
    const [plaintext, key] = [random(270_000), random(32)];
    const { stored, secrets } = await storedFile(plaintext, key);
    async function* withGaps(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
      for await (const piece of stream(bytes, [133_000])) {
        yield EMPTY;
        yield piece;
      }
      yield EMPTY;
    }
    expect(sameBytes(await gathered(encrypted(withGaps(plaintext), 270_000, key)), stored)).toBe(true);
    expect(sameBytes(await gathered(decryptMedia(withGaps(stored), secrets, stored.length)), plaintext)).toBe(true);
  });

  test("a source may use its memory again after each piece", async () => {
    const [plaintext, key] = [random(600_000), random(32)];
    const { stored, secrets } = await storedFile(plaintext, key);
    async function* reusing(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
      const memory = new Uint8Array(266_000);
      for await (const piece of stream(bytes, [266_000])) {
        memory.set(piece);
        yield memory.subarray(0, piece.length);
        memory.fill(0xee);
      }
    }
    expect(sameBytes(await gathered(encrypted(reusing(plaintext), 600_000, key)), stored)).toBe(true);
    expect(sameBytes(await gathered(decryptMedia(reusing(stored), secrets, stored.length)), plaintext)).toBe(true);
  });

  test("the same file under two keys has not one chunk in common with itself", async () => {
    const plaintext = random(524_288);
    const [one, other] = [await storedFile(plaintext, random(32)), await storedFile(plaintext, random(32))];
    const same = one.stored.filter((byte, at) => byte === other.stored[at]).length;
    expect(same / one.stored.length).toBeLessThan(0.006);
  });
});

describe("sources", () => {
  test("a file that is shorter or longer than was said is refused, and by then no more of it went out than there is", async () => {
    for (const [size, real] of [
      [1000, 999],
      [1000, 1001],
      [0, 1],
      [262_144, 262_143],
      [262_144, 262_145],
      [524_288, 0],
      [800_000, 900_000],
    ] as const) {
      const { released, end } = await reading(encrypted(stream(random(real), [39_000]), size));
      expect([size, real, end]).toEqual([size, real, "bad-argument"]);
      expect(released.length).toBeLessThan(encryptedMediaLength(size));
    }
  });

  test("a size that no file has is refused before the source is touched", async () => {
    let touched = false;
    async function* watched(): AsyncGenerator<Bytes, void, undefined> {
      touched = true;
      yield EMPTY;
    }
    const secrets = { key: random(32), digest: random(32) };
    for (const size of [MAX_MEDIA_BYTES + 1, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 1000, 2 ** 53 - 1]) {
      expect(await reading(encrypted(watched(), size))).toEqual({ released: EMPTY, end: "too-long" });
      expect(await reading(decryptMedia(watched(), { ...secrets, size }, 1072))).toEqual({ released: EMPTY, end: "too-long" });
      expect(() => mediaRange(size, 0, 1)).toThrow("too-long");
    }
    for (const storedBytes of [0, 1071, 1073, 1136, 2 ** 32 + 1072, Number.NaN]) {
      expect(await reading(decryptMedia(watched(), { ...secrets, size: 5 }, storedBytes))).toEqual({ released: EMPTY, end: "bad-length" });
    }
    expect(touched).toBe(false);
  });

  test("a source that fails hands its own error on, and nothing of a file that did not end is its last piece", async () => {
    class Broken extends Error {
      readonly code = "broken";
    }
    async function* breaking(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
      yield bytes;
      throw new Broken();
    }
    const plaintext = random(900_000);
    const { stored, secrets } = await storedFile(plaintext, random(32));
    expect((await reading(encrypted(breaking(plaintext), 900_000))).end).toBe("broken");
    const { released, end } = await reading(decryptMedia(breaking(stored), secrets, stored.length));
    expect(end).toBe("broken");
    expect(released.length).toBeLessThan(plaintext.length);
    expect(sameBytes(released, plaintext.subarray(0, released.length))).toBe(true);
  });

  test("whoever stops early closes the source", async () => {
    const plaintext = random(1_000_000);
    const { stored, secrets } = await storedFile(plaintext, random(32));
    let closed = 0;
    async function* closing(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
      try {
        yield* stream(bytes, [150_000]);
      } finally {
        closed++;
      }
    }
    const wrong = { ...secrets, key: random(32) };
    let pieces = 0;
    for await (const _ of encrypted(closing(plaintext), plaintext.length)) if (++pieces === 2) break;
    expect([pieces, closed]).toEqual([2, 1]);
    for await (const _ of decryptMedia(closing(stored), secrets, stored.length)) break;
    expect(closed).toBe(2);
    expect((await reading(decryptMedia(closing(stored), wrong, stored.length))).end).toBe("bad-key");
    expect(closed).toBe(3);
    await expect(gathered(encrypted(closing(plaintext), 999_999))).rejects.toMatchObject({
      code: "bad-argument",
    });
    expect(closed).toBe(4);
  });

  test("a file is read as fast as it is taken: never more than a few chunks ahead", async () => {
    const size = 40 * 262_144;
    const [plaintext, key] = [random(size), random(32)];
    const { stored, secrets } = await storedFile(plaintext, key);
    let given = 0;
    async function* counting(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
      for await (const piece of stream(bytes, [40_000])) {
        given += piece.length;
        yield piece;
      }
    }
    let ahead = 0;
    for (const taking of [encrypted(counting(plaintext), size, key), decryptMedia(counting(stored), secrets, stored.length)]) {
      let taken = 0;
      given = 0;
      for await (const piece of taking) {
        taken += piece.length;
        ahead = Math.max(ahead, given - taken);
      }
      expect(taken).toBeGreaterThanOrEqual(size);
    }
    expect(ahead).toBeLessThan(6 * 262_160);
  });
});

describe("parts", () => {
  const size = 3 * 262_144 + 5000;
  const borders = [0, 1, 100, 262_143, 262_144, 262_145, 524_288, 3 * 262_144, size - 1, size];

  function part({ stored }: StoredFile, start: number, end: number) {
    const range = mediaRange(size, start, end);
    const source = stream(stored.slice(range.storedStart, range.storedEnd), [150_000]);
    return { range, header: stored.slice(0, MEDIA_HEADER_BYTES), source };
  }

  test("every part between two borders is what is there in the whole, from the chunks that hold it and no more", async () => {
    const plaintext = random(size);
    const file = await storedFile(plaintext, random(32));
    for (const start of borders) {
      for (const end of borders.filter((border) => border > start)) {
        const { range, header, source } = part(file, start, end);
        const { released, end: how } = await reading(decryptMediaRange({ range, header, source }, file.secrets));
        expect([start, end, how, sameBytes(released, plaintext.subarray(start, end))]).toEqual([start, end, "done", true]);
        expect(range.storedEnd - range.storedStart).toBeLessThan(end - start + 2 * 262_160);
      }
    }
  });

  test("random parts of random files", async () => {
    const dice = seededDice(22);
    for (let i = 0; i < 20; i++) {
      const plaintext = random(1 + dice.roll(800_000));
      const { stored, secrets } = await storedFile(plaintext, random(32));
      const start = dice.roll(plaintext.length);
      const end = start + 1 + dice.roll(plaintext.length - start);
      const range = mediaRange(plaintext.length, start, end);
      const source = stream(stored.slice(range.storedStart, range.storedEnd), [1 + dice.roll(270_000)]);
      const got = await gathered(decryptMediaRange({ range, header: stored.slice(0, 32), source }, secrets));
      expect(sameBytes(got, plaintext.subarray(start, end))).toBe(true);
    }
  });

  test("a part that the file does not have cannot be asked for", () => {
    for (const [start, end] of [
      [0, 0],
      [5, 5],
      [5, 4],
      [-1, 5],
      [0, size + 1],
      [0.5, 3],
      [0, Number.NaN],
    ] as const) {
      expect(() => mediaRange(size, start, end)).toThrow("bad-argument");
    }
  });

  test("another header, another part or a damaged one is refused, and nothing of a bad chunk comes out", async () => {
    const plaintext = random(size);
    const file = await storedFile(plaintext, random(32));
    const good = part(file, 262_144, size);
    const { range, header } = good;
    const bytes = file.stored.slice(range.storedStart, range.storedEnd);
    const readPart = (source: Bytes, under = header) =>
      reading(decryptMediaRange({ range, header: under, source: stream(source, [60_000]) }, file.secrets));
    expect((await readPart(bytes)).end).toBe("done");
    expect(await readPart(bytes, random(32))).toEqual({ released: EMPTY, end: "bad-key" });
    expect(await readPart(bytes, header.slice(0, 31))).toEqual({ released: EMPTY, end: "bad-key" });
    const earlier = file.stored.slice(32, 32 + bytes.length);
    expect(await readPart(earlier)).toEqual({ released: EMPTY, end: "bad-tag" });
    expect((await readPart(bytes.slice(0, -1))).end).toBe("truncated");
    expect((await readPart(concat(bytes, new Uint8Array(1)))).end).toBe("trailing");
    for (const chunk of [0, 1, 2]) {
      const damaged = bytes.slice();
      damaged[chunk * 262_160 + 30] = (damaged[chunk * 262_160 + 30] ?? 0) ^ 4;
      const { released, end } = await readPart(damaged);
      expect([end, sameBytes(released, plaintext.subarray(262_144, 262_144 * (1 + chunk)))]).toEqual(["bad-tag", true]);
    }
  });
});
