// One account comes to a new device, by a code or by a request, and goes from one that is lost: real clients on a real server.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, ClientError, createClient, type NoticeEvent } from "#client";
import { memory, SharedMemory } from "edgewise/store/memory";
import { EC_KEYS, KEM_KEYS, OWN, SIGNED_KEYS } from "../../../client/records/tables.ts";
import { HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, recordOf, say, settled, textsOf, withStore } from "../groups/people.ts";
import { found } from "../../support/accounts.ts";
import { Liar, lyingAbout } from "../malicious-server/liar.ts";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

function empty(): Promise<Client> {
  return createClient({ server: place.url, store: memory() });
}

/** What a new device is to be told: a verified contact, somebody blocked, a group, a name, a setting. */
interface Life {
  readonly alice: Person;
  readonly bob: Person;
  readonly mallory: Person;
  readonly group: string;
}

async function life(): Promise<Life> {
  const [alice, bob, mallory] = [
    await newcomer(place.url, "alice"),
    await newcomer(place.url, "bob"),
    await newcomer(place.url, "mallory"),
  ];
  await alice.client.contacts.accept(bob.userId);
  await bob.client.contacts.accept(alice.userId);
  const { id: group } = await alice.client.conversations.createGroup("Hiking", [bob.userId]);
  await (await (await alice.client.contacts.find(bob.userId)).verification()).confirm();
  await alice.client.contacts.block(mallory.userId);
  await alice.client.setSettings({ typing: false });
  await settled(alice);
  await expect.poll(async () => (await bob.client.conversations.groups()).map(({ title }) => title), PATIENCE).toEqual(["Hiking"]);
  return { alice, bob, mallory, group };
}

/** By a code, with the digits as they are shown. */
async function link(owner: Client, name: string): Promise<Client> {
  const client = await empty();
  const { link: code, digits, done } = await client.devices.requestLink({ name });
  await owner.devices.approveLink(found(code), { digits: () => digits });
  await done;
  await client.connect();
  return client;
}

async function noticesOf(client: Client): Promise<readonly NoticeEvent[]> {
  const notices: NoticeEvent[] = [];
  for await (const event of client.events({ after: "0", wait: false })) if (event.type === "notice") notices.push(event);
  return notices;
}

function codeOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error);
}

test("a device that shows a code becomes one of the account, and is told who the contacts are and which groups there are", async () => {
  const { alice, bob, mallory, group } = await life();
  const laptop = await link(alice.client, "laptop");
  expect(laptop.account).toMatchObject({ userId: alice.userId, deviceId: 2, username: alice.client.account.username });
  expect([laptop.profile.value, laptop.settings.value.typing]).toEqual([alice.client.profile.value, false]);
  await expect.poll(async () => (await laptop.contacts.find(bob.userId)).contact, PATIENCE).toBe("accepted");
  await expect.poll(async () => (await laptop.contacts.find(mallory.userId)).contact, PATIENCE).toBe("blocked");
  await expect.poll(async () => (await (await laptop.contacts.find(bob.userId)).verification()).verified, PATIENCE).toBe(true);
  await expect.poll(async () => (await laptop.conversations.groups()).map(({ title }) => title), PATIENCE).toEqual(["Hiking"]);
  // Both ways, in the group too.
  await (await bob.client.conversations.direct(alice.userId)).send("to both");
  await say(bob, group, "to all");
  const there = { client: laptop, userId: alice.userId };
  await expect
    .poll(async () => (await (await laptop.conversations.direct(bob.userId)).history()).map(({ text }) => text), PATIENCE)
    .toEqual(["to both"]);
  await expect.poll(() => textsOf({ ...bob, ...there }, group), PATIENCE).toEqual(["to all"]);
  await say({ ...alice, client: laptop }, group, "from the laptop");
  await expect.poll(() => textsOf(alice, group), PATIENCE).toEqual(["to all", "from the laptop"]);
  await expect.poll(() => textsOf(bob, group), PATIENCE).toEqual(["to all", "from the laptop"]);
  // Contacts see a notice, and the same safety number.
  await expect
    .poll(async () => (await noticesOf(bob.client)).map(({ kind, deviceId }) => [kind, deviceId]), PATIENCE)
    .toContainEqual(["device-added", 2]);
  const numberOf = async (client: Client, who: string): Promise<string> =>
    (await (await client.contacts.find(who)).verification()).safetyNumber;
  expect(await numberOf(bob.client, alice.userId)).toBe(await numberOf(laptop, bob.userId));
  await laptop.close();
  for (const { client } of [alice, bob, mallory]) await client.close();
}, 120_000);

