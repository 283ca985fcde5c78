// Pictures of people and groups between real clients over a real server: whoever may see one has it without asking, and keeps it; nobody
// else fetches it; and it stays to be had though the server forgets every file.

import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Peer } from "#client";
import { sha256 } from "#crypto";
import {
  AVATAR_RENEWAL_BY_OTHERS_SECONDS,
  AVATAR_RENEWAL_SECONDS,
  be32,
  type Bytes,
  concat,
  MAX_AVATAR_BYTES,
  MAX_AVATAR_PIXELS,
  parseGroupId,
  parseMediaId,
  toHex,
} from "#wire";
import { memory } from "edgewise/store/memory";
import {
  type AttachmentRecord,
  AVATAR_BYTES,
  type AvatarRecord,
  AVATARS,
  type ConversationId,
  MESSAGES,
  PLACES,
} from "../../../client/records/tables.ts";
import { preparePicture } from "../../../client/media/pictures/index.ts";
import { found } from "../../support/accounts.ts";
import { heif } from "../../support/pictures/heif.ts";
import { exifSegment, HEIGHT, jpeg, WIDTH } from "../../support/pictures/jpeg.ts";
import { ANIMATION, chunk, png } from "../../support/pictures/png.ts";
import { exif, MARK } from "../../support/pictures/tiff.ts";
import { groupOf, HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, secondDevice, settled, withStore } from "../groups/people.ts";
import { Liar, lyingAbout, made } from "../malicious-server/liar.ts";
import { fileOf, friends, leftOver, MIB } from "./people.ts";

const place = new Place();
/** Between Bob and the server. */
const liar = new Liar();
let alice: Person;
let bob: Person;
beforeAll(async () => {
  await place.start();
  [bob, alice] = await friends(place.url, { network: liar });
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const { client } of [alice, bob]) await client.close();
  await place.close();
}, HOOK_MILLISECONDS);

/** What `by` sees of somebody. */
async function seen(by: Person, whom: Person): Promise<Peer> {
  return await by.client.contacts.find(whom.userId);
}

async function bytesOf(peer: Pick<Peer, "avatar">): Promise<Buffer | undefined> {
  const blob = await peer.avatar?.blob();
  return blob === undefined ? undefined : Buffer.from(await blob.arrayBuffer());
}

/** Until somebody sees this picture, or none, of somebody. */
async function expectSeen(by: Person, whom: Person, picture: Blob | undefined): Promise<void> {
  const wanted = picture === undefined ? undefined : Buffer.from(await picture.arrayBuffer());
  await expect.poll(async () => await bytesOf(await seen(by, whom)), PATIENCE).toEqual(wanted);
}

async function rowOf(person: Person, of: ConversationId): Promise<AvatarRecord | undefined> {
  return await withStore(person, (vault) => vault.read((records) => records.get(AVATARS, of)));
}

async function changeRow(person: Person, of: ConversationId, change: (row: AvatarRecord) => AvatarRecord): Promise<void> {
  await withStore(person, (vault) =>
    vault.write(async (records) => records.put(AVATARS, change(found(await records.get(AVATARS, of))), of)),
  );
}

const FIRST = new Blob([png()]);
const SECOND = new Blob([png({ indexed: true })]);
/** As it is when nothing is left but what shows it, so that the same bytes come out. */
const THIRD = await plain(png(ANIMATION));

async function plain(bytes: Bytes): Promise<Blob> {
  const picture = await preparePicture(bytes, { keepMetadata: false });
  if (picture.outcome !== "stripped") throw new Error("no picture");
  return new Blob([picture.bytes]);
}

