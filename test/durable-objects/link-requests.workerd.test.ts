// A request to link a device: told to the devices that are there or come within two minutes, a few times in an hour, and then
// forgotten.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { decodeNotice, type Deliver, EPHEMERAL_GUID, LINK_TICKET_LIFETIME_SECONDS, parseRendezvousId, toHex } from "#wire";
import { Owner } from "../support/accounts.ts";
import { seededRandom } from "../support/random.ts";
import { Addressee, type Connection, mailboxOf, makeAllTables, quiet } from "./support/post.ts";

beforeAll(makeAllTables);
afterEach(() => {
  vi.useRealTimers();
});
let seed = 900;
beforeEach(() => {
  seed += 10;
});

const random = seededRandom(1);

function newRequest() {
  return { rendezvousId: parseRendezvousId(toHex(random(32))), commitment: random(32) };
}

function requestsIn(connection: Connection) {
  return connection.delivered
    .filter(({ envelope }) => envelope.type === "notice")
    .map(noticeIn)
    .filter(({ kind }) => kind === "link-requested");
}

function noticeIn({ envelope }: Deliver) {
  return decodeNotice(envelope.content).notice;
}

function moveClock(milliseconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + milliseconds);
}

async function kept(of: Addressee): Promise<number> {
  return await of.rows("facts WHERE name = 'link-request'", "facts");
}

async function alarmOf(of: Addressee): Promise<number> {
  return await runInDurableObject(of.stub, async (_, { storage }) => (await storage.getAlarm()) ?? Number.POSITIVE_INFINITY);
}

test("every device that is connected is told, and nothing of it is in a queue", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  const connections = [await bob.connect(), await bob.connect(second)];
  const before = await bob.queued();
  const asked = newRequest();
  await bob.stub.requestLink(asked);
  for (const connection of connections) {
    await connection.until((one) => requestsIn(one).length > 0);
    expect(requestsIn(connection)).toEqual([{ kind: "link-requested", ...asked }]);
    expect(connection.delivered.at(-1)).toMatchObject({ guid: EPHEMERAL_GUID, envelope: { ephemeral: true } });
  }
  expect(await bob.queued()).toBe(before);
});

test("a device that connects within two minutes is told, also by a mailbox that has slept; one that comes later is not", async () => {
  const bob = await Addressee.register(seed);
  const asked = newRequest();
  await bob.stub.requestLink(asked);
  await evictDurableObject(bob.stub);
  const early = await bob.connect();
  await early.until((one) => requestsIn(one).length > 0);
  expect(requestsIn(early)).toEqual([{ kind: "link-requested", ...asked }]);
  moveClock(LINK_TICKET_LIFETIME_SECONDS * 1000);
  const late = await bob.connect();
  await late.until(({ isEmpty }) => isEmpty);
  await quiet();
  expect(requestsIn(late)).toEqual([]);
});

test("when a device was let in nobody is told any more that one asks", async () => {
  const bob = await Addressee.register(seed);
  await bob.stub.requestLink(newRequest());
  expect(await kept(bob)).toBe(1);
  await bob.addDevice();
  expect(await kept(bob)).toBe(0);
  const late = await bob.connect();
  await late.until(({ delivered }) => delivered.length > 0);
  await quiet();
  expect(requestsIn(late)).toEqual([]);
  // The next one that asks is told of.
  const asked = newRequest();
  await bob.stub.requestLink(asked);
  await late.until((one) => requestsIn(one).length > 0);
  expect(requestsIn(late)).toEqual([{ kind: "link-requested", ...asked }]);
});

test("after two minutes an alarm forgets it, and what else the alarm is for is done at its time", async () => {
  const bob = await Addressee.register(seed);
  await runDurableObjectAlarm(bob.stub);
  const upkeep = await alarmOf(bob);
  await bob.stub.requestLink(newRequest());
  const due = await alarmOf(bob);
  expect(due).toBeLessThan(upkeep);
  expect(due - Date.now()).toBeLessThanOrEqual(LINK_TICKET_LIFETIME_SECONDS * 1000);
  expect(await kept(bob)).toBe(1);
  moveClock(LINK_TICKET_LIFETIME_SECONDS * 1000);
  await runDurableObjectAlarm(bob.stub);
  expect(await kept(bob)).toBe(0);
  expect((await alarmOf(bob)) - Date.now()).toBeGreaterThan(24 * 3600 * 1000);
});

test("an alarm that fires before that comes again for it", async () => {
  const bob = await Addressee.register(seed);
  await bob.stub.requestLink(newRequest());
  await runDurableObjectAlarm(bob.stub);
  expect(await kept(bob)).toBe(1);
  expect((await alarmOf(bob)) - Date.now()).toBeLessThanOrEqual(LINK_TICKET_LIFETIME_SECONDS * 1000);
});

test("a repeat is told once, and costs nothing", async () => {
  const bob = await Addressee.register(seed);
  const connection = await bob.connect();
  const asked = newRequest();
  await bob.stub.requestLink(asked);
  const written = await bob.rowsWritten(async () => {
    for (let i = 0; i < 5; i++) await bob.stub.requestLink(asked);
  });
  expect(written).toBe(0);
  await quiet();
  expect(requestsIn(connection)).toHaveLength(1);
});

test("the sixth request within an hour is told to nobody and writes nothing; the next hour begins again", async () => {
  const bob = await Addressee.register(seed);
  const connection = await bob.connect();
  for (let i = 0; i < 5; i++) await bob.stub.requestLink(newRequest());
  await connection.until((one) => requestsIn(one).length === 5);
  const written = await bob.rowsWritten(async () => await bob.stub.requestLink(newRequest()));
  expect(written).toBe(0);
  await quiet();
  expect(requestsIn(connection)).toHaveLength(5);
  moveClock(3600 * 1000);
  const later = await bob.connect();
  const asked = newRequest();
  await bob.stub.requestLink(asked);
  await later.until((one) => requestsIn(one).length > 0);
  expect(requestsIn(later).at(-1)).toEqual({ kind: "link-requested", ...asked });
});

test("a newer request takes the place of an older one", async () => {
  const bob = await Addressee.register(seed);
  const asked = newRequest();
  await bob.stub.requestLink(newRequest());
  await bob.stub.requestLink(asked);
  expect(await kept(bob)).toBe(1);
  const connection = await bob.connect();
  await connection.until((one) => requestsIn(one).length > 0);
  expect(requestsIn(connection)).toEqual([{ kind: "link-requested", ...asked }]);
});

test("a mailbox that nobody has made answers alike and stays empty; so does one whose account has ended", async () => {
  const nobody = mailboxOf(new Owner(seed + 1).userId);
  await expect(nobody.requestLink(newRequest())).resolves.toBeUndefined();
  const tables = await runInDurableObject(nobody, (_, { storage }) => [...storage.sql.exec("SELECT name FROM sqlite_master")]);
  expect(tables).toEqual([]);
  const bob = await Addressee.register(seed);
  await bob.stub.requestLink(newRequest());
  await bob.end();
  await expect(bob.stub.requestLink(newRequest())).resolves.toBeUndefined();
  expect(await bob.rows("facts")).toBe(1);
  expect(await kept(bob)).toBe(0);
});

test("a device that was revoked is not told", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  const lost = await bob.connect(second);
  bob.owner.revoke(second);
  await bob.appendLast();
  const connection = await bob.connect();
  await bob.stub.requestLink(newRequest());
  await connection.until((one) => requestsIn(one).length > 0);
  expect(requestsIn(lost)).toEqual([]);
  expect(lost.closed?.code).toBe(4401);
});
