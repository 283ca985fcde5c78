// One POST, many devices: each gets its own bytes once, whatever the queue does in between.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { generateKeyPair } from "#crypto";
import { issueSenderCertificate, issueServerCertificate, type OwnDevice } from "#identity";
import { openSealed, sealForMany } from "#protocol";
import {
  ascii,
  type Bytes,
  concat,
  deviceOfServiceId,
  encodeAppendLog,
  encodeMultiRecipient,
  MAX_MULTI_RECIPIENT_BYTES,
  type MultiRecipient,
  parseDeviceId,
  parseRegistrationId,
  receivedMessage,
  type Recipient,
  splitMultiRecipient,
  toHex,
} from "#wire";
import { consume } from "../../workers/fan-out/index.ts";
import type { Env } from "../../workers/gateway/env.ts";
import { Addressee, makeAllTables, rowsWrittenBy } from "../durable-objects/support/post.ts";
import type { Owner } from "../support/accounts.ts";
import { seededRandom } from "../support/random.ts";
import { codeOf, openWorld, Person, World } from "./support/world.ts";
import { consumed, Enqueued, fanOutOf, handleOf, newMessageId, opaqueMessage, referencesTo, Sender } from "./support/to-many.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let world: World;
let sender: Sender;
/** Nine people with a device each. No test changes their devices. */
let few: readonly Addressee[];

beforeAll(async () => {
  await makeAllTables();
  world = await openWorld();
  sender = await Sender.signIn(await new Person(world, 1).register());
  few = await members(9, 100);
});

afterEach(() => {
  vi.useRealTimers();
});

function moveClock(milliseconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + milliseconds);
}

async function members(count: number, firstSeed: number, devices = 1): Promise<readonly Addressee[]> {
  const addressees = Array.from({ length: count }, (_, i) => new Addressee(firstSeed + i));
  for (const addressee of addressees) {
    await addressee.register();
    for (let i = 1; i < devices; i++) await addressee.addDevice();
  }
  return addressees;
}

function ownerOf(recipient: Recipient, people: readonly Addressee[]): Addressee {
  const { userId } = deviceOfServiceId(recipient.serviceId);
  const person = people.find((one) => one.userId === userId);
  if (person === undefined) throw new RangeError("nobody");
  return person;
}

/** What one device has got, without an acknowledgement. */
async function waiting(person: Addressee, device?: OwnDevice): Promise<readonly Bytes[]> {
  const connection = await person.connect(device);
  const sealed = (): readonly Bytes[] =>
    connection.delivered.flatMap(({ envelope: { type, content } }) => (type === "sealed" ? [content] : []));
  await connection.until(() => sealed().length > 0);
  connection.close();
  return sealed();
}

/** Messages with one tail that the mailboxes of `people` hold. */
async function copies(people: readonly Addressee[], { tail }: MultiRecipient): Promise<number> {
  const counts = await Promise.all(
    people.map(
      async ({ stub }) =>
        await runInDurableObject(stub, (_, { storage }) =>
          [...storage.sql.exec<{ body: ArrayBuffer }>("SELECT body FROM messages")].filter(({ body }) =>
            toHex(new Uint8Array(body)).includes(toHex(tail)),
          ),
        ),
    ),
  );
  return counts.flat().length;
}

test(
  "one POST to a hundred people with two devices each: two hundred devices get their own bytes, once",
  { timeout: 240_000 },
  async () => {
    const people = await members(100, 2000, 2);
    const messageId = newMessageId();
    const enqueued = await Enqueued.of(handleOf(sender.person.userId, messageId));
    const message = opaqueMessage(people, { bytes: 2048 });
    const handle = await sender.send(message, messageId);
    expect(await sender.result(handle)).toEqual({ state: "pending", delivered: 0, refused: [] });
    expect(await consumed(world, enqueued.references)).toEqual({ acknowledged: [0, 1, 2, 3], retried: [] });
    expect(await sender.result(handle)).toEqual({ state: "done", delivered: 100, refused: [] });

    expect(message.recipients).toHaveLength(200);
    for (const recipient of message.recipients) {
      const person = ownerOf(recipient, people);
      const { deviceId } = deviceOfServiceId(recipient.serviceId);
      const device = person.owner.devices.find((one) => one.deviceId === deviceId);
      expect(await waiting(person, device)).toEqual([receivedMessage(message, recipient)]);
    }

    // What the platform bills: each message of the queue is written, read and deleted, 64 kB at a time.
    const operations = enqueued.references.length * 3;
    expect(operations).toBeLessThanOrEqual(5 * 3);
    for (const reference of enqueued.references) expect(JSON.stringify(reference).length).toBeLessThan(64_000);
  },
);

