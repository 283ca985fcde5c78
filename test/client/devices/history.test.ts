// The messages of before, as a new device is given them: real clients on a real server, which lies, and programs that end in the middle.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type HttpResponse, type Network } from "#client";
import { systemRandom } from "#crypto";
import { accessSecretOf, mediaIdOf } from "#identity";
import { encodeSessionRecord } from "#protocol";
import { type Bytes, concat, encryptedMediaLength, parseDeviceId, parseGroupId, toHex, type UserId } from "#wire";
import { memory, SharedMemory } from "edgewise/store/memory";
import { downloadWhole } from "../../../client/media/download.ts";
import { StoredFile } from "../../../client/media/stored-file.ts";
import {
  type AttachmentRecord,
  CONTACTS,
  EC_KEYS,
  GIVEN_HISTORIES,
  type GivenHistory,
  HISTORY_PIECES,
  KEM_KEYS,
  OWN,
  OWN_SENDER_KEYS,
  REMOVALS,
  SESSIONS,
  SIGNED_KEYS,
  STORED_ARCHIVES,
  type StoredArchive,
  TAKEN_HISTORY,
  type TakenHistory,
  type Upload,
  UPLOADS,
} from "../../../client/records/tables.ts";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";
import { found } from "../../support/accounts.ts";
import {
  groupOf,
  HOOK_MILLISECONDS,
  newcomer,
  PATIENCE,
  type Person,
  Place,
  recordOf,
  register,
  say,
  secondDevice,
  settled,
  textsOf,
  withStore,
} from "../groups/people.ts";
import { flipped, isMessage, Liar, lyingAbout, made } from "../malicious-server/liar.ts";
import { acquaint, anyone, fileOf, isThere, leftOver, pointerOf, received } from "../media/people.ts";
import { ended, seedInto, shown, until } from "./history-town.ts";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

const PATIENT = { timeout: 120_000 } as const;

/** Another device that receives, over a line of its own. */
async function reopened({ shared }: Pick<Person, "shared">, network: Network = platformNetwork): Promise<Client> {
  return await createClient({ server: place.url, store: memory({ shared }), network });
}

/** A line over which nothing is removed at the server. */
function keeping(): Liar {
  const liar = new Liar();
  liar.answer = lyingAbout("deleteUpload", () => Promise.resolve(made(503, { type: "about:blank", code: "unavailable" })));
  return liar;
}

/** Alice with two devices, the second of which knows nothing of what was said to bob. */
async function twoDevices(
  count: number,
  days = 100,
  network: Network = platformNetwork,
): Promise<{ readonly alice: Person; readonly laptop: Person; readonly bob: Person }> {
  const alice = await register(place.url, "alice", { network });
  const laptop = await secondDevice(place.url, alice);
  const bob = await register(place.url, "bob");
  await alice.client.contacts.accept(bob.userId);
  await seedInto(alice, {
    own: alice.userId,
    said: [alice, bob].map((author) => ({ conversation: bob.userId, author: author.userId })),
    count,
    days,
  });
  await laptop.client.connect();
  return { alice, laptop, bob };
}

async function close(...people: readonly { readonly client: Client }[]): Promise<void> {
  for (const { client } of people) await client.close();
}

async function takenBy(person: Pick<Person, "shared">): Promise<TakenHistory> {
  return found(await withStore(person, (vault) => vault.read((records) => records.get(TAKEN_HISTORY))));
}

const reading = { clock: platformClock, random: systemRandom, signal: undefined } as const;

/** A file as the server has it. */
async function sealedBytes({ stored, size }: AttachmentRecord): Promise<Bytes> {
  const length = encryptedMediaLength(size);
  const parts: Bytes[] = [];
  for await (const part of new StoredFile({ ...found(stored), length }, { ...reading, server: anyone(place.url) }).bytes(0, length))
    parts.push(part);
  return concat(...parts);
}

