// Whatever is done to a stored file at its borders, it is refused, and nothing of a bad chunk comes out. Each damaged file is read
// with a digest that was made for it: not the digest alone is to refuse it.

import { Secret, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { mediaKeys } from "#protocol";
import { type Bytes, concat, copy, encryptedMediaLength, fromHex, sameBytes } from "#wire";
import { expect, test } from "vitest";
import { digestOf } from "../../reference/media.ts";
import { readWhole, storedFile } from "../../support/media.ts";
import { seededRandom } from "../../support/random.ts";

useBackend(nodeBackend);
const HEADER = 32;
const CHUNK = 262_144;
const SEALED = CHUNK + 16;

const random = seededRandom(31);
const plaintext = random(3 * CHUNK + 5000);
const { stored, secrets } = await storedFile(plaintext, random(32));
const chunks = [0, 1, 2, 3].map((i) => stored.slice(HEADER + i * SEALED, HEADER + (i + 1) * SEALED));
const header = stored.slice(0, HEADER);
/** Where the header and each chunk end. */
const borders = [HEADER, ...[1, 2, 3].map((i) => HEADER + i * SEALED), stored.length];

/** Reads a file that is not the one that was sent, and expects that not more came out than its first good chunks. */
async function refused(bytes: Bytes, goodChunks: number, code: string, declared: number = stored.length): Promise<void> {
  const { released, end } = await readWhole(bytes, { ...secrets, digest: copy(digestOf(bytes)) }, declared);
  expect(end).toBe(code);
  expect(released.length).toBeLessThanOrEqual(Math.min(goodChunks * CHUNK, plaintext.length - 1));
  expect(sameBytes(released, plaintext.subarray(0, released.length))).toBe(true);
}

test("undamaged, it is read", async () => {
  const { released, end } = await readWhole(stored, secrets);
  expect([end, sameBytes(released, plaintext)]).toEqual(["done", true]);
  expect(borders.at(-1)).toBe(encryptedMediaLength(plaintext.length));
});

test("a bit that is turned beside any border, in a chunk or in its tag", async () => {
  for (const border of borders) {
    for (const at of [border - 17, border - 16, border - 1, border, border + 1].filter((position) => position < stored.length)) {
      const damaged = copy(stored);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      const chunk = Math.floor((at - HEADER) / SEALED);
      await (at < HEADER ? refused(damaged, 0, "bad-key") : refused(damaged, chunk, "bad-tag"));
    }
  }
});

test("a file that ends at or beside any border, told and untold", async () => {
  for (const border of [0, ...borders]) {
    for (const length of [border - 17, border - 16, border - 1, border, border + 1].filter((end) => end >= 0 && end < stored.length)) {
      const short = stored.slice(0, length);
      await refused(short, 0, "bad-length", length);
      await refused(short, Math.max(0, Math.floor((length - HEADER) / SEALED)), "truncated");
    }
  }
});

test("a file that goes on, told and untold", async () => {
  for (const more of [random(1), random(16), new Uint8Array(32), chunks[3] ?? random(1), chunks[0] ?? random(1), random(400_000)]) {
    const long = concat(stored, more);
    await refused(long, 0, "bad-length", long.length);
    await refused(long, 4, "trailing");
  }
});

test("two chunks that changed places, and one that took the place of another", async () => {
  for (const i of [0, 1, 2]) {
    for (const j of [0, 1, 2].filter((other) => other !== i)) {
      const swapped = chunks.with(i, chunks[j] ?? random(1)).with(j, chunks[i] ?? random(1));
      await refused(concat(header, ...swapped), Math.min(i, j), "bad-tag");
      await refused(concat(header, ...chunks.with(i, chunks[j] ?? random(1))), i, "bad-tag");
    }
  }
  // The last is shorter: what follows is shifted, or missing.
  await refused(concat(header, ...chunks.toReversed()), 0, "bad-tag");
});

test("a chunk that is missing in the middle, with its length made up for at the end", async () => {
  for (const i of [0, 1, 2]) await refused(concat(header, ...chunks.toSpliced(i, 1), random(SEALED)), i, "bad-tag");
});

test("a chunk of another file in the same place, and another file's header", async () => {
  const other = await storedFile(plaintext, random(32));
  for (const i of [0, 1, 2, 3]) {
    const theirs = other.stored.slice(HEADER + i * SEALED, HEADER + (i + 1) * SEALED);
    await refused(concat(header, ...chunks.with(i, theirs)), i, "bad-tag");
  }
  await refused(concat(other.stored.slice(0, HEADER), ...chunks), 0, "bad-key");
  await refused(other.stored, 0, "bad-key");
});

test("a message that names a shorter file, which ends at a border of the true one: its last chunk is not a last chunk", async () => {
  for (const count of [1, 2, 3]) {
    const short = stored.slice(0, HEADER + count * SEALED);
    const { released, end } = await readWhole(short, { key: secrets.key, digest: copy(digestOf(short)), size: count * CHUNK });
    expect([end, released.length]).toEqual(["bad-tag", Math.max(0, count - 2) * CHUNK]);
  }
});

test("a message with another size of the same padded length: what is not zero behind the end is refused", async () => {
  const { end, released } = await readWhole(stored, { ...secrets, size: plaintext.length - 1 });
  expect([end, released.length <= 3 * CHUNK]).toEqual(["bad-padding", true]);
  // A sender may lie about zeros: then they are part of the file.
  const longer = await readWhole(stored, { ...secrets, size: plaintext.length + 1 });
  expect([longer.end, longer.released.at(-1)]).toEqual(["done", 0]);
});

test("a message with another key or digest: not one byte, or not the last ones", async () => {
  for (const bit of [0, 100, 255]) {
    const key = copy(secrets.key);
    key[bit >> 3] = (key[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await readWhole(stored, { ...secrets, key })).toEqual({ released: new Uint8Array(0), end: "bad-key" });
    const digest = copy(secrets.digest);
    digest[bit >> 3] = (digest[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { released, end } = await readWhole(stored, { ...secrets, digest });
    expect([end, released.length]).toEqual(["bad-digest", 3 * CHUNK]);
  }
});

test("the AEAD key itself is no file key, and the header gives nothing of either away", async () => {
  const { aeadKey, commitment } = mediaKeys(new Secret(copy(secrets.key)));
  expect(sameBytes(commitment, header)).toBe(true);
  expect((await readWhole(stored, { ...secrets, key: copy(aeadKey.expose()) })).end).toBe("bad-key");
  expect((await readWhole(stored, { ...secrets, key: header })).end).toBe("bad-key");
  expect((await readWhole(stored, { ...secrets, key: fromHex("00".repeat(32)) })).end).toBe("bad-key");
});
