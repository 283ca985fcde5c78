// What a server, and people who are not in a group or are no longer, can do to what is said in it and to who is let in.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Secret } from "#crypto";
import { stateHashOf } from "#protocol";
import { type Deliver, type GroupId, parseGroupId } from "#wire";
import { found } from "../../support/accounts.ts";
import { groupOf, insiderOf, look, noticesIn, sealedFor, seenBy, showing, tell, textsOf, type Told, withEntries } from "./insider.ts";
import { flipped, type Frame, isMessage, lyingAbout, made } from "./liar.ts";
import { introduce, PATIENCE, START_TIMEOUT, type Person, Town } from "./town.ts";

let town: Town;
let alice: Person;
let bob: Person;
let carol: Person;
beforeAll(async () => {
  town = await Town.open({ EDGEWISE_BENCH: "edgewise" });
  [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
}, START_TIMEOUT);
afterAll(() => town.close());
afterEach(() => {
  for (const { liar } of [alice, bob, carol]) liar.becomeHonest();
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let met: Promise<void> | undefined;

async function meet(): Promise<void> {
  met ??= introduce(alice, bob).then(() => introduce(alice, carol));
  await met;
}

/** A group of alice's in which she has said "begin", so that her key is where it should be. */
async function begin(title: string, others: readonly Person[] = [bob, carol]): Promise<GroupId> {
  await meet();
  const groupId = await groupOf(title, [alice, ...others]);
  await say(alice, groupId, "begin");
  for (const other of others) await expect.poll(() => textsOf(other, groupId), PATIENCE).toEqual(["begin"]);
  return groupId;
}

async function say({ client }: Person, groupId: GroupId, text: string): Promise<void> {
  await (await (await client.conversations.group(groupId)).send(text)).sent();
}

/** The second version of sealed sender: encrypted once, for all. */
function isToMany(frame: Frame): frame is Deliver {
  return isMessage(frame) && frame.envelope.content[0] === 0x22;
}

function isThroughSession(frame: Frame): frame is Deliver {
  return isMessage(frame) && !isToMany(frame);
}

function destroyed(frame: Deliver): Deliver {
  return { ...frame, envelope: { ...frame.envelope, content: flipped(frame.envelope.content, 60) } };
}

/** Those to the group are kept by the liar. */
function catching({ liar }: Person): readonly Deliver[] {
  const caught: Deliver[] = [];
  liar.relay = (frame, pass) => (isToMany(frame) ? caught.push(frame) : pass(frame));
  return caught;
}

async function said(groupId: GroupId, text: string): Promise<Told> {
  const { state } = (await insiderOf(alice, groupId)).record;
  const body = { kind: "text", text, replyTo: undefined, attachments: [] } as const;
  return { groupId, version: state.version, stateHash: stateHashOf(state), body };
}

test("a message that one reader's server destroys is shown there as a gap, and to nobody else", async () => {
  const groupId = await begin("Lost");
  bob.liar.relay = (frame, pass) => pass(isToMany(frame) ? destroyed(frame) : frame);
  await say(alice, groupId, "one");
  await expect.poll(() => textsOf(carol, groupId), PATIENCE).toEqual(["begin", "one"]);
  await bob.client.settled();
  bob.liar.becomeHonest();
  await say(alice, groupId, "two");
  await expect.poll(() => textsOf(carol, groupId), PATIENCE).toEqual(["begin", "one", "two"]);
  await expect
    .poll(async () => {
      bob.clock.moveOn(MINUTE / 50);
      return await textsOf(bob, groupId);
    }, PATIENCE)
    .toEqual(["begin", "~two"]);
});

test("messages that come in another order, and again and again, are shown once, in the order in which they were written", async () => {
  const groupId = await begin("Order");
  const caught = catching(bob);
  const texts = ["one", "two", "three", "four"];
  for (const text of texts) await say(alice, groupId, text);
  await expect.poll(() => caught.length, PATIENCE).toBe(texts.length);
  bob.liar.becomeHonest();
  for (const again of [0, 1, 2]) for (const frame of caught.toReversed()) bob.liar.send({ ...frame, guid: frame.guid + again * 1000 });
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["begin", ...texts]);
  await bob.restart();
  await bob.client.connect();
  for (const frame of caught) bob.liar.send(frame);
  await say(alice, groupId, "five");
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["begin", ...texts, "five"]);
  expect(await noticesIn(bob, groupId)).not.toContain("unreadable");
});

test("a message of one group says nothing in another, also when a member of both brings it there", async () => {
  const here = await begin("Here", [bob]);
  const there = await groupOf("There", [alice, bob, carol]);
  await say(alice, there, "begin");
  await say(bob, there, "bob");
  await expect.poll(() => textsOf(carol, there), PATIENCE).toEqual(["begin", "bob"]);
  const told = await said(here, "only here");
  // Under bob's own key: what alice has said here, what he has said here, and what alice would have said there.
  carol.liar.send(await sealedFor(bob, { author: alice, into: there, reader: carol, told }));
  carol.liar.send(await sealedFor(bob, { author: bob, into: there, reader: carol, told }));
  carol.liar.send(await sealedFor(bob, { author: alice, reader: carol, told: await said(there, "forged") }));
  await say(alice, there, "end");
  await expect.poll(() => textsOf(carol, there), PATIENCE).toEqual(["begin", "bob", "end"]);
  await expect(carol.client.conversations.group(here)).rejects.toMatchObject({ code: "unknown-group" });
});

test("whoever has stolen a sender key cannot speak with it: not as its owner, and not as themselves", async () => {
  const groupId = await begin("Stolen", [bob]);
  await say(carol, await begin("Elsewhere"), "so that carol has papers");
  for (const author of [alice, carol]) {
    bob.liar.send(await sealedFor(carol, { keyOf: alice, author, reader: bob, told: await said(groupId, "forged") }));
  }
  await say(alice, groupId, "two");
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["begin", "two"]);
  for (let i = 0; i < 5; i++) bob.clock.moveOn(MINUTE / 3);
  await say(alice, groupId, "three");
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["begin", "two", "three"]);
});