test("a contact has a picture when it is set, another when it is changed, and none when it is taken away", async () => {
  const jpegBytes = jpeg({ before: [exifSegment(exif(6))] });
  await alice.client.setProfile({ avatar: new File([jpegBytes], "me.jpg") });
  expect(alice.client.profile.value.avatar).toMatchObject({ mime: "image/jpeg", width: HEIGHT, height: WIDTH });
  await expect.poll(async () => (await seen(bob, alice)).avatar?.mime, PATIENCE).toBe("image/jpeg");
  const peer = await seen(bob, alice);
  // What a camera wrote is gone, and it stands as it was held.
  expect(peer.avatar).toMatchObject({ width: HEIGHT, height: WIDTH });
  expect((await bytesOf(peer))?.toString("latin1")).not.toContain(MARK);
  expect(Buffer.from(jpegBytes).toString("latin1")).toContain(MARK);
  expect(await bytesOf(await seen(alice, alice))).toEqual(await bytesOf(peer));

  await alice.client.setProfile({ avatar: FIRST });
  await expectSeen(bob, alice, FIRST);
  // Who still holds the one of before is not given another for it.
  expect(await peer.avatar?.blob()).toBeUndefined();
  await alice.client.setProfile({ name: "Alice", avatar: undefined });
  await expectSeen(bob, alice, undefined);
  expect((await seen(bob, alice)).name).toBe("Alice");
  expect(alice.client.profile.value).toEqual({ name: "Alice", avatar: undefined });
  const kept = await withStore(bob, (vault) => vault.read((records) => records.get(AVATAR_BYTES, alice.userId, "shown")));
  expect(kept).toBeUndefined();
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
});

test("a name alone leaves the picture, and the same picture again is brought nowhere", async () => {
  await alice.client.setProfile({ avatar: FIRST });
  await expectSeen(bob, alice, FIRST);
  const before = await rowOf(alice, alice.userId);
  const fetched = liar.count("createMediaUrl");
  await alice.client.setProfile({ name: "Alice L." });
  await expect.poll(async () => (await seen(bob, alice)).name, PATIENCE).toBe("Alice L.");
  await alice.client.setProfile({ avatar: FIRST });
  expect((await rowOf(alice, alice.userId))?.told).toEqual(before?.told);
  expect(liar.count("createMediaUrl")).toBe(fetched);
  await expectSeen(bob, alice, FIRST);
});

test("what is no picture, is damaged or too large is refused, and what was shown stays", async () => {
  const wide = concat(png().slice(0, 8), chunk("IHDR", be32(MAX_AVATAR_PIXELS + 1), be32(1), png().slice(24, 29)), png().slice(33));
  const refusals = [
    [fileOf(1000), "not-a-picture"],
    [new Blob([]), "not-a-picture"],
    [new Blob([heif()]), "not-a-picture"],
    [new Blob([png().slice(0, 60)]), "picture-damaged"],
    [new Blob([wide]), "picture-too-large"],
    [new Blob([png({ behind: [chunk("IDAT", new Uint8Array(MAX_AVATAR_BYTES))] })]), "picture-too-large"],
    [fileOf(33 * MIB), "picture-too-large"],
  ] as const;
  for (const [avatar, code] of refusals) await expect(alice.client.setProfile({ name: "X", avatar })).rejects.toMatchObject({ code });
  expect(alice.client.profile.value.name).toBe("Alice L.");
  await expectSeen(alice, alice, FIRST);
  expect(await leftOver(alice)).toEqual({ uploads: 0, pieces: 0 });
});

test("nothing of a stranger is fetched before they are accepted, and nothing of whoever is blocked", async () => {
  await using carol = await newcomer(place.url, "carol");
  await carol.client.setProfile({ avatar: SECOND });
  const before = liar.count("createMediaUrl");
  await (await carol.client.conversations.direct(bob.userId)).send("hello");
  await settled(carol);
  await expect.poll(async () => (await rowOf(bob, carol.userId))?.told, PATIENCE).toBeDefined();
  await bob.client.settled({ pictures: true });
  expect(liar.count("createMediaUrl")).toBe(before);
  expect((await seen(bob, carol)).avatar).toBeUndefined();
  await bob.client.contacts.accept(carol.userId);
  await expectSeen(bob, carol, SECOND);
  expect(liar.count("createMediaUrl")).toBe(before + 1);

  await bob.client.contacts.block(carol.userId);
  await carol.client.setProfile({ avatar: THIRD });
  await settled(carol);
  await (await alice.client.conversations.direct(bob.userId)).send("behind that");
  await settled(alice);
  await settled(bob);
  expect((await seen(bob, carol)).avatar).toBeUndefined();
  expect(liar.count("createMediaUrl")).toBe(before + 1);
  // As it was, like everything else of theirs.
  await bob.client.contacts.unblock(carol.userId);
  await expectSeen(bob, carol, SECOND);
});

