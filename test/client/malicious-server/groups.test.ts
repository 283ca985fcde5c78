// What a server can do to the log of a group, alone or with somebody who is or was in it. It can keep the log from somebody, and
// that is all: whatever it puts there is refused, the state stays what it was, and the true log is read on when it is shown again.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { stateHashOf } from "#protocol";
import { type GroupId, MAX_GROUP_MEMBERS, parseUserId } from "#wire";
import { found } from "../../support/accounts.ts";
import { forge, groupOf, insiderOf, logOf, look, noticesIn, seenBy, type SealedEntry, showing, textsOf, withEntries } from "./insider.ts";
import { type Answer, lyingAbout, made } from "./liar.ts";
import { introduce, PATIENCE, START_TIMEOUT, type Person, Town } from "./town.ts";

let town: Town;
let alice: Person;
let bob: Person;
let carol: Person;
beforeAll(async () => {
  // Without limits on how often one address may ask.
  town = await Town.open({ EDGEWISE_BENCH: "edgewise" });
  [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
}, START_TIMEOUT);
afterAll(() => town.close());

afterEach(() => {
  for (const { liar } of [alice, bob, carol]) liar.becomeHonest();
});

let met: Promise<void> | undefined;

/** A group of alice's with bob and carol, who know her. */
async function begin(title: string): Promise<GroupId> {
  met ??= introduce(alice, bob).then(() => introduce(alice, carol));
  await met;
  return await groupOf(title, [alice, bob, carol]);
}

/** By alice, at the real server; bob learns of it when he looks. */
async function rename(groupId: GroupId, title: string): Promise<void> {
  await (await alice.client.conversations.group(groupId)).rename(title);
  await alice.client.settled();
}

/** The lie changes nothing for bob; afterwards he sees what all see. */
async function expectRefused(groupId: GroupId, lie: Answer): Promise<void> {
  const before = await seenBy(bob, groupId);
  bob.liar.answer = lie;
  for (let again = 0; again < 2; again++) await look(bob, groupId);
  expect(await seenBy(bob, groupId)).toBe(before);
  await bob.restart();
  await bob.client.connect();
  await look(bob, groupId);
  expect(await seenBy(bob, groupId)).toBe(before);
  bob.liar.becomeHonest();
  await rename(groupId, "The truth");
  for (const person of [bob, carol]) {
    await expect.poll(() => seenBy(person, groupId), PATIENCE).toBe(await seenBy(alice, groupId));
  }
  expect(
    (await noticesIn(bob, groupId)).filter((notice) => notice !== "group-changed: joined" && notice !== "group-changed: rename"),
  ).toEqual([]);
  await expectTalking(groupId);
}

/** Nothing that is said is lost or doubled. */
async function expectTalking(groupId: GroupId): Promise<void> {
  for (const [at, person] of [alice, bob].entries()) {
    await (await person.client.conversations.group(groupId)).send(`word ${at}`);
    await person.client.settled();
  }
  for (const person of [alice, bob, carol]) {
    await expect.poll(async () => (await textsOf(person, groupId)).toSorted(), PATIENCE).toEqual(["word 0", "word 1"]);
  }
}

function last(log: readonly SealedEntry[]): SealedEntry {
  return found(log.at(-1));
}

test("an entry of the server's own is none", async () => {
  const groupId = await begin("Own");
  const { version, entry } = last(await logOf(alice, groupId));
  const noise = [systemRandom(entry.length), systemRandom(100), entry.map((byte, at) => (at === 60 ? byte ^ 1 : byte))];
  await expectRefused(groupId, showing(withEntries(...noise.map((bytes, at) => ({ version: version + 1 + at, entry: bytes })))));
});

test("an old entry at a new place is none", async () => {
  const groupId = await begin("Old");
  const log = await logOf(alice, groupId);
  await expectRefused(groupId, showing(withEntries(...log.map(({ entry }, at) => ({ version: log.length + 1 + at, entry })))));
});

test("two entries in each other's places are none", async () => {
  const groupId = await begin("Order");
  withhold(bob);
  for (const title of ["one", "two"]) await rename(groupId, title);
  const [first, second] = (await logOf(alice, groupId)).slice(-2);
  const swapped = [
    { version: found(first).version, entry: found(second).entry },
    { version: found(second).version, entry: found(first).entry },
  ];
  await expectRefused(groupId, showing(withEntries(...swapped)));
});

test("a log from which an entry was left out stops before it", async () => {
  const groupId = await begin("Gap");
  withhold(bob);
  for (const title of ["one", "two"]) await rename(groupId, title);
  const [first] = (await logOf(alice, groupId)).slice(-2);
  const without = showing(({ entries, latest }) => ({ entries: entries.filter(({ version }) => version !== first?.version), latest }));
  await expectRefused(groupId, without);
});

test("the entries of another group are none", async () => {
  const [groupId, other] = [await begin("This"), await begin("Other")];
  const there = await logOf(alice, other);
  await expectRefused(groupId, showing(withEntries(...there.map(({ entry }, at) => ({ version: there.length + 1 + at, entry })))));
});

test("a log whose end is kept back stays where it was", async () => {
  const groupId = await begin("Frozen");
  withhold(bob);
  await rename(groupId, "Unseen");
  await expectRefused(groupId, frozen(2));
});

/** The log is not shown further than it is known. */
function withhold({ liar }: Person): void {
  liar.answer = showing((_, after) => ({ entries: [], latest: after }));
}

function frozen(end: number): Answer {
  return showing(({ entries }) => ({ entries: entries.filter(({ version }) => version <= end), latest: end }));
}

test("a removal that is kept from somebody holds back what they say once an admin has spoken, and whoever is removed never reads it", async () => {
  const mallory = await town.newcomer("mallory");
  await begin("Warm-up");
  await introduce(alice, mallory);
  const groupId = await groupOf("Removal", [alice, bob, carol, mallory]);
  withhold(bob);
  const group = await alice.client.conversations.group(groupId);
  await group.remove([mallory.userId]);
  await (await group.send("mallory is gone")).sent();
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["mallory is gone"]);
  const message = await (await bob.client.conversations.group(groupId)).send("at last");
  await expect(message.sent()).rejects.toMatchObject({ code: "group-withheld", retryable: true });
  await expect(bob.client.settled()).rejects.toMatchObject({ code: "group-withheld" });
  bob.liar.becomeHonest();
  await bob.client.settled();
  for (const person of [alice, carol]) {
    await expect.poll(() => textsOf(person, groupId), PATIENCE).toEqual(["mallory is gone", "at last"]);
  }
  await mallory.client.settled();
  expect(await textsOf(mallory, groupId)).toEqual([]);
  expect((await bob.client.conversations.group(groupId)).members).toHaveLength(3);
});

