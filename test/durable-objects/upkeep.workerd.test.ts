import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { decodeNotice } from "#wire";
import { Addressee, makeAllTables, messageId } from "./support/post.ts";

beforeAll(makeAllTables);
afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

function moveClock(milliseconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + milliseconds);
}

test("a message is kept for thirty days and then gone", async () => {
  const bob = await Addressee.register(401);
  await bob.send(1);
  moveClock(29 * DAY);
  await bob.send(2);
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.queued()).toBe(2);
  moveClock(2 * DAY);
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.queued()).toBe(1);
});

test("a device never gets what has expired, though no alarm has come yet", async () => {
  const bob = await Addressee.register(402);
  await bob.send(1);
  moveClock(31 * DAY);
  await bob.send(2);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length > 0);
  expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual([messageId(2)]);
});

test("an alarm is set when one fires, and not by messages", async () => {
  const bob = await Addressee.register(403);
  const due = async () => await runInDurableObject(bob.stub, async (_, state) => (await state.storage.getAlarm()) ?? 0);
  await runDurableObjectAlarm(bob.stub);
  const idle = await due();
  expect(idle - Date.now()).toBeGreaterThan(6 * DAY);
  await bob.send(1);
  expect(await due()).toBe(idle);
  await runDurableObjectAlarm(bob.stub);
  const busy = (await due()) - Date.now();
  expect(busy).toBeGreaterThan(23 * HOUR);
  expect(busy).toBeLessThan(2 * DAY);
});

test("a device unseen for 45 days is dropped, the others are told, and it is welcome when it comes back", async () => {
  const bob = await Addressee.register(404);
  const second = await bob.addDevice();
  const { first } = bob.owner;
  moveClock(40 * DAY);
  await bob.connect();
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.send(1)).toEqual({ kind: "accepted" });
  moveClock(8 * DAY);
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.send(2)).toEqual({ kind: "devices-changed", missing: [], extra: [second.deviceId], stale: [] });
  expect(await bob.rows(`messages WHERE device = ${second.deviceId}`, "messages")).toBe(0);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length >= 2);
  const notices = socket.delivered.filter(({ envelope }) => envelope.type === "notice");
  expect(notices.map(({ envelope }) => decodeNotice(envelope.content).notice)).toContainEqual(
    expect.objectContaining({ kind: "device-dropped", deviceId: second.deviceId }),
  );
  // It is still one of the account's: it may ask for a token and a socket.
  expect(await bob.stub.device(second.deviceId)).toMatchObject({ kind: "device" });
  const back = await bob.connect(second);
  await back.until(({ isEmpty }) => isEmpty);
  expect(await bob.send(3)).toEqual({ kind: "accepted" });
  await back.until(({ delivered }) => delivered.length === 1);
  expect(await bob.stub.device(first.deviceId)).toMatchObject({ kind: "device" });
});

test("a device that holds a socket is seen", async () => {
  const bob = await Addressee.register(405);
  const day = async () => await bob.rows("devices WHERE seen_day >= unixepoch() / 86400 + 39", "devices");
  await bob.connect();
  expect(await day()).toBe(0);
  moveClock(40 * DAY);
  await bob.connect();
  await runDurableObjectAlarm(bob.stub);
  expect(await day()).toBe(1);
});

test("a requester gets two one-time keys an hour of a device, and asking on writes nothing", async () => {
  const bob = await Addressee.register(406);
  const { deviceId } = bob.owner.first;
  const ask = async (requester: string) => await bob.stub.spendKeyBudget(requester);
  for (let i = 0; i < 2; i++) expect(await ask("eve")).toEqual({ kind: "budget", oneTimeFor: [deviceId] });
  await evictDurableObject(bob.stub);
  const written = await bob.rowsWritten(async () => {
    for (let i = 0; i < 10; i++) expect(await ask("eve")).toEqual({ kind: "budget", oneTimeFor: [] });
  });
  expect(written).toBe(0);
  expect(await ask("alice")).toEqual({ kind: "budget", oneTimeFor: [deviceId] });
  moveClock(HOUR);
  expect(await ask("eve")).toEqual({ kind: "budget", oneTimeFor: [deviceId] });
});

test("ten thousand fetches by a hundred accounts take at most twenty keys, and the next hour has some for a newcomer", async () => {
  const bob = await Addressee.register(407);
  const taken = await runInDurableObject(bob.stub, async (mailbox) => {
    let keys = 0;
    for (let at = 0; at < 10_000; at++) {
      const budget = await mailbox.spendKeyBudget(`requester-${at % 100}`);
      if (budget.kind === "budget") keys += budget.oneTimeFor.length;
    }
    return keys;
  });
  expect(taken).toBe(20);
  expect(await bob.stub.spendKeyBudget("newcomer")).toEqual({ kind: "budget", oneTimeFor: [] });
  moveClock(HOUR);
  expect(await bob.stub.spendKeyBudget("newcomer")).toEqual({ kind: "budget", oneTimeFor: [bob.owner.first.deviceId] });
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.rows("spent WHERE budget GLOB 'requester *'", "spent")).toBe(1);
});

test("a clock that steps back refills nothing", async () => {
  const bob = await Addressee.register(408);
  for (let i = 0; i < 2; i++) await bob.stub.spendKeyBudget("eve");
  moveClock(-2 * HOUR);
  expect(await bob.stub.spendKeyBudget("eve")).toEqual({ kind: "budget", oneTimeFor: [] });
});

test("an owner fetches others' keys six hundred times a day", async () => {
  const bob = await Addressee.register(409);
  const fetches = async (count: number) =>
    await runInDurableObject(bob.stub, async (mailbox) => {
      let allowed = 0;
      for (let i = 0; i < count; i++) if (await mailbox.spendFetchBudget()) allowed++;
      return allowed;
    });
  expect(await fetches(650)).toBe(600);
  moveClock(DAY);
  expect(await fetches(1)).toBe(1);
});

test("a connection to an empty queue writes nothing, and one to a queue that waits one row", async () => {
  const bob = await Addressee.register(410);
  await bob.connect();
  expect(await bob.rowsWritten(async () => await bob.connect())).toBe(0);
  await bob.send(1);
  expect(await bob.rowsWritten(async () => await bob.connect())).toBe(1);
});
