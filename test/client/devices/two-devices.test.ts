// One account on two devices, and somebody who writes with it, on a real server: what is done on one device is so on the other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type Message } from "#client";
import { sqlite } from "edgewise/store/node-sqlite";
import { RunningServer } from "../../server/running-server.ts";
import { addSecondDevice } from "./second-device.ts";

const PATIENCE = { timeout: 30_000 };
/** For a server to start and to end, on a shared machine that is slow at times. */
const HOOK_MILLISECONDS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "edgewise-devices-"));
const [firstStore, secondStore, bobStore] = ["first", "second", "bob"].map((name) => join(folder, `${name}.db`)) as [
  string,
  string,
  string,
]; // three of three
let server: RunningServer;
let first: Client;
let second: Client;
let bob: Client;

function open(store: string): Promise<Client> {
  return createClient({ server: server.url, store: sqlite(store) });
}

beforeAll(async () => {
  server = await RunningServer.start(join(folder, "state"), `1:${"E".repeat(43)}`);
  const alice = await open(firstStore);
  await alice.register({ username: "alice" });
  await alice.close();
  bob = await open(bobStore);
  await bob.register({ username: "bob" });
  // Bob knows her from the time when she had one device.
  await bob.contacts.find("alice");
  await addSecondDevice(server.url, sqlite(firstStore), sqlite(secondStore));
  [first, second] = [await open(firstStore), await open(secondStore)];
  await Promise.all([first.connect(), second.connect(), bob.connect()]);
}, HOOK_MILLISECONDS);
afterAll(async () => {
  await Promise.all([first, second, bob].map((client) => client.close()));
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

async function textsOf(client: Client, peer: Client): Promise<readonly Pick<Message, "text" | "own">[]> {
  const history = await (await client.conversations.direct(peer.account.userId)).history();
  return history.map(({ text, own }) => ({ text, own })).toReversed();
}

async function unreadOf(client: Client): Promise<number> {
  return (await client.conversations.direct(bob.account.userId)).unread;
}

test("both devices are of one account", () => {
  expect(second.account.userId).toBe(first.account.userId);
  expect([first.account.deviceId, second.account.deviceId]).toEqual([1, 2]);
});

test("who is accepted on one device is accepted on the other, and what they wrote is on both", async () => {
  await (await bob.conversations.direct(first.account.userId)).send("hello");
  await bob.settled();
  await expect.poll(async () => (await first.contacts.find(bob.account.userId)).contact, PATIENCE).toBe("request");
  await first.contacts.accept(bob.account.userId);
  await expect.poll(async () => (await second.contacts.find(bob.account.userId)).contact, PATIENCE).toBe("accepted");
  const hello = [{ text: "hello", own: false }];
  await expect.poll(() => textsOf(first, bob), PATIENCE).toEqual(hello);
  await expect.poll(() => textsOf(second, bob), PATIENCE).toEqual(hello);
});

test("what one device sends the other shows as its own, and the recipient once", async () => {
  const toBob = await first.conversations.direct(bob.account.userId);
  await toBob.send("from the first");
  await first.settled();
  await expect.poll(() => textsOf(second, bob), PATIENCE).toContainEqual({ text: "from the first", own: true });
  await (await second.conversations.direct(bob.account.userId)).send("from the second");
  await second.settled();
  await expect.poll(() => textsOf(first, bob), PATIENCE).toContainEqual({ text: "from the second", own: true });
  const expected = ["hello", "from the first", "from the second"];
  await expect.poll(async () => (await textsOf(bob, first)).map(({ text }) => text), PATIENCE).toEqual(expected);
});

test("a file that one device sends the other can read as well", async () => {
  const toBob = await first.conversations.direct(bob.account.userId);
  const { id } = await toBob.sendFile(new File(["a file"], "file.txt"));
  await first.settled();
  const received = async (): Promise<string | undefined> => {
    const message = await second.message(id).catch(() => undefined);
    return await (await message?.attachments[0]?.download())?.text();
  };
  await expect.poll(received, PATIENCE).toBe("a file");
});

test("what is changed on one device is changed on the other", async () => {
  const toBob = await first.conversations.direct(bob.account.userId);
  const message = await toBob.send("a mistkae");
  await message.edit("a mistake");
  await first.settled();
  await expect.poll(() => textsOf(second, bob), PATIENCE).toContainEqual({ text: "a mistake", own: true });
  await (await first.message(message.id)).delete();
  await first.settled();
  await expect.poll(async () => (await second.message(message.id)).deleted, PATIENCE).toBe(true);
});

test("what is read on one device is read on the other", async () => {
  await (await bob.conversations.direct(first.account.userId)).send("read this");
  await bob.settled();
  await expect.poll(() => textsOf(second, bob), PATIENCE).toContainEqual({ text: "read this", own: false });
  await expect.poll(() => textsOf(first, bob), PATIENCE).toContainEqual({ text: "read this", own: false });
  expect(await unreadOf(second)).toBeGreaterThan(0);
  await (await first.conversations.direct(bob.account.userId)).markRead();
  await expect.poll(() => unreadOf(second), PATIENCE).toBe(0);
});

test("who is accepted on one device is accepted also on one that has never heard of them", async () => {
  await using carol = await open(join(folder, "carol.db"));
  await carol.register({ username: "carol" });
  await second.close();
  await first.contacts.accept("carol");
  await first.settled();
  second = await open(secondStore);
  await second.connect();
  expect((await second.contacts.find(carol.account.userId)).contact).toBe("accepted");
});