/** What the files of an archive hold. */
async function opened({ files }: TakenHistory): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (const file of files) {
    const download = { ...reading, file: { ...file, stored: found(file.stored) }, server: anyone(place.url) };
    const blob = await downloadWhole({ ...download, onProgress: undefined }, "");
    parts.push(new Uint8Array(await blob.arrayBuffer()));
  }
  return concat(...parts);
}

test(
  "a linked device is given all that was said, shows and finds it as the other does, and gets no key but those of files",
  PATIENT,
  async () => {
    const network = keeping();
    const [alice, bob] = [await newcomer(place.url, "alice", { network }), await newcomer(place.url, "bob")];
    await acquaint(alice, bob);
    const group = await groupOf([alice, bob], "Hiking");
    // Carol has written, and nothing was decided about her.
    await using carol = await register(place.url, "carol");
    const said = [bob.userId, parseGroupId(group)].flatMap((conversation) =>
      [alice, bob].map(({ userId: author }) => ({ conversation, author })),
    );
    said.push({ conversation: carol.userId, author: carol.userId });
    await seedInto(alice, { own: alice.userId, said, count: 2500, days: 400 });
    const chat = await alice.client.conversations.direct(bob.userId);
    const file = await chat.sendFile(fileOf(2000, "map.bin"), { caption: "the way" });
    const picked = await chat.send("a meadow");
    await picked.edit("a wide meadow");
    await (await chat.send("gone tomorrow")).delete();
    await settled(alice);
    const answer = await (await received(bob, picked.id)).reply("beautiful");
    await (await bob.client.message(picked.id)).react("!");
    await say(bob, group, "in the group");
    await settled(bob);
    await expect.poll(async () => (await alice.client.message(answer.id)).text, PATIENCE).toBe("beautiful");
    await expect.poll(() => textsOf(alice, group), PATIENCE).toContain("in the group");
    await (await alice.client.message(answer.id)).markRead();
    await settled(alice);

    const laptop = { ...alice, ...(await empty()) };
    const { link, digits, done } = await laptop.client.devices.requestLink({ name: "laptop" });
    await alice.client.devices.approveLink(found(link), { digits: () => digits, history: "all" });
    await done;
    await laptop.client.connect();
    expect(await ended(laptop.client)).toMatchObject({ direction: "from", deviceId: 1, state: "done", error: undefined });
    await settled(alice);
    expect(alice.client.devices.history.value).toEqual([]);
    expect(await shown(laptop.client)).toEqual(await shown(alice.client));

    const writer = await laptop.client.contacts.find(carol.userId);
    expect([writer.contact, (await writer.verification()).verified]).toEqual(["none", false]);

    const there = await laptop.client.conversations.direct(bob.userId);
    const [newest, second] = await there.history({ limit: 2 });
    expect([newest?.text, second?.deleted]).toEqual(["beautiful", true]);
    const page = await there.history({ before: found(second).id, limit: 3 });
    expect(page.map(({ text }) => text).slice(0, 2)).toEqual(["a wide meadow", "the way"]);
    expect((await laptop.client.search("message 1234 ")).map(({ text }) => text)).toHaveLength(1);
    const blob = await found((await laptop.client.message(file.id)).attachments[0]).download();
    expect(Buffer.from(await blob.arrayBuffer())).toEqual(Buffer.from(await fileOf(2000, "map.bin").arrayBuffer()));

    const taken = await takenBy(laptop);
    expect([taken.imported, taken.messages]).toEqual([taken.messages, taken.messages]);
    const archive = toHex(await opened(taken));
    const keys = await keysOf(alice, group, bob.userId);
    expect(keys.length).toBeGreaterThan(100);
    expect(keys.filter((key) => archive.includes(key))).toEqual([]);
    // What is there is found: the key of a file that its messages have.
    const pointer = await pointerOf(alice, file.id);
    expect(halves(pointer.key).every((half) => archive.includes(half))).toBe(true);
    expect(await leftOver(alice)).toEqual({ uploads: 0, pieces: 0 });
    expect(await piecesIn(laptop)).toBe(0);

    // The device has taken it, so its files go from the server, as soon as that can be asked. Those of messages stay.
    expect(await isThere(place.url, found(taken.files[0]))).toBe(true);
    network.becomeHonest();
    await settled(alice);
    for (const of of taken.files) await expect.poll(() => isThere(place.url, of), PATIENCE).toBe(false);
    expect(await isThere(place.url, pointer)).toBe(true);
    // Until their message is deleted for everyone, on whichever device.
    await (await laptop.client.message(file.id)).delete();
    await expect.poll(() => isThere(place.url, pointer), PATIENCE).toBe(false);
    await expect.poll(() => removalsOf(alice), PATIENCE).toEqual([]);
    await close(alice, bob, laptop);
  },
);

