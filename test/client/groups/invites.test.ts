// Invite links between real clients and a real server: who has one can ask, who has none cannot, and an admin decides.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "#client";
import { memory } from "edgewise/store/memory";
import { RunningServer } from "../../server/running-server.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };

const folder = mkdtempSync(join(tmpdir(), "edgewise-invites-"));
let server: RunningServer;
beforeAll(async () => {
  server = await RunningServer.start(join(folder, "state"), `1:${"I".repeat(43)}`, 0, { EDGEWISE_BENCH: "edgewise" });
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

let people = 0;

async function newcomer(name: string): Promise<Client> {
  const client = await createClient({ server: server.url, store: memory() });
  await client.register({ username: `${name}${++people}`, name });
  await client.connect();
  return client;
}

async function titles(client: Client): Promise<readonly string[]> {
  return (await client.conversations.groups()).filter(({ standing }) => standing === "member").map(({ title }) => title);
}

test("whoever has a link asks, an admin agrees, and they are in", async () => {
  await using alice = await newcomer("alice");
  await using dave = await newcomer("dave");
  const group = await alice.conversations.createGroup("Open", []);
  const link = await group.invite({ uses: 2 });
  expect(link).toMatch(/^edgewise:group\/[0-9a-f]{64}\?server=.+&admin=.+#[\w-]{22}$/);
  await dave.conversations.join(link);
  await dave.settled();
  await expect.poll(async () => (await group.joinRequests()).map(({ name }) => name), PATIENCE).toEqual(["dave"]);
  expect(await titles(dave)).toEqual([]);
  await group.approve(dave.account.userId);
  await alice.settled();
  await expect.poll(() => titles(dave), PATIENCE).toEqual(["Open"]);
  expect(await group.joinRequests()).toEqual([]);
  await (await dave.conversations.group("Open")).send("thanks");
  await dave.settled();
  await expect.poll(async () => (await group.history()).map(({ text }) => text), PATIENCE).toEqual(["thanks"]);
});

test("a link without approval lets so many in as it says, and nobody more", async () => {
  await using alice = await newcomer("alice");
  await using dave = await newcomer("dave");
  await using erin = await newcomer("erin");
  const group = await alice.conversations.createGroup("One more", []);
  const link = await group.invite({ approval: false });
  await dave.conversations.join(link);
  await expect.poll(() => titles(dave), PATIENCE).toEqual(["One more"]);
  await erin.conversations.join(link);
  await erin.settled();
  await erin.conversations.direct(alice.account.userId).then((chat) => chat.send("may I?"));
  await erin.settled();
  // What came before it has been seen.
  await expect.poll(async () => (await alice.contacts.listRequests()).map(({ name }) => name), PATIENCE).toEqual(["erin"]);
  expect(await group.joinRequests()).toEqual([]);
  expect(await titles(erin)).toEqual([]);
});

test("a link that was changed, is of another server, or ended with a removal lets nobody in", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  await using mallory = await newcomer("mallory");
  const group = await alice.conversations.createGroup("Closed", [bob.account.userId]);
  const link = await group.invite({ uses: 5 });
  await expect(mallory.conversations.join(link.replace(/#.*/, ""))).rejects.toMatchObject({ code: "bad-argument" });
  await expect(mallory.conversations.join(link.replace(/server=[^&]+/, "server=https%3A%2F%2Fother.test"))).rejects.toMatchObject({
    code: "bad-argument",
  });
  await mallory.conversations.join(link.replace(/#./, (mark) => (mark === "#A" ? "#B" : "#A")));
  await mallory.settled();
  await group.remove([bob.account.userId]);
  await mallory.conversations.join(link);
  await (await mallory.conversations.direct(alice.account.userId)).send("let me in");
  await mallory.settled();
  await expect.poll(async () => (await alice.contacts.listRequests()).length, PATIENCE).toBe(1);
  expect(await group.joinRequests()).toEqual([]);
  await expect(group.approve(mallory.account.userId)).rejects.toMatchObject({ code: "nobody-asked" });
  expect(await titles(mallory)).toEqual([]);
});
