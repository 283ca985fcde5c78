// One account on two devices in daily life, on a real server: whatever was decided, set, read or said on one is so on the other, and
// in the groups that they are in. What two devices decide at once ends the same on both.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type GroupConversation, type Message, type Verification } from "#client";
import type { MessageId } from "#wire";
import { memory } from "edgewise/store/memory";
import { HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, register, secondDevice, settled } from "../groups/people.ts";
import { type Frame, Liar } from "../malicious-server/liar.ts";

/** A queue that has said nothing for so long has said everything. */
const QUIET_MILLISECONDS = 1000;

const place = new Place();
/** Two devices of alice's. */
let first: Person;
let second: Person;
let bob: Person;

beforeAll(async () => {
  await place.start();
  first = await register(place.url, "alice");
  second = await secondDevice(place.url, first);
  bob = await newcomer(place.url, "bob");
  await Promise.all([first.client.connect(), second.client.connect()]);
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const { client } of [first, second, bob]) await client.close();
  await place.close();
}, HOOK_MILLISECONDS);

async function onBoth(look: (client: Client) => Promise<unknown>, expected: unknown): Promise<void> {
  for (const { client } of [first, second]) {
    await expect.poll(() => look(client).catch((error: unknown) => String(error)), PATIENCE).toEqual(expected);
  }
}

async function contactOf(client: Client, who: Person): Promise<string> {
  return (await client.contacts.find(who.userId)).contact;
}

/** Until each has heard what the other has said so far. */
async function caughtUp(): Promise<void> {
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const name = `alice ${Math.random()}`;
    await from.client.setProfile({ name });
    await settled(from);
    await expect.poll(() => to.client.profile.value.name, PATIENCE).toBe(name);
  }
}

async function groupOn({ client }: Person, id: string): Promise<GroupConversation> {
  return await client.conversations.group(id);
}

test("who is accepted on one is accepted on both", async () => {
  await (await bob.client.conversations.direct(first.userId)).send("hello");
  await settled(bob);
  await expect.poll(async () => (await first.client.contacts.listRequests()).length, PATIENCE).toBe(1);
  await first.client.contacts.accept(bob.userId);
  await onBoth(async ({ contacts }) => (await contacts.find(bob.userId)).contact, "accepted");
});

test("what the account calls itself and tells of itself is the same on both", async () => {
  await first.client.setSettings({ presence: false, readReceipts: true });
  await expect.poll(() => second.client.settings.value, PATIENCE).toEqual({ presence: false, readReceipts: true, typing: true });
  await second.client.setProfile({ name: "Alicia" });
  await expect.poll(() => first.client.profile.value, PATIENCE).toEqual({ name: "Alicia" });
  await expect.poll(async () => (await bob.client.contacts.find(first.userId)).name, PATIENCE).toBe("Alicia");
});

test("of two settings that are changed at once on two devices, both are changed on both", async () => {
  const before = first.client.settings.value;
  await Promise.all([first.client.setSettings({ typing: !before.typing }), second.client.setSettings({ presence: !before.presence })]);
  await onBoth(({ settings }) => Promise.resolve(settings.value), { ...before, typing: !before.typing, presence: !before.presence });
  // And the one that was changed last holds.
  await first.client.setSettings(before);
  await onBoth(({ settings }) => Promise.resolve(settings.value), before);
  expect(second.client.settings.value).toEqual(before);
});

test("a name that both change at once ends the same on both", async () => {
  await Promise.all([first.client.setProfile({ name: "one" }), second.client.setProfile({ name: "two" })]);
  await Promise.all([settled(first), settled(second)]);
  // Behind both, in either mailbox.
  await first.client.setSettings({ typing: false });
  await expect.poll(() => second.client.settings.value.typing, PATIENCE).toBe(false);
  await second.client.setSettings({ presence: true });
  await expect.poll(() => first.client.settings.value, PATIENCE).toEqual({ presence: true, readReceipts: true, typing: false });
  expect(first.client.profile.value).toEqual(second.client.profile.value);
});