/** What is still to be removed at the server. */
async function removalsOf({ shared }: Pick<Person, "shared">): Promise<readonly unknown[]> {
  return await withStore({ shared }, (vault) =>
    vault.read(async (records) => [...(await records.all(REMOVALS)), ...(await records.all(STORED_ARCHIVES))]),
  );
}

/** A store without an account. */
async function empty(network: Network = platformNetwork): Promise<Pick<Person, "client" | "shared">> {
  const shared = new SharedMemory();
  return { shared, client: await createClient({ server: place.url, store: memory({ shared }), network }) };
}

async function piecesIn({ shared }: Pick<Person, "shared">): Promise<number> {
  return await withStore({ shared }, (vault) => vault.read(async (records) => (await records.all(HISTORY_PIECES)).length));
}

/** Halves of all keys that a device holds, in hexadecimal: what holds a key of 32 bytes anywhere has one of them. */
async function keysOf(person: Person, group: string, contact: UserId): Promise<readonly string[]> {
  const record = await recordOf(person, group);
  return await withStore(person, (vault) =>
    vault.read(async (records) => {
      const { identity } = found(await records.get(OWN));
      const { ourSecret, theirSecret } = found(await records.get(CONTACTS, contact));
      const session = found(await records.get(SESSIONS, contact, parseDeviceId(1)));
      const all = [
        identity,
        found(ourSecret),
        found(theirSecret),
        found(record?.secrets).groupSecret.expose(),
        encodeSessionRecord(session),
        found(await records.get(OWN_SENDER_KEYS, group)).key,
        ...(await records.all(EC_KEYS)).map(({ privateKey }) => privateKey),
        ...(await records.all(SIGNED_KEYS)).map(({ privateKey }) => privateKey),
        ...(await records.all(KEM_KEYS)).map((key) => key.seed),
      ];
      return all.flatMap(halves);
    }),
  );
}

const HALF_BYTES = 16;

function halves(bytes: Bytes): readonly string[] {
  return Array.from({ length: Math.floor(bytes.length / HALF_BYTES) }, (_, i) => toHex(bytes.slice(i * HALF_BYTES, (i + 1) * HALF_BYTES)));
}

test("of thirty days, what is older stays behind", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(100, 100);
  await alice.client.devices.giveHistory(2, "30d");
  expect(await ended(laptop.client)).toMatchObject({ state: "done", error: undefined });
  const messages = await (await laptop.client.conversations.direct(bob.userId)).history({ limit: 1000 });
  const since = Date.now() - 30 * 24 * 3600_000;
  const all = await (await alice.client.conversations.direct(bob.userId)).history({ limit: 1000 });
  expect(messages.map(({ id }) => id)).toEqual(all.filter(({ sentAt }) => sentAt.getTime() >= since).map(({ id }) => id));
  expect(messages.length).toBeGreaterThan(25);
  // All of it afterwards: what is here stays, and the rest comes in front.
  await alice.client.devices.giveHistory(2, "all");
  await until(laptop.client, ({ state, total }) => state === "done" && total === 100);
  expect(await shown(laptop.client)).toEqual(await shown(alice.client));
  await close(alice, laptop, bob);
});

