// Files that nobody wants in memory, up to the largest there may be: they stream through, and as much is held of 100 MiB as of 5.

import { Secret, sha256Stream, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { be32, type Bytes, encryptedMediaLength, MAX_MEDIA_BYTES, toHex } from "#wire";
import { expect, test } from "vitest";
import { decryptMedia, EncryptedMedia } from "../../../client/media/cipher.ts";
import { seededRandom } from "../../support/random.ts";

useBackend(nodeBackend);
const MIB = 1024 * 1024;
const noise = seededRandom(51)(MIB);

/** `size` bytes of noise, each mebibyte with its number in front. */
async function* file(size: number): AsyncGenerator<Bytes, void, undefined> {
  for (let at = 0; at < size; at += MIB) {
    const piece = noise.slice(0, size - at);
    piece.set(be32(at).subarray(0, piece.length));
    yield piece;
  }
}

interface Passed {
  readonly digest: Bytes;
  readonly length: number;
  /** The most that array buffers held at any time. */
  readonly most: number;
}

async function passed(source: AsyncIterable<Bytes>): Promise<Passed> {
  const hash = sha256Stream();
  let [length, most] = [0, 0];
  for await (const piece of source) {
    hash.update(piece);
    length += piece.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }
  return { digest: hash.digest(), length, most };
}

/** There and back without ever being whole anywhere. Encrypted twice, because the digest is known only at the end. */
async function expectRoundTrip(size: number): Promise<number> {
  const key = seededRandom(size)(32);
  const encrypted = () => new EncryptedMedia(file(size), size, new Secret(key.slice()));
  const first = encrypted();
  const stored = await passed(first.stored);
  expect(stored.length).toBe(encryptedMediaLength(size));
  const read = await passed(decryptMedia(encrypted().stored, { key, digest: first.digest(), size }, stored.length));
  const sent = await passed(file(size));
  expect([read.length, toHex(read.digest)]).toEqual([size, toHex(sent.digest)]);
  return Math.max(stored.most, read.most);
}

test.each([5 * MIB - 1, 5 * MIB, 5 * MIB + 1])("%i bytes come back", async (size) => {
  await expectRoundTrip(size);
});

test("100 MiB come back, and need no more than 64 MiB above what 5 need", async () => {
  const least = await expectRoundTrip(5 * MIB);
  const most = await expectRoundTrip(MAX_MEDIA_BYTES);
  expect(most - least).toBeLessThan(64 * MIB);
});