test("a device that names the account is shown to those that are there, and named and dated on each for a week", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using tablet = await empty();
  const asked = Promise.withResolvers<void>();
  const events = (async () => {
    for await (const event of alice.client.events()) {
      if (event.type !== "link-request") continue;
      asked.resolve();
      return event.request;
    }
    return undefined;
  })();
  const { link: code, digits, done } = await tablet.devices.requestLink({ name: "tablet", account: alice.client.account.link });
  expect(code).toBeUndefined();
  await asked.promise;
  expect(alice.client.devices.requests.value).toHaveLength(1);
  const names: string[] = [];
  const device = await alice.client.devices.approveLink(found(await events), {
    digits: ({ deviceName }) => {
      names.push(deviceName);
      return digits;
    },
  });
  await done;
  expect(names).toEqual(["tablet"]);
  expect(alice.client.devices.requests.value).toEqual([]);
  expect(device).toMatchObject({ deviceId: 2, name: "tablet", addedBy: 1, isNew: true, current: false });
  let shown: readonly (readonly [number, string])[] = [];
  const stop = alice.client.devices.live.subscribe((devices) => {
    shown = devices.map(({ deviceId, name }) => [deviceId, name]);
  });
  await tablet.connect();
  await expect.poll(async () => (await alice.client.devices.list()).map(({ hasCome }) => hasCome), PATIENCE).toEqual([true, true]);
  expect((await tablet.devices.list()).map(({ hasCome }) => hasCome)).toEqual([true, true]);
  await tablet.devices.rename(1, "phone");
  await expect
    .poll(() => shown, PATIENCE)
    .toEqual([
      [1, "phone"],
      [2, "tablet"],
    ]);
  stop();
  await expect
    .poll(async () => (await tablet.devices.list()).map(({ name, isNew, current }) => [name, isNew, current]), PATIENCE)
    .toEqual([
      ["phone", false, false],
      ["tablet", true, true],
    ]);
}, 60_000);

test("wrong digits three times end it on both sides, and nothing is linked", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using laptop = await empty();
  const { link: code, digits, done } = await laptop.devices.requestLink({ name: "laptop" });
  const triesLeft: number[] = [];
  const approved = alice.client.devices.approveLink(found(code), {
    async digits(asked) {
      triesLeft.push(asked.triesLeft);
      return (await digits).startsWith("1") ? "200000" : "100000";
    },
  });
  expect(await approved.catch(codeOf)).toBe("wrong-digits");
  expect(triesLeft).toEqual([3, 2, 1]);
  expect(await done.catch(codeOf)).toBe("link-refused");
  expect(laptop.state).toBe("new");
  expect(await alice.client.devices.list()).toHaveLength(1);
  // The store is as new as it was.
  await laptop.register();
}, 60_000);

test("whoever does not want the device after all says so, and a link is good for one device only", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using laptop = await empty();
  const { link: code, done } = await laptop.devices.requestLink({ name: "laptop" });
  const refused = alice.client.devices.approveLink(found(code), { digits: () => Promise.reject(new ClientError("blocked")) });
  expect(await refused.catch(codeOf)).toBe("blocked");
  expect(await done.catch(codeOf)).toBe("link-refused");
  expect(await alice.client.devices.approveLink(found(code), { digits: "000000" }).catch(codeOf)).toBe("link-expired");
  expect(await alice.client.devices.approveLink("hello", { digits: "000000" }).catch(codeOf)).toBe("bad-argument");
  expect(await alice.client.devices.list()).toHaveLength(1);
}, 60_000);

test("a device that ends between its entry in the log and the answer is shown as one that has not come, and can be put out", async () => {
  await using alice = await newcomer(place.url, "alice");
  const liar = new Liar();
  await using laptop = await createClient({ server: place.url, store: memory(), network: liar });
  liar.answer = lyingAbout("takeLinkBlob", (request, next) => {
    if (!request.url.endsWith("/4")) return next();
    return Promise.reject(new TypeError("the line is cut"));
  });
  const end = new AbortController();
  const { link: code, digits, done } = await laptop.devices.requestLink({ name: "laptop", signal: end.signal });
  await alice.client.devices.approveLink(found(code), { digits: () => digits });
  end.abort(new ClientError("closed"));
  expect(await done.catch(codeOf)).toBe("closed");
  expect((await alice.client.devices.list()).map(({ name, hasCome }) => [name, hasCome])).toEqual([
    ["", true],
    ["laptop", false],
  ]);
  await alice.client.devices.revoke(2);
  expect(await alice.client.devices.list()).toHaveLength(1);
}, 60_000);

