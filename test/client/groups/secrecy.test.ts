// Who can read what in a group: somebody with all that a device's store ever held, and with every byte that goes to the others,
// reads what the device was there for and nothing else.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "#client";
import { systemRandom } from "#crypto";
import { openGroupEntry, reportUnopened } from "#protocol";
import { type Bytes, type GroupAppend, parseDeviceId, parseGroupId, SENDER_KEY_MESSAGES, type UserId } from "#wire";
import { memory } from "edgewise/store/memory";
import { drawMessageId, next } from "../../../client/core.ts";
import { ACCOUNTS, OWN_SENDER_KEYS, REPAIRS } from "../../../client/records/tables.ts";
import { addJob } from "../../../client/sending/queue.ts";
import { platformClock } from "../../../client/transport/platform.ts";
import { found } from "../../support/accounts.ts";
import { verdictOf } from "../../support/codes.ts";
import { revokeDevice } from "../devices/second-device.ts";
import {
  groupOf,
  HOOK_MILLISECONDS,
  membersOf,
  newcomer,
  PATIENCE,
  type Person,
  Place,
  recordOf,
  register,
  say,
  secondDevice,
  textsOf,
  withStore,
} from "./people.ts";
import { opensAny, senderKeysOf, underSeal, Wiretap } from "./wiretap.ts";

/** And an hour, for as long as the test itself may take. */
const WEEK_MILLISECONDS = (7 * 24 + 1) * 3600_000;

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

interface Tapped {
  readonly speaker: Person;
  readonly tap: Wiretap;
}

async function tapped(name: string, clock: Clock = platformClock): Promise<Tapped> {
  const tap = new Wiretap();
  return { tap, speaker: await newcomer(place.url, name, { network: tap, clock }) };
}

/** Says something. Returns what went out for it, as it is under the seal for `reader`. */
async function overhear({ speaker, tap }: Tapped, reader: Person, id: string, text: string): Promise<Bytes> {
  const before = tap.toMany.length;
  await say(speaker, id, text);
  expect(tap.toMany.length).toBeGreaterThan(before);
  return await underSeal(found(tap.toMany.at(-1)), reader);
}

async function heard(person: Person, id: string, text: string): Promise<void> {
  await expect.poll(() => textsOf(person, id), PATIENCE).toContain(text);
}

async function devicesKnown(person: Person, userId: UserId): Promise<number> {
  const known = await withStore(person, (vault) => vault.read((records) => records.get(ACCOUNTS, userId)));
  return known?.entries.length ?? 0;
}

test("whoever was removed opens nothing that is sent after that, with every key they ever had and all that the others get", async () => {
  const [alice, bob] = [await tapped("alice"), await tapped("bob")];
  await using mallory = await newcomer(place.url, "mallory");
  await using first = alice.speaker;
  await using second = bob.speaker;
  const id = await groupOf([first, second, mallory], "Thieves");
  for (const { speaker } of [alice, bob]) await say(speaker, id, "hello");
  await expect.poll(() => textsOf(mallory, id), PATIENCE).toEqual(["hello", "hello"]);
  const stolen = await senderKeysOf(mallory);
  const secrets = found((await recordOf(mallory, id))?.secrets);
  for (const [tap, reader] of [
    [alice, second],
    [bob, first],
  ] as const) {
    expect(opensAny(stolen, await overhear(tap, reader, id, "before"))).toBe(true);
  }

  const group = await first.client.conversations.group(id);
  await group.remove([mallory.userId]);
  await group.rename("Honest people");
  await expect.poll(() => membersOf(second, id), PATIENCE).not.toContain(mallory.userId);
  const after: Bytes[] = [];
  for (const text of ["after", "long after"]) {
    after.push(await overhear(alice, second, id, text), await overhear(bob, first, id, text));
  }
  for (const person of [first, second]) await heard(person, id, "long after");
  await expect.poll(async () => (await mallory.client.conversations.group(id)).standing, PATIENCE).toBe("removed");
  const all = [...stolen, ...(await senderKeysOf(mallory))];
  expect(after.map((message) => opensAny(all, message))).toEqual(after.map(() => false));
  expect(await textsOf(mallory, id)).toEqual(["hello", "hello", "before", "before"]);

  // The log as well: the removal is the last of it that they can read.
  const [removal, renaming] = alice.tap.appends.slice(-2).map((append) => read(append));
  function read({ version, entry }: GroupAppend): string {
    return verdictOf(() => openGroupEntry(entry, { groupId: parseGroupId(id), version }, secrets.groupSecret)).kind;
  }
  expect([removal, renaming]).toEqual(["accepted", "refused"]);
});

test("a device that its owner has revoked opens nothing that is sent by somebody who knows of it", async () => {
  const alice = await tapped("alice");
  await using speaker = alice.speaker;
  await using bob = await register(place.url, "bob");
  await using lost = await secondDevice(place.url, bob);
  for (const { client } of [bob, lost]) await client.connect();
  const id = await groupOf([speaker, bob], "Devices");
  await say(speaker, id, "hello");
  await heard(lost, id, "hello");
  const stolen = await senderKeysOf(lost);
  expect(opensAny(stolen, await overhear(alice, bob, id, "before"))).toBe(true);
  await heard(lost, id, "before");

  await revokeDevice(place.url, memory({ shared: bob.shared }), parseDeviceId(2));
  await expect.poll(() => devicesKnown(bob, bob.userId), PATIENCE).toBe(3);
  await say(bob, id, "I have lost it");
  await expect.poll(() => devicesKnown(speaker, bob.userId), PATIENCE).toBe(3);
  const after = [await overhear(alice, bob, id, "after"), await overhear(alice, bob, id, "long after")];
  await heard(bob, id, "long after");
  const all = [...stolen, ...(await senderKeysOf(lost))];
  expect(after.map((message) => opensAny(all, message))).toEqual([false, false]);
  expect(await textsOf(lost, id)).not.toContain("after");
});

