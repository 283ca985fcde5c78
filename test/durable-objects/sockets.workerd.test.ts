import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { encodeClientFrame, MAX_ENVELOPE_BYTES, MAX_FRAME_BYTES } from "#wire";
import { Addressee, type Connection, makeAllTables, messageId, quiet } from "./support/post.ts";

beforeAll(makeAllTables);
afterEach(() => {
  vi.useRealTimers();
});

const SECOND = 1000;

/** The clock that mailboxes read. Timers and the platform stay as they are. */
function moveClock(milliseconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + milliseconds);
}

async function settled(connection: Connection): Promise<void> {
  await connection.until(({ isEmpty }) => isEmpty);
}

test("what waited is delivered in order, then the client is told that this was all", async () => {
  const bob = await Addressee.register(101);
  for (const number of [3, 1, 2]) await bob.send(number);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 3);
  await quiet();
  expect(socket.isEmpty).toBe(false);
  socket.ackAll();
  await settled(socket);
  expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual([3, 1, 2].map(messageId));
  const guids = socket.delivered.map(({ guid }) => guid);
  expect(guids).toEqual(guids.toSorted((a, b) => a - b));
  for (const { serverTimestamp } of socket.delivered) expect(Math.abs(serverTimestamp - Date.now())).toBeLessThan(60 * SECOND);
});

test("an empty queue is said to be empty at once, and only once", async () => {
  const bob = await Addressee.register(102);
  const socket = await bob.connect();
  await settled(socket);
  await bob.send(1);
  await socket.until(({ delivered }) => delivered.length === 1);
  socket.ackAll();
  await quiet();
  expect(socket.frames.map(({ kind }) => kind)).toEqual(["queue-empty", "deliver"]);
});

test("the client is told that all that waited is there, though more has come since", async () => {
  const bob = await Addressee.register(180);
  await bob.send(1);
  const socket = await bob.connect();
  await bob.send(2);
  await socket.until(({ delivered }) => delivered.length === 2);
  socket.ack(socket.delivered[0]?.guid ?? 0);
  await settled(socket);
  expect(await bob.queued()).toBe(1);
});

test("of messages that came and went one empty row is left, however many there were", async () => {
  const bob = await Addressee.register(181);
  const socket = await bob.connect();
  for (let number = 1; number <= 5; number++) {
    await bob.send(number);
    await socket.until(({ delivered }) => delivered.length === number);
    socket.ack(socket.delivered.at(-1)?.guid ?? 0);
    await quiet(30);
    expect([await bob.queued(), await bob.rows("messages")]).toEqual([0, 1]);
  }
  const guids = socket.delivered.map(({ guid }) => guid);
  expect(new Set(guids).size).toBe(5);
});

test("what was not acknowledged comes again on the next socket, and what was does not", async () => {
  const bob = await Addressee.register(103);
  await bob.send(1);
  await bob.send(2);
  const first = await bob.connect();
  await first.until(({ delivered }) => delivered.length === 2);
  first.ack(first.delivered[0]?.guid ?? 0);
  await quiet();
  first.close();
  const second = await bob.connect();
  await second.until(({ delivered }) => delivered.length === 1);
  await quiet();
  expect(second.delivered).toEqual([first.delivered[1]]);
});

test("an acknowledgement of what is not there, or of another device's, forgets nothing", async () => {
  const bob = await Addressee.register(104);
  const second = await bob.addDevice();
  await bob.send(1);
  const first = await bob.connect();
  const other = await bob.connect(second);
  // The first device has a notice of the second one's addition.
  await first.until(({ delivered }) => delivered.length === 2);
  await other.until(({ delivered }) => delivered.length === 2);
  const before = await bob.queued();
  other.ack(1, 7, Number.MAX_SAFE_INTEGER);
  await quiet();
  expect(await bob.queued()).toBe(before);
});

test("no more than 256 messages are on their way, and an acknowledgement makes room", async () => {
  const bob = await Addressee.register(105);
  for (let number = 0; number < 300; number++) await bob.send(number);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 256);
  await quiet();
  expect(socket.delivered.length).toBe(256);
  socket.ack(...socket.delivered.slice(0, 10).map(({ guid }) => guid));
  await socket.until(({ delivered }) => delivered.length === 266);
  await quiet();
  expect(socket.delivered.length).toBe(266);
});

test("no more than 1 MiB is on its way", async () => {
  const bob = await Addressee.register(106);
  const content = new Uint8Array(MAX_ENVELOPE_BYTES);
  for (let number = 0; number < 12; number++) await bob.send(number, { content });
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 10);
  await quiet();
  expect(socket.delivered.length).toBe(10);
  socket.ackAll();
  await socket.until(({ delivered }) => delivered.length === 12);
});