test("a log that is said to be longer than what is shown of it is asked for once, and not for ever", async () => {
  const groupId = await begin("Endless");
  const before = bob.liar.count("getGroup");
  bob.liar.answer = showing(({ entries }) => ({ entries, latest: 4000 }));
  await look(bob, groupId);
  expect(bob.liar.count("getGroup") - before).toBeLessThan(5);
  await expectRefused(groupId, bob.liar.answer);
});

test("an entry by a member who is no admin is none, although the server takes part", async () => {
  const groupId = await begin("Role");
  const carols = await insiderOf(carol, groupId);
  const { version } = carols.record.state;
  const entry = forge(carols, { version: version + 1, operation: { kind: "rename", title: "Carol's" } });
  await expectRefused(groupId, showing(withEntries(entry)));
});

test("an entry in an admin's name that the admin did not sign is none", async () => {
  const groupId = await begin("Name");
  const [alices, carols] = [await insiderOf(alice, groupId), await insiderOf(carol, groupId)];
  const asAlice = { ...alices, key: { ...alices.key, first: { ...alices.key.first, identity: carols.key.first.identity } } };
  const { version } = carols.record.state;
  await expectRefused(
    groupId,
    showing(withEntries(forge(asAlice, { version: version + 1, operation: { kind: "rename", title: "Carol's" } }))),
  );
});

test("an entry by an admin who was removed is none, although a member tells them the new secret", async () => {
  const mallory = await town.newcomer("mallory");
  await introduce(alice, mallory);
  const groupId = await groupOf("Gone", [alice, bob, carol, mallory]);
  const group = await alice.client.conversations.group(groupId);
  await group.setRole(mallory.userId, "admin");
  await look(mallory, groupId);
  const before = await insiderOf(mallory, groupId);
  await group.remove([mallory.userId]);
  await alice.client.settled();
  await look(bob, groupId);
  const bobs = await insiderOf(bob, groupId);
  const next = bobs.record.state.version + 1;
  const secret = found(bobs.record.secrets).groupSecret;
  const operation = { kind: "rename", title: "Mallory's" } as const;
  const entries = [
    // Of the present and of the past, under the secret of the present and of the past.
    forge(before, { version: next, operation, secret, statement: { previousHead: bobs.record.state.head } }),
    forge(before, { version: next + 1, operation, secret }),
    forge(before, { version: next + 2, operation }),
  ];
  bob.liar.answer = showing(withEntries(...entries));
  const seen = await seenBy(bob, groupId);
  await look(bob, groupId);
  expect(await seenBy(bob, groupId)).toBe(seen);
  bob.liar.becomeHonest();
  await rename(groupId, "The truth");
  await expect.poll(() => seenBy(bob, groupId), PATIENCE).toBe(await seenBy(alice, groupId));
  await expectTalking(groupId);
});