/** Sets the clock of what a device keeps of a picture back. */
async function age(person: Person, of: ConversationId, seconds: number): Promise<void> {
  await changeRow(person, of, (row) => ({ ...row, changedMilliseconds: row.changedMilliseconds - seconds * 1000 - 1000 }));
}

/** Ends the program of a device and starts it again. */
async function restarted(person: Person, network: Liar = new Liar()): Promise<Person> {
  await person.client.close();
  const client = await createClient({ store: memory({ shared: person.shared }), network });
  return { ...person, client, [Symbol.asyncDispose]: () => client.close() };
}

function idOf(row: AvatarRecord | undefined): string | undefined {
  return row?.told?.stored?.mediaId;
}

test("a picture that the server is about to forget is brought there again, and nobody who has it notices", async () => {
  await alice.client.setProfile({ avatar: FIRST });
  await expectSeen(bob, alice, FIRST);
  const before = idOf(await rowOf(alice, alice.userId));
  const fetched = liar.count("createMediaUrl");
  await age(alice, alice.userId, AVATAR_RENEWAL_SECONDS - 3600);
  alice = await restarted(alice);
  await settled(alice);
  expect(idOf(await rowOf(alice, alice.userId))).toBe(before);

  await age(alice, alice.userId, 3600);
  alice = await restarted(alice);
  await expect.poll(async () => idOf(await rowOf(alice, alice.userId)), PATIENCE).not.toBe(before);
  const after = idOf(await rowOf(alice, alice.userId));
  await expect.poll(async () => idOf(await rowOf(bob, alice.userId)), PATIENCE).toBe(after);
  await bob.client.settled({ pictures: true });
  await expectSeen(bob, alice, FIRST);
  expect(liar.count("createMediaUrl")).toBe(fetched);

  // Whoever meets her then has it from where it is now.
  await using dave = await newcomer(place.url, "dave");
  await dave.client.contacts.accept(alice.userId);
  await (await alice.client.conversations.direct(dave.userId)).send("hello");
  await expectSeen(dave, alice, FIRST);
  await alice.client.connect();
});

test("a picture that is at the server no more is shown by whoever has it, and looked for now and then by others", async () => {
  await using erin = await newcomer(place.url, "erin");
  await erin.client.setProfile({ avatar: SECOND });
  await erin.client.contacts.accept(bob.userId);
  liar.answer = lyingAbout("createMediaUrl", async () => made(404, { code: "not-found" }));
  await bob.client.contacts.accept(erin.userId);
  await (await erin.client.conversations.direct(bob.userId)).send("hello");
  await expect.poll(async () => (await rowOf(bob, erin.userId))?.failures, PATIENCE).toBe(1);
  await bob.client.settled({ pictures: true });
  const before = liar.count("createMediaUrl");
  // Not with every message.
  await erin.client.setProfile({ name: "Erin" });
  await expect.poll(async () => (await seen(bob, erin)).name, PATIENCE).toBe("Erin");
  expect(liar.count("createMediaUrl")).toBe(before);
  expect((await seen(bob, erin)).avatar).toBeUndefined();
  liar.becomeHonest();
  await changeRow(bob, erin.userId, (row) => ({ ...row, retryMilliseconds: 0 }));
  await settled(bob);
  await expectSeen(bob, erin, SECOND);
});

test("what cannot be fetched for now is fetched later, and no message waits for it", async () => {
  await using frank = await newcomer(place.url, "frank");
  await frank.client.contacts.accept(bob.userId);
  await bob.client.contacts.accept(frank.userId);
  liar.answer = lyingAbout("createMediaUrl", () => Promise.reject(new TypeError("no network")));
  await frank.client.setProfile({ avatar: SECOND });
  const message = await (await frank.client.conversations.direct(bob.userId)).send("before the picture");
  await settled(frank);
  await expect.poll(() => bob.client.message(message.id).catch(() => undefined), PATIENCE).toBeDefined();
  await settled(bob);
  expect((await seen(bob, frank)).avatar).toBeUndefined();
  liar.becomeHonest();
  await settled(bob);
  await expectSeen(bob, frank, SECOND);
});

