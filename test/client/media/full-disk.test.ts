// A disk that is full, in the middle of whatever was being written: the caller is told, what was there is still there, and nothing that
// is not whole looks like it.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError, type Clock, createClient, type FileSink, type Store, type StoreWriter } from "#client";
import { fileSink } from "edgewise/node";
import { memory, SharedMemory } from "edgewise/store/memory";
import { UPLOAD_PIECES, UPLOADS } from "../../../client/records/tables.ts";
import { platformClock } from "../../../client/transport/platform.ts";
import { HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, settled, withStore } from "../groups/people.ts";
import { acquaint, expectSame, fileIn, fileOf, leftOver, MIB, received } from "./people.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-full-"));
const place = new Place();
let aheadMilliseconds = 0;
const clock: Clock = { ...platformClock, nowMilliseconds: () => Date.now() + aheadMilliseconds };
/** How many bytes the disk still takes. */
let room = Number.POSITIVE_INFINITY;
let alice: Person;
let bob: Person;

/** A store that is full when `room` is used up: then nothing of a transaction is written, as with a real one. */
function limited(inner: Store): Store {
  return {
    unlock: () => inner.unlock(),
    read: (work) => inner.read(work),
    write: (work) =>
      inner.write((transaction) => {
        const put: StoreWriter["put"] = (key, value) => {
          room -= value.length;
          if (room < 0) throw new ClientError("storage-full");
          transaction.put(key, value);
        };
        return work({
          get: (key) => transaction.get(key),
          scan: (range) => transaction.scan(range),
          delete: (key) => transaction.delete(key),
          put,
        });
      }),
    onForeignWrite: (listener) => inner.onForeignWrite(listener),
    close: () => inner.close(),
  };
}

beforeAll(async () => {
  await place.start();
  const shared = new SharedMemory();
  const client = await createClient({ server: place.url, store: limited(memory({ shared })), clock });
  const { userId } = await client.register({ name: "alice" });
  alice = { client, userId, shared, [Symbol.asyncDispose]: () => client.close() };
  bob = await newcomer(place.url, "bob");
  await acquaint(alice, bob);
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const { client } of [alice, bob]) await client.close();
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

test("a file that finds no room in the store is not sent, and costs no other message", async () => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const before = await toBob.send("before");
  await before.sent();
  room = 1.5 * MIB;
  await expect(toBob.sendFile(fileOf(3 * MIB))).rejects.toMatchObject({ code: "storage-full" });
  room = Number.POSITIVE_INFINITY;
  expect((await toBob.history({ limit: 1 }))[0]?.id).toBe(before.id);
  const file = fileOf(2 * MIB);
  const message = await toBob.sendFile(file);
  await message.sent();
  await expectSame(await (await fileIn(bob, message.id)).download(), file);
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
});

test("what a program that died over a file has left goes a day later, and not before", async () => {
  const left = { ordinal: 9999, state: "encrypting", startedMilliseconds: Date.now(), index: 0, length: 2 * MIB } as const;
  await withStore(alice, (vault) =>
    vault.write(async (records) => {
      records.put(UPLOADS, { ...left, message: undefined, uploadId: undefined }, left.ordinal);
      for (const at of [0, 1]) records.put(UPLOAD_PIECES, new Uint8Array(MIB), left.ordinal, at);
    }),
  );
  await settled(alice);
  await (await (await alice.client.conversations.direct(bob.userId)).sendFile(fileOf(1))).sent();
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 1, pieces: 2 });
  aheadMilliseconds = 25 * 3600_000;
  await settled(alice);
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
  aheadMilliseconds = 0;
});

test("a file that is at the server while nothing can be written here is sent when there is room, once", async () => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const progress: number[] = [];
  const message = await toBob.sendFile(fileOf(100), {
    caption: "once",
    onProgress: ({ done, total }) => {
      progress.push(done);
      if (done === total) room = 0;
    },
  });
  await expect.poll(() => progress.length, PATIENCE).toBeGreaterThan(0);
  await expect(message.sent()).rejects.toMatchObject({ code: "storage-full", retryable: true });
  room = Number.POSITIVE_INFINITY;
  await settled(alice);
  await received(bob, message.id);
  await settled(bob);
  const texts = (await (await bob.client.conversations.direct(alice.userId)).history()).map(({ text }) => text);
  expect(texts.filter((text) => text === "once")).toEqual(["once"]);
});

/** A file on a disk that takes so many bytes more. */
function cramped(path: string, bytes: number): FileSink {
  const inner = fileSink(path);
  let left = bytes;
  return {
    left: () => inner.left(),
    open: (length) => inner.open(length),
    async write(piece) {
      await inner.write(piece.subarray(0, left));
      left -= piece.length;
      if (left < 0) throw new ClientError("file-unwritable");
    },
    finish: () => inner.finish(),
    close: () => inner.close(),
    discard: () => inner.discard(),
  };
}

test("a download that finds no room keeps what it has, and goes on when there is some", async () => {
  const file = fileOf(MIB);
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(file);
  await message.sent();
  const attachment = await fileIn(bob, message.id);
  const path = join(folder, "cramped.bin");
  await expect(attachment.download({ to: cramped(path, 500_000) })).rejects.toMatchObject({ code: "file-unwritable" });
  expect(existsSync(path)).toBe(false);
  expect(statSync(`${path}.part`).size).toBe(500_000);
  const done: number[] = [];
  await attachment.download({ to: fileSink(path), onProgress: (progress) => done.push(progress.done) });
  await expectSame(new Blob([readFileSync(path)]), file);
  expect(existsSync(`${path}.part`)).toBe(false);
});

test("a file that cannot be made is said to be so before anything is fetched", async () => {
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(fileOf(10));
  await message.sent();
  const to = fileSink(join(folder, "nowhere", "file.bin"));
  await expect((await fileIn(bob, message.id)).download({ to })).rejects.toMatchObject({ code: "file-unwritable" });
});