test("what devices get opens, and only for whom it was sealed", async () => {
  const random = seededRandom(5);
  const [root, server] = [generateKeyPair(random), generateKeyPair(random)];
  const serverCertificate = issueServerCertificate({ id: 1, serverKey: server.publicKey, trustRoot: root.privateKey }, random);
  const { first, userId } = sender.person.owner;
  const nowMilliseconds = Date.now();
  const senderCertificate = issueSenderCertificate(
    {
      device: { userId, deviceId: first.deviceId },
      identityKey: first.identity.publicKey,
      expiresMilliseconds: nowMilliseconds + MINUTE,
      serverCertificate,
      serverKey: server.privateKey,
    },
    random,
  );
  const people = await members(3, 200, 2);
  const recipients = people.flatMap(({ owner }) =>
    owner.devices.map(({ deviceId, registrationId, identity }) => ({
      address: { userId: owner.userId, deviceId },
      registrationId,
      identityKey: identity.publicKey,
    })),
  );
  const input = { kind: "sender-key", content: ascii("to all"), contentHint: 1, groupId: ascii("group") } as const;
  const bytes = sealForMany({ ...input, sender: first.identity, senderCertificate, recipients }, random);
  const handle = await sender.send(splitMultiRecipient(bytes));
  await consumed(world, referencesTo(handle, 3));
  for (const person of people) {
    for (const device of person.owner.devices) {
      const [received = new Uint8Array()] = await waiting(person, device);
      const trust = { trustRoots: [root.publicKey], nowMilliseconds };
      expect(openSealed({ ...trust, identity: device.identity, bytes: received })).toMatchObject({
        kind: "opened",
        content: ascii("to all"),
      });
      const other = people[(people.indexOf(person) + 1) % 3]?.owner.first.identity ?? first.identity;
      expect(openSealed({ ...trust, identity: other, bytes: received })).toMatchObject({ kind: "refused" });
    }
  }
});

test("a repeat of a POST is the same job: the same handle, and nothing twice", async () => {
  const message = opaqueMessage(few);
  const messageId = newMessageId();
  const enqueued = await Enqueued.of(handleOf(sender.person.userId, messageId));
  const handles = [await sender.send(message, messageId), await sender.send(message, messageId)];
  await consumed(world, enqueued.references);
  handles.push(await sender.send(message, messageId));
  await consumed(world, enqueued.references);
  expect(new Set(handles).size).toBe(1);
  expect(enqueued.references).toHaveLength(1);
  expect(await copies(few, message)).toBe(few.length);
});

test("another sender, or another message id, is another job", async () => {
  const other = await Sender.signIn(await new Person(world, 2).register());
  const message = opaqueMessage(few.slice(0, 1));
  const messageId = newMessageId();
  const handles = [await sender.send(message, messageId), await other.send(message, messageId), await sender.send(message)];
  expect(new Set(handles).size).toBe(3);
});