test("who is blocked on one is blocked on both, and whoever was a contact is one again on both", async () => {
  await second.client.contacts.block(bob.userId);
  await expect.poll(() => contactOf(first.client, bob), PATIENCE).toBe("blocked");
  await first.client.contacts.unblock(bob.userId);
  await expect.poll(() => contactOf(second.client, bob), PATIENCE).toBe("accepted");
});

test("of two decisions about somebody that contradict each other the same one holds on both", async () => {
  await using carol = await register(place.url, "carol");
  await Promise.all([first, second].map(({ client }) => client.contacts.find(carol.userId)));
  await Promise.all([first.client.contacts.accept(carol.userId), second.client.contacts.block(carol.userId)]);
  await caughtUp();
  expect(await contactOf(first.client, carol)).toBe(await contactOf(second.client, carol));
  expect(["accepted", "blocked"]).toContain(await contactOf(first.client, carol));
});

test("who was verified on one is verified on both", async () => {
  const { verified, confirm } = await (await first.client.contacts.find(bob.userId)).verification();
  expect(verified).toBe(false);
  await confirm();
  await onBoth(async ({ contacts }) => (await (await contacts.find(bob.userId)).verification()).verified, true);
});

test("who was verified and then restored their account is written to from neither before they are verified again, on one", async () => {
  await using carol = await newcomer(place.url, "carol");
  const verification = async ({ client }: Person): Promise<Verification> => await (await client.contacts.find(carol.userId)).verification();
  const write = async ({ client }: Person, text: string): Promise<Message> =>
    await (await client.conversations.direct(carol.userId)).send(text);
  const before = await verification(first);
  await before.confirm();
  await expect.poll(async () => (await verification(second).catch(() => undefined))?.verified, PATIENCE).toBe(true);
  for (const person of [first, second]) await (await write(person, "before")).sent();
  const key = await carol.client.recovery.create();
  await carol.client.close();
  await using restored = await createClient({ server: place.url, store: memory() });
  await restored.recovery.restore(key);
  for (const person of [first, second])
    await expect((await write(person, "to whom?")).sent()).rejects.toMatchObject({ code: "identity-changed" });
  await caughtUp();
  // What was not sent is shown where it was written.
  const history = await (await second.client.conversations.direct(carol.userId)).history();
  expect(history.map(({ text, state }) => `${text} ${state}`)).toEqual(["to whom? failed", "before sent", "before sent"]);
  expect(await verification(second)).toMatchObject({ verified: false, safetyNumber: before.safetyNumber });
  await (await verification(first)).confirm();
  await expect.poll(async () => (await verification(second)).verified, PATIENCE).toBe(true);
  await (await write(second, "after")).sent();
});

test("a group that one has made is on the other, which is as much of an admin there", async () => {
  const group = await first.client.conversations.createGroup("Hiking", [bob.userId]);
  await settled(first);
  await expect.poll(async () => (await groupOn(second, group.id)).role, PATIENCE).toBe("admin");
  await using carol = await newcomer(place.url, "carol");
  await carol.client.contacts.accept(first.userId);
  await (await groupOn(second, group.id)).rename("Climbing");
  await (await groupOn(second, group.id)).add([carol.userId]);
  await settled(second);
  for (const person of [first, bob, carol])
    await expect.poll(async () => (await groupOn(person, group.id)).title, PATIENCE).toBe("Climbing");
  // A rotation by the one gives the other its secrets, too.
  await (await groupOn(first, group.id)).remove([carol.userId]);
  await expect.poll(async () => (await groupOn(second, group.id)).members.length, PATIENCE).toBe(2);
  await (await groupOn(second, group.id)).setRole(bob.userId, "admin");
  await (await groupOn(first, group.id)).leave();
  await expect.poll(async () => (await groupOn(second, group.id)).standing, PATIENCE).toBe("left");
});

test("a group of somebody new that one has joined by a link is one that both are in", async () => {
  await using dave = await newcomer(place.url, "dave");
  const group = await dave.client.conversations.createGroup("Choir", []);
  await first.client.conversations.join(await group.invite({ approval: false }));
  await onBoth(async ({ conversations }) => (await conversations.group(group.id)).standing, "member");
  expect(await second.client.contacts.listRequests()).toEqual([]);
});

