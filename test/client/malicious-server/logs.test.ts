// What a server can do to the log that says which devices somebody has. It cannot write in it; what it leaves out or shows
// differently to different people comes out with the next message, because messages name what their writers have seen.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { HttpRequest } from "#client";
import { generateKeyPair, LABELS, labelled, sign, systemRandom } from "#crypto";
import {
  type AccountKeys,
  type Bytes,
  decodeAccountKeys,
  decodeLogEntry,
  decodeSendRequest,
  encodeAccountKeys,
  encodeAccountLog,
  encodeLogEntry,
  encodeSendRequest,
} from "#wire";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { type Answer, altered, flipped, is, isMessage, made } from "./liar.ts";
import { type Added, append, handedOut, keyOf, writeDevice, writeRevocation } from "./second-device.ts";
import { introduce, PATIENCE, START_TIMEOUT, type Person, settles, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close());

/** The devices that the sends since then were for; a send has several when it is for all at once. */
function targets({ liar }: Person, since = 0): readonly string[] {
  return liar.asked
    .slice(since)
    .filter((request) => is(request, "sendMessages"))
    .map(({ body }) =>
      body instanceof Uint8Array
        ? decodeSendRequest(body)
            .devices.map((device) => device.deviceId)
            .join("+")
        : "",
    );
}

/** As a server does that knows something new: the send is refused, and the keys that are fetched then are the liar's. */
function tellOfChange(change: (keys: AccountKeys, after: number) => AccountKeys): Answer {
  return async (request, next) => {
    if (is(request, "sendMessages")) return made(409, { code: "devices-changed", missing: [2], extra: [], stale: [] });
    if (!is(request, "getKeys")) return await next();
    return await altered(next, (body) => encodeAccountKeys(change(decodeAccountKeys(body), afterOf(request))));
  };
}

function afterOf({ url }: HttpRequest): number {
  return Number(new URL(url).searchParams.get("after"));
}

/** Bob's log of one entry goes on with this device. */
function alsoShowing(device: Added): (keys: AccountKeys, after: number) => AccountKeys {
  return (keys, after) => withEntries(after < 2 ? [device.entry] : [], device)(keys);
}

function withEntries(entries: readonly Bytes[], added?: Added): (keys: AccountKeys) => AccountKeys {
  return ({ devices, ...keys }) => ({ ...keys, log: { entries }, devices: added === undefined ? devices : [...devices, handedOut(added)] });
}

/** Bob gets a device at the real server, and his client has heard of it. */
async function admit(bob: Person): Promise<Added> {
  const key = await keyOf(bob);
  const added = writeDevice(key);
  await append(bob, added);
  await expect.poll(async () => (await keyOf(bob)).entries.length, PATIENCE).toBe(key.entries.length + 1);
  return added;
}

interface Forgery {
  readonly name: string;
  readonly forge: (honest: Bytes) => Bytes;
}

const liarsKey = generateKeyPair(systemRandom).privateKey;

const FORGERIES: readonly Forgery[] = [
  { name: "that nobody signed", forge: (honest) => changed(honest, ({ signature }) => ({ signature: flipped(signature, 3) })) },
  {
    name: "that the server signed",
    forge: (honest) =>
      changed(honest, ({ statement }) => ({ signature: sign(liarsKey, labelled(LABELS.SIGN_LOG_ENTRY, statement), systemRandom) })),
  },
  { name: "that the device itself did not sign", forge: (honest) => changed(honest, () => ({ countersignature: undefined })) },
];

type Entry = ReturnType<typeof decodeLogEntry>;

function changed(entry: Bytes, change: (decoded: Entry) => Partial<Entry>): Bytes {
  const decoded = decodeLogEntry(entry);
  return encodeLogEntry({ ...decoded, ...change(decoded) });
}

for (const { name, forge } of FORGERIES) {
  test(`a device in the log ${name} is not written to: nothing is sent, the sender is told, and it goes out when the log is honest`, async () => {
    const [alice, bob] = await town.friends();
    const ghost = writeDevice(await keyOf(bob));
    const before = alice.liar.asked.length;
    alice.liar.answer = tellOfChange(withEntries([forge(ghost.entry)], ghost));
    const message = await alice.send(bob, "secret");
    await expect(message.sent()).rejects.toMatchObject({ code: "untrusted-keys" });
    // The one that was refused.
    expect(targets(alice, before)).toEqual(["1"]);
    alice.liar.becomeHonest();
    await alice.client.settled();
    expect(targets(alice, before)).toEqual(["1", "1"]);
    await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["secret"]);
  });
}

test("an entry that does not continue the log that was seen is refused; the message fails in the open and can be sent again", async () => {
  const [alice, bob] = await town.friends();
  const key = await keyOf(bob);
  const second = writeDevice({ ...key, account: { ...key.account, head: { length: 1, hash: new Uint8Array(32) } } });
  alice.liar.answer = tellOfChange(withEntries([second.entry], second));
  const message = await alice.send(bob, "secret");
  await expect(message.sent()).rejects.toMatchObject({ code: "account-forked" });
  expect(await alice.notices()).toEqual(["not-sent: account-forked"]);
  alice.liar.becomeHonest();
  await message.retry();
  await message.sent();
  await settles(bob, 1);
  // It has a new place in the order: the one that it had was given up, and says so.
  bob.clock.moveOn(60_000);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~secret"]);
});

test("entries in another order are refused", async () => {
  const [alice, bob] = await town.friends();
  const { entry, device } = await admit(bob);
  const revocation = writeRevocation(await keyOf(bob), device.deviceId);
  await append(bob, { entry: revocation });
  alice.liar.answer = tellOfChange(withEntries([revocation, entry]));
  const message = await alice.send(bob, "secret");
  await expect(message.sent()).rejects.toMatchObject({ code: "untrusted-keys" });
  alice.liar.becomeHonest();
  await alice.client.settled();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["secret"]);
});