test(`a sender key that was stolen opens nothing once it has sealed ${SENDER_KEY_MESSAGES} messages`, async () => {
  const alice = await tapped("alice");
  await using speaker = alice.speaker;
  await using bob = await newcomer(place.url, "bob");
  const id = await groupOf([speaker, bob], "Theft");
  await say(speaker, id, "hello");
  await heard(bob, id, "hello");
  const stolen = await senderKeysOf(bob);
  const key = await withStore(speaker, (vault) => vault.read((records) => records.get(OWN_SENDER_KEYS, parseGroupId(id))));
  const left = SENDER_KEY_MESSAGES - found(key).messages;
  expect(left).toBeGreaterThan(90);

  const before = alice.tap.toMany.length;
  const group = await speaker.client.conversations.group(id);
  for (let i = 0; i < SENDER_KEY_MESSAGES + 5; i++) await group.send(`message ${i}`);
  await speaker.client.settled();
  const opened: boolean[] = [];
  for (const body of alice.tap.toMany.slice(before)) opened.push(opensAny(stolen, await underSeal(body, bob)));
  expect(opened).toEqual([...Array<boolean>(left).fill(true), ...Array<boolean>(SENDER_KEY_MESSAGES + 5 - left).fill(false)]);
  await heard(bob, id, `message ${SENDER_KEY_MESSAGES + 4}`);
});

test("whoever comes later opens nothing from before, also when they claim to have missed it", async () => {
  const alice = await tapped("alice");
  await using speaker = alice.speaker;
  await using bob = await newcomer(place.url, "bob");
  await using carol = await newcomer(place.url, "carol");
  const id = await groupOf([speaker, bob], "Old");
  const before = [await overhear(alice, bob, id, "before"), await overhear(alice, bob, id, "still before")];
  const group = await speaker.client.conversations.group(id);
  await group.add([carol.userId]);
  await say(speaker, id, "after");
  await heard(carol, id, "after");
  const keys = await senderKeysOf(carol);
  expect(before.map((message) => opensAny(keys, message))).toEqual([false, false]);
  const latest = await overhear(alice, bob, id, "long after");
  expect(opensAny(keys, latest)).toBe(true);
  await heard(carol, id, "long after");

  const report = reportUnopened({ kind: "sender-key", bytes: latest, sentAtMilliseconds: 0, senderDeviceId: parseDeviceId(1) });
  await withStore(carol, (vault) =>
    vault.write(async (records) => {
      const ordinal = await next(records, "job");
      const envelopeId = drawMessageId(systemRandom);
      const job = { ordinal, recipient: speaker.userId, envelopeId, content: report, kind: "report", only: parseDeviceId(1) } as const;
      await addJob(records, { ...job, copies: undefined, message: undefined });
    }),
  );
  await expect
    .poll(() => withStore(speaker, (vault) => vault.read((records) => records.get(REPAIRS, carol.userId, 1))), PATIENCE)
    .toBeDefined();
  await say(speaker, id, "and then?");
  await heard(carol, id, "and then?");
  expect((await textsOf(carol, id)).filter((text) => text.endsWith("before"))).toEqual([]);
});

test("a sender key ends when somebody is added or removed, when a device comes, and after a week", async () => {
  let ahead = 0;
  const alice = await tapped("alice", { nowMilliseconds: () => Date.now() + ahead, after: platformClock.after });
  await using speaker = alice.speaker;
  await using bob = await newcomer(place.url, "bob");
  await using carol = await register(place.url, "carol");
  const id = await groupOf([speaker, bob], "Turns");
  const group = await speaker.client.conversations.group(id);
  let said = 0;

  async function endsKey(act: () => Promise<void>): Promise<readonly [before: boolean, after: boolean]> {
    await say(speaker, id, `${said}`);
    await heard(bob, id, `${said++}`);
    const keys = await senderKeysOf(bob);
    const before = opensAny(keys, await overhear(alice, bob, id, `${said}`));
    await heard(bob, id, `${said++}`);
    await act();
    const after = opensAny(keys, await overhear(alice, bob, id, `${said}`));
    await heard(bob, id, `${said++}`);
    return [before, after];
  }

  expect(await endsKey(() => Promise.resolve())).toEqual([true, true]);
  expect(await endsKey(() => group.add([carol.userId]))).toEqual([true, false]);
  expect(await endsKey(() => group.remove([carol.userId]))).toEqual([true, false]);
  const another = await endsKey(async () => {
    await using _ = await secondDevice(place.url, bob);
    await expect.poll(() => devicesKnown(bob, bob.userId), PATIENCE).toBe(2);
    await say(bob, id, "I have two");
    await expect.poll(() => devicesKnown(speaker, bob.userId), PATIENCE).toBe(2);
  });
  expect(another).toEqual([true, false]);
  const setBack = await endsKey(async () => {
    ahead = -WEEK_MILLISECONDS;
    await Promise.resolve();
  });
  expect(setBack).toEqual([true, false]);
  const week = await endsKey(async () => {
    ahead = 0;
    await Promise.resolve();
  });
  expect(week).toEqual([true, false]);
});