test("an account that was made while a link was waited for keeps its keys when somebody answers the link", async () => {
  await using alice = await newcomer(place.url, "alice");
  const shared = new SharedMemory();
  // Two programs: within one the second way is refused.
  await using laptop = await createClient({ server: place.url, store: memory({ shared }) });
  await using other = await createClient({ server: place.url, store: memory({ shared }) });
  const { link: code, done } = await laptop.devices.requestLink({ name: "laptop" });
  await other.register();
  const keys = (): Promise<readonly unknown[]> =>
    withStore({ shared }, (vault) =>
      vault.read(async (records) => [await records.all(SIGNED_KEYS), await records.all(EC_KEYS), await records.all(KEM_KEYS)]),
    );
  const before = await keys();
  const end = new AbortController();
  const approved = alice.client.devices.approveLink(found(code), { digits: "000000", signal: end.signal }).catch(() => undefined);
  expect(await done.catch(codeOf)).toBe("already-registered");
  expect(await keys()).toEqual(before);
  end.abort();
  await approved;
}, 60_000);

test("while one way to an account is under way, the others are refused and what it has made stays", async () => {
  await using alice = await newcomer(place.url, "alice");
  const recoveryKey = await alice.client.recovery.create();
  const liar = new Liar();
  const shared = new SharedMemory();
  await using laptop = await createClient({ server: place.url, store: memory({ shared }), network: liar });
  const others = async (): Promise<readonly unknown[]> => [
    await laptop.register().catch(codeOf),
    await laptop.devices.requestLink({ name: "laptop" }).catch(codeOf),
    await laptop.recovery.restore(recoveryKey).catch(codeOf),
  ];
  const refused = ["in-progress", "in-progress", "in-progress"];
  const end = new AbortController();
  const { done } = await laptop.devices.requestLink({ name: "laptop", signal: end.signal });
  expect(await others()).toEqual(refused);
  end.abort(new ClientError("closed"));
  expect(await done.catch(codeOf)).toBe("closed");

  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  liar.answer = lyingAbout("createAccount", async (_, next) => {
    asked.resolve();
    await held.promise;
    return await next();
  });
  const registered = laptop.register();
  await asked.promise;
  const before = await withStore({ shared }, (vault) => vault.read((records) => records.get(OWN)));
  expect(await others()).toEqual(refused);
  held.resolve();
  expect(await registered).toMatchObject({ userId: found(before).userId });
  await laptop.connect();
}, 60_000);

test("a device that is put out stops, receives nothing that is sent afterwards, and the others see it go", async () => {
  const { alice, bob, mallory, group } = await life();
  const laptop = await link(alice.client, "laptop");
  await expect.poll(async () => (await laptop.conversations.groups()).length, PATIENCE).toBe(1);
  await say(bob, group, "before");
  await expect.poll(() => textsOf({ ...alice, client: laptop }, group), PATIENCE).toEqual(["before"]);
  const before = found(await recordOf(alice, group)).state.epoch;
  await alice.client.devices.revoke(2);
  // The group has secrets that the device was never given, and its place in the log is behind it.
  expect(found(await recordOf(alice, group)).state.epoch).toBe(before + 1);
  await say(bob, group, "after");
  await expect.poll(() => textsOf(alice, group), PATIENCE).toEqual(["before", "after"]);
  await expect.poll(() => laptop.connection.value.error, PATIENCE).toBe("device-removed");
  expect(await laptop.connect().catch(codeOf)).toBe("device-removed");
  expect(await textsOf({ ...alice, client: laptop }, group)).toEqual(["before"]);
  expect((await alice.client.devices.list()).map(({ deviceId }) => deviceId)).toEqual([1]);
  await expect
    .poll(async () => (await noticesOf(bob.client)).map(({ kind, deviceId }) => [kind, deviceId]), PATIENCE)
    .toContainEqual(["device-revoked", 2]);
  expect(await alice.client.devices.revoke(2).catch(codeOf)).toBe("unknown-device");
  expect(await alice.client.devices.revoke(1).catch(codeOf)).toBe("last-device");
  await laptop.close();
  for (const { client } of [alice, bob, mallory]) await client.close();
}, 120_000);

test("what a device wrote before it was put out, and nobody had fetched, is told and not shown, and keeps nothing back", async () => {
  const { alice, bob, mallory } = await life();
  const laptop = await link(alice.client, "laptop");
  await bob.client.close();
  await (await alice.client.conversations.direct(bob.userId)).send("from what will be lost");
  await settled(alice);
  await laptop.devices.revoke(1);
  await expect.poll(async () => (await laptop.contacts.find(bob.userId)).contact, PATIENCE).toBe("accepted");
  await (await laptop.conversations.direct(bob.userId)).send("from the laptop");
  await settled({ ...alice, client: laptop });
  const again = await createClient({ server: place.url, store: memory({ shared: bob.shared }) });
  // Resolves when nothing that waited is left.
  await again.connect();
  await expect
    .poll(async () => (await (await again.conversations.direct(alice.userId)).history()).map(({ text }) => text), PATIENCE)
    .toEqual(["from the laptop"]);
  expect((await noticesOf(again)).map(({ kind, deviceId, reason }) => [kind, deviceId, reason])).toContainEqual([
    "unreadable",
    1,
    "device-removed",
  ]);
  await again.close();
  await laptop.close();
  for (const { client } of [alice, mallory]) await client.close();
}, 120_000);

