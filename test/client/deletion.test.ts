// An account that its owner deletes, on a real server: what becomes of its devices and stores, of those who know it, and of groups.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClientError, createClient, type Network, type NoticeEvent, type Store } from "#client";
import { memory, type SharedMemory } from "edgewise/store/memory";
import { platformNetwork } from "../../client/transport/platform.ts";
import { is } from "./malicious-server/liar.ts";
import { writeEnd } from "./devices/second-device.ts";
import {
  groupOf,
  HOOK_MILLISECONDS,
  membersOf,
  newcomer,
  PATIENCE,
  type Person,
  Place,
  register,
  say,
  secondDevice,
  settled,
} from "./groups/people.ts";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

async function noticesOf({ client }: Person): Promise<readonly string[]> {
  const found: NoticeEvent[] = [];
  for await (const event of client.events({ after: "0", wait: false })) if (event.type === "notice") found.push(event);
  return found.map(({ kind, peer, reason }) => [kind, peer.userId, reason].filter((part) => part !== undefined).join(" "));
}

async function keysIn(shared: SharedMemory): Promise<readonly string[]> {
  const store = memory({ shared });
  const found = await store.read((transaction) => transaction.scan({ from: "", to: "\uffff" }));
  await store.close();
  return found.map(({ key }) => key);
}

async function failure(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "nothing failed",
    (error: unknown) => (error as ClientError).code, // every rejection is one
  );
}

/** Both have accepted each other, and know the newest that the other has said. */
async function friends(): Promise<readonly [Person, Person]> {
  const [alice, bob] = [await newcomer(place.url, "alice"), await newcomer(place.url, "bob")];
  await (await alice.client.conversations.direct(bob.userId)).send("hello");
  await expect.poll(async () => (await bob.client.contacts.listRequests()).length, PATIENCE).toBe(1);
  await bob.client.contacts.accept(alice.userId);
  const answer = await (await bob.client.conversations.direct(alice.userId)).send("hello yourself");
  await answer.delivered();
  return [alice, bob];
}

test("whoever writes to somebody who has deleted their account learns that they did; nothing is tried again, and nothing waits", async () => {
  const [alice, bob] = await friends();
  const { username = "" } = bob.client.account;
  const toBob = await alice.client.conversations.direct(username);
  await bob.client.deleteAccount();
  const messages = [await toBob.send("are you there?"), await toBob.send("hello?")];
  for (const message of messages) expect(await failure(message.sent())).toBe("account-deleted");
  await alice.client.settled();
  expect(await failure(toBob.send("nobody gets this"))).toBe("account-deleted");
  expect(alice.client.connection.value.queued).toBe(0);
  const told = (await noticesOf(alice)).filter((notice) => notice.includes(bob.userId));
  expect(told.filter((notice) => notice.startsWith("account-deleted"))).toHaveLength(1);
  expect(told.filter((notice) => notice.startsWith("device-revoked"))).toEqual([]);
  const texts = (await toBob.history()).map(({ text, state }) => `${text} ${state}`).toReversed();
  expect(texts).toEqual(["hello delivered", "hello yourself received", "are you there? failed", "hello? failed"]);
  // Nobody else can have the name yet: it still names whom it named.
  expect((await alice.client.contacts.find(username)).userId).toBe(bob.userId);
  await alice.client.close();
});

test("nothing is left in the store, which takes another account; the name is not free yet", async () => {
  const bob = await newcomer(place.url, "bob");
  const { username = "" } = bob.client.account;
  await bob.client.deleteAccount();
  expect(await keysIn(bob.shared)).toEqual([]);
  expect(bob.client.state).toBe("new");
  expect(await failure(bob.client.connect())).toBe("not-registered");
  await using next = await createClient({ server: place.url, store: memory({ shared: bob.shared }) });
  expect(await failure(next.register({ username }))).toBe("username-taken");
  expect((await next.register({ username: `${username}_again` })).userId).not.toBe(bob.userId);
  await next.connect();
});

test("another device of the account stops, says why, and keeps what it has; nothing it says reaches anybody", async () => {
  const first = await register(place.url, "two");
  await first.client.close();
  await using second = await secondDevice(place.url, first);
  const dave = await register(place.url, "dave");
  await second.client.connect();
  await (await second.client.conversations.direct(dave.userId)).send("kept");
  await second.client.settled();
  await using again = await createClient({ server: place.url, store: memory({ shared: first.shared }) });
  await again.deleteAccount();
  await expect.poll(() => second.client.connection.value.error, PATIENCE).toBe("own-account-deleted");
  const toDave = await second.client.conversations.direct(dave.userId);
  expect((await toDave.history()).map(({ text }) => text)).toEqual(["kept"]);
  expect(await failure((await toDave.send("not any more")).sent())).toBe("own-account-deleted");
  // So do programs that begin later, and whoever asks for it once more has it removed there, too.
  await second.client.close();
  await using later = await createClient({ server: place.url, store: memory({ shared: second.shared }) });
  expect(await failure(later.connect())).toBe("own-account-deleted");
  await later.deleteAccount();
  expect(await keysIn(second.shared)).toEqual([]);
  await dave.client.close();
});