test("two histories, by a server and an admin together, come out with the next message: told once, and nothing more is said", async () => {
  const groupId = await begin("Fork");
  const alices = await insiderOf(alice, groupId);
  const version = alices.record.state.version + 1;
  const shown = (title: string): Answer => showing(withEntries(forge(alices, { version, operation: { kind: "rename", title } })));
  bob.liar.answer = shown("For bob");
  carol.liar.answer = shown("For carol");
  for (const person of [bob, carol]) await look(person, groupId);
  expect((await seenBy(bob, groupId)).split("\n")[0]).toBe("For bob");
  expect((await seenBy(carol, groupId)).split("\n")[0]).toBe("For carol");
  for (const text of ["one", "two"]) await (await bob.client.conversations.group(groupId)).send(text);
  const forks = async (person: Person): Promise<number> =>
    (await noticesIn(person, groupId)).filter((notice) => notice === "group-forked").length;
  await expect.poll(() => forks(carol), PATIENCE).toBe(1);
  await expect((await carol.client.conversations.group(groupId)).send("secret")).rejects.toMatchObject({ code: "group-forked" });
  await bob.client.settled();
  expect(await forks(carol)).toBe(1);
  expect(await textsOf(carol, groupId)).toEqual([]);
});

test("a history that one member alone is shown comes out with the next word of an admin, and silences nobody else", async () => {
  const groupId = await begin("Behind");
  const alices = await insiderOf(alice, groupId);
  const version = alices.record.state.version + 1;
  carol.liar.answer = showing(withEntries(forge(alices, { version, operation: { kind: "rename", title: "For carol" } })));
  await look(carol, groupId);
  await rename(groupId, "For all");
  await (await alice.client.conversations.group(groupId)).send("one");
  await expect.poll(() => noticesIn(carol, groupId), PATIENCE).toContain("group-forked");
  await alice.client.settled();
  expect(await textsOf(carol, groupId)).toEqual([]);
  await expect.poll(() => textsOf(bob, groupId), PATIENCE).toEqual(["one"]);
});

test("a server that says for ever that others were faster changes nothing, and whoever asked is told", async () => {
  const groupId = await begin("Conflict");
  alice.liar.answer = lyingAbout("appendGroup", async () => made(409, { code: "version-conflict", version: 1 }));
  const before = await seenBy(alice, groupId);
  const renamed = rename(groupId, "Never");
  const outcome = renamed.then(
    () => "renamed",
    (error: { code: string }) => error.code,
  );
  let ended: string | undefined;
  void outcome.then((code) => (ended = code));
  await expect
    .poll(() => {
      alice.clock.moveOn(300);
      return ended;
    }, PATIENCE)
    .toBe("group-changing");
  expect(await seenBy(alice, groupId)).toBe(before);
  alice.liar.becomeHonest();
  await rename(groupId, "At last");
  await expect.poll(() => seenBy(bob, groupId), PATIENCE).toBe(await seenBy(alice, groupId));
});

test("an entry that was taken and not answered is not written twice", async () => {
  const groupId = await begin("Silence");
  let left = 1;
  alice.liar.answer = lyingAbout("appendGroup", async (_, next) => {
    const answer = await next();
    return left-- > 0 ? made(500, { code: "internal" }) : answer;
  });
  await expect(rename(groupId, "Once")).rejects.toMatchObject({ code: "server-failed", retryable: true });
  alice.liar.becomeHonest();
  await rename(groupId, "Once");
  expect(await logOf(alice, groupId)).toHaveLength(3);
  await expect.poll(() => seenBy(bob, groupId), PATIENCE).toBe(await seenBy(alice, groupId));
});

test("nobody takes the hundred-and-first member, whatever an admin and the server do", async () => {
  const groupId = await begin("Full");
  const invented = (count: number, from: number): { userId: ReturnType<typeof parseUserId>; logLength: number }[] =>
    Array.from({ length: count }, (_, i) => ({
      userId: parseUserId(`00000000-0000-8000-8000-${(from + i).toString(16).padStart(10, "0")}00`),
      logLength: 1,
    }));
  const group = await alice.client.conversations.group(groupId);
  await group.setRole(bob.userId, "admin");
  await look(bob, groupId);
  const alices = await insiderOf(alice, groupId);
  const version = alices.record.state.version + 1;
  const tooMany = forge(alices, { version, operation: { kind: "add", members: invented(MAX_GROUP_MEMBERS - 2, 1), inviteId: undefined } });
  const full = forge(alices, {
    version: version + 1,
    operation: { kind: "add", members: invented(MAX_GROUP_MEMBERS - 3, 1), inviteId: undefined },
  });
  bob.liar.answer = showing(withEntries(tooMany, full));
  await look(bob, groupId);
  const atBob = await bob.client.conversations.group(groupId);
  expect(atBob.members).toHaveLength(MAX_GROUP_MEMBERS);
  const bobs = await insiderOf(bob, groupId);
  const one = forge(alices, {
    version: version + 2,
    operation: { kind: "add", members: invented(1, 500), inviteId: undefined },
    statement: { previousHead: bobs.record.state.head },
  });
  bob.liar.answer = showing(withEntries(tooMany, full, one));
  await look(bob, groupId);
  expect(stateHashOf((await insiderOf(bob, groupId)).record.state)).toEqual(stateHashOf(bobs.record.state));
  const dave = await town.newcomer("dave");
  await expect(atBob.add([dave.userId])).rejects.toMatchObject({ code: "group-full" });
});