test("who refuses is named by the place in the request, with why, and all the others get it", async () => {
  const [missing, extra, stale, full, ...fine] = await members(7, 300);
  if (missing === undefined || extra === undefined || stale === undefined || full === undefined) throw new RangeError("seven");
  const nobody = new Addressee(399);
  const added = await missing.addDevice();
  await fillQueue(full);
  const absent = { ...extra.owner.first, deviceId: parseDeviceId(7) };
  const devices = ({ userId, devices: own }: Owner): readonly OwnDevice[] => {
    if (userId === missing.userId) return own.filter(({ deviceId }) => deviceId !== added.deviceId);
    if (userId === extra.userId) return [...own, absent];
    if (userId === stale.userId) {
      return own.map((device) => ({ ...device, registrationId: parseRegistrationId(device.registrationId ^ 1) }));
    }
    return own;
  };
  const people = [missing, extra, stale, nobody, full, ...fine];
  const message = opaqueMessage(people, { devices });
  const handle = await sender.send(message);
  expect(await consumed(world, referencesTo(handle, people.length))).toEqual({ acknowledged: [0], retried: [] });
  expect(await sender.result(handle)).toEqual({
    state: "done",
    delivered: 3,
    refused: [
      { index: 0, missing: [added.deviceId], extra: [], stale: [] },
      { index: 1, missing: [], extra: [absent.deviceId], stale: [] },
      { index: 2, missing: [], extra: [], stale: [stale.owner.first.deviceId] },
      // Nobody knows this one, and it looks like one whose devices have changed.
      { index: 3, missing: [], extra: [nobody.owner.first.deviceId], stale: [] },
      { index: 4, full: true },
    ],
  });
  expect(await copies([missing, extra, stale, full], message)).toBe(0);
  expect(await copies(fine, message)).toBe(3);
});