test("whoever deletes their account leaves their groups; a group is not left without an admin unless forced", async () => {
  const [alice, bob, carol] = [await newcomer(place.url, "alice"), await newcomer(place.url, "bob"), await newcomer(place.url, "carol")];
  const trips = await groupOf([alice, bob, carol], "Trips");
  const books = await groupOf([carol, alice], "Books");
  await bob.client.deleteAccount();
  await expect.poll(() => membersOf(alice, trips), PATIENCE).not.toContain(bob.userId);
  await expect.poll(() => membersOf(carol, trips), PATIENCE).toEqual([alice.userId, carol.userId].toSorted());
  expect(await failure(carol.client.deleteAccount())).toBe("last-admin");
  expect(await membersOf(carol, trips)).toHaveLength(2);
  await say(carol, trips, "still here");
  await carol.client.deleteAccount({ force: true });
  expect(await keysIn(carol.shared)).toEqual([]);
  await expect.poll(() => membersOf(alice, trips), PATIENCE).toEqual([alice.userId]);
  // She is a member in name only: what is said goes to nobody, and has not failed.
  const group = await alice.client.conversations.group(books);
  const message = await group.send("anybody?");
  await settled(alice);
  expect((await alice.client.message(message.id)).state).toBe("sent");
  expect(group.members.map(({ peer }) => peer.userId)).toContain(carol.userId);
  expect((await noticesOf(alice)).filter((notice) => notice.startsWith("not-sent"))).toEqual([]);
  // Nobody but her could be asked to take over.
  await alice.client.deleteAccount();
});

test("a member who has deleted their account without leaving drops out of what is said, and any admin's program removes them", async () => {
  const [alice, bob, carol] = [await newcomer(place.url, "alice"), await newcomer(place.url, "bob"), await newcomer(place.url, "carol")];
  const trips = await groupOf([alice, bob, carol], "Trips");
  await bob.client.close();
  await writeEnd(place.url, memory({ shared: bob.shared }));
  const message = await (await alice.client.conversations.group(trips)).send("who is coming?");
  await settled(alice);
  expect((await alice.client.message(message.id)).state).toMatch(/sent|delivered/);
  await expect.poll(() => membersOf(carol, trips), PATIENCE).toEqual([alice.userId, carol.userId].toSorted());
  await say(carol, trips, "I am");
  await settled(alice);
  expect(await failure((await alice.client.conversations.group(trips)).add([bob.userId]))).toBe("account-deleted");
  for (const { client } of [alice, carol]) await client.close();
});

test("a change that draws new secrets removes whoever is there no more, and is then made", async () => {
  const [alice, bob, carol] = [await newcomer(place.url, "alice"), await newcomer(place.url, "bob"), await newcomer(place.url, "carol")];
  const trips = await groupOf([alice, bob, carol], "Trips");
  const group = await alice.client.conversations.group(trips);
  await group.setRole(carol.userId, "admin");
  await bob.client.close();
  await writeEnd(place.url, memory({ shared: bob.shared }));
  await group.setRole(carol.userId, "member");
  const { members } = await alice.client.conversations.group(trips);
  expect(new Map(members.map(({ peer, role }) => [peer.userId, role]))).toEqual(
    new Map([
      [alice.userId, "admin"],
      [carol.userId, "member"],
    ]),
  );
  await expect.poll(() => membersOf(carol, trips), PATIENCE).toHaveLength(2);
  expect(await failure(group.setRole(bob.userId, "admin"))).toBe("unknown-user");
  for (const { client } of [alice, carol]) await client.close();
});

/** Brings the entry to the server, and from then on loses every answer. */
function losing(): Network {
  let isLost = false;
  return {
    ...platformNetwork,
    async request(request) {
      if (isLost) throw new TypeError("no answer");
      isLost = is(request, "appendLog");
      const answer = await platformNetwork.request(request);
      if (isLost) throw new TypeError("no answer");
      return answer;
    },
  };
}

/** A store that fails from the so many-th write on, as in a program that ends there. */
function ending(shared: SharedMemory, after: number): Store {
  const store = memory({ shared });
  let writes = 0;
  return {
    unlock: () => store.unlock(),
    read: (work) => store.read(work),
    write: (work) => (++writes > after ? Promise.reject(new Error("the program has ended")) : store.write(work)),
    onForeignWrite: (listener) => store.onForeignWrite(listener),
    close: () => store.close(),
  };
}

test("wherever a program ends while it deletes the account, the next one completes it", async () => {
  const lost = await register(place.url, "lost", { network: losing() });
  expect(await failure(lost.client.deleteAccount())).toBe("offline");
  await lost.client.close();
  await using next = await createClient({ server: place.url, store: memory({ shared: lost.shared }) });
  expect(next.state).toBe("registered");
  await next.deleteAccount();
  expect(await keysIn(lost.shared)).toEqual([]);

  const bob = await register(place.url, "bob");
  await bob.client.close();
  const before = await keysIn(bob.shared);
  // All of it, however few steps there are to go: each program gets a little further.
  for (let after = 0; (await keysIn(bob.shared)).length > 0; after++) {
    expect(after).toBeLessThan(20);
    const client = await createClient({ server: place.url, store: ending(bob.shared, after) }).catch(() => undefined);
    await client?.deleteAccount().catch(() => undefined);
    await client?.close();
  }
  expect(before.length).toBeGreaterThan(64);
});
