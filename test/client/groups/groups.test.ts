// Groups between real clients and a real server: who is in hears everything once and in order, and who is out hears nothing more.

import "edgewise/node";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type GroupConversation } from "#client";
import { memory } from "edgewise/store/memory";
import { sqlite } from "edgewise/store/node-sqlite";
import { uuidToBytes } from "#wire";
import { RunningServer } from "../../server/running-server.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-groups-"));
let server: RunningServer;
beforeAll(async () => {
  server = await RunningServer.start(join(folder, "state"), `1:${"G".repeat(43)}`, 0, { EDGEWISE_BENCH: "edgewise" });
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

const PATIENCE = { timeout: 60_000, interval: 50 };
let people = 0;

async function newcomer(name: string): Promise<Client> {
  const client = await createClient({ server: server.url, store: memory() });
  await client.register({ username: `${name}${++people}`, name });
  await client.connect();
  return client;
}

/** Both have accepted the other. */
async function acquaint(one: Client, other: Client): Promise<void> {
  await (await one.conversations.direct(other.account.userId)).send("hello");
  await one.settled();
  await expect.poll(async () => (await other.contacts.listRequests()).length, PATIENCE).toBeGreaterThan(0);
  await other.contacts.accept(one.account.userId);
  await other.settled();
}

async function texts(client: Client, id: string): Promise<readonly string[]> {
  const group = await client.conversations.group(id).catch(() => undefined);
  return ((await group?.history({ limit: 500 })) ?? []).map(({ text }) => text).toReversed();
}

async function membersOf(client: Client, id: string): Promise<readonly string[]> {
  const group = await client.conversations.group(id).catch(() => undefined);
  return (group?.members ?? []).map(({ peer, role }) => `${peer.userId} ${role}`);
}

async function agree(clients: readonly Client[], id: string): Promise<void> {
  const [first] = clients;
  if (first === undefined) return;
  await expect
    .poll(async () => {
      const seen = await Promise.all(clients.map(async (client) => JSON.stringify(await membersOf(client, id))));
      return new Set(seen).size;
    }, PATIENCE)
    .toBe(1);
}

async function groupOf(clients: readonly Client[], title: string): Promise<GroupConversation> {
  const [admin, ...others] = clients;
  if (admin === undefined) throw new Error("nobody");
  for (const other of others) await acquaint(admin, other);
  const group = await admin.conversations.createGroup(
    title,
    others.map(({ account }) => account.userId),
  );
  await admin.settled();
  for (const client of others) await expect.poll(() => membersOf(client, group.id), PATIENCE).toHaveLength(clients.length);
  return group;
}

test("what is said in a group reaches everybody in it, once and in order, and its writer learns of it", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  await using carol = await newcomer("carol");
  const group = await groupOf([alice, bob, carol], "Hiking");
  expect(group.title).toBe("Hiking");
  const said: string[] = [];
  for (let i = 0; i < 5; i++) {
    await group.send(`alice ${i}`);
    said.push(`alice ${i}`);
  }
  await alice.settled();
  const atBob = await bob.conversations.group("Hiking");
  await atBob.send("bob 0");
  await bob.settled();
  for (const client of [alice, bob, carol]) {
    await expect.poll(async () => (await texts(client, group.id)).toSorted(), PATIENCE).toEqual([...said, "bob 0"].toSorted());
    expect((await texts(client, group.id)).filter((text) => text.startsWith("alice"))).toEqual(said);
  }
  await expect
    .poll(async () => (await group.history()).filter(({ own }) => own).map(({ state }) => state), PATIENCE)
    .toEqual(Array(5).fill("delivered"));
});

test("whoever is removed reads nothing that is said afterwards, and the others are told who did it", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  await using mallory = await newcomer("mallory");
  const group = await groupOf([alice, bob, mallory], "Secret");
  await group.send("before");
  await expect.poll(() => texts(mallory, group.id), PATIENCE).toEqual(["before"]);
  await group.remove([mallory.account.userId]);
  await alice.settled();
  await group.send("after");
  await alice.settled();
  await expect.poll(() => texts(bob, group.id), PATIENCE).toEqual(["before", "after"]);
  await expect.poll(async () => (await mallory.conversations.group(group.id)).standing, PATIENCE).toBe("removed");
  expect(await texts(mallory, group.id)).toEqual(["before"]);
  await expect((await mallory.conversations.group(group.id)).send("still here?")).rejects.toMatchObject({ code: "not-a-member" });
});