test("a log that was seen longer cannot be made shorter, also not for the next program", async () => {
  const [alice, bob] = await town.friends();
  await admit(bob);
  await (await alice.send(bob, "to both")).sent();
  await alice.restart();
  const { entries } = await keyOf(bob);
  for (const shorter of [[], entries.slice(0, 1)]) {
    const before = alice.liar.asked.length;
    alice.liar.answer = tellOfChange(withEntries(shorter));
    const message = await alice.send(bob, "secret");
    await expect(message.sent()).rejects.toMatchObject({ code: /devices-changing|untrusted-keys/ });
    expect(targets(alice, before).every((devices) => devices === "1+2")).toBe(true);
    alice.liar.becomeHonest();
    await alice.client.settled();
  }
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["to both", "secret", "secret"]);
});

test("a log that is kept from somebody is noticed with the next message of its owner: nothing is sent to a device that was revoked", async () => {
  const [alice, bob] = await town.friends();
  const { device } = await admit(bob);
  await (await alice.send(bob, "to both")).sent();
  alice.liar.answer = async (request, next) => {
    if (is(request, "getLog")) return made(200, encodeAccountLog({ entries: [] }));
    if (is(request, "getKeys")) return await altered(next, (body) => encodeAccountKeys(withEntries([])(decodeAccountKeys(body))));
    return await next();
  };
  await append(bob, { entry: writeRevocation(await keyOf(bob), device.deviceId) });
  await expect.poll(async () => (await keyOf(bob)).entries.length, PATIENCE).toBe(3);
  await bob.send(alice, "I lost a phone");
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["to both", "I lost a phone"]);
  const before = alice.liar.asked.length;
  const message = await alice.send(bob, "secret");
  await expect(message.sent()).rejects.toMatchObject({ code: "log-withheld", retryable: true });
  expect(targets(alice, before)).toEqual([]);
  await alice.restart();
  await expect(alice.client.settled()).rejects.toMatchObject({ code: "log-withheld" });
  expect(targets(alice, before)).toEqual([]);
  alice.liar.becomeHonest();
  await alice.client.settled();
  expect(targets(alice, before).every((devices) => devices === "1")).toBe(true);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["to both", "I lost a phone", "secret"]);
});

test("somebody whose log cannot be believed keeps nobody else waiting, and is heard when it can be", async () => {
  const [alice, bob] = await town.friends();
  const carol = await town.newcomer("carol");
  const { entries } = await keyOf(alice);
  bob.liar.answer = async (request, next) =>
    is(request, "getLog") && request.url.includes(carol.userId) ? made(200, encodeAccountLog({ entries })) : await next();
  await carol.send(bob, "from a stranger");
  await carol.client.settled();
  await alice.send(bob, "one");
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  expect(await bob.client.contacts.listRequests()).toEqual([]);
  bob.liar.becomeHonest();
  await bob.restart();
  await bob.client.connect();
  expect(await bob.read(carol)).toEqual(["from a stranger"]);
});

test("two histories of one account are noticed with the next message: told once, and nothing more is sent", async () => {
  const [alice, bob] = await town.friends();
  const stolen = writeDevice(await keyOf(bob));
  alice.liar.answer = tellOfChange(alsoShowing(stolen));
  const seen = await alice.send(bob, "to a ghost");
  await expect(seen.sent()).rejects.toMatchObject({ code: "devices-changing" });
  await admit(bob);
  alice.liar.becomeHonest();
  await bob.send(alice, "one");
  await bob.send(alice, "two");
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["to a ghost", "one", "two"]);
  expect((await alice.notices()).filter((notice) => notice === "account-forked")).toHaveLength(1);
  await expect(alice.send(bob, "secret")).rejects.toMatchObject({ code: "account-forked" });
  // Nothing that is owed to others waits because of it.
  await alice.client.setProfile({ name: "Alice" });
  await alice.client.settled();
});

test("a history of one's own account that somebody else was shown is told once, and silences nobody", async () => {
  const [alice, bob] = await town.friends();
  const carol = await town.newcomer("carol");
  await introduce(carol, bob);
  const stolen = writeDevice(await keyOf(bob));
  alice.liar.answer = showing(stolen);
  // What bob's messages say would tell alice.
  alice.liar.relay = (frame, pass) => (isMessage(frame) ? undefined : pass(frame));
  await (await alice.send(bob, "one")).sent();
  await (await alice.send(bob, "two")).sent();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "two"]);
  // Of one entry, which is the first of both: nothing contradicts yet.
  expect(await bob.notices()).toEqual([]);
  await admit(bob);
  await (await alice.send(bob, "three")).sent();
  await (await alice.send(bob, "four")).sent();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "two", "three", "four"]);
  expect((await bob.notices()).filter((notice) => notice === "account-forked")).toHaveLength(1);
  await (await bob.send(carol, "still here")).sent();
  await expect.poll(() => carol.readNew(bob), PATIENCE).toEqual(["still here"]);
});

/** Admits a device that the real server does not know, and keeps that from the real server. */
function showing(device: Added): Answer {
  let told = false;
  const lies = tellOfChange(alsoShowing(device));
  return async (request, next) => {
    if (!is(request, "sendMessages") || !(request.body instanceof Uint8Array)) return await lies(request, next);
    if (!told) {
      told = true;
      return await lies(request, next);
    }
    const { devices, ...rest } = decodeSendRequest(request.body);
    const body = encodeSendRequest({ ...rest, scope: "some", devices: devices.filter(({ deviceId }) => deviceId === 1) });
    return await platformNetwork.request({ ...request, body });
  };
}
