// The main job: two people talk through the command line, one of them away for half of it, the server killed in between.
// Every message arrives once and in order, and both learn what became of theirs.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Line, Person } from "./person.ts";
import { Town } from "./town.ts";

const MESSAGES = 100;

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

/** What one side printed, over all runs. */
class Diary {
  readonly #lines: Line[] = [];

  add(lines: readonly Line[]): void {
    this.#lines.push(...lines);
  }

  texts(from: string): readonly unknown[] {
    return this.#lines.filter((line) => line["type"] === "message" && line["from"] === from).map((line) => line["text"]);
  }

  /** How often each message was reported. */
  receipts(kind: "delivered" | "read"): ReadonlyMap<unknown, number> {
    const counts = new Map<unknown, number>();
    for (const line of this.#lines.filter((line) => line["type"] === "receipt" && line["kind"] === kind)) {
      for (const id of line["ids"] as readonly unknown[]) counts.set(id, (counts.get(id) ?? 0) + 1); // fails where it is none
    }
    return counts;
  }
}

/** One after another, as somebody types; a text that the server does not have yet is queued and not sent again. */
async function say(person: Person, to: string, texts: readonly string[]): Promise<readonly unknown[]> {
  const ids: unknown[] = [];
  for (const text of texts) ids.push((await person.ask("send", to, text))["id"]);
  return ids;
}

function numbered(name: string, from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, i) => `${name} ${from + i}`);
}

async function drain(person: Person, diary: Diary): Promise<void> {
  diary.add(await person.list("listen", "--until-empty"));
}

test(`${MESSAGES} messages each way, half of them to somebody who is away, over a killed server`, { timeout: 600_000 }, async () => {
  const half = MESSAGES / 2;
  const [alice, bob] = [await town.citizen("alice"), await town.citizen("bob")];
  const [aliceId, bobId] = [String((await alice.ask("whoami"))["userId"]), String((await bob.ask("whoami"))["userId"])];
  const [ofAlice, ofBob] = [new Diary(), new Diary()];

  // The request, and the answer to it.
  const first = await say(alice, "bob", numbered("alice", 0, 1));
  await drain(bob, ofBob);
  expect(ofBob.texts(aliceId)).toEqual([]);
  await bob.ask("accept", "alice");

  // Both are there.
  const listening = [alice.start("listen"), bob.start("listen")] as const;
  const [aliceHalf, bobHalf] = await Promise.all([
    say(alice, "bob", numbered("alice", 1, half)),
    say(bob, "alice", numbered("bob", 0, half)),
  ]);
  await listening[1].until((it) => it.lines.filter((line) => line["type"] === "message" && line["from"] === aliceId).length >= half);

  // Bob goes away. Alice writes on; the server dies and comes back.
  ofBob.add((await listening[1].stop()).lines);
  const aliceQuarter = await say(alice, "bob", numbered("alice", half, half + half / 2));
  await town.kill();
  const queued = await alice.json("send", "bob", `alice ${half + half / 2}`);
  expect(queued).toMatchObject({ code: 75, lines: [], error: { code: "offline", id: expect.any(String) as string } });
  await town.start();
  const aliceRest = await say(alice, "bob", numbered("alice", half + half / 2 + 1, MESSAGES));

  // Bob comes back, catches up and answers.
  await drain(bob, ofBob);
  const bobRest = await say(bob, "alice", numbered("bob", half, MESSAGES));
  await listening[0].until((it) => it.lines.filter((line) => line["type"] === "message" && line["from"] === bobId).length >= MESSAGES);
  ofAlice.add((await listening[0].stop()).lines);
  await drain(alice, ofAlice);
  await drain(bob, ofBob);

  expect(ofBob.texts(aliceId)).toEqual(numbered("alice", 0, MESSAGES));
  expect(ofAlice.texts(bobId)).toEqual(numbered("bob", 0, MESSAGES));

  const once = (ids: readonly unknown[]): ReadonlyMap<unknown, number> => new Map(ids.map((id) => [id, 1]));
  const history = await alice.list("history", "bob", "--limit", String(3 * MESSAGES));
  expect(history).toHaveLength(2 * MESSAGES);
  const aliceIds = history.filter((line) => line["from"] === aliceId).map((line) => line["id"]);
  const bobIds = [...bobHalf, ...bobRest];
  expect(aliceIds).toEqual(expect.arrayContaining([...first, ...aliceHalf, ...aliceQuarter, ...aliceRest]));
  expect(sorted(ofAlice.receipts("delivered"))).toEqual(sorted(once(aliceIds)));
  expect(sorted(ofBob.receipts("delivered"))).toEqual(sorted(once(bobIds)));
  expect([ofAlice.receipts("read").size, ofBob.receipts("read").size]).toEqual([0, 0]);

  // Reading is another thing than getting.
  await bob.ask("read", "alice");
  await alice.ask("read", "bob");
  await drain(alice, ofAlice);
  await drain(bob, ofBob);
  expect(sorted(ofAlice.receipts("read"))).toEqual(sorted(once(aliceIds)));
  expect(sorted(ofBob.receipts("read"))).toEqual(sorted(once(bobIds)));
  const states = new Set((await alice.list("history", "bob", "--limit", String(3 * MESSAGES))).map((line) => line["state"]));
  expect(states).toEqual(new Set(["read", "received"]));
});

function sorted(counts: ReadonlyMap<unknown, number>): readonly (readonly [unknown, number])[] {
  return [...counts].sort(([a], [b]) => String(a).localeCompare(String(b)));
}
