// The object that keeps messages to many: what it promises without a queue, a consumer or its memory.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { type ChunkReference, type FanOut, type Outcome, parseServerSeed, type Payload, ServerNames, type Settled } from "#durable-objects";
import { type Bytes, parseDeviceId, parseMessageId, parseRegistrationId, toHex, toUtf8, type UserId } from "#wire";
import { Owner } from "../support/accounts.ts";
import { seededRandom } from "../support/random.ts";
import { rowsWrittenBy } from "./support/post.ts";

const names = new ServerNames(parseServerSeed(env.SERVER_SEED));
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DELIVERED: Outcome = { kind: "delivered" };

afterEach(() => {
  vi.useRealTimers();
});

function moveClock(milliseconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + milliseconds);
}

const TAIL = seededRandom(77)(3000);

function payloadFor(users: readonly UserId[]): Payload {
  const random = seededRandom(users.length);
  const recipients = users.map((userId) => ({
    mailbox: names.mailbox(userId),
    scope: "all" as const,
    devices: [1, 2].map((id) => ({
      deviceId: parseDeviceId(id),
      registrationId: parseRegistrationId(id),
      maskedKey: random(32),
      senderTag: random(16),
    })),
  }));
  return { messageId: parseMessageId("00000000-0000-4000-8000-000000000001"), recipients, tail: TAIL };
}

const everyUser = Array.from({ length: 100 }, (_, i) => new Owner(7000 + i).userId);

function users(count: number): readonly UserId[] {
  return everyUser.slice(0, count);
}

type Messages = Iterable<MessageSendRequest<ChunkReference>>;

/** One object, in the shard `prefix`, with what it puts into the queue. */
class Shard {
  readonly handle: string;
  readonly batches: ChunkReference[][] = [];
  /** Into which queue, for each batch. */
  readonly used: string[] = [];
  isQueueBroken = false;

  constructor(prefix: string) {
    this.handle = prefix.padEnd(64, "0");
  }

  get stub(): DurableObjectStub<FanOut> {
    const namespace = env.FAN_OUT as unknown as DurableObjectNamespace<FanOut>; // the class that the test worker exports
    return namespace.getByName(names.fanOut(this.handle));
  }

