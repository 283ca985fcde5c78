// What a server can do over the socket: nonsense, silence, floods, and closing it again and again. The client comes back, later
// and later while it does not get better, says when it has stopped, and has everything when the server is honest.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError } from "#client";
import { CLOSE, concat, encodeServerFrame, MAX_FRAME_BYTES, parseMessageId, toUtf8 } from "#wire";
import { isMessage, lyingAbout } from "./liar.ts";
import { PATIENCE, type Person, settles, START_TIMEOUT, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close());

/** How long the client has waited, all in all, between so many sockets. */
async function waitedFor({ client, clock, liar }: Person, sockets: number): Promise<number> {
  const until = liar.socketsOpened + sockets;
  let waited = 0;
  while (liar.socketsOpened < until) {
    await expect.poll(() => client.connection.value.status, PATIENCE).toBe("offline");
    for (; client.connection.value.status === "offline"; waited += 100) clock.moveOn(100);
  }
  return waited;
}

function codeOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error);
}

const BAD_FRAMES = [
  { name: "a frame that is none", bytes: toUtf8("not a frame") },
  { name: "a frame with something behind it", bytes: concat(encodeServerFrame({ frame: { kind: "queue-empty" } }), new Uint8Array([1])) },
  { name: "a frame larger than any", bytes: new Uint8Array(MAX_FRAME_BYTES + 1) },
] as const;

for (const { name, bytes } of BAD_FRAMES) {
  test(`${name} ends the socket and nothing else`, async () => {
    const [alice, bob] = await town.friends();
    const before = bob.liar.socketsOpened;
    bob.liar.sendBytes(bytes);
    await alice.send(bob, "one");
    await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
    expect(bob.liar.socketsOpened).toBe(before + 1);
  });
}

test("text that nobody asked for is noise", async () => {
  const [alice, bob] = await town.friends();
  for (const text of ["", "ping", "pong pong", "{}", "x".repeat(1_000_000)]) bob.liar.sendText(text);
  await alice.send(bob, "one");
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  expect(bob.liar.socketsOpened).toBe(1);
});

test("a queue that is called empty too early loses nothing: the rest comes when it comes", async () => {
  const [alice, bob] = await town.friends();
  await bob.restart();
  for (const text of ["one", "two", "three"]) await alice.send(bob, text);
  await alice.client.settled();
  const held: (() => void)[] = [];
  bob.liar.relay = (frame, pass) => {
    if (isMessage(frame)) held.push(() => pass(frame));
    if (held.length === 1) pass({ kind: "queue-empty" });
  };
  await bob.client.connect();
  expect(await bob.readNew(alice)).toEqual([]);
  await expect.poll(() => held.length, PATIENCE).toBe(3);
  for (const release of held) release();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "two", "three"]);
});

test("a queue that is never called empty shows as catching up, and what comes is shown all the same", async () => {
  const [alice, bob] = await town.friends();
  await bob.restart();
  await alice.send(bob, "one");
  await alice.client.settled();
  bob.liar.relay = (frame, pass) => (frame.kind === "queue-empty" ? undefined : pass(frame));
  const given = AbortSignal.timeout(60_000);
  const connected = bob.client.connect({ signal: given });
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  expect(bob.client.connection.value.status).toBe("catching-up");
  bob.liar.send({ kind: "queue-empty" });
  await connected;
});

test("whoever waits for a silent server, to be connected or to have something out, is told when the client is closed", async () => {
  const [alice, bob] = await town.friends();
  await bob.restart();
  bob.liar.relay = () => undefined;
  const connected = bob.client.connect().catch(codeOf);
  await expect.poll(() => bob.client.connection.value.status, PATIENCE).toBe("catching-up");
  await bob.client.close();
  expect(await connected).toBe("closed");

  const asked = Promise.withResolvers<void>();
  alice.liar.answer = lyingAbout("sendMessages", async () => {
    asked.resolve();
    await end.promise;
    throw new TypeError("the line is cut");
  });
  const end = Promise.withResolvers<void>();
  await alice.send(bob, "one");
  const settled = alice.client.settled().catch(codeOf);
  await asked.promise;
  const closed = alice.client.close();
  expect(await settled).toBe("closed");
  end.resolve();
  await closed;
  for (const person of [alice, bob]) await person.restart();
});

test("a socket that is closed whenever it is open is opened later and later", async () => {
  const [alice, bob] = await town.friends();
  bob.liar.relay = () => bob.liar.closeSocket();
  bob.liar.closeSocket();
  // With a first pause of half a second at most, twenty that do not grow are ten seconds.
  expect(await waitedFor(bob, 20)).toBeGreaterThan(20_000);
  bob.liar.becomeHonest();
  await alice.send(bob, "one");
  await expect
    .poll(async () => {
      if (bob.client.connection.value.status === "offline") bob.clock.moveOn(1000);
      return await bob.readNew(alice);
    }, PATIENCE)
    .toEqual(["one"]);
});

test("a socket that is refused again and again is opened later and later, each time with a fresh token", async () => {
  const [alice, bob] = await town.friends();
  const before = bob.liar.count("createToken");
  bob.liar.relay = () => bob.liar.closeSocket(CLOSE.unauthorized.code);
  bob.liar.closeSocket(CLOSE.unauthorized.code);
  expect(await waitedFor(bob, 20)).toBeGreaterThan(20_000);
  expect(bob.liar.count("createToken") - before).toBeLessThanOrEqual(21);
  bob.liar.becomeHonest();
  await alice.send(bob, "one");
  await expect
    .poll(async () => {
      if (bob.client.connection.value.status === "offline") bob.clock.moveOn(1000);
      return await bob.readNew(alice);
    }, PATIENCE)
    .toEqual(["one"]);
});

test("whoever is told that another program receives stops and says so, and has everything when asked to go on", async () => {
  const [alice, bob] = await town.friends();
  bob.liar.closeSocket(CLOSE.replaced.code);
  await expect.poll(() => bob.client.connection.value, PATIENCE).toMatchObject({ status: "offline", error: "replaced-elsewhere" });
  await alice.send(bob, "one");
  await alice.client.settled();
  bob.clock.moveOn(3600_000);
  expect(bob.liar.socketsOpened).toBe(1);
  await bob.client.connect();
  expect(await bob.readNew(alice)).toEqual(["one"]);
});

test("a flood of messages that nobody wrote is thrown away, and the one that somebody wrote is shown", async () => {
  const [alice, bob] = await town.friends();
  const messageId = parseMessageId("00000000-0000-4000-8000-000000000000");
  const envelope = { messageId, type: "sealed", content: new Uint8Array(600), ephemeral: false } as const;
  for (let guid = 100; guid < 300; guid++) bob.liar.send({ kind: "deliver", guid, envelope, serverTimestamp: Date.now() });
  await settles(bob, 200);
  for (let guid = 100; guid < 2000; guid++) bob.liar.send({ kind: "deliver", guid, envelope, serverTimestamp: Date.now() });
  await alice.send(bob, "one");
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  expect(await bob.notices()).toEqual([]);
});
