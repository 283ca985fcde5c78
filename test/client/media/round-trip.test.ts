// Files between real clients over a real server: what comes out is what went in, whoever it was for has it and nobody else, and
// nothing of it stays behind.

import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "#client";
import { encryptedMediaLength } from "#wire";
import { memory } from "edgewise/store/memory";
import { found } from "../../support/accounts.ts";
import { gathered } from "../../support/media.ts";
import { exifSegment, HEIGHT, jpeg, WIDTH } from "../../support/pictures/jpeg.ts";
import { exif, MARK } from "../../support/pictures/tiff.ts";
import * as videos from "../../support/videos.ts";
import { groupOf, HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, settled } from "../groups/people.ts";
import { Liar, lyingAbout, made } from "../malicious-server/liar.ts";
import { expectSame, fileIn, fileOf, friends, isThere, leftOver, messageOf, MIB, received } from "./people.ts";

const place = new Place();
const liar = new Liar();
let alice: Person;
let bob: Person;
beforeAll(async () => {
  await place.start();
  [alice, bob] = await friends(place.url, { network: liar });
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const { client } of [alice, bob]) await client.close();
  await place.close();
}, HOOK_MILLISECONDS);

test.each([0, 1, 262_143, 262_144, 262_145, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1])(
  "a file of %d bytes comes out as it went in",
  async (size) => {
    const file = fileOf(size);
    const progress: number[] = [];
    const onProgress = ({ done, total }: { readonly done: number; readonly total: number }): void => {
      expect(total).toBe(encryptedMediaLength(size));
      progress.push(done);
    };
    const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(file, { onProgress });
    await message.sent();
    const attachment = await fileIn(bob, message.id);
    expect(attachment).toMatchObject({ name: "file.bin", mime: "application/octet-stream", size });
    await expectSame(await attachment.download(), file);
    expect(progress.at(-1)).toBe(encryptedMediaLength(size));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
  },
);

test("a part of a file is read without what is before it", async () => {
  const file = fileOf(3 * MIB);
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(file);
  await message.sent();
  const attachment = await fileIn(bob, message.id);
  for (const from of [0, 1, 262_144, 2 * MIB + 7, 3 * MIB - 1, 3 * MIB]) {
    await expectSame(new Blob([await gathered(attachment.stream({ from }))]), file.slice(from));
  }
  await expect(gathered(attachment.stream({ from: 3 * MIB + 1 }))).rejects.toMatchObject({ code: "bad-argument" });
});

test("several files go in one message, with words beside them and names without paths", async () => {
  const files = [fileOf(10, "../../.bashrc"), fileOf(2 * MIB, "b.bin"), new File(["%PDF"], "c\u202Efdp.exe", { type: "Application/PDF" })];
  const toBob = await alice.client.conversations.direct(bob.userId);
  const message = await toBob.sendFile(files, { caption: "three" });
  await message.sent();
  const { text, attachments } = await received(bob, message.id);
  expect(text).toBe("three");
  expect(attachments.map(({ name, mime }) => `${name} ${mime}`)).toEqual([
    "bashrc application/octet-stream",
    "b.bin application/octet-stream",
    "cfdp.exe application/pdf",
  ]);
  for (const [index, file] of files.entries()) await expectSame(await found(attachments[index]).download(), file);
});

test("a picture loses what a camera has written into it, unless it is to keep it", async () => {
  const bytes = jpeg({ before: [exifSegment(exif(6))] });
  const toBob = await alice.client.conversations.direct(bob.userId);
  const picture = new File([bytes], "summit.jpg");
  for (const keepMetadata of [false, true]) {
    const message = await toBob.sendFile(picture, { keepMetadata });
    await message.sent();
    const attachment = await fileIn(bob, message.id);
    // Turned, as its camera was held.
    expect(attachment).toMatchObject({ name: "summit.jpg", mime: "image/jpeg", width: HEIGHT, height: WIDTH });
    const text = Buffer.from(await (await attachment.download()).arrayBuffer()).toString("latin1");
    expect(text.includes(MARK)).toBe(keepMetadata);
    if (keepMetadata) expect(text).toBe(Buffer.from(bytes).toString("latin1"));
  }
  const damaged = new File([bytes.slice(0, 40)], "summit.jpg");
  await expect(toBob.sendFile(damaged)).rejects.toMatchObject({ code: "picture-damaged" });
  await (await toBob.sendFile(damaged, { keepMetadata: true })).sent();
});