/** Ten thousand small messages. */
async function fillQueue(person: Addressee): Promise<void> {
  await runInDurableObject(person.stub, (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
       INSERT INTO messages (device, seq, body) SELECT ?1, n, randomblob(20) FROM numbers`,
      person.owner.first.deviceId,
    );
  });
  await evictDurableObject(person.stub);
}

test("of the sender's own account the sending device is not named, and all others may be", async () => {
  const own = await new Person(world, 3).register();
  const me = await Sender.signIn(own);
  const [friend] = few;
  if (friend === undefined) throw new RangeError("a friend");
  const second = own.owner.add();
  const entry = own.owner.entries.at(-1) ?? new Uint8Array();
  const protobuf = encodeAppendLog({ entry, preKeys: own.preKeysOf(second, [], []) });
  const appended = await world.ask("appendLog", { token: await own.token(), parameters: { userId: own.userId }, protobuf });
  expect(appended.status).toBe(200);
  const devices = (owner: Owner): readonly OwnDevice[] => (owner === own.owner ? [second] : owner.devices);
  const handle = await me.send(opaqueMessage([own, friend], { devices }));
  await consumed(world, referencesTo(handle, 2));
  const { delivered, refused } = await me.result(handle);
  expect({ delivered, refused }).toEqual({ delivered: 2, refused: [] });
});

test("batches twice, shuffled, with poison between: stored once, the rest delivered, the poison a dead letter", async () => {
  const messages = Array.from({ length: 33 }, (_, i) => opaqueMessage(few.slice(i % 5, (i % 5) + 3)));
  const handles: string[] = [];
  for (const message of messages) handles.push(await sender.send(message));
  const poison: readonly unknown[] = [
    undefined,
    "text",
    { handle: "x", chunk: 0 },
    { handle: handles[0], chunk: 4 },
    { handle: handles[0], chunk: 0, more: 1 },
    { handle: "f".repeat(64) },
  ];
  const references = handles.flatMap((handle) => referencesTo(handle, 3));
  const shuffled = shuffle([...references, ...references, ...references, ...poison], 9);
  const places = shuffled.flatMap((body, at) => (poison.includes(body) ? [at] : []));
  for (let at = 0; at < shuffled.length; at += 10) {
    const { acknowledged, retried } = await consumed(world, shuffled.slice(at, at + 10));
    const poisonHere = places.filter((place) => place >= at && place < at + 10).map((place) => place - at);
    expect(retried).toEqual(poisonHere);
    expect(acknowledged.length + poisonHere.length).toBe(Math.min(10, shuffled.length - at));
  }
  for (const [i, handle] of handles.entries()) {
    expect(await sender.result(handle)).toEqual({ state: "done", delivered: 3, refused: [] });
    expect(await copies(few, messages[i] ?? opaqueMessage([]))).toBe(3);
  }
  const dead = new CountingWorld();
  expect(await consumed(dead.world, poison, { queue: "edgewise-fan-out-dead" })).toMatchObject({ acknowledged: [0, 1, 2, 3, 4, 5] });
  expect(dead.points).toEqual(poison.map(() => "dead-letter malformed"));
});

function shuffle<T>(items: readonly T[], seed: number): readonly T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, place: toHex(random(8)) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ item }) => item);
}

/** A server whose counters can be read. */
class CountingWorld {
  readonly points: string[] = [];
  readonly world: World;

  constructor(overrides: Partial<Env> = {}) {
    const writeDataPoint = ({ indexes, blobs }: AnalyticsEngineDataPoint = {}): void => {
      this.points.push(`${String(indexes?.[0])} ${String(blobs?.[0])}`);
    };
    this.world = new World({ COUNTERS: { writeDataPoint }, ...overrides });
  }
}

test("a reference that comes again after everything was acknowledged, or two weeks later, stores nothing", async () => {
  const [person] = await members(1, 500);
  if (person === undefined) throw new RangeError("one");
  const handle = await sender.send(opaqueMessage([person]));
  const references = referencesTo(handle, 1);
  await consumed(world, references);
  const socket = await person.connect();
  await socket.until(({ delivered }) => delivered.length === 1);
  socket.ackAll();
  await socket.until(({ isEmpty }) => isEmpty);
  for (const days of [0, 14]) {
    moveClock(days * DAY);
    await runDurableObjectAlarm(fanOutOf(handle));
    expect(await person.rowsWritten(async () => await consumed(world, references))).toBe(0);
  }
  expect(await person.queued()).toBe(0);
});

test("when the queue loses everything, the alarm brings it back", async () => {
  const message = opaqueMessage(few);
  const handle = await sender.send(message);
  await evictDurableObject(fanOutOf(handle));
  const enqueued = await Enqueued.of(handle);
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(fanOutOf(handle));
  await consumed(world, enqueued.references);
  expect(await sender.result(handle)).toMatchObject({ state: "done", delivered: few.length });
  expect(await copies(few, message)).toBe(few.length);
});

/** Objects of one class, of which some calls fail: before or after they had their effect. */
function failing(
  real: DurableObjectNamespace,
  fails: (method: string, name: string) => "before" | "after" | undefined,
): DurableObjectNamespace {
  const getByName = (name: string): unknown =>
    new Proxy(real.getByName(name), {
      get(stub, method: string) {
        return async (...args: unknown[]) => {
          const failure = fails(method, name);
          if (failure === "before") throw new Error("the call was lost");
          const answer: unknown = await (Reflect.get(stub, method) as (...args: unknown[]) => unknown)(...args); // an RPC method of the stub
          if (failure === "after") throw new Error("the answer was lost");
          return answer;
        };
      },
    });
  return { getByName } as unknown as DurableObjectNamespace; // all that the Worker uses of it
}

test("only what failed is tried again", async () => {
  const message = opaqueMessage(few);
  const handle = await sender.send(message);
  const calls: string[] = [];
  const broken = new Set(few.slice(2, 4).map(({ stub }) => stub.name ?? ""));
  const MAILBOX = failing(env.MAILBOX, (_, name) => {
    calls.push(name);
    return broken.has(name) ? "before" : undefined;
  });
  const partly = new World({ MAILBOX });
  const first = await consumed(partly, referencesTo(handle, 9));
  expect(first).toEqual({ acknowledged: [], retried: [0] });
  expect(await sender.result(handle)).toEqual({ state: "pending", delivered: 7, refused: [] });
  calls.length = 0;
  await consumed(partly, referencesTo(handle, 9), { attempts: 2 });
  expect(new Set(calls)).toEqual(broken);
  broken.clear();
  expect(await consumed(partly, referencesTo(handle, 9), { attempts: 3 })).toMatchObject({ acknowledged: [0] });
  expect(await sender.result(handle)).toEqual({ state: "done", delivered: 9, refused: [] });
  expect(await copies(few, message)).toBe(9);
});

test("pauses between the queue's attempts double", async () => {
  const handle = await sender.send(opaqueMessage(few.slice(0, 1)));
  const down = new World({ MAILBOX: failing(env.MAILBOX, () => "before") });
  const pauses: (number | undefined)[] = [];
  const [body] = referencesTo(handle, 1);
  for (let attempts = 1; attempts <= 7; attempts++) {
    const retry = (options?: QueueRetryOptions): void => void pauses.push(options?.delaySeconds);
    const messages = [{ id: "", timestamp: new Date(), body, attempts, retry, ack: () => expect.unreachable() }];
    await consume({ queue: "edgewise-fan-out", messages }, down.services.fanOut);
  }
  expect(pauses).toEqual([2, 4, 8, 16, 32, 32, 32]);
});

test.each(["before", "after"] as const)(
  "a death %s any one step of a delivery costs nothing: the next attempt ends it, once",
  async (when) => {
    for (const method of ["open", "accept", "settle"]) {
      const message = opaqueMessage(few);
      const handle = await sender.send(message);
      const fails = (called: string): typeof when | undefined => (called === method ? when : undefined);
      const dying = new World({ MAILBOX: failing(env.MAILBOX, fails), FAN_OUT: failing(env.FAN_OUT, fails) });
      expect((await consumed(dying, referencesTo(handle, 9))).acknowledged).toEqual([]);
      await evictDurableObject(fanOutOf(handle));
      expect((await consumed(world, referencesTo(handle, 9), { attempts: 2 })).acknowledged).toEqual([0]);
      expect(await sender.result(handle)).toEqual({ state: "done", delivered: 9, refused: [] });
      expect(await copies(few, message)).toBe(9);
    }
  },
);

test("a POST whose answer was lost is made again, and is one job", async () => {
  for (const when of ["before", "after"] as const) {
    const message = opaqueMessage(few);
    const messageId = newMessageId();
    const dying = sender.at(new World({ FAN_OUT: failing(env.FAN_OUT, (method) => (method === "submit" ? when : undefined)) }));
    expect((await dying.post(encodeMultiRecipient(message), messageId)).status).toBe(500);
    const handle = await sender.send(message, messageId);
    await consumed(world, referencesTo(handle, 9));
    expect(await copies(few, message)).toBe(9);
  }
});

test("what the queue gives up is recorded with the job and counted, and delivered when its mailbox is back", async () => {
  const message = opaqueMessage(few);
  const handle = await sender.send(message);
  const broken = new Set([few[4]?.stub.name ?? ""]);
  const { world: partly, points } = new CountingWorld({
    MAILBOX: failing(env.MAILBOX, (_, name) => (broken.has(name) ? "before" : undefined)),
  });
  await consumed(partly, referencesTo(handle, 9), { attempts: 6 });
  expect(await consumed(partly, referencesTo(handle, 9), { queue: "edgewise-fan-out-dead" })).toMatchObject({ acknowledged: [0] });
  expect(points.filter((point) => point.startsWith("dead-letter"))).toEqual(["dead-letter failed"]);
  const recorded = await runInDurableObject(fanOutOf(handle), (_, { storage }) =>
    storage.sql.exec("SELECT given_up FROM jobs WHERE handle = ?", handle).one(),
  );
  expect(recorded).toEqual({ given_up: 1 });
  expect(await sender.result(handle)).toMatchObject({ state: "pending", delivered: 8 });
  broken.clear();
  const enqueued = await Enqueued.of(handle);
  moveClock(2 * MINUTE);
  await runDurableObjectAlarm(fanOutOf(handle));
  await consumed(partly, enqueued.references);
  expect(await sender.result(handle)).toMatchObject({ state: "done", delivered: 9 });
});

test("a dead letter that cannot be recorded now comes again", async () => {
  const handle = await sender.send(opaqueMessage(few.slice(0, 1)));
  const { world: down, points } = new CountingWorld({ FAN_OUT: failing(env.FAN_OUT, () => "before") });
  const { acknowledged, retried } = await consumed(down, referencesTo(handle, 1), { queue: "edgewise-fan-out-dead" });
  expect([acknowledged, retried]).toEqual([[], [0]]);
  expect(points).toEqual([]);
});

test("a message to nobody, to too many, of another shape or size is refused before an object wakes", async () => {
  const asleep = sender.at(new World({ FAN_OUT: failing(env.FAN_OUT, () => "before") }));
  const good = opaqueMessage(few);
  const bytes = encodeMultiRecipient(good);
  const manyUsers = opaqueMessage([...few, ...Array.from({ length: 92 }, (_, i) => new Addressee(6000 + i))]);
  const manyDevices = opaqueMessage(few, {
    devices: ({ first }) => Array.from({ length: 7 }, (_, i) => ({ ...first, deviceId: parseDeviceId(i + 1) })),
  });
  const onlyExcluded = { ...good, recipients: [], excluded: good.recipients.map(({ serviceId }) => serviceId) };
  const malformed = [
    new Uint8Array(),
    bytes.slice(0, 100),
    new Uint8Array(bytes.with(0, 0x22)),
    new Uint8Array(bytes.with(2, 1)),
    encodeMultiRecipient({ ...good, recipients: [] }),
    encodeMultiRecipient(onlyExcluded),
    encodeMultiRecipient(manyUsers),
    encodeMultiRecipient(manyDevices),
  ];
  for (const body of malformed) expect(await codeOf(await asleep.post(body))).toBe("malformed");
  for (const id of ["", "x", "00000000-0000-4000-8000-00000000000", "ABCDEF00-0000-4000-8000-000000000000"]) {
    expect(await codeOf(await asleep.post(bytes, id))).toBe("malformed");
  }
  const long = concat(bytes, new Uint8Array(MAX_MULTI_RECIPIENT_BYTES));
  expect(await codeOf(await asleep.post(long))).toBe("too-large");
  for (const type of ["application/x-protobuf", "application/json", ""]) {
    expect(await codeOf(await asleep.post(bytes, newMessageId(), { "content-type": type }))).toBe("unsupported-media-type");
  }
});

test("a handle that is none is malformed, and one that names nothing is not found", async () => {
  const token = await sender.person.token();
  const ask = async (handle: string): Promise<string> => await codeOf(await world.ask("getSendResult", { token, parameters: { handle } }));
  for (const handle of ["x", "F".repeat(64), "0".repeat(63), "0".repeat(65)]) expect(await ask(handle)).toBe("malformed");
  expect(await ask("0".repeat(64))).toBe("not-found");
});

test("a sender pays for each 25 recipients as for a request, and is refused before anything is kept", async () => {
  let left = 4;
  const USER_LIMIT = { limit: async () => await Promise.resolve({ success: left-- > 0 }) };
  const limited = sender.at(new World({ USER_LIMIT }));
  const people = [...few, ...Array.from({ length: 67 }, (_, i) => new Addressee(6000 + i))];
  const hundred = encodeMultiRecipient(opaqueMessage(people));
  expect((await limited.post(hundred)).status).toBe(202);
  expect(left).toBe(0);
  left = 3;
  const messageId = newMessageId();
  const response = await limited.post(hundred, messageId);
  expect([response.status, response.headers.get("retry-after")]).toEqual([429, "60"]);
  const token = await sender.person.token();
  const parameters = { handle: handleOf(sender.person.userId, messageId) };
  expect((await world.ask("getSendResult", { token, parameters })).status).toBe(404);
});

test("a message costs a mailbox a row for each device, and its job five when it has one chunk", async () => {
  const message = opaqueMessage(few);
  const messageId = newMessageId();
  const job = fanOutOf(handleOf(sender.person.userId, messageId));
  const [person] = few;
  if (person === undefined) throw new RangeError("one");
  const mailboxRows = await person.rowsWritten(async () => {
    const rows = await rowsWrittenBy(job, async () => {
      const handle = await sender.send(message, messageId);
      await consumed(world, referencesTo(handle, 9));
    });
    // Two for the job, three for its end: there is one chunk.
    expect(rows).toBe(5);
  });
  expect(mailboxRows).toBe(1);
});

test("the same device twice in one message is one recipient", async () => {
  const [person] = few;
  if (person === undefined) throw new RangeError("one");
  const message = opaqueMessage([person]);
  const handle = await sender.send({ ...message, recipients: [...message.recipients, ...message.recipients] });
  await consumed(world, referencesTo(handle, 1));
  expect(await sender.result(handle)).toMatchObject({ delivered: 1 });
  expect(await copies([person], message)).toBe(1);
});