test("an answer that comes late does not take the place of a newer picture", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let isFirst = true;
  liar.answer = lyingAbout("getMedia", async (_, next) => {
    const answer = await next();
    if (isFirst) {
      isFirst = false;
      await held;
    }
    return answer;
  });
  await alice.client.setProfile({ avatar: SECOND });
  await expect.poll(() => isFirst, PATIENCE).toBe(false);
  await alice.client.setProfile({ avatar: THIRD });
  const newest = idOf(await rowOf(alice, alice.userId));
  await expect.poll(async () => idOf(await rowOf(bob, alice.userId)), PATIENCE).toBe(newest);
  const shown = new Set<string | undefined>();
  const stop = bob.client.conversations.live.subscribe((list) => {
    for (const one of list) if (one.kind === "direct" && one.peer.userId === alice.userId) shown.add(one.peer.avatar?.id);
  });
  release();
  await expectSeen(bob, alice, THIRD);
  stop();
  liar.becomeHonest();
  const [second, third] = await Promise.all(
    [SECOND, THIRD].map(async (picture) => toHex(sha256(new Uint8Array(await picture.arrayBuffer())))),
  );
  expect(shown).toContain(third);
  expect(shown).not.toContain(second);
});

/** Alice says something else of her picture than what is so, until the test ends. */
async function lie(changes: Partial<AttachmentRecord>, name: string): Promise<void> {
  const honest = found(await rowOf(alice, alice.userId));
  await changeRow(alice, alice.userId, (row) => ({ ...row, told: { ...found(row.told), ...changes } }));
  await alice.client.setProfile({ name });
  await expect.poll(async () => (await seen(bob, alice)).name, PATIENCE).toBe(name);
  await changeRow(alice, alice.userId, () => honest);
}

const OTHER_DIGEST = new Uint8Array(32).fill(7);

test.each<readonly [what: string, changes: Partial<AttachmentRecord>, isFetched: boolean]>([
  ["is larger than any may be", { size: MAX_AVATAR_BYTES + 1, contentDigest: OTHER_DIGEST }, false],
  ["is empty", { size: 0, contentDigest: OTHER_DIGEST }, false],
  ["is no kind of picture", { mime: "image/svg+xml", contentDigest: OTHER_DIGEST }, false],
  ["is wider than any may be", { width: MAX_AVATAR_PIXELS + 1, contentDigest: OTHER_DIGEST }, false],
  [
    "is somewhere else",
    { contentDigest: OTHER_DIGEST, stored: { mediaId: parseMediaId("ab".repeat(32)), accessSecret: OTHER_DIGEST } },
    true,
  ],
  ["has another digest", { digest: OTHER_DIGEST, contentDigest: OTHER_DIGEST }, true],
  ["is another picture than it is", { contentDigest: OTHER_DIGEST }, true],
])("a picture of which its owner says that it %s is not shown: the one of before is", async (what, changes, isFetched) => {
  await alice.client.setProfile({ avatar: THIRD });
  await expectSeen(bob, alice, THIRD);
  const before = liar.count("createMediaUrl");
  await lie(changes, what);
  await bob.client.settled({ pictures: true });
  expect(liar.count("createMediaUrl") > before).toBe(isFetched);
  await expectSeen(bob, alice, THIRD);
  // The next true word is believed.
  await alice.client.setProfile({ avatar: undefined });
  await expectSeen(bob, alice, undefined);
});

test("a file that is no picture is not shown, whatever is said of it", async () => {
  const bytes = new Uint8Array(await fileOf(500).arrayBuffer());
  const message = await (await alice.client.conversations.direct(bob.userId)).sendFile(new Blob([bytes]));
  await message.sent();
  const file = await withStore(alice, (vault) =>
    vault.read(async (records) => {
      const [at] = await records.all(PLACES, message.id);
      return found((await records.get(MESSAGES, found(at).conversation, found(at).ordinal))?.attachments?.[0]);
    }),
  );
  await alice.client.setProfile({ avatar: FIRST });
  await expectSeen(bob, alice, FIRST);
  await lie({ ...file, mime: "image/png", width: 1, height: 1, contentDigest: sha256(bytes) }, "no picture");
  await expect.poll(async () => (await rowOf(bob, alice.userId))?.failures, PATIENCE).toBe(1);
  await expectSeen(bob, alice, FIRST);
});