test(
  "what comes while the history does keeps its place behind it, and what is said about a message of before is not lost",
  PATIENT,
  async () => {
    const { alice, laptop, bob } = await twoDevices(1000);
    await bob.client.connect();
    await bob.client.contacts.accept(alice.userId);
    const old = await (await bob.client.conversations.direct(alice.userId)).send("from before");
    await settled(bob);
    await alice.client.connect();
    await expect.poll(async () => (await alice.client.message(old.id)).text, PATIENCE).toBe("from before");
    // The laptop was there when it came, so it has it by itself; a third device was not.
    const tablet = { ...alice, ...(await empty()) };
    const uploads = new Liar();
    await alice.client.close();
    const phone = await reopened(alice, uploads);
    await phone.connect();
    const held = Promise.withResolvers<void>();
    uploads.answer = lyingAbout("putMedia", async (_, next) => {
      await held.promise;
      return await next();
    });
    const { link, digits, done } = await tablet.client.devices.requestLink({ name: "tablet" });
    await phone.devices.approveLink(found(link), { digits: () => digits, history: "all" });
    await done;
    await tablet.client.connect();
    await until(tablet.client, ({ state }) => state === "coming");
    // The archive is made, and not there yet.
    await until(phone, ({ state }) => state === "sending");
    await (await bob.client.message(old.id)).edit("from before, edited");
    const news = await (await bob.client.conversations.direct(alice.userId)).send("news");
    await settled(bob);
    await expect.poll(async () => (await tablet.client.message(news.id)).text, PATIENCE).toBe("news");
    held.resolve();
    expect(await ended(tablet.client)).toMatchObject({ state: "done", error: undefined });
    const texts = (await (await tablet.client.conversations.direct(bob.userId)).history({ limit: 3 })).map(({ text }) => text);
    expect(texts).toEqual(["news", "from before, edited", "message 999 about the hut, the hike and the weather"]);
    await phone.close();
    await close(laptop, tablet, bob);
  },
);

test("a device that is put out meanwhile gets nothing, and nobody waits for it", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(100);
  await alice.client.close();
  const liar = new Liar();
  const phone = await reopened(alice, liar);
  const held = Promise.withResolvers<void>();
  liar.answer = lyingAbout("putMedia", async (_, next) => {
    await held.promise;
    return await next();
  });
  await phone.devices.giveHistory(2, "all");
  await until(phone, ({ state }) => state === "sending");
  await phone.devices.revoke(2);
  await phone.settled();
  held.resolve();
  expect(await givenBy(alice)).toEqual([]);
  await phone.close();
  await close(laptop, bob);
});

test("an archive that was ready for a device which is put out before it takes it goes from the server", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(100);
  await laptop.client.close();
  await alice.client.devices.giveHistory(2, "all");
  await settled(alice);
  const archive = found((await storedBy(alice))[0]);
  const stored = { mediaId: mediaIdOf(found(archive.uploadIds[0])), accessSecret: accessSecretOf(found(archive.uploadIds[0])) };
  expect(await isThere(place.url, { stored })).toBe(true);
  await alice.client.devices.revoke(2);
  await expect.poll(() => isThere(place.url, { stored }), PATIENCE).toBe(false);
  await expect.poll(() => removalsOf(alice), PATIENCE).toEqual([]);
  await close(alice, bob);
});

async function storedBy({ shared }: Pick<Person, "shared">): Promise<readonly StoredArchive[]> {
  return await withStore({ shared }, (vault) => vault.read((records) => records.all(STORED_ARCHIVES)));
}

