// A large group: people with two devices each, all of them real clients in this process, on a real server.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "#client";
import { splitMultiRecipient } from "#wire";
import { memory } from "edgewise/store/memory";
import { membersOf, HOOK_MILLISECONDS, type Person, Place, register, secondDevice, settled } from "./people.ts";
import { Wiretap } from "./wiretap.ts";

const MEMBERS = 100;
/** People both of whose devices are away when something is said. */
const AWAY = 10;
const AT_ONCE = 8;
const PATIENCE = { timeout: 120_000, interval: 250 } as const;
const TEXT = "to everybody";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))));
  return results;
}

/** Somebody on two devices, who has accepted whoever is going to make the group. */
async function member(inviter: Person): Promise<readonly [Person, Person]> {
  const first = await register(place.url, "member");
  await first.client.contacts.accept(inviter.userId);
  await settled(first);
  return [first, await secondDevice(place.url, first)];
}

function reopened({ shared }: Person): Promise<Client> {
  return createClient({ server: place.url, store: memory({ shared }) });
}

async function timesShown(client: Client, id: string): Promise<number> {
  const group = await client.conversations.group(id).catch(() => undefined);
  return ((await group?.history()) ?? []).filter(({ text }) => text === TEXT).length;
}

test(
  `one message reaches all ${2 * MEMBERS} devices of ${MEMBERS} people once, encrypted once, and each of them says that it came`,
  { timeout: 400_000 },
  async () => {
    const tap = new Wiretap();
    const alice = await register(place.url, "alice", { network: tap });
    const other = await secondDevice(place.url, alice);
    for (const { client } of [alice, other]) await client.connect();
    const pairs = await inBatches(Array.from({ length: MEMBERS - 1 }), () => member(alice));
    const devices = pairs.flat();
    await inBatches(devices, ({ client }) => client.connect());
    const group = await alice.client.conversations.createGroup(
      "Everybody",
      pairs.map(([{ userId }]) => userId),
    );
    await settled(alice);
    for (const person of [other, ...devices])
      await expect.poll(async () => (await membersOf(person, group.id)).length, PATIENCE).toBe(MEMBERS);
    const away = pairs.slice(0, AWAY).flat();
    await inBatches(away, ({ client }) => client.close());
    const [before, beforeToOne] = [tap.toMany.length, tap.toOne];
    const message = await group.send(TEXT);
    await settled(alice);
    const sent = tap.toMany.slice(before);
    // Her name, because she says something for the first time, and what she says.
    expect(sent.map((body) => splitMultiRecipient(body).recipients.length)).toEqual([2 * MEMBERS - 1, 2 * MEMBERS - 1]);
    expect(tap.toOne).toBe(beforeToOne);

    const back = new Map(await inBatches(away, async (person) => [person, await reopened(person)] as const));
    await inBatches([...back.values()], (client) => client.connect());
    const clientOf = (person: Person): Client => back.get(person) ?? person.client;
    for (const person of [other, ...devices]) {
      await expect.poll(() => timesShown(clientOf(person), group.id), PATIENCE).toBe(1);
    }
    const oneMore = await register(place.url, "member");
    const tooMany = [...pairs.map(([{ userId }]) => userId), oneMore.userId];
    await expect(alice.client.conversations.createGroup("Too many", tooMany)).rejects.toMatchObject({ code: "group-full" });
    expect(await alice.client.conversations.groups()).toHaveLength(1);
    await message.delivered({ signal: AbortSignal.timeout(PATIENCE.timeout) });
    for (const person of [alice, other, ...devices]) expect(await timesShown(clientOf(person), group.id)).toBe(1);
    await inBatches([alice, other, oneMore, ...devices], (person) => clientOf(person).close());
  },
);