test.each(["putMedia", "sendMessages"] as const)(
  "a program that ends before %s is answered has set the picture all the same, once",
  async (operation) => {
    await using grace = await newcomer(place.url, "grace");
    await grace.client.contacts.accept(bob.userId);
    await bob.client.contacts.accept(grace.userId);
    await settled(grace);
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const line = new Liar();
    const before = await restarted(grace, line);
    line.answer = lyingAbout(operation, async (_, next) => {
      await next();
      reach();
      throw new TypeError("ended");
    });
    const setting = before.client.setProfile({ avatar: SECOND }).catch(() => undefined);
    await reached;
    // Nobody is told of what is not there.
    if (operation === "putMedia") expect((await seen(bob, grace)).avatar).toBeUndefined();
    await before.client.close();
    await setting;
    await using after = await restarted(before);
    await settled(after);
    await expectSeen(bob, grace, SECOND);
    await expectSeen(after, after, SECOND);
    await expect.poll(() => leftOver(after), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
  },
);

test("a server that takes no picture is told of, and the one of before stays", async () => {
  await alice.client.setProfile({ avatar: FIRST });
  const network = new Liar();
  alice = await restarted(alice, network);
  network.answer = lyingAbout("putMedia", async () => made(413, { code: "too-large" }));
  await expect(alice.client.setProfile({ avatar: SECOND })).rejects.toMatchObject({ code: "file-refused" });
  await expectSeen(alice, alice, FIRST);
  await settled(alice);
  network.becomeHonest();
  await alice.client.setProfile({ avatar: SECOND });
  await expectSeen(bob, alice, SECOND);
  await alice.client.connect();
});

/** What `by` sees of a group, until it is this picture, or none. */
async function expectGroupSeen(by: Person, id: string, picture: Blob | undefined): Promise<void> {
  const wanted = picture === undefined ? undefined : Buffer.from(await picture.arrayBuffer());
  await expect.poll(async () => await bytesOf(await by.client.conversations.group(id)), PATIENCE).toEqual(wanted);
}

/** Why groups were changed, as somebody was told. */
async function changesOf({ client }: Person, id: string): Promise<readonly (string | undefined)[]> {
  const reasons: (string | undefined)[] = [];
  for await (const event of client.events({ after: "0", wait: false })) {
    if (event.type === "notice" && event.kind === "group-changed" && event.group?.id === id) reasons.push(event.reason);
  }
  return reasons;
}

test("an admin sets a group's picture for all who are in it, nobody else does, and whoever is removed gets none of the later ones", async () => {
  await using carol = await newcomer(place.url, "carol");
  const id = parseGroupId(await groupOf([alice, bob, carol], "Pictured"));
  const group = await alice.client.conversations.group(id);
  await group.setAvatar(FIRST);
  await expectGroupSeen(alice, id, FIRST);
  for (const other of [bob, carol]) await expectGroupSeen(other, id, FIRST);
  expect((await changesOf(bob, id)).filter((reason) => reason === "avatar")).toHaveLength(1);

  const uploads = liar.count("putMedia");
  const ofBob = await bob.client.conversations.group(id);
  await expect(ofBob.setAvatar(SECOND)).rejects.toMatchObject({ code: "not-an-admin" });
  await expect(ofBob.setAvatar(undefined)).rejects.toMatchObject({ code: "not-an-admin" });
  expect(liar.count("putMedia")).toBe(uploads);
  await expectGroupSeen(alice, id, FIRST);

  await group.remove([carol.userId]);
  await settled(alice);
  await expect.poll(async () => (await carol.client.conversations.group(id)).standing, PATIENCE).toBe("removed");
  await group.setAvatar(SECOND);
  await settled(alice);
  await expectGroupSeen(bob, id, SECOND);
  await settled(carol);
  await expectGroupSeen(carol, id, FIRST);

  // Whoever comes later sees the one of now.
  await using dave = await newcomer(place.url, "dave");
  await dave.client.contacts.accept(alice.userId);
  await group.add([dave.userId]);
  await settled(alice);
  await expect.poll(async () => (await dave.client.conversations.group(id).catch(() => undefined))?.standing, PATIENCE).toBe("member");
  await expectGroupSeen(dave, id, SECOND);
  await group.setAvatar(undefined);
  for (const other of [alice, bob, dave]) await expectGroupSeen(other, id, undefined);
});

test("a group's picture is renewed by who set it, without a word, and later by another admin if they do not", async () => {
  const id = parseGroupId(await groupOf([alice, bob], "Renewed"));
  const group = await alice.client.conversations.group(id);
  await group.setAvatar(THIRD);
  await group.setRole(bob.userId, "admin");
  await settled(alice);
  await expectGroupSeen(bob, id, THIRD);
  await expect.poll(async () => (await bob.client.conversations.group(id)).role, PATIENCE).toBe("admin");
  const notices = (await changesOf(bob, id)).length;
  const fetched = liar.count("createMediaUrl");
  const first = idOf(await rowOf(alice, id));

  await age(alice, id, AVATAR_RENEWAL_SECONDS);
  alice = await restarted(alice);
  await expect.poll(async () => idOf(await rowOf(alice, id)), PATIENCE).not.toBe(first);
  await settled(alice);
  const second = idOf(await rowOf(alice, id));
  await expect.poll(async () => idOf(await rowOf(bob, id)), PATIENCE).toBe(second);
  await alice.client.connect();

  // Not yet his to do.
  await age(bob, id, AVATAR_RENEWAL_SECONDS);
  bob = await restarted(bob, liar);
  await bob.client.connect();
  await settled(bob);
  expect(idOf(await rowOf(bob, id))).toBe(second);
  await age(bob, id, AVATAR_RENEWAL_BY_OTHERS_SECONDS - AVATAR_RENEWAL_SECONDS);
  bob = await restarted(bob, liar);
  await bob.client.connect();
  await expect.poll(async () => idOf(await rowOf(bob, id)), PATIENCE).not.toBe(second);
  const third = idOf(await rowOf(bob, id));
  await expect.poll(async () => idOf(await rowOf(alice, id)), PATIENCE).toBe(third);

  await bob.client.settled({ pictures: true });
  expect(await changesOf(bob, id)).toHaveLength(notices);
  expect(liar.count("createMediaUrl")).toBe(fetched);
  for (const person of [alice, bob]) await expectGroupSeen(person, id, THIRD);
});

test("a program that ends between the upload and the group's log enters the picture when it starts again, once", async () => {
  await using henry = await newcomer(place.url, "henry");
  await bob.client.contacts.accept(henry.userId);
  const id = parseGroupId(await groupOf([henry, bob], "Ended"));
  const line = new Liar();
  const before = await restarted(henry, line);
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  line.answer = lyingAbout("appendGroup", async () => {
    reach();
    throw new TypeError("ended");
  });
  const setting = (await before.client.conversations.group(id)).setAvatar(FIRST).catch(() => undefined);
  await reached;
  await before.client.close();
  await setting;
  await using after = await restarted(before);
  await settled(after);
  await expectGroupSeen(after, id, FIRST);
  await expectGroupSeen(bob, id, FIRST);
  expect((await changesOf(bob, id)).filter((reason) => reason === "avatar")).toHaveLength(1);
});

test("another device of one's own shows one's picture, and what it sets is shown by the first", async () => {
  await using iris = await newcomer(place.url, "iris");
  await iris.client.close();
  await using second = await secondDevice(place.url, iris);
  await second.client.connect();
  await using first = await restarted(iris);
  await first.client.connect();
  await expect.poll(async () => (await first.client.devices.list()).length, PATIENCE).toBe(2);
  await first.client.setProfile({ avatar: FIRST });
  await settled(first);
  await expectSeen(second, second, FIRST);
  expect(second.client.profile.value.avatar?.id).toBe((await seen(first, first)).avatar?.id);
  await second.client.setProfile({ name: "Iris" });
  await expect.poll(() => first.client.profile.value.name, PATIENCE).toBe("Iris");
  await expectSeen(first, first, FIRST);
  await second.client.setProfile({ avatar: SECOND });
  await settled(second);
  await expectSeen(first, first, SECOND);
  await first.client.setProfile({ avatar: undefined });
  await settled(first);
  await expectSeen(second, second, undefined);
});