test("a key that never comes is asked for after a minute, and what was said under it is shown, once", async () => {
  const groupId = await begin("Key");
  let lost = 0;
  bob.liar.relay = (frame, pass) => {
    if (isThroughSession(frame)) lost++;
    pass(isThroughSession(frame) ? destroyed(frame) : frame);
  };
  // New keys for everybody.
  await (await alice.client.conversations.group(groupId)).remove([carol.userId]);
  await say(alice, groupId, "one");
  await bob.client.settled();
  expect(lost).toBeGreaterThan(0);
  expect(await textsOf(bob, groupId)).toEqual(["begin"]);
  bob.liar.becomeHonest();
  await expect
    .poll(async () => {
      bob.clock.moveOn(MINUTE / 20);
      return (await textsOf(bob, groupId)).map((text) => text.replace("~", ""));
    }, PATIENCE)
    .toEqual(["begin", "one"]);
  await say(alice, groupId, "two");
  await expect.poll(async () => (await textsOf(bob, groupId)).length, PATIENCE).toBe(3);
});

test("word of a group that comes long after what is said in it loses nothing", async () => {
  await meet();
  const kept: Deliver[] = [];
  let passed = 0;
  carol.liar.relay = (frame, pass) => {
    if (isThroughSession(frame)) return void kept.push(frame);
    if (isToMany(frame)) passed++;
    pass(frame);
  };
  const { id } = await alice.client.conversations.createGroup("Late", [bob.userId, carol.userId]);
  const groupId = parseGroupId(id);
  const before = passed;
  await say(alice, groupId, "one");
  await expect.poll(() => passed, PATIENCE).toBeGreaterThan(before);
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["one"]);
  carol.clock.moveOn(5 * MINUTE);
  await carol.client.settled();
  carol.liar.becomeHonest();
  for (const frame of kept) carol.liar.send(frame);
  await expect.poll(() => textsOf(carol, groupId), PATIENCE).toEqual(["one"]);
});

test("a send to many that was answered and dropped is not told as delivered, and the next one shows the gap", async () => {
  const groupId = await begin("Dropped");
  alice.liar.answer = lyingAbout("sendToMany", async () => made(202, { handle: "0".repeat(64) }));
  const dropped = await (await alice.client.conversations.group(groupId)).send("dropped");
  await dropped.sent();
  alice.liar.becomeHonest();
  await say(alice, groupId, "next");
  for (const person of [bob, carol]) {
    await expect
      .poll(async () => {
        person.clock.moveOn(MINUTE / 50);
        return await textsOf(person, groupId);
      }, PATIENCE)
      .toEqual(["begin", "~next"]);
  }
  expect(await alice.state(dropped)).toBe("sent");
});