test("a video loses where it was made, unless it is to keep it, and one that nobody understands is not sent", async () => {
  const bytes = videos.marked();
  const toBob = await alice.client.conversations.direct(bob.userId);
  const video = new File([bytes], "summit.mov");
  for (const keepMetadata of [false, true]) {
    const message = await toBob.sendFile(video, { keepMetadata });
    await message.sent();
    const attachment = await fileIn(bob, message.id);
    expect(attachment).toMatchObject({ name: "summit.mov", mime: "video/quicktime", width: videos.WIDTH, height: videos.HEIGHT });
    const text = Buffer.from(await (await attachment.download()).arrayBuffer()).toString("latin1");
    expect(text.includes(MARK)).toBe(keepMetadata);
    if (keepMetadata) expect(text).toBe(Buffer.from(bytes).toString("latin1"));
  }
  const damaged = new File([bytes.slice(0, 400)], "summit.mov");
  await expect(toBob.sendFile(damaged)).rejects.toMatchObject({ code: "video-damaged" });
  await (await toBob.sendFile(damaged, { keepMetadata: true })).sent();
});

test("of two programs of one person, one brings a file to the server and the other leaves it alone", async () => {
  const other = new Liar();
  await using second = await createClient({ store: memory({ shared: alice.shared }), network: other });
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(fileOf(2 * MIB), { caption: "two programs" });
  await (await second.message(message.id)).sent();
  await received(bob, message.id);
  expect(other.count("createUpload") + other.count("getUpload") + other.count("appendUpload")).toBe(0);
});

test("everybody in a group has a file that was sent there once", async () => {
  const carol = await newcomer(place.url, "carol");
  const id = await groupOf([carol, alice, bob], "Pictures");
  const file = fileOf(MIB + 1);
  const message = await (await carol.client.conversations.group(id)).sendFile(file, { caption: "look" });
  await settled(carol);
  for (const person of [alice, bob]) {
    expect((await received(person, message.id)).text).toBe("look");
    await expectSame(await (await fileIn(person, message.id)).download(), file);
  }
  await carol.client.close();
});

test("nothing of a file is fetched before somebody asks for it", async () => {
  const before = liar.count("createMediaUrl");
  const message = await (await bob.client.conversations.direct(alice.userId)).sendFile(fileOf(1000));
  await message.sent();
  await received(alice, message.id);
  await settled(alice);
  expect(liar.count("createMediaUrl")).toBe(before);
});

test("what is said while a file goes up overtakes it, and both arrive", async () => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  liar.answer = lyingAbout("appendUpload", async (_, next) => {
    await held;
    return await next();
  });
  const large = await toBob.sendFile(fileOf(2 * MIB), { caption: "first" });
  const small = await toBob.send("second");
  await small.sent();
  expect((await alice.client.message(large.id)).state).toBe("queued");
  await received(bob, small.id);
  release();
  await large.sent();
  await received(bob, large.id);
  liar.becomeHonest();
  const texts = (await (await bob.client.conversations.direct(alice.userId)).history({ limit: 2 })).map(({ text }) => text);
  expect(texts).toEqual(["first", "second"]);
});

test("a message that is deleted takes its files along, here and there", async () => {
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(fileOf(1000));
  await message.sent();
  const attachment = await fileIn(bob, message.id);
  await message.delete();
  await expect.poll(async () => (await bob.client.message(message.id)).deleted, PATIENCE).toBe(true);
  for (const { client } of [alice, bob]) expect((await client.message(message.id)).attachments).toEqual([]);
  await expect(attachment.download()).rejects.toMatchObject({ code: "unknown-message" });
});

test.each(["signal", "delete"] as const)("a file that is taken back while it goes up (%s) was never there", async (way) => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const before = (await toBob.history({ limit: 1 }))[0]?.id;
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  liar.answer = lyingAbout("appendUpload", async (request) => {
    begin();
    await once(request.signal, "abort");
    throw new TypeError("aborted");
  });
  const controller = new AbortController();
  const message = await toBob.sendFile(fileOf(2 * MIB), { caption: "never", signal: controller.signal });
  await begun;
  const removals = liar.count("deleteUpload");
  const outcome = message.sent().catch((error: unknown) => error);
  if (way === "signal") controller.abort();
  else await message.delete();
  expect(await outcome).toMatchObject({ code: "unknown-message" });
  liar.becomeHonest();
  await expect(alice.client.message(message.id)).rejects.toMatchObject({ code: "unknown-message" });
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
  expect((await toBob.history({ limit: 1 }))[0]?.id).toBe(before);
  await expect.poll(() => liar.count("deleteUpload"), PATIENCE).toBe(removals + 1);
  await settled(alice);
  expect((await (await bob.client.conversations.direct(alice.userId)).history()).map(({ text }) => text)).not.toContain("never");
});