test("a device whose giver is silent for a month is told that nothing comes, and takes it all the same if it does", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(100);
  await alice.client.close();
  const liar = new Liar();
  const phone = await reopened(alice, liar);
  const held = Promise.withResolvers<void>();
  liar.answer = lyingAbout("putMedia", async (_, next) => {
    await held.promise;
    return await next();
  });
  await phone.devices.giveHistory(2, "all");
  await until(laptop.client, ({ state }) => state === "coming");
  await laptop.client.close();
  const clock = { ...platformClock, nowMilliseconds: () => Date.now() + 31 * 24 * 3600_000 };
  const later = await createClient({ server: place.url, store: memory({ shared: laptop.shared }), clock });
  expect(await ended(later)).toMatchObject({ state: "failed", error: "history-withdrawn" });
  await later.close();
  held.resolve();
  const client = await reopened(laptop);
  await client.connect();
  await until(client, ({ state, total }) => state === "done" && total === 100);
  await phone.close();
  await client.close();
  await close(bob);
});

test("a device whose giver is put out is told that nothing comes, and takes it from another one", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(100);
  // So that it writes behind the entry of the laptop.
  await alice.client.devices.list();
  const tablet = await secondDevice(place.url, alice);
  const said = [alice, bob].map(({ userId: author }) => ({ conversation: bob.userId, author }));
  await seedInto(tablet, { own: alice.userId, said, count: 50, days: 10 });
  await alice.client.close();
  const liar = new Liar();
  const phone = await reopened(alice, liar);
  const held = Promise.withResolvers<void>();
  liar.answer = lyingAbout("putMedia", async () => {
    await held.promise;
    throw new TypeError("the line is cut");
  });
  await phone.devices.giveHistory(2, "all");
  await until(laptop.client, ({ state }) => state === "coming");
  await laptop.client.devices.revoke(1);
  expect(await ended(laptop.client)).toMatchObject({ state: "failed", error: "history-withdrawn", deviceId: 1 });
  await tablet.client.devices.giveHistory(2, "all");
  await until(laptop.client, ({ deviceId, state }) => deviceId === 3 && state === "done");
  expect((await (await laptop.client.conversations.direct(bob.userId)).history({ limit: 1000 })).length).toBe(50);
  held.resolve();
  await phone.close();
  await close(laptop, tablet, bob);
});

test("an archive that is altered, cut, exchanged or gone is refused, and the next one is taken", PATIENT, async () => {
  const { alice, laptop: first, bob } = await twoDevices(300, 100, keeping());
  await first.client.close();
  const liar = new Liar();
  const client = await reopened(first, liar);
  const laptop = { ...first, client };
  await client.connect();
  // Somebody else's, of the same length.
  const stranger = await twoDevices(300, 100, keeping());
  await stranger.alice.client.devices.giveHistory(2, "all");
  expect(await ended(stranger.laptop.client)).toMatchObject({ state: "done" });
  const theirs = found((await takenBy(stranger.laptop)).files[0]);
  const foreign = await sealedBytes(theirs);

  const lies: readonly (readonly [string, string, Parameters<typeof lyingAbout>[1]])[] = [
    ["altered", "history-damaged", async (_, next) => changed(await next(), (body) => flipped(body, body.length - 1))],
    ["altered header", "history-damaged", async (_, next) => changed(await next(), (body) => flipped(body, 0))],
    ["cut", "history-damaged", async (_, next) => changed(await next(), (body) => body.slice(0, -1))],
    ["exchanged", "history-damaged", async (_, next) => changed(await next(), (body) => foreign.slice(0, body.length))],
    ["gone", "file-gone", () => Promise.resolve(made(404, { type: "about:blank", code: "not-found" }))],
  ];
  for (const [name, code, lie] of lies) {
    liar.answer = lyingAbout("getMedia", lie);
    await alice.client.devices.giveHistory(2, "all");
    await settled(alice);
    const { archiveId } = await after(laptop, name);
    expect([name, (await takenBy(laptop)).error]).toEqual([name, code]);
    expect(await client.conversations.list()).toEqual([]);
    seenArchives.add(toHex(archiveId));
  }
  liar.becomeHonest();

  // What another device of ours would tell wrongly: somebody else's, a file in two places, one of another archive, one message too many.
  const good = await takenBy(laptop);
  const wrong: readonly Partial<TakenHistory>[] = [
    { files: [theirs] },
    { files: [...good.files, ...good.files], messages: 600 },
    { archiveId: systemRandom(16) },
    { messages: 301 },
  ];
  for (const part of wrong) {
    await begin(laptop, { ...good, ...part });
    await expect.poll(async () => (await takenBy(laptop)).error, PATIENCE).toBe("history-damaged");
    expect(await client.conversations.list()).toEqual([]);
  }
  expect(await piecesIn(laptop)).toBe(0);

  await alice.client.devices.giveHistory(2, "all");
  await until(client, ({ state }) => state === "done");
  expect(await shown(client)).toEqual(await shown(alice.client));
  expect(client.connection.value.status).toBe("live");
  // A store that was made without a place for it.
  await begin(laptop, { ...(await takenBy(laptop)), oldest: 1 });
  await expect.poll(async () => (await takenBy(laptop)).error, PATIENCE).toBe("history-no-room");
  expect(liar.mistakes).toEqual([]);
  await close(alice, laptop, bob, stranger.alice, stranger.laptop, stranger.bob);
});