test("a server that says that everybody refused, or somebody whom there is not, makes nobody read anything twice", async () => {
  const groupId = await begin("Refused");
  const refused = [0, 1, 7, 4_000_000].map((index) => ({ index, missing: [], extra: [], stale: [] }));
  alice.liar.answer = lyingAbout("getSendResult", async () => made(200, { state: "done", delivered: 0, refused }));
  const message = await (await alice.client.conversations.group(groupId)).send("one");
  await message.sent();
  await alice.client.settled();
  alice.liar.becomeHonest();
  await say(alice, groupId, "two");
  for (const person of [bob, carol]) await expect.poll(() => textsOf(person, groupId), PATIENCE).toEqual(["begin", "one", "two"]);
});

test("a server that is never done keeps nobody from reading, and the message counts as sent once it says so", async () => {
  const groupId = await begin("Pending");
  alice.liar.answer = lyingAbout("getSendResult", async () => made(200, { state: "pending", delivered: 0, refused: [] }));
  const group = await alice.client.conversations.group(groupId);
  const messages = [await group.send("one"), await group.send("two")];
  for (const person of [bob, carol]) await expect.poll(() => textsOf(person, groupId), PATIENCE).toEqual(["begin", "one", "two"]);
  alice.liar.becomeHonest();
  for (const message of messages) await message.sent();
  await alice.client.settled();
  for (const person of [bob, carol]) expect(await textsOf(person, groupId)).toEqual(["begin", "one", "two"]);
});

test("an hour after somebody was removed nothing that they send is shown any more", async () => {
  await meet();
  const [mallory, dora] = [await town.newcomer("mallory"), await town.newcomer("dora")];
  for (const one of [mallory, dora]) await introduce(alice, one);
  const groupId = await groupOf("Removed", [alice, mallory, dora]);
  await say(mallory, groupId, "while in");
  await expect.poll(() => textsOf(dora, groupId), PATIENCE).toEqual(["while in"]);
  const told = await said(groupId, "too late");
  const early = await sealedFor(mallory, { reader: dora, told: await said(groupId, "on its way") });
  const late = await sealedFor(mallory, { reader: dora, told });
  await (await alice.client.conversations.group(groupId)).remove([mallory.userId]);
  await alice.client.settled();
  await expect.poll(async () => (await dora.client.conversations.group(groupId)).members.length, PATIENCE).toBe(2);
  dora.liar.send(early);
  await expect.poll(async () => (await textsOf(dora, groupId)).map((text) => text.replace("~", "")), PATIENCE).toContain("on its way");
  dora.clock.moveOn(HOUR + MINUTE);
  dora.liar.send(late);
  await say(alice, groupId, "after");
  await expect.poll(async () => (await textsOf(dora, groupId)).at(-1), PATIENCE).toBe("after");
  expect((await textsOf(dora, groupId)).join()).not.toContain("too late");
});

test("whoever is let into a log that does not let them in, or that is another, is told and is not in; then truly added, they are", async () => {
  await meet();
  const groupId = await groupOf("Door", [alice, carol]);
  const { state, secrets } = (await insiderOf(carol, groupId)).record;
  const groupSecret = found(secrets).groupSecret.expose().slice();
  const { version } = state;
  const stateHash = stateHashOf(state);
  const broken = async (): Promise<readonly string[]> => (await bob.notices()).filter((notice) => notice.startsWith("group-broken"));
  // Alice, whom bob knows: with the hash of another state, then of the state in which he is not.
  const lies = [
    { hash: flipped(stateHash, 0), told: ["group-broken: bad-state"] },
    { hash: stateHash, told: ["group-broken: bad-state", "group-broken: not-authorized"] },
  ];
  for (const { hash, told } of lies) {
    const body = { kind: "group-change", groupId, version, stateHash: hash, groupSecret } as const;
    await tell(alice, bob.userId, { groupId, version, stateHash, body });
    await expect.poll(broken, PATIENCE).toEqual(told);
  }
  await expect(bob.client.conversations.group(groupId)).rejects.toMatchObject({ code: "unknown-group" });
  await (await alice.client.conversations.group(groupId)).add([bob.userId]);
  await alice.client.settled();
  await say(alice, groupId, "welcome");
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["welcome"]);
});

