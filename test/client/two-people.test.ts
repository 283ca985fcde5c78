// Two people in one process against a real server, with somebody in the wires: what their program does when a part of the world
// around it does not do as it should.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, ClientError, type Clock, createClient, type HttpRequest, type HttpResponse, type Network, type Store } from "#client";
import { memory } from "edgewise/store/memory";
import { systemRandom } from "#crypto";
import { toUtf8 } from "#wire";
import { SESSIONS } from "../../client/records/tables.ts";
import { Vault } from "../../client/records/vault.ts";
import { platformClock, platformNetwork } from "../../client/transport/platform.ts";
import { RunningServer } from "../server/running-server.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-two-"));
let server: RunningServer;
beforeAll(async () => {
  server = await RunningServer.start(join(folder, "state"), `1:${"D".repeat(43)}`);
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

type Interfere = (request: HttpRequest, next: () => Promise<HttpResponse>) => Promise<HttpResponse>;

let people = 0;

interface Placed {
  readonly clock?: Clock;
  readonly interfere?: Interfere;
  readonly store?: Store;
}

async function newcomer(
  name: string,
  { interfere = (_, next) => next(), store = memory(), clock = platformClock }: Placed = {},
): Promise<Client> {
  const network: Network = { ...platformNetwork, request: (request) => interfere(request, () => platformNetwork.request(request)) };
  const client = await createClient({ server: server.url, store, network, clock });
  await client.register({ username: `${name}${++people}` });
  return client;
}

function isSend({ method, url }: HttpRequest): boolean {
  return method === "PUT" && url.endsWith("/messages");
}

function problem(status: number, code: string): HttpResponse {
  return { status, headers: new Map(), body: toUtf8(JSON.stringify({ code })) };
}

test("a message that the server will never take fails alone: those behind it are sent", async () => {
  await using bob = await newcomer("bob");
  let sends = 0;
  const interfere: Interfere = (request, next) => (isSend(request) && ++sends === 3 ? Promise.resolve(problem(413, "too-large")) : next());
  await using alice = await newcomer("alice", { interfere });
  // The first send is her name.
  const toBob = await alice.conversations.direct(bob.account.userId);
  const messages = [await toBob.send("one"), await toBob.send("two"), await toBob.send("three")];
  await alice.settled();
  const states = await Promise.all(messages.map(async ({ id }) => (await alice.message(id)).state));
  expect(states).toEqual(["sent", "failed", "sent"]);
  await expect(messages[1]?.sent()).rejects.toMatchObject({ code: "refused", retryable: false });
});

test("a failed message can be sent again", async () => {
  await using bob = await newcomer("bob");
  let refuse = true;
  const interfere: Interfere = (request, next) => (isSend(request) && refuse ? Promise.resolve(problem(413, "too-large")) : next());
  await using alice = await newcomer("alice", { interfere });
  const message = await (await alice.conversations.direct(bob.account.userId)).send("one");
  await expect(message.sent()).rejects.toMatchObject({ code: "refused" });
  refuse = false;
  await message.retry();
  await message.sent();
  expect((await alice.message(message.id)).state).toBe("sent");
});

test("the list of conversations shows what is said, and keeps nobody else from the store", { timeout: 20_000 }, async () => {
  await using bob = await newcomer("bob");
  await using alice = await newcomer("alice");
  const shown: (string | undefined)[] = [];
  const stop = alice.conversations.live.subscribe((list) => shown.push(list[0]?.lastMessage?.text));
  const toBob = await alice.conversations.direct(bob.account.userId);
  await (await toBob.send("hello")).sent();
  await expect.poll(() => shown.at(-1)).toBe("hello");
  expect((await alice.conversations.list()).map(({ id }) => id)).toEqual([bob.account.userId]);
  stop();
});

test("whoever waits for events is let go when the client is closed", async () => {
  const alice = await newcomer("alice");
  const waiting = alice.events().next();
  await alice.close();
  await expect(waiting).resolves.toMatchObject({ done: true });
});

test("whoever is in the middle of an event when the client is closed is let go, too", async () => {
  await using bob = await newcomer("bob");
  const alice = await newcomer("alice");
  await (await bob.conversations.direct(alice.account.userId)).send("hello");
  await bob.settled();
  await alice.connect();
  const events = alice.events();
  expect(await events.next()).toMatchObject({ value: { type: "request" } });
  await alice.close();
  expect(await events.next()).toMatchObject({ done: true });
});

test("whoever accepts says the name that they have now", async () => {
  await using bob = await newcomer("bob");
  await using alice = await newcomer("alice");
  await (await alice.conversations.direct(bob.account.userId)).send("hello");
  await alice.settled();
  await bob.setProfile({ name: "Robert" });
  await bob.connect();
  await bob.contacts.accept(alice.account.userId);
  await bob.settled();
  await alice.connect();
  expect((await alice.contacts.find(bob.account.userId)).name).toBe("Robert");
});

test("a store that is busy for a moment ends nothing: what was to be sent is sent", async () => {
  const inner = memory();
  let failures = 0;
  const store: Store = {
    ...inner,
    unlock: () => inner.unlock(),
    write: (work) => inner.write(work),
    onForeignWrite: (listener) => inner.onForeignWrite(listener),
    close: () => inner.close(),
    read: (work) => (failures-- > 0 ? Promise.reject(new ClientError("storage-locked")) : inner.read(work)),
  };
  await using bob = await newcomer("bob");
  await using alice = await newcomer("alice", { store });
  const toBob = await alice.conversations.direct(bob.account.userId);
  const sending = toBob.send("one");
  failures = 2;
  const { id } = await sending;
  await expect.poll(async () => (await alice.message(id).catch(() => undefined))?.state, { timeout: 20_000 }).toBe("sent");
});

test("a message that is written while the one before is being settled does not wait for the next occasion", async () => {
  const inner = memory();
  const store: Store = {
    ...inner,
    unlock: () => inner.unlock(),
    write: (work) => inner.write(work),
    onForeignWrite: (listener) => inner.onForeignWrite(listener),
    close: () => inner.close(),
    async read(work) {
      let isBatch = false;
      const result = await inner.read((transaction) =>
        work({
          get: (key) => transaction.get(key),
          scan(range) {
            isBatch ||= range.limit === 16;
            return transaction.scan(range);
          },
        }),
      );
      // Whoever asks for the next jobs learns late that there were none.
      if (isBatch) await new Promise((resolve) => setTimeout(resolve, 300));
      return result;
    },
  };
  await using bob = await newcomer("bob");
  await using alice = await newcomer("alice", { store });
  const toBob = await alice.conversations.direct(bob.account.userId);
  const first = await toBob.send("one");
  await expect.poll(async () => (await alice.message(first.id)).state, { timeout: 10_000, interval: 5 }).toBe("sent");
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = await toBob.send("two");
  await expect.poll(async () => (await alice.message(second.id)).state, { timeout: 10_000 }).toBe("sent");
});

test("a server that stays away is asked later and later, and at once when somebody wants to know", async () => {
  await using bob = await newcomer("bob");
  const pauses: number[] = [];
  let away = false;
  // A clock that runs a thousand times faster. Requests have a longer patience than any first pause, and always the same.
  const clock: Clock = {
    nowMilliseconds: () => Date.now(),
    after(milliseconds, callback) {
      if (milliseconds !== 20_000) pauses.push(milliseconds);
      return platformClock.after(milliseconds === 20_000 ? milliseconds : milliseconds / 1000, callback);
    },
  };
  const interfere: Interfere = (_, next) => (away ? Promise.reject(new TypeError("no network")) : next());
  await using alice = await newcomer("alice", { interfere, clock });
  const toBob = await alice.conversations.direct(bob.account.userId);
  away = true;
  const message = await toBob.send("one");
  await expect.poll(() => pauses.length, { timeout: 20_000 }).toBeGreaterThan(6);
  for (const [at, pause] of pauses.slice(0, 6).entries()) {
    const bound = Math.min(60_000, 1000 * 2 ** (at + 1));
    expect(pause).toBeGreaterThanOrEqual(bound / 2);
    expect(pause).toBeLessThanOrEqual(bound);
  }
  await expect(alice.settled()).rejects.toMatchObject({ code: "offline", retryable: true });
  away = false;
  await alice.settled();
  expect((await alice.message(message.id)).state).toBe("sent");
});

test("whoever has not answered for a month is written to in a fresh session", async () => {
  const store = memory();
  await using bob = await newcomer("bob");
  await using alice = await newcomer("alice", { store });
  const bobId = bob.account.userId;
  const toBob = await alice.conversations.direct(bobId);
  await (await toBob.send("one")).sent();
  // A month passes for the session alone.
  const vault = await Vault.open(store, systemRandom);
  await vault.write(async (records) => {
    const record = await records.get(SESSIONS, bobId, 1);
    const pending = record?.current?.pending;
    if (record?.current === undefined || pending === undefined) throw new Error("it was answered");
    const aged = { ...pending, createdAtSeconds: pending.createdAtSeconds - 31 * 24 * 3600 };
    records.put(SESSIONS, { ...record, current: { ...record.current, pending: aged } }, bobId, 1);
  });
  await (await toBob.send("two")).sent();
  await bob.connect();
  await bob.contacts.accept(alice.account.userId);
  const texts = async (): Promise<readonly string[]> =>
    (await (await bob.conversations.direct(alice.account.userId)).history()).map(({ text }) => text);
  await expect.poll(texts, { timeout: 20_000 }).toEqual(["two", "one"]);
});