test("ten thousand queued messages drain in order, within the window", { timeout: 240_000 }, async () => {
  const bob = await Addressee.register(107);
  const number = 10_000;
  await runInDurableObject(bob.stub, async (mailbox) => {
    const { deviceId, registrationId } = bob.owner.first;
    for (let at = 0; at < number; at++) {
      const devices = [{ deviceId, registrationId, content: Uint8Array.of(1) }];
      await mailbox.accept({ messageId: messageId(at), scope: "all", ephemeral: false, devices });
    }
    const devices = [{ deviceId, registrationId, content: Uint8Array.of(1) }];
    const full = await mailbox.accept({ messageId: messageId(number), scope: "all", ephemeral: false, devices });
    expect(full).toEqual({ kind: "mailbox-full" });
  });
  const socket = await bob.connect();
  let acknowledged = 0;
  while (acknowledged < number) {
    await socket.until(({ delivered }) => delivered.length > acknowledged);
    const guids = socket.delivered.slice(acknowledged).map(({ guid }) => guid);
    expect(guids.length).toBeLessThanOrEqual(256);
    socket.ack(...guids);
    acknowledged += guids.length;
  }
  await settled(socket);
  expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual(Array.from({ length: number }, (_, at) => messageId(at)));
  expect(await bob.queued()).toBe(0);
});

test("the newest socket of a device wins, and another device's is left alone", async () => {
  const bob = await Addressee.register(108);
  const second = await bob.addDevice();
  const first = await bob.connect();
  const other = await bob.connect(second);
  const newest = await bob.connect();
  await first.until(({ closed }) => closed !== undefined);
  expect(first.closed).toEqual({ code: 4409 });
  expect([other.closed, newest.closed]).toEqual([undefined, undefined]);
  await bob.send(1);
  await newest.until(({ delivered }) => delivered.some(({ envelope }) => envelope.messageId === messageId(1)));
  expect(first.delivered.some(({ envelope }) => envelope.messageId === messageId(1))).toBe(false);
});

test("a device that is not there gets no socket, and neither does one of nobody's mailbox", async () => {
  const bob = await Addressee.register(109);
  const upgrade = { headers: { upgrade: "websocket" } };
  expect((await bob.stub.fetch("https://mailbox/socket?device=9", upgrade)).status).toBe(401);
  expect((await new Addressee(110).stub.fetch("https://mailbox/socket?device=1", upgrade)).status).toBe(401);
  expect((await bob.stub.fetch("https://mailbox/socket?device=1")).status).toBe(426);
});

test("revocation closes the device's socket at once, drops its queue, and leaves the others", async () => {
  const bob = await Addressee.register(111);
  const second = await bob.addDevice();
  const first = await bob.connect();
  const revoked = await bob.connect(second);
  await bob.send(1);
  bob.owner.revoke(second);
  expect(await bob.appendLast()).toMatchObject({ kind: "appended", length: 3 });
  await revoked.until(({ closed }) => closed !== undefined);
  expect(revoked.closed).toEqual({ code: 4401 });
  expect(first.closed).toBeUndefined();
  expect(await bob.rows(`messages WHERE device = ${second.deviceId}`, "messages")).toBe(0);
  expect(await bob.stub.device(second.deviceId)).toEqual({ kind: "unknown" });
  await first.until(({ delivered }) => delivered.length === 3);
  expect(first.delivered.map(({ envelope }) => envelope.type)).toEqual(["notice", "sealed", "notice"]);
});

test.each([
  ["a text", "hello", 1007],
  ["an upper-case ping", "PING", 1007],
  ["no frame", Uint8Array.of(), 1007],
  ["garbage", Uint8Array.of(0xff, 0xff, 0xff), 1007],
  ["a frame of the server's", Uint8Array.of(0x1a, 0x02, 0x08, 0x01), 1007],
  ["the longest garbage", new Uint8Array(MAX_FRAME_BYTES), 1007],
  ["one byte too much", new Uint8Array(MAX_FRAME_BYTES + 1), 1009],
])("%s closes the socket, and the queue is as it was", async (name, data, code) => {
  const bob = await Addressee.register(120 + name.length);
  await bob.send(1);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 1);
  socket.socket.send(data);
  await socket.until(({ closed }) => closed !== undefined);
  expect(socket.closed).toEqual({ code });
  expect(await bob.queued()).toBe(1);
});

test("frames that bring nothing on are limited; acknowledgements are not", async () => {
  const bob = await Addressee.register(151);
  for (let number = 0; number < 150; number++) await bob.send(number);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 150);
  for (const { guid } of socket.delivered) socket.ack(guid);
  await settled(socket);
  await quiet();
  expect(socket.closed).toBeUndefined();
  for (let i = 0; i < 150; i++) socket.ack(1);
  await socket.until(({ closed }) => closed !== undefined);
  expect(socket.closed).toEqual({ code: 4429 });
});

