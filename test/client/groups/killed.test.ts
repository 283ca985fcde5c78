// The server is killed again and again while two people speak in a group. What was said arrives at everybody who is in,
// once and in the order of who said it; whoever is removed in the middle gets nothing that was said afterwards.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError } from "#client";
import { found } from "../../support/accounts.ts";
import { seededDice } from "../../support/random.ts";
import { groupOf, HOOK_MILLISECONDS, membersOf, newcomer, type Person, Place, textsOf } from "./people.ts";

const KILLS = 25;
const MESSAGES = 200;
const MEMBERS = 20;
/** Long: whoever has failed several times waits for a while before the next try. */
const PATIENCE = { timeout: 400_000, interval: 250 } as const;

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

test(
  `nothing that is said in a group of ${MEMBERS} is lost, doubled or turned round when the server is killed ${KILLS} times during ${MESSAGES} messages`,
  { timeout: 900_000 },
  async () => {
    const dice = seededDice(5);
    const people: Person[] = [];
    for (let i = 0; i < MEMBERS; i++) people.push(await newcomer(place.url, "member"));
    const [alice, bob, mallory] = [found(people[0]), found(people[1]), found(people[2])];
    const id = await groupOf(people, "Storm");
    const others = people.filter((person) => person !== mallory);
    const said = { alice: [] as string[], bob: [] as string[] };
    let isOver = false;

    /** Half of the messages before the removal, half after it, and on until the storm is over. */
    async function speak(name: keyof typeof said, { client }: Person, from: number, isEnough: () => boolean): Promise<void> {
      for (let i = from; !isEnough(); i++) {
        const text = `${name} ${i}`;
        await (await client.conversations.group(id)).send(text);
        said[name].push(text);
        await sleep(dice.roll(300));
      }
    }

    async function remove(): Promise<void> {
      for (;;) {
        try {
          await (await alice.client.conversations.group(id)).remove([mallory.userId]);
          return;
        } catch (error) {
          if (!(error instanceof ClientError) || !error.retryable) throw error;
          await sleep(50);
        }
      }
    }

    async function talk(): Promise<void> {
      const half = MESSAGES / 4;
      await Promise.all([speak("alice", alice, 0, () => said.alice.length >= half), speak("bob", bob, 0, () => said.bob.length >= half)]);
      await remove();
      await expect.poll(() => membersOf(bob, id), PATIENCE).not.toContain(mallory.userId);
      await Promise.all([
        speak("alice", alice, half, () => said.alice.length >= 2 * half && isOver),
        speak("bob", bob, half, () => said.bob.length >= 2 * half && isOver),
      ]);
    }

    async function storm(): Promise<void> {
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(300 + dice.roll(900));
        await place.kill();
        await place.start();
      }
      isOver = true;
    }

    await Promise.all([talk(), storm()]);

    expect(said.alice.length + said.bob.length).toBeGreaterThanOrEqual(MESSAGES);
    for (const person of others) {
      const total = said.alice.length + said.bob.length;
      await expect.poll(async () => (await textsOf(person, id)).length, PATIENCE).toBeGreaterThanOrEqual(total);
      const texts = await textsOf(person, id);
      expect(texts.filter((text) => text.startsWith("alice"))).toEqual(said.alice);
      expect(texts.filter((text) => text.startsWith("bob"))).toEqual(said.bob);
    }
    const history = await (await found(others.at(-1)).client.conversations.group(id)).history({ limit: 10_000 });
    expect(history.filter(({ gapBefore }) => gapBefore)).toEqual([]);
    const toMallory = await textsOf(mallory, id);
    expect(toMallory.length).toBeGreaterThan(0);
    const after = new Set([...said.alice, ...said.bob].filter((text) => Number(text.split(" ")[1]) >= MESSAGES / 4));
    expect(toMallory.filter((text) => after.has(text))).toEqual([]);
    for (const { client } of people) await client.close();
  },
);