test("whoever comes later reads nothing from before", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  await using carol = await newcomer("carol");
  const group = await groupOf([alice, bob], "Old");
  await acquaint(alice, carol);
  await group.send("before");
  await alice.settled();
  await group.add([carol.account.userId]);
  await group.send("after");
  await alice.settled();
  await expect.poll(() => texts(carol, group.id), PATIENCE).toEqual(["after"]);
  await expect.poll(() => texts(bob, group.id), PATIENCE).toEqual(["before", "after"]);
});

test("members rename, promote and leave as their role allows, and all end with the same state", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  await using carol = await newcomer("carol");
  const group = await groupOf([alice, bob, carol], "Names");
  const atBob = await bob.conversations.group(group.id);
  await expect(atBob.rename("Mine")).rejects.toMatchObject({ code: "not-an-admin" });
  await expect(group.leave()).rejects.toMatchObject({ code: "last-admin" });
  await group.setRole(bob.account.userId, "admin");
  await expect.poll(async () => (await bob.conversations.group(group.id)).role, PATIENCE).toBe("admin");
  await (await bob.conversations.group(group.id)).rename("Ours");
  await (await carol.conversations.group(group.id)).leave();
  await agree([alice, bob], group.id);
  await expect.poll(async () => (await alice.conversations.group(group.id)).title, PATIENCE).toBe("Ours");
  await expect.poll(() => membersOf(alice, group.id), PATIENCE).toHaveLength(2);
  await group.leave();
  await expect.poll(() => membersOf(bob, group.id), PATIENCE).toEqual([`${bob.account.userId} admin`]);
});

test("somebody who is away catches up with messages and changes", async () => {
  await using alice = await newcomer("alice");
  const file = join(folder, "bob.db");
  const bob = await createClient({ server: server.url, store: sqlite(file) });
  await bob.register({ username: `bob${++people}`, name: "bob" });
  await bob.connect();
  const group = await groupOf([alice, bob], "Away");
  await bob.close();
  await group.send("one");
  await group.rename("Still away");
  await group.send("two");
  await alice.settled();
  await using again = await createClient({ server: server.url, store: sqlite(file) });
  await again.connect();
  await expect.poll(() => texts(again, group.id), PATIENCE).toEqual(["one", "two"]);
  await expect.poll(async () => (await again.conversations.group(group.id)).title, PATIENCE).toBe("Still away");
});

test("a stranger's group waits until they are accepted", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  const group = await alice.conversations.createGroup("Strangers", [bob.account.userId]);
  await group.send("buy this");
  await alice.settled();
  await expect.poll(async () => (await bob.contacts.listRequests()).map(({ userId }) => userId), PATIENCE).toEqual([alice.account.userId]);
  await expect.poll(() => texts(bob, group.id), PATIENCE).toEqual(["buy this"]);
  expect((await bob.conversations.group(group.id)).standing).toBe("invited");
  const before = [];
  for await (const event of bob.events({ wait: false })) if (event.type === "message") before.push(event.message.text);
  expect(before).toEqual([]);
  await bob.contacts.accept(alice.account.userId);
  const after = [];
  for await (const event of bob.events({ wait: false })) if (event.type === "message") after.push(event.message.text);
  expect(after).toEqual(["buy this"]);
});

test("the server keeps no word of a group: neither its title nor who is in it", async () => {
  await using alice = await newcomer("alice");
  await using bob = await newcomer("bob");
  const group = await groupOf([alice, bob], "Unspeakable title");
  await group.send("unspeakable text");
  await alice.settled();
  const state = join(folder, "state");
  const places = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((place) => /(Group|FanOut)\W.*\.sqlite/.test(place));
  const bytes = places.map((place) => readFileSync(join(state, place)));
  expect(bytes.length).toBeGreaterThan(0);
  for (const file of bytes) {
    for (const text of ["Unspeakable title", "unspeakable text", alice.account.userId, bob.account.userId])
      expect(file.includes(text)).toBe(false);
    for (const { account } of [alice, bob]) expect(file.includes(Buffer.from(uuidToBytes(account.userId)))).toBe(false);
  }
});