test("a ping is answered, and a socket that nobody pings is closed and skipped", async () => {
  const bob = await Addressee.register(152);
  const socket = await bob.connect();
  await settled(socket);
  socket.socket.send("ping");
  await socket.until(({ texts }) => texts.length === 1);
  expect(socket.texts).toEqual(["pong"]);
  moveClock(70 * SECOND);
  await bob.send(1);
  await socket.until(({ delivered }) => delivered.length === 1);
  moveClock(10 * SECOND);
  await bob.send(2);
  await socket.until(({ closed }) => closed !== undefined);
  expect(socket.closed).toEqual({ code: 4408 });
  expect(socket.delivered.length).toBe(1);
  expect(await bob.queued()).toBe(2);
});

test("a hibernated mailbox keeps its sockets, delivers to them, and knows what it has sent", async () => {
  const bob = await Addressee.register(153);
  const socket = await bob.connect();
  await bob.send(1);
  await socket.until(({ delivered }) => delivered.length === 1);
  await evictDurableObject(bob.stub, { webSockets: "hibernate" });
  await bob.send(2);
  await socket.until(({ delivered }) => delivered.length === 2);
  await evictDurableObject(bob.stub, { webSockets: "hibernate" });
  socket.ackAll();
  await quiet();
  expect(await bob.queued()).toBe(0);
  expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual([1, 2].map(messageId));
  expect(socket.closed).toBeUndefined();
});

test("a repeat is known after eviction, and numbers go on though the queue was empty and the clock stepped back", async () => {
  const bob = await Addressee.register(154);
  await bob.send(1);
  await evictDurableObject(bob.stub);
  await bob.send(1);
  expect(await bob.queued()).toBe(1);
  const first = await bob.connect();
  await first.until(({ delivered }) => delivered.length === 1);
  first.ackAll();
  await settled(first);
  await evictDurableObject(bob.stub, { webSockets: "close" });
  moveClock(-3600 * SECOND);
  await bob.send(2);
  const second = await bob.connect();
  await second.until(({ delivered }) => delivered.length === 1);
  expect(second.delivered[0]?.guid).toBeGreaterThan(first.delivered[0]?.guid ?? Infinity);
});

test("a message that was delivered five times in vain stands no longer before the others", async () => {
  const bob = await Addressee.register(155);
  for (const number of [1, 2]) await bob.send(number);
  for (let attempt = 0; attempt < 5; attempt++) {
    const socket = await bob.connect();
    await socket.until(({ delivered }) => delivered.length === 2);
    expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual([1, 2].map(messageId));
    socket.close();
    await evictDurableObject(bob.stub, { webSockets: "close" });
  }
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 1);
  await quiet();
  expect(socket.delivered.map(({ envelope }) => envelope.messageId)).toEqual([messageId(2)]);
  socket.ackAll();
  await settled(socket);
  // Behind the others it is still to be had, and is lost only when it is acknowledged or has expired.
  await socket.until(({ delivered }) => delivered.length === 2);
  expect(await bob.queued()).toBe(1);
  socket.ackAll();
  await quiet();
  expect(await bob.queued()).toBe(0);
});

test("few keys are told to a device that is connected, and to nobody else", async () => {
  const bob = await Addressee.register(156);
  await bob.stub.preKeysLow(bob.owner.first.deviceId, "kem", 3);
  const socket = await bob.connect();
  await settled(socket);
  await bob.stub.preKeysLow(bob.owner.first.deviceId, "ec", 20);
  await socket.until(({ frames }) => frames.length === 2);
  expect(socket.frames[1]).toMatchObject({ kind: "pre-keys-low", keys: "ec", remaining: 20 });
});

test("a frame carries typing from one mailbox to another, and into nobody's none", async () => {
  const bob = await Addressee.register(157);
  const alice = await Addressee.register(158);
  const from = await alice.connect();
  const to = await bob.connect();
  await settled(to);
  const { deviceId, registrationId } = bob.owner.first;
  const devices = [{ deviceId, registrationId, content: Uint8Array.of(7) }];
  const nobody = new Addressee(159);
  for (const { userId } of [nobody, bob])
    from.socket.send(encodeClientFrame({ frame: { kind: "send-ephemeral", userId, capability: undefined, devices } }));
  await to.until(({ delivered }) => delivered.length === 1);
  expect(to.delivered[0]?.envelope).toMatchObject({ ephemeral: true, content: Uint8Array.of(7) });
  expect(await bob.queued()).toBe(0);
  expect(await nobody.rows("facts")).toBe(-1);
  expect(from.closed).toBeUndefined();
});

test("an idle mailbox sleeps while its clients ping", { timeout: 40_000 }, async () => {
  const bob = await Addressee.register(160);
  const socket = await bob.connect();
  await settled(socket);
  const lives = async (): Promise<unknown> => await runInDurableObject(bob.stub, (mailbox) => mailbox);
  const before = await lives();
  expect(await lives()).toBe(before);
  for (let i = 0; i < 7; i++) {
    socket.socket.send("ping");
    await quiet(2000);
  }
  expect(socket.texts.length).toBe(7);
  expect(await lives()).not.toBe(before);
  await bob.send(1);
  await socket.until(({ delivered }) => delivered.length === 1);
});