const seenArchives = new Set<string>();

/** Until an archive that was not seen before has failed. */
async function after(person: Person, name: string): Promise<TakenHistory> {
  const isNew = async (): Promise<string> => {
    const { state, archiveId, error } = await takenBy(person);
    return state === "failed" && error !== undefined && !seenArchives.has(toHex(archiveId)) ? name : state;
  };
  await expect.poll(() => isNew().catch(() => "nothing"), PATIENCE).toBe(name);
  return await takenBy(person);
}

function changed(answer: HttpResponse, change: (body: Bytes) => Bytes): HttpResponse {
  return { ...answer, body: change(answer.body) };
}

async function begin(person: Person, taken: TakenHistory): Promise<void> {
  await withStore(person, (vault) =>
    vault.write(async (records) => {
      const begun = { ...taken, state: "fetching", fetched: 0, imported: 0, error: undefined } as const;
      records.put(TAKEN_HISTORY, begun);
    }),
  );
}

test("an archive of which the server refuses a file is withdrawn, and nothing more of it is made", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(10);
  // More than one file holds.
  const long = (index: number): string => `${index} ${"long ".repeat(6000)}`;
  await seedInto(alice, { own: alice.userId, said: [{ conversation: bob.userId, author: bob.userId }], count: 500, days: 1, text: long });
  await alice.client.close();
  const liar = new Liar();
  const phone = await reopened(alice, liar);
  let asked = 0;
  liar.answer = lyingAbout("createUpload", async (_, next) => {
    if (asked++ > 0) return await next();
    // While the second file is being made.
    await expect.poll(async () => (await uploadsOf(alice)).map(({ state }) => state), PATIENCE).toContain("encrypting");
    return made(413, { code: "too-large" });
  });
  await phone.devices.giveHistory(2, "all");
  await phone.settled({ signal: AbortSignal.timeout(30_000) });
  expect(await ended(laptop.client)).toMatchObject({ state: "failed", error: "history-withdrawn" });
  await expect.poll(() => leftOver(alice), PATIENCE).toEqual({ uploads: 0, pieces: 0 });
  expect(await givenBy(alice)).toMatchObject([{ state: "failed", error: "file-refused", files: [] }]);
  expect(liar.mistakes).toEqual([]);
  await phone.close();
  await close(laptop, bob);
});

async function givenBy(person: Pick<Person, "shared">): Promise<readonly GivenHistory[]> {
  return await withStore(person, (vault) => vault.read((records) => records.all(GIVEN_HISTORIES)));
}