test("a device can put itself out, and what is stored on it can still be read", async () => {
  const { alice, bob, mallory } = await life();
  const laptop = await link(alice.client, "laptop");
  await (await bob.client.conversations.direct(alice.userId)).send("hello");
  const toBob = async (): Promise<readonly string[]> =>
    (await (await laptop.conversations.direct(bob.userId)).history()).map(({ text }) => text);
  await expect.poll(toBob, PATIENCE).toEqual(["hello"]);
  await laptop.devices.revoke(laptop.account.deviceId);
  await expect.poll(() => laptop.connection.value.error, PATIENCE).toBe("device-removed");
  expect(await toBob()).toEqual(["hello"]);
  await expect.poll(async () => (await noticesOf(alice.client)).map(({ kind }) => kind), PATIENCE).toContain("device-revoked");
  for (const client of [laptop, alice.client, bob.client, mallory.client]) await client.close();
}, 60_000);

test("with every device lost, the recovery key brings the account back under the same safety number, and contacts are told", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using bob = await newcomer(place.url, "bob");
  await bob.client.contacts.accept(alice.userId);
  await (await bob.client.conversations.direct(alice.userId)).send("hello");
  await settled(bob);
  const numberOf = async (client: Client, who: string): Promise<string> =>
    (await (await client.contacts.find(who)).verification()).safetyNumber;
  const before = await numberOf(bob.client, alice.userId);
  expect(await alice.client.recovery.state()).toEqual({ isSet: false, waiting: undefined });
  const key = await alice.client.recovery.create();
  expect(key).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect((await alice.client.recovery.state()).isSet).toBe(true);

  await using found = await empty();
  const account = await found.recovery.restore(key.toLowerCase().replaceAll("-", " "));
  expect(account).toMatchObject({ userId: alice.userId, deviceId: 2 });
  await found.connect();
  expect((await found.devices.list()).map(({ deviceId }) => deviceId)).toEqual([2]);
  await expect.poll(() => alice.client.connection.value.error, PATIENCE).toBe("device-removed");
  await (await bob.client.conversations.direct(alice.userId)).send("is it you?");
  await settled(bob);
  await expect.poll(async () => (await found.contacts.listRequests()).map(({ userId }) => userId), PATIENCE).toEqual([bob.userId]);
  expect(await numberOf(bob.client, alice.userId)).toBe(before);
  expect(await numberOf(found, bob.userId)).toBe(before);
  expect((await noticesOf(bob.client)).map(({ kind }) => kind)).toContain("account-changed");
}, 120_000);

test("a recovery key whose naming got no answer is shown all the same, and is the one", async () => {
  const liar = new Liar();
  await using alice = await newcomer(place.url, "alice", { network: liar });
  let asked = 0;
  liar.answer = lyingAbout("appendLog", async (_, next) => {
    const answer = await next();
    if (asked++ === 0) throw new TypeError("the line is cut");
    return answer;
  });
  const key = await alice.client.recovery.create();
  expect(asked).toBe(1);
  expect(await alice.client.recovery.state()).toEqual({ isSet: true, waiting: undefined });
  await using other = await empty();
  expect(await other.recovery.restore(key)).toMatchObject({ userId: alice.userId });
}, 60_000);

test("another recovery key is in force at once with the one before, waits without it, and a wrong one opens nothing", async () => {
  await using alice = await newcomer(place.url, "alice");
  const first = await alice.client.recovery.create();
  const second = await alice.client.recovery.create({ current: first });
  expect((await alice.client.recovery.state()).waiting).toBeUndefined();
  expect(await alice.client.recovery.create({ current: first }).catch(codeOf)).toBe("wrong-recovery-key");
  await using thief = await empty();
  expect(await thief.recovery.restore(first).catch(codeOf)).toBe("wrong-recovery-key");
  const third = await alice.client.recovery.create();
  expect((await alice.client.recovery.state()).waiting).toMatchObject({ namedBy: 1 });
  expect(await thief.recovery.restore(third).catch(codeOf)).toBe("wrong-recovery-key");
  expect(await thief.recovery.restore(`${second.slice(0, -1)}${second.endsWith("0") ? "1" : "0"}`).catch(codeOf)).toBe("bad-argument");
  expect(thief.state).toBe("new");
  const reasons = (await noticesOf(alice.client)).filter(({ kind }) => kind === "recovery-key-changed").map(({ reason }) => reason);
  expect(reasons).toEqual(["set", "set", "waits"]);
  await thief.recovery.restore(second);
  expect(thief.account.userId).toBe(alice.userId);
}, 60_000);