test("the files of a message that is deleted for everyone go from the server, later where it cannot be asked now, and no others do", async () => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const [gone, kept] = [await toBob.sendFile([fileOf(10), fileOf(2 * MIB)]), await toBob.sendFile(fileOf(20))];
  for (const message of [gone, kept]) await message.sent();
  const files = found((await messageOf(alice, gone.id)).attachments);
  expect(files).toHaveLength(2);
  await fileIn(bob, gone.id);
  const before = liar.count("deleteUpload");
  liar.answer = lyingAbout("deleteUpload", () => Promise.reject(new TypeError("the line is cut")));
  await gone.delete();
  await settled(alice);
  await expect.poll(() => liar.count("deleteUpload"), PATIENCE).toBeGreaterThan(before);
  for (const file of files) expect(await isThere(place.url, file)).toBe(true);
  liar.becomeHonest();
  await settled(alice);
  for (const file of files) await expect.poll(() => isThere(place.url, file), PATIENCE).toBe(false);
  expect(await isThere(place.url, found((await messageOf(alice, kept.id)).attachments?.[0]))).toBe(true);
  await expect.poll(async () => (await bob.client.message(gone.id)).deleted, PATIENCE).toBe(true);
  // What the other one has written takes nothing of ours along.
  const theirs = await (await bob.client.conversations.direct(alice.userId)).sendFile(fileOf(30));
  await theirs.sent();
  const [file] = found((await messageOf(bob, theirs.id)).attachments);
  const asked = liar.count("deleteUpload");
  await fileIn(alice, theirs.id);
  await theirs.delete();
  await expect.poll(() => isThere(place.url, found(file)), PATIENCE).toBe(false);
  await expect.poll(async () => (await alice.client.message(theirs.id)).deleted, PATIENCE).toBe(true);
  await settled(alice);
  expect(liar.count("deleteUpload")).toBe(asked);
});

test("a file that the server refuses fails with a code, and goes when it is tried again; whoever watched the first try is let go", async () => {
  liar.answer = lyingAbout("createUpload", async () => made(413, { code: "too-large" }));
  const file = fileOf(2 * MIB);
  let told = 0;
  const onProgress = (): void => void told++;
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(file, { onProgress });
  await expect(message.sent()).rejects.toMatchObject({ code: "file-refused", retryable: false });
  expect(await alice.client.message(message.id)).toMatchObject({ state: "failed", error: "file-refused" });
  liar.becomeHonest();
  await message.retry();
  await message.sent();
  expect(told).toBe(0);
  await expectSame(await (await fileIn(bob, message.id)).download(), file);
});

test("a text that is changed while its file goes up arrives as it was changed", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  liar.answer = lyingAbout("putMedia", async (_, next) => {
    await held;
    return await next();
  });
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(fileOf(10), { caption: "wrong" });
  await settled(bob);
  const sends = liar.count("sendMessages");
  await message.edit("right");
  release();
  await settled(alice);
  liar.becomeHonest();
  expect((await received(bob, message.id)).text).toBe("right");
  // Nothing was said of a message that nobody had heard of.
  expect(liar.count("sendMessages")).toBe(sends + 1);
});

test("what is no file is refused before anything is stored", async () => {
  const toBob = await alice.client.conversations.direct(bob.userId);
  const huge = { __proto__: Blob.prototype, size: 100 * MIB + 1 } as unknown as Blob; // a blob that says so, and is not read
  await expect(toBob.sendFile([huge])).rejects.toMatchObject({ code: "file-too-large" });
  await expect(toBob.sendFile([])).rejects.toMatchObject({ code: "bad-argument" });
  await expect(toBob.sendFile(Array.from({ length: 17 }, () => fileOf(1)))).rejects.toMatchObject({ code: "bad-argument" });
  expect(await leftOver(alice)).toEqual({ uploads: 0, pieces: 0 });
});