async function uploadsOf(person: Pick<Person, "shared">): Promise<readonly Upload[]> {
  return await withStore(person, (vault) => vault.read((records) => records.all(UPLOADS)));
}

test("a message that comes itself when another device has given it before is shown once", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(10);
  await laptop.client.close();
  const liar = new Liar();
  const client = await reopened(laptop, liar);
  await client.connect();
  for (const person of [alice, bob]) await person.client.connect();
  await bob.client.contacts.accept(alice.userId);
  await client.contacts.accept(bob.userId);
  for (const person of [bob, alice, { ...laptop, client }]) await settled(person);
  const held: (() => void)[] = [];
  let guid = 0;
  liar.relay = (frame, pass) => {
    if (held.length > 0 || !isMessage(frame)) {
      pass(frame);
      return;
    }
    held.push(() => pass(frame));
    ({ guid } = frame);
  };
  const said = await (await bob.client.conversations.direct(alice.userId)).send("from bob");
  await received(alice, said.id);
  await expect.poll(() => held.length, PATIENCE).toBe(1);
  await alice.client.devices.giveHistory(2, "all");
  expect(await ended(client)).toMatchObject({ state: "done", error: undefined });
  const texts = async (): Promise<readonly string[]> =>
    (await (await client.conversations.direct(bob.userId)).history()).map(({ text }) => text).filter((text) => text === "from bob");
  expect(await texts()).toEqual(["from bob"]);
  for (const release of held) release();
  await expect.poll(() => liar.acknowledged, PATIENCE).toContain(guid);
  expect(await texts()).toEqual(["from bob"]);
  await client.close();
  await close(alice, bob);
});

test("programs that end all the time, while it is written, sent, fetched and taken in, go on where they were", PATIENT, async () => {
  const { alice, laptop, bob } = await twoDevices(1500);
  // More than one file holds.
  const long = (index: number): string => `${index} ${"long ".repeat(6000)}`;
  await seedInto(alice, { own: alice.userId, said: [{ conversation: bob.userId, author: bob.userId }], count: 300, days: 1, text: long });
  const expected = await shown(alice.client);
  await alice.client.devices.giveHistory(2, "all");
  const given = await endingAlways(alice, async () => {
    return (await givenBy(alice)).length === 0;
  });
  expect(given).toBeGreaterThan(1);
  await using phone = await reopened(alice);
  await settled({ ...alice, client: phone });
  await laptop.client.close();
  const states = new Set<string>();
  const taken = await endingAlways(laptop, async () => {
    const state = await takenBy(laptop).then(
      (now) => now.state,
      () => "nothing",
    );
    states.add(state);
    return state === "done";
  });
  expect(taken).toBeGreaterThan(4);
  expect((await takenBy(laptop)).files).toHaveLength(2);
  expect([...states]).toEqual(expect.arrayContaining(["fetching", "importing", "done"]));
  const client = await reopened(laptop);
  expect(await shown(client)).toEqual(expected);
  await client.close();
  await bob.client.close();
});

const MOST_OPENINGS = 200;

/** Opens a device again and again, and closes it as soon as anything has changed. Resolves to how often. */
async function endingAlways(person: Person, isOver: () => Promise<boolean>): Promise<number> {
  await person.client.close();
  for (let times = 1; times < MOST_OPENINGS; times++) {
    const client = await reopened(person);
    const changed = Promise.withResolvers<void>();
    let seen = 0;
    const undo = client.devices.history.subscribe(() => {
      // The first is what was there, the second how it was found.
      if (++seen > 2) changed.resolve();
    });
    const settling = client
      .connect()
      .then(() => client.settled())
      .catch(() => undefined);
    await Promise.race([changed.promise, settling]);
    undo();
    await client.close();
    if (await isOver()) return times;
  }
  throw new RangeError("it does not go on");
}
