// The queue of the platform in memory: what it brings, how often, and what it may lose.

import { expect, test } from "vitest";
import { seededDice } from "../support/random.ts";
import { type Batch, SimulatedQueue } from "./platform/queue.ts";
import { CALM, type Faults, type Surroundings } from "./platform/surroundings.ts";
import { VirtualClock } from "./platform/virtual-clock.ts";

interface Taken {
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { readonly delaySeconds?: number }): void;
}

interface Bench {
  readonly clock: VirtualClock;
  readonly queue: SimulatedQueue;
  readonly sendBatch: (bodies: readonly string[]) => Promise<void>;
  readonly taken: string[];
  readonly dead: string[];
}

function bench(faults: Partial<Faults>, take: (message: Taken) => void): Bench {
  const surroundings: Surroundings = { clock: new VirtualClock(0), dice: seededDice(1), faults: { ...CALM, ...faults } };
  const [taken, dead]: readonly [string[], string[]] = [[], []];
  const messagesOf = ({ messages }: Batch): readonly Taken[] => messages as readonly Taken[]; // as the runtime has them
  const crashServer = (): boolean => false;
  const bury = async (batch: Batch): Promise<void> => {
    dead.push(...messagesOf(batch).map(({ body }) => String(body)));
    await Promise.resolve();
  };
  const consume = async (batch: Batch): Promise<void> => {
    for (const message of messagesOf(batch)) {
      taken.push(`${String(message.body)} ${message.attempts}`);
      take(message);
    }
    await Promise.resolve();
  };
  const deadLetters = new SimulatedQueue(surroundings, { name: "a-dead", crashServer, consume: bury });
  const queue = new SimulatedQueue(surroundings, { name: "a", crashServer, consume, deadLetters });
  const bound = queue.bind({ isAlive: () => true, leave: (act) => act() }) as { sendBatch(messages: readonly object[]): Promise<void> }; // what a program sees
  return { clock: surroundings.clock, queue, sendBatch: (bodies) => bound.sendBatch(bodies.map((body) => ({ body }))), taken, dead };
}

test("each message is brought once, in some other order, when all goes well", async () => {
  const { clock, sendBatch, taken, dead } = bench({}, (message) => message.ack());
  const bodies = Array.from({ length: 25 }, (_, i) => `message ${i}`);
  await clock.runFor(sendBatch(bodies));
  await clock.pass(1000);
  expect(taken.toSorted()).toEqual(bodies.map((body) => `${body} 1`).toSorted());
  expect(taken).not.toEqual(bodies.map((body) => `${body} 1`));
  expect(dead).toEqual([]);
});

test("what is not acknowledged comes again, five times, and then it is a dead letter", async () => {
  const { clock, sendBatch, taken, dead } = bench({}, (message) => message.retry({ delaySeconds: 10 }));
  await clock.runFor(sendBatch(["one"]));
  await clock.pass(15_000);
  expect(taken).toEqual(["one 1", "one 2"]);
  await clock.pass(100_000);
  expect(taken).toEqual([1, 2, 3, 4, 5, 6].map((attempts) => `one ${attempts}`));
  expect(dead).toEqual(["one"]);
});

test("a consumer that breaks has acknowledged nothing but what it said", async () => {
  const { clock, sendBatch, taken } = bench({}, (message) => {
    if (message.attempts > 1 || message.body === "one") message.ack();
    if (message.attempts === 1 && message.body === "two") throw new Error("broken");
  });
  await clock.runFor(sendBatch(["one"]));
  await clock.runFor(sendBatch(["two"]));
  await clock.pass(1000);
  expect(taken.filter((text) => text.startsWith("two"))).toEqual(["two 1", "two 2"]);
});

test("a crash takes everything that is in it", async () => {
  const { clock, queue, sendBatch, taken } = bench({ delayQueued: 500 }, (message) => message.ack());
  await clock.runFor(sendBatch(["one", "two"]));
  queue.crash();
  await clock.pass(10_000);
  expect(taken).toEqual([]);
});

test("it loses, repeats, and refuses what it has taken, as the faults say", async () => {
  const lost = bench({ loseQueued: 1 }, (message) => message.ack());
  await lost.clock.runFor(lost.sendBatch(["one"]));
  await lost.clock.pass(10_000);
  expect(lost.taken).toEqual([]);
  const repeated = bench({ repeatQueued: 1 }, (message) => message.ack());
  await repeated.clock.runFor(repeated.sendBatch(["one"]));
  await repeated.clock.pass(10_000);
  expect(repeated.taken).toEqual(["one 1", "one 1"]);
  const refused = bench({ failQueue: 1 }, (message) => message.ack());
  for (let i = 0; i < 20; i++) await expect(refused.clock.runFor(refused.sendBatch([`message ${i}`]))).rejects.toThrow("did not answer");
  await refused.clock.pass(10_000);
  expect(refused.taken.length).toBeGreaterThan(0);
  expect(refused.taken.length).toBeLessThan(20);
});
