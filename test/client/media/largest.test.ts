// The largest file there may be, from one client to another: on disk at both ends, over a real server, and nowhere whole in memory.

import { createHash } from "node:crypto";
import { mkdtempSync, openAsBlob, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "#client";
import { be32, type Bytes, encryptedMediaLength, MAX_MEDIA_BYTES } from "#wire";
import "edgewise/node";
import { sqlite } from "edgewise/store/node-sqlite";
import { prepareVideo } from "../../../client/media/videos/index.ts";
import { found } from "../../support/accounts.ts";
import { changed, find } from "../../support/pictures/boxes.ts";
import { MARK } from "../../support/pictures/tiff.ts";
import { seededRandom } from "../../support/random.ts";
import * as videos from "../../support/videos.ts";
import { HOOK_MILLISECONDS, PATIENCE, Place } from "../groups/people.ts";
import { MIB } from "./people.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-largest-"));
const place = new Place();
let alice: Client;
let bob: Client;
beforeAll(async () => {
  await place.start();
  [alice, bob] = [await newcomer("alice"), await newcomer("bob")];
  const [one, other] = [found(alice.account), found(bob.account)];
  await alice.contacts.accept(other.userId);
  await bob.contacts.accept(one.userId);
  for (const client of [alice, bob]) await client.settled();
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const client of [alice, bob]) await client.close();
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

async function newcomer(username: string): Promise<Client> {
  const client = await createClient({ server: place.url, store: sqlite(join(folder, `${username}.db`)) });
  await client.register({ username });
  await client.connect();
  return client;
}

/** Of noise, each mebibyte with its number in front. Resolves to its digest. */
async function writeNoise(path: string, size: number): Promise<string> {
  const noise = seededRandom(52)(MIB);
  const hash = createHash("sha256");
  await using file = await open(path, "w");
  for (let at = 0; at < size; at += MIB) {
    noise.set(be32(at));
    const piece = noise.subarray(0, size - at);
    hash.update(piece);
    await file.write(piece);
  }
  return hash.digest("hex");
}

interface Read {
  readonly digest: string;
  readonly length: number;
  /** The most that array buffers held at any time. */
  readonly most: number;
}

async function read(source: AsyncIterable<Bytes>): Promise<Read> {
  const hash = createHash("sha256");
  let [length, most] = [0, 0];
  for await (const piece of source) {
    hash.update(piece);
    length += piece.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  }
  return { digest: hash.digest("hex"), length, most };
}

test("100 MiB from a disk come to the other client as they were", async () => {
  const path = join(folder, "largest.bin");
  const digest = await writeNoise(path, MAX_MEDIA_BYTES);
  const progress: number[] = [];
  const started = process.memoryUsage().arrayBuffers;
  let most = 0;
  const message = await (
    await alice.conversations.direct(found(bob.account).userId)
  ).sendFile(await openAsBlob(path), {
    onProgress({ done, total }) {
      expect(total).toBe(encryptedMediaLength(MAX_MEDIA_BYTES));
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      progress.push(done);
    },
  });
  await message.sent();
  expect(progress.length).toBeGreaterThan(10);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(progress.at(-1)).toBe(encryptedMediaLength(MAX_MEDIA_BYTES));
  await expect.poll(() => bob.message(message.id).catch(() => undefined), PATIENCE).toBeDefined();
  const attachment = found((await bob.message(message.id)).attachments[0]);
  expect(attachment.size).toBe(MAX_MEDIA_BYTES);
  const got = await read(attachment.stream());
  expect([got.length, got.digest]).toEqual([MAX_MEDIA_BYTES, digest]);
  expect(Math.max(most, got.most) - started).toBeLessThan(80 * MIB);
});

test("a byte more is refused before anything is stored, whatever is in it", async () => {
  const path = join(folder, "larger.mov");
  await writeVideo(path, MAX_MEDIA_BYTES + 1);
  const toBob = await alice.conversations.direct(found(bob.account).userId);
  const before = await toBob.history();
  await expect(toBob.sendFile(await openAsBlob(path))).rejects.toMatchObject({ code: "file-too-large" });
  expect((await toBob.history()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
});

/** One long sample of zeros, with marks around it. A file with a hole, that takes no room. */
async function writeVideo(path: string, size: number): Promise<void> {
  const bytes = videos.video({ first: "moov", tracks: [{ ...videos.TRACKS.seen, perChunk: 1, samples: [new Uint8Array(64)] }] });
  const [sizes, data] = [find(bytes, "stsz") + 16, find(bytes, "mdat") - 4];
  const more = size - bytes.length;
  const longer = changed(changed(bytes, sizes, be32(64 + more)), data, be32(bytes.length - data + more));
  const end = longer.length - MARK.length;
  await using file = await open(path, "w");
  await file.write(longer.subarray(0, end), 0, end, 0);
  await file.write(longer.subarray(end), 0, MARK.length, end + more);
}

test("a video of 100 MiB is taken apart and put together from the disk, without its marks, and never held", async () => {
  const path = join(folder, "largest.mov");
  await writeVideo(path, MAX_MEDIA_BYTES);
  let asked = 0;
  const video = await prepareVideo(await openAsBlob(path), async (stretch) => {
    asked += stretch.size;
    return new Uint8Array(await stretch.arrayBuffer());
  });
  if (video.outcome !== "stripped") throw new Error("the video is damaged");
  expect(asked).toBeLessThan(10_000);
  const started = process.memoryUsage().arrayBuffers;
  const reader: ReadableStreamDefaultReader<Bytes> = video.content.stream().getReader();
  let [length, most, marked] = [0, 0, false];
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
    length += value.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers);
    marked ||= Buffer.from(value.buffer, value.byteOffset, value.length).includes(MARK.slice(0, 4));
  }
  expect({ length, marked }).toEqual({ length: MAX_MEDIA_BYTES, marked: false });
  expect(most - started).toBeLessThan(64 * MIB);
});