  /** Notes what this life of the object enqueues, with one queue under each of the names. */
  async watch(...queues: readonly string[]): Promise<this> {
    await runInDurableObject(this.stub, (object) => {
      const { env: bound } = object as unknown as { env: object }; // as its constructor got it
      const named = queues.length === 0 ? ["FANOUT_QUEUE"] : queues;
      const bindings = named.map((queue) => [queue, { sendBatch: async (messages: Messages) => await this.#take(queue, messages) }]);
      Object.defineProperty(object, "env", { value: { ...bound, ...Object.fromEntries(bindings) } });
    });
    return this;
  }

  async #take(queue: string, messages: Messages): Promise<void> {
    if (this.isQueueBroken) throw new Error("the queue takes nothing");
    this.used.push(queue);
    await Promise.resolve(this.batches.push([...messages].map(({ body }) => body)));
  }

  async submit(count: number, handle = this.handle): Promise<void> {
    await this.stub.submit(handle, payloadFor(users(count)));
  }

  async settle(from: number, to: number, outcome: Outcome = DELIVERED): Promise<void> {
    const settled: Settled[] = [];
    for (let index = from; index < to; index++) settled.push({ index, outcome });
    await this.stub.settle(this.handle, settled);
  }

  async alarmAt(): Promise<number | null> {
    return await runInDurableObject(this.stub, async (_, state) => await state.storage.getAlarm());
  }

  /** Everything that the tables hold: texts, and byte strings in hexadecimal. */
  async dump(): Promise<string> {
    return await runInDurableObject(this.stub, (_, { storage: { sql } }) => {
      const tables = [
        ...sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'"),
      ];
      const rows = tables.flatMap(({ name }) => [...sql.exec(`SELECT * FROM ${name}`).raw()].flat());
      return rows.map((value) => (value instanceof ArrayBuffer ? toHex(new Uint8Array(value)) : String(value))).join("\n");
    });
  }
}

test("what was submitted is durable: another life of the object knows it, whole", async () => {
  const shard = new Shard("001");
  await shard.submit(30);
  await evictDurableObject(shard.stub);
  expect(await shard.stub.result(shard.handle)).toEqual({ state: "pending", delivered: 0, refused: [] });
  const { recipients, ...common } = payloadFor(users(30));
  const open = await shard.stub.open({ handle: shard.handle, chunk: 1 });
  expect(open).toEqual({ ...common, recipients: recipients.map((recipient, index) => ({ ...recipient, index })).slice(25) });
});

test("a repeat changes nothing, also after the end", async () => {
  const shard = await new Shard("002").watch();
  await shard.submit(2);
  expect(await rowsWrittenBy(shard.stub, async () => await shard.submit(3))).toBe(0);
  await shard.settle(0, 2);
  const after = await shard.stub.result(shard.handle);
  expect(after).toEqual({ state: "done", delivered: 2, refused: [] });
  expect(await rowsWrittenBy(shard.stub, async () => await shard.submit(2))).toBe(0);
  expect(await shard.stub.result(shard.handle)).toEqual(after);
  expect(shard.batches).toEqual([[{ handle: shard.handle, chunk: 0 }]]);
});

test("a message to a hundred is one batch of four references, and eight rows until its end, besides the alarm's", async () => {
  const shard = await new Shard("003").watch();
  expect(await rowsWrittenBy(shard.stub, async () => await shard.submit(100))).toBe(2);
  expect(shard.batches).toEqual([[0, 1, 2, 3].map((chunk) => ({ handle: shard.handle, chunk }))]);
  const written = await rowsWrittenBy(shard.stub, async () => {
    for (let chunk = 0; chunk < 4; chunk++) await shard.settle(25 * chunk, 25 * chunk + 25);
  });
  expect(written).toBe(6);
  expect(await rowsWrittenBy(shard.stub, async () => await shard.settle(0, 100))).toBe(0);
});

test("nothing names a user, and when all is settled nothing of the message is left", async () => {
  const shard = new Shard("004");
  const everybody = users(100);
  await shard.submit(100);
  const during = await shard.dump();
  const idOf = (userId: UserId): string => userId.replaceAll("-", "");
  // The last byte of a ServiceId is the device's.
  for (const userId of everybody) {
    expect(during).not.toContain(idOf(userId).slice(0, 30));
    expect(during).not.toContain(toHex(toUtf8(userId)).slice(0, 30));
    expect(during).not.toContain(userId.slice(0, 30));
    expect(during).toContain(names.mailbox(userId));
  }
  expect(occurrences(during, toHex(TAIL))).toBe(1);
  await shard.settle(0, 100);
  const after = await shard.dump();
  expect(after).toContain(shard.handle);
  for (const part of traces(payloadFor(everybody))) expect(after).not.toContain(part);
});

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

function traces({ recipients, tail }: Payload): readonly string[] {
  const keys = recipients.flatMap(({ devices }) => devices.map(({ maskedKey }): Bytes => maskedKey));
  return [tail.slice(0, 16), ...keys].map(toHex).concat(recipients.map(({ mailbox }) => mailbox));
}

test("what nobody confirms goes into the queue again, after twice the time each time, and only what is open", async () => {
  const shard = new Shard("005");
  await shard.submit(60);
  await shard.settle(25, 50);
  await evictDurableObject(shard.stub);
  await shard.watch();
  const pauses: number[] = [];
  for (let round = 0; round < 5; round++) {
    const due = (await shard.alarmAt()) ?? Number.NaN;
    pauses.push(due - Date.now());
    moveClock(due - Date.now());
    await runDurableObjectAlarm(shard.stub);
  }
  expect(shard.batches).toEqual(Array.from({ length: 5 }, () => [0, 2].map((chunk) => ({ handle: shard.handle, chunk }))));
  for (const [round, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThan(0.7 * MINUTE * 2 ** round);
    expect(pause).toBeLessThan(1.3 * MINUTE * 2 ** round);
  }
});

test("an alarm that comes early, late or twice enqueues nothing that is not due", async () => {
  const shard = await new Shard("006").watch();
  await shard.submit(1);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toHaveLength(1);
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toHaveLength(2);
});

test("a queue that takes nothing delays a message and does not lose it, and its sender has the promise", async () => {
  const shard = await new Shard("007").watch();
  shard.isQueueBroken = true;
  await shard.submit(1);
  expect(await shard.stub.result(shard.handle)).toMatchObject({ state: "pending" });
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toEqual([]);
  shard.isQueueBroken = false;
  moveClock(3 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toEqual([[{ handle: shard.handle, chunk: 0 }]]);
});

test("the alarm is set for the first of many jobs and not for each", async () => {
  const shard = new Shard("008");
  await shard.submit(1);
  const due = await shard.alarmAt();
  moveClock(40_000);
  for (let i = 0; i < 20; i++) await shard.submit(1, `008${String(i).padStart(61, "a")}`);
  expect(await shard.alarmAt()).toBe(due);
});

test("when hundreds are due at once, each goes into the queue once, a hundred at a time", async () => {
  const shard = await new Shard("009").watch();
  const handles = Array.from({ length: 130 }, (_, i) => `009${String(i).padStart(61, "b")}`);
  for (const handle of handles) await shard.submit(26, handle);
  shard.batches.length = 0;
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(Math.max(...shard.batches.map(({ length }) => length))).toBeLessThanOrEqual(100);
  const seen = shard.batches.flat().map(({ handle, chunk }) => `${handle} ${chunk}`);
  expect(seen.toSorted()).toEqual(handles.flatMap((handle) => [`${handle} 0`, `${handle} 1`]).toSorted());
});

test("a result is kept for a day and then gone, and an object with nothing to do sleeps", async () => {
  const shard = new Shard("00a");
  await shard.submit(1);
  await shard.settle(0, 1, { kind: "mailbox-full" });
  await evictDurableObject(shard.stub);
  moveClock(DAY - 2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(await shard.stub.result(shard.handle)).toMatchObject({ state: "done", delivered: 0 });
  const due = (await shard.alarmAt()) ?? Number.NaN;
  expect(due - Date.now()).toBeLessThanOrEqual(90 * MINUTE);
  moveClock(due - Date.now());
  await runDurableObjectAlarm(shard.stub);
  expect(await shard.stub.result(shard.handle)).toBeUndefined();
  expect(await shard.alarmAt()).toBeNull();
  expect(await shard.dump()).toBe("");
});

test("the alarm of an object that has only results comes when one is over, and not all the time", async () => {
  const shard = new Shard("00b");
  await shard.submit(1);
  await shard.settle(0, 1);
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(((await shard.alarmAt()) ?? 0) - Date.now()).toBeGreaterThan(DAY - 5 * MINUTE);
});

test("after thirty days a job is over: its mailboxes would not have kept the message either", async () => {
  const shard = await new Shard("00c").watch();
  await shard.submit(1);
  moveClock(30 * DAY - 1000);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toHaveLength(2);
  moveClock(7 * 60 * 60_000);
  await runDurableObjectAlarm(shard.stub);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches).toHaveLength(2);
  expect(await shard.stub.result(shard.handle)).toBeUndefined();
  expect(await shard.dump()).toBe("");
});

test("that the queue gave up is recorded, and ends nothing", async () => {
  const shard = await new Shard("00d").watch();
  await shard.submit(30);
  await shard.settle(25, 30);
  await shard.stub.recordFailure({ handle: shard.handle, chunk: 1 });
  await shard.stub.recordFailure({ handle: shard.handle, chunk: 0 });
  const recorded = await runInDurableObject(shard.stub, (_, { storage }) => storage.sql.exec("SELECT given_up FROM jobs").one());
  expect(recorded).toEqual({ given_up: 1 });
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(shard.stub);
  expect(shard.batches.at(-1)).toEqual([{ handle: shard.handle, chunk: 0 }]);
});

test("about jobs that it does not have an object says so and writes nothing", async () => {
  const shard = new Shard("00e");
  const reference = { handle: shard.handle, chunk: 0 };
  const written = await rowsWrittenBy(shard.stub, async () => {
    expect(await shard.stub.open(reference)).toBeUndefined();
    expect(await shard.stub.result(shard.handle)).toBeUndefined();
    await shard.settle(0, 5);
    await shard.stub.recordFailure(reference);
  });
  expect(written).toBe(0);
  expect(await shard.alarmAt()).toBeNull();
});

test("several queues share the objects evenly, in order", async () => {
  const queues = ["FANOUT_QUEUE", "FANOUT_QUEUE_1", "FANOUT_QUEUE_2"];
  for (const [prefix, queue] of [
    ["010", "FANOUT_QUEUE"],
    ["555", "FANOUT_QUEUE"],
    ["556", "FANOUT_QUEUE_1"],
    ["aaa", "FANOUT_QUEUE_1"],
    ["aab", "FANOUT_QUEUE_2"],
    ["fff", "FANOUT_QUEUE_2"],
  ] as const) {
    const shard = await new Shard(prefix).watch(...queues);
    await shard.submit(1);
    expect([prefix, ...shard.used]).toEqual([prefix, queue]);
  }
});