test("a false invitation by somebody who is not in, whatever place it names, keeps nobody from being let in", async () => {
  await meet();
  const mallory = await town.newcomer("mallory");
  await introduce(bob, mallory);
  const groupId = await groupOf("Barred", [alice, carol]);
  for (const version of [3, 4000]) {
    const stateHash = new Uint8Array(32);
    const groupSecret = new Secret(new Uint8Array(32)).expose().slice();
    await tell(mallory, bob.userId, {
      groupId,
      version,
      stateHash,
      body: { kind: "group-change", groupId, version, stateHash, groupSecret },
    });
  }
  await bob.client.settled();
  await expect(bob.client.conversations.group(groupId)).rejects.toMatchObject({ code: "unknown-group" });
  await (await alice.client.conversations.group(groupId)).add([bob.userId]);
  await say(alice, groupId, "welcome");
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["welcome"]);
});

test("whoever was removed and let in again while they were away is in, whatever somebody else has told them meanwhile", async () => {
  await meet();
  const [dora, mallory] = [await town.newcomer("dora"), await town.newcomer("mallory")];
  await introduce(alice, dora);
  await introduce(dora, mallory);
  const groupId = await groupOf("Again", [alice, bob, dora]);
  await say(alice, groupId, "before");
  await expect.poll(() => textsOf(dora, groupId), PATIENCE).toEqual(["before"]);
  const stateHash = new Uint8Array(32);
  const body = { kind: "group-change", groupId, version: 4000, stateHash, groupSecret: stateHash.slice() } as const;
  const lie = (): Promise<void> => tell(mallory, dora.userId, { groupId, version: 4000, stateHash, body });
  const group = await alice.client.conversations.group(groupId);
  await group.remove([dora.userId]);
  await alice.client.settled();
  await expect.poll(async () => (await dora.client.conversations.group(groupId)).standing, PATIENCE).toBe("removed");
  await lie();
  await dora.client.settled();
  expect(await textsOf(dora, groupId)).toEqual(["before"]);
  await group.add([dora.userId]);
  await expect.poll(async () => (await dora.client.conversations.group(groupId)).standing, PATIENCE).toBe("member");
  await lie();
  await dora.client.close();
  await group.remove([dora.userId]);
  await group.add([dora.userId]);
  await say(alice, groupId, "again");
  await dora.restart();
  await dora.client.connect();
  await expect
    .poll(async () => {
      dora.clock.moveOn(MINUTE / 50);
      return await textsOf(dora, groupId);
    }, PATIENCE)
    .toEqual(["before", "again"]);
  await expect.poll(() => seenBy(dora, groupId), PATIENCE).toBe(await seenBy(alice, groupId));
});

test("a server that shows noise where somebody is let in keeps them out only for as long as it does", async () => {
  await meet();
  const groupId = await groupOf("Noise", [alice, carol]);
  bob.liar.answer = showing(withEntries({ version: 3, entry: new Uint8Array(5000) }));
  await (await alice.client.conversations.group(groupId)).add([bob.userId]);
  await alice.client.settled();
  await expect.poll(() => bob.liar.asked.some(({ url }) => url.includes(groupId)), PATIENCE).toBe(true);
  await bob.client.settled();
  await expect(bob.client.conversations.group(groupId)).rejects.toMatchObject({ code: "unknown-group" });
  bob.liar.becomeHonest();
  await say(alice, groupId, "welcome");
  await bob.restart();
  await bob.client.connect();
  await expect.poll(async () => (await bob.client.conversations.group(groupId).catch(() => undefined))?.members.length, PATIENCE).toBe(3);
  expect(await seenBy(bob, groupId)).toBe(await seenBy(alice, groupId));
  await look(bob, groupId);
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["welcome"]);
});

test("what waits for its predecessor while its reader is away waits until all of that has come, however long it takes", async () => {
  const groupId = await begin("Away");
  const caught = catching(bob);
  for (const text of ["one", "two"]) await say(alice, groupId, text);
  await expect.poll(() => caught.length, PATIENCE).toBe(2);
  const [, two] = caught;
  if (two === undefined) throw new Error("nothing was caught");
  // The server is told to forget this one, and keeps the other.
  bob.liar.send(two);
  await bob.client.settled();
  await bob.client.close();
  bob.liar.becomeHonest();
  bob.clock.moveOn(5 * MINUTE);
  await bob.restart();
  await bob.client.connect();
  expect(await textsOf(bob, groupId)).toEqual(["begin", "one", "two"]);
});
