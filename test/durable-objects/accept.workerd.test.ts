import { beforeAll, expect, test } from "vitest";
import { MAX_ENVELOPE_BYTES, parseDeviceId, parseRegistrationId } from "#wire";
import { Addressee, mailboxOf, makeAllTables, messageId } from "./support/post.ts";

beforeAll(makeAllTables);

test("a message is one row when it is stored, and one when it is acknowledged", async () => {
  const bob = await Addressee.register(1);
  expect(await bob.rowsWritten(async () => await bob.send(1))).toBe(1);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 1);
  const written = await bob.rowsWritten(async () => {
    socket.ackAll();
    await socket.until(({ isEmpty }) => isEmpty);
  });
  expect(written).toBe(1);
  expect(await bob.queued()).toBe(0);
});

test("a message to a device that is connected costs the same", async () => {
  const bob = await Addressee.register(2);
  const socket = await bob.connect();
  await socket.until(({ isEmpty }) => isEmpty);
  const written = await bob.rowsWritten(async () => {
    await bob.send(1);
    await socket.until(({ delivered }) => delivered.length === 1);
  });
  expect(written).toBe(1);
});

test("a row for each device", async () => {
  const bob = await Addressee.register(3);
  await bob.addDevice();
  expect(await bob.rowsWritten(async () => await bob.send(1))).toBe(2);
});

test("a repeat of a queued message writes nothing and is answered alike", async () => {
  const bob = await Addressee.register(4);
  const first = await bob.send(1);
  const written = await bob.rowsWritten(async () => {
    expect(await bob.send(1)).toEqual(first);
  });
  expect(written).toBe(0);
  expect(await bob.queued()).toBe(1);
  await bob.send(2);
  expect(await bob.queued()).toBe(2);
});

test("an ephemeral message writes nothing, whether somebody hears it or not", async () => {
  const bob = await Addressee.register(5);
  expect(await bob.rowsWritten(async () => await bob.send(1, { ephemeral: true }))).toBe(0);
  const socket = await bob.connect();
  const written = await bob.rowsWritten(async () => {
    expect(await bob.send(2, { ephemeral: true })).toEqual({ kind: "accepted" });
    await socket.until(({ delivered }) => delivered.length === 1);
  });
  expect(written).toBe(0);
  expect(socket.delivered.map(({ envelope }) => [envelope.messageId, envelope.ephemeral])).toEqual([[messageId(2), true]]);
});

test("a send to somebody who was never registered writes nothing", async () => {
  const nobody = new Addressee(6);
  expect(await nobody.send(1)).toEqual({ kind: "unknown" });
  expect(await nobody.stub.device(parseDeviceId(1))).toEqual({ kind: "unknown" });
  expect(await nobody.stub.spendKeyBudget("x")).toEqual({ kind: "unknown" });
  expect(await nobody.stub.appendLog({ entry: new Uint8Array(), upload: undefined })).toEqual({ kind: "unknown" });
  for (const table of ["messages", "facts", "devices"]) expect(await nobody.rows(table)).toBe(-1);
});

test("a send to all must name all, no others, and by their present registration", async () => {
  const bob = await Addressee.register(7);
  const second = await bob.addDevice();
  const { first } = bob.owner;
  const content = Uint8Array.of(1);
  const absent = { deviceId: parseDeviceId(9), registrationId: parseRegistrationId(1), content };
  const stale = { deviceId: first.deviceId, registrationId: parseRegistrationId(first.registrationId ^ 1), content };
  const written = await bob.rowsWritten(async () => {
    const answer = await bob.stub.accept({ messageId: messageId(1), scope: "all", ephemeral: false, devices: [absent, stale] });
    expect(answer).toEqual({
      kind: "devices-changed",
      missing: [second.deviceId],
      extra: [absent.deviceId],
      stale: [first.deviceId],
    });
  });
  expect(written).toBe(0);
});

test("a repair names some", async () => {
  const bob = await Addressee.register(8);
  const second = await bob.addDevice();
  const devices = [{ ...second, content: Uint8Array.of(1) }].map(({ deviceId, registrationId, content }) => ({
    deviceId,
    registrationId,
    content,
  }));
  expect(await bob.stub.accept({ messageId: messageId(1), scope: "some", ephemeral: false, devices })).toEqual({ kind: "accepted" });
  expect(await bob.stub.accept({ messageId: messageId(2), scope: "all", ephemeral: false, devices })).toMatchObject({
    kind: "devices-changed",
  });
});

test("a full queue refuses, and has lost nothing", { timeout: 60_000 }, async () => {
  const bob = await Addressee.register(9);
  const content = new Uint8Array(MAX_ENVELOPE_BYTES);
  let stored = 0;
  for (; stored < 1200; stored++) {
    const { kind } = await bob.send(stored, { content });
    if (kind === "accepted") continue;
    expect(kind).toBe("mailbox-full");
    break;
  }
  expect(stored).toBe(Math.floor((100 * 1024 * 1024) / (MAX_ENVELOPE_BYTES + 28)));
  expect(await bob.queued()).toBe(stored);
  expect(await bob.send(0, { content })).toEqual({ kind: "accepted" });
});

test("names of mailboxes are not those of users", () => {
  const bob = new Addressee(10);
  expect(mailboxOf(bob.userId).name).toMatch(/^[0-9a-f]{64}$/);
});