test("what is said in a group is on both with its receipts, and what is read on one is read on the other", async () => {
  const group = await bob.client.conversations.createGroup("Cooking", [first.userId]);
  await settled(bob);
  await onBoth(async ({ conversations }) => (await conversations.group(group.id)).standing, "member");
  const said = await (await groupOn(second, group.id)).send("soup at eight");
  await settled(second);
  await expect.poll(async () => (await bob.client.message(said.id)).text, PATIENCE).toBe("soup at eight");
  await (await bob.client.message(said.id)).react("+");
  await (await groupOn(bob, group.id)).markRead();
  await settled(bob);
  await onBoth(async (client) => seen(await client.message(said.id)), { own: true, state: "read", reactions: ["+"] });
  await (await groupOn(bob, group.id)).send("I bring bread");
  await settled(bob);
  await onBoth(async ({ conversations }) => (await conversations.group(group.id)).unread, 1);
  await (await groupOn(first, group.id)).markRead();
  await onBoth(async ({ conversations }) => (await conversations.group(group.id)).unread, 0);
});

function seen({ own, state, reactions }: Message): unknown {
  return { own, state, reactions: reactions.map(({ emoji }) => emoji) };
}

test("somebody is there as long as one of their devices is", async () => {
  await caughtUp();
  const seen: (boolean | undefined)[] = [];
  const unsubscribe = bob.client.contacts.presence(await bob.client.contacts.find(first.userId)).subscribe((value) => seen.push(value));
  await expect.poll(() => seen.at(-1), PATIENCE).toBe(true);
  await second.client.close();
  // Behind the word of the one that has gone.
  await (await first.client.conversations.direct(bob.userId)).send("I am here");
  await expect.poll(async () => (await bob.client.conversations.direct(first.userId)).lastMessage?.text, PATIENCE).toBe("I am here");
  unsubscribe();
  expect(seen).not.toContain(false);
  const client = await createClient({ server: place.url, store: memory({ shared: second.shared }) });
  second = { ...second, client, [Symbol.asyncDispose]: () => client.close() };
  await client.connect();
});

test("what comes about a message before its copy waits for it: receipts, reactions, and that it was read", async () => {
  await caughtUp();
  await second.client.close();
  const said = await (await first.client.conversations.direct(bob.userId)).send("early");
  await settled(first);
  const id: MessageId = said.id;
  await expect.poll(async () => (await bob.client.message(id)).text, PATIENCE).toBe("early");
  await (await bob.client.message(id)).react("!");
  const answer = await (await bob.client.conversations.direct(first.userId)).send("late");
  await (await bob.client.conversations.direct(first.userId)).markRead();
  await settled(bob);
  await expect.poll(async () => (await first.client.message(answer.id)).text, PATIENCE).toBe("late");
  await (await first.client.conversations.direct(bob.userId)).markRead();
  await settled(first);
  const liar = new Liar();
  liar.relay = backwards();
  const client = await createClient({ server: place.url, store: memory({ shared: second.shared }), network: liar });
  second = { ...second, client, [Symbol.asyncDispose]: () => client.close() };
  await client.connect();
  await expect.poll(async () => seen(await client.message(id)), PATIENCE).toEqual({ own: true, state: "read", reactions: ["!"] });
  await expect.poll(async () => (await client.conversations.direct(bob.userId)).unread, PATIENCE).toBe(0);
  expect((await client.message(answer.id)).text).toBe("late");
});

/** Hands out what has waited in the opposite order, once nothing more comes, and then goes on as usual. */
function backwards(): (frame: Frame, pass: (frame: Frame) => void) => void {
  const held: Frame[] = [];
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  return (frame, pass) => {
    if (isOver || frame.kind !== "deliver") {
      pass(frame);
      return;
    }
    held.push(frame);
    clearTimeout(timer);
    timer = setTimeout(() => {
      isOver = true;
      for (const one of held.splice(0).toReversed()) pass(one);
    }, QUIET_MILLISECONDS);
  };
}
