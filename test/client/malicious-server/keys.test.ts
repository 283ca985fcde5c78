// What a server can do to the keys that somebody is to be written to with. Nothing is encrypted to a key that its owner's log
// and devices do not vouch for; the sender is told; and what was to be sent goes out when the keys are honest again.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Message } from "#client";
import { generateKeyPair, generateKyberKeyPair, sign, systemRandom } from "#crypto";
import {
  type AccountKeys,
  type Bytes,
  concat,
  decodeAccountKeys,
  decodeSendRequest,
  type DevicePreKeys,
  encodeAccountKeys,
  encodeAccountLog,
  encodeDevicePreKeys,
  encodeKemPreKey,
  parseDeviceId,
  type UserId,
} from "#wire";
import { found, ownDevice } from "../../support/accounts.ts";
import { altered, is, lyingAbout, made } from "./liar.ts";
import { append, handedOut, keyOf, preKeysOf, writeDevice } from "./second-device.ts";
import { introduce, PATIENCE, START_TIMEOUT, type Person, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close());

/** From now on this person gets other keys than those that the server has. */
function lieAboutKeys(person: Person, change: (keys: AccountKeys) => AccountKeys): void {
  person.liar.answer = lyingAbout("getKeys", (_, next) => altered(next, (body) => encodeAccountKeys(change(decodeAccountKeys(body)))));
}

function eachDevice(change: (device: DevicePreKeys) => DevicePreKeys): (keys: AccountKeys) => AccountKeys {
  return (keys) => ({ ...keys, devices: keys.devices.map(change) });
}

/** The devices that this person has written to, in the order of the sends. */
function writtenTo({ liar }: Person): readonly number[] {
  return liar.asked
    .filter((request) => is(request, "sendMessages"))
    .flatMap(({ body }) => (body instanceof Uint8Array ? decodeSendRequest(body).devices.map((device) => device.deviceId) : []));
}

/** Alice means to write to bob for the first time. */
async function strangers(): Promise<readonly [Person, Person]> {
  const [alice, bob] = [await town.newcomer("alice"), await town.newcomer("bob")];
  await alice.client.contacts.find(bob.userId);
  return [alice, bob];
}

interface Swap {
  readonly name: string;
  readonly change: (bundle: DevicePreKeys, owner: UserId) => DevicePreKeys;
}

const liarsDevice = ownDevice(systemRandom);
const liarsPair = generateKeyPair(systemRandom);
const liarsKem = generateKyberKeyPair(systemRandom).publicKey;

function signed<T extends { readonly publicKey: Bytes }>(key: T): T & { readonly signature: Bytes } {
  return { ...key, signature: sign(liarsDevice.identity.privateKey, key.publicKey, systemRandom) };
}

const SWAPS: readonly Swap[] = [
  {
    name: "a signed prekey of the server's",
    change: (bundle) => ({ ...bundle, signedPreKey: signed({ id: bundle.signedPreKey.id, publicKey: liarsPair.publicKey.encode() }) }),
  },
  {
    name: "a post-quantum key of the server's",
    change: (bundle) => ({ ...bundle, kemPreKey: signed({ id: bundle.kemPreKey.id, publicKey: liarsKem.encoded }) }),
  },
  {
    name: "a record of the server's with all its keys",
    change: (bundle, owner) => handedOut({ device: { ...liarsDevice, deviceId: bundle.deviceId }, set: preKeysOf(owner, liarsDevice) }),
  },
  {
    name: "a post-quantum key that is none",
    change: (bundle) => ({ ...bundle, kemPreKey: { ...bundle.kemPreKey, publicKey: new Uint8Array(bundle.kemPreKey.publicKey.length) } }),
  },
];

for (const { name, change } of SWAPS) {
  test(`${name} is refused: nothing is sent, the sender is told, and honest keys are used later`, async () => {
    const [alice, bob] = await strangers();
    lieAboutKeys(
      alice,
      eachDevice((bundle) => change(bundle, bob.userId)),
    );
    const message = await alice.send(bob, "secret");
    await expect(message.sent()).rejects.toMatchObject({ code: "untrusted-keys" });
    expect(writtenTo(alice)).toEqual([]);
    alice.liar.becomeHonest();
    await alice.client.settled();
    await bob.client.connect();
    expect(await bob.read(alice)).toEqual(["secret"]);
  });
}

/** A field of bytes as protobuf writes it. */
function field(number: number, value: Bytes): Bytes {
  return concat(
    new Uint8Array([(number << 3) | 2, 0x80 | (value.length & 0x7f), 0x80 | ((value.length >> 7) & 0x7f), value.length >> 14]),
    value,
  );
}

/** The post-quantum key is the last field of a bundle that has no one-time key. */
function withoutKem(bundle: DevicePreKeys): Bytes {
  const { length } = encodeKemPreKey(bundle.kemPreKey);
  return encodeDevicePreKeys({ ...bundle, oneTimePreKey: undefined }).slice(0, -(length + 3));
}

test("keys without the post-quantum one are no keys: there is no conversation without it", async () => {
  const [alice, bob] = await strangers();
  alice.liar.answer = lyingAbout("getKeys", (_, next) =>
    altered(next, (body) => {
      const { log, devices } = decodeAccountKeys(body);
      return concat(field(1, encodeAccountLog(log)), ...devices.map((bundle) => field(2, withoutKem(bundle))));
    }),
  );
  const secret = await alice.send(bob, "secret");
  await expect(secret.sent()).rejects.toMatchObject({ code: "server-failed" });
  expect(writtenTo(alice)).toEqual([]);
  alice.liar.becomeHonest();
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["secret"]);
});

test("the keys of another account are refused under bob's id, and so is another account's log", async () => {
  const [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
  const carols = await keyOf(carol);
  alice.liar.answer = lyingAbout("getLog", async () => made(200, encodeAccountLog({ entries: carols.entries })));
  await expect(alice.client.conversations.direct(bob.userId)).rejects.toMatchObject({ code: "untrusted-keys" });
  alice.liar.becomeHonest();
  await alice.client.contacts.find(bob.userId);
  const aboutCarol = (url: string): string => url.replace(bob.userId, carol.userId);
  alice.liar.answer = lyingAbout("getKeys", (request) => alice.liar.ask({ ...request, url: aboutCarol(request.url) }));
  const message = await alice.send(bob, "secret");
  await expect(message.sent()).rejects.toMatchObject({ code: "untrusted-keys" });
  expect(writtenTo(alice)).toEqual([]);
  alice.liar.becomeHonest();
  await alice.client.settled();
  await Promise.all([bob.client.connect(), carol.client.connect()]);
  expect(await bob.read(alice)).toEqual(["secret"]);
  expect(await carol.client.contacts.listRequests()).toEqual([]);
});

test("a device that is in the answer and not in the log is not written to", async () => {
  const [alice, bob] = await strangers();
  const ghost = { device: ownDevice(systemRandom, parseDeviceId(2)) };
  lieAboutKeys(alice, (keys) => ({
    ...keys,
    devices: [...keys.devices, handedOut({ ...ghost, set: preKeysOf(bob.userId, ghost.device) })],
  }));
  await alice.send(bob, "one");
  await alice.client.settled();
  expect(new Set(writtenTo(alice))).toEqual(new Set([1]));
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

test("a device that is in the log and not in the answer is not left out: nothing is sent before its keys are there", async () => {
  const [alice, bob] = await strangers();
  await bob.client.connect();
  await append(bob, writeDevice(await keyOf(bob)));
  lieAboutKeys(alice, (keys) => ({ ...keys, devices: keys.devices.filter((bundle) => bundle.deviceId === 1) }));
  await alice.send(bob, "before");
  const message = await alice.send(bob, "to both");
  await expect(message.sent()).rejects.toMatchObject({ code: "untrusted-keys" });
  expect(writtenTo(alice)).toEqual([]);
  alice.liar.becomeHonest();
  await alice.client.settled();
  expect(new Set(writtenTo(alice))).toEqual(new Set([1, 2]));
  await expect.poll(() => bob.read(alice), PATIENCE).toEqual(["before", "to both"]);
});

test("one-time keys that are held back cost nothing but themselves: the signed ones do", async () => {
  const [alice, bob] = await strangers();
  lieAboutKeys(
    alice,
    eachDevice((bundle) => ({ ...bundle, oneTimePreKey: undefined })),
  );
  await alice.send(bob, "one");
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

/** Alice writes through a session that bob cannot have; after that nobody lies, and both receive. */
async function writeInVain(alice: Person, bob: Person): Promise<void> {
  for (const text of ["one", "two", "three"]) await alice.send(bob, text);
  await alice.client.settled();
  alice.liar.becomeHonest();
  await bob.client.connect();
  await alice.client.connect();
}

test("a one-time prekey that was exchanged breaks a session and loses nothing", async () => {
  const [alice, bob] = await strangers();
  lieAboutKeys(
    alice,
    eachDevice((bundle) => ({ ...bundle, oneTimePreKey: { id: found(bundle.oneTimePreKey).id, publicKey: liarsPair.publicKey.encode() } })),
  );
  await writeInVain(alice, bob);
  // Asked for again, it comes once, in order, through a session that bob has.
  await expect.poll(() => bob.read(alice), PATIENCE).toEqual(["one", "two", "three"]);
  expect(await bob.notices()).toContain("unreadable: bad-tag");
});

test("a one-time prekey that is given to two people breaks a session and loses nothing", async () => {
  const [alice, bob] = await strangers();
  const carol = await town.newcomer("carol");
  await carol.client.contacts.find(bob.userId);
  let carols: AccountKeys | undefined;
  lieAboutKeys(carol, (keys) => (carols = keys));
  await carol.send(bob, "mine");
  await carol.client.settled();
  await bob.client.connect();
  lieAboutKeys(alice, () => found(carols));
  await writeInVain(alice, bob);
  // Asked for again, it comes once, in order, through a session that bob has.
  await expect.poll(() => bob.read(alice), PATIENCE).toEqual(["one", "two", "three"]);
  expect(await bob.notices()).toContain("unreadable: no-prekey");
  expect(await bob.read(carol)).toEqual(["mine"]);
});

test("a username is believed once: who is found by it stays who they are, and safety numbers tell who it is not", async () => {
  const [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
  const name = found(bob.client.account.username);
  // Nothing in a name commits to a key, so this cannot be noticed here.
  alice.liar.answer = lyingAbout("getUsername", async () => made(200, { userId: carol.userId }));
  expect((await alice.client.contacts.find(name)).userId).toBe(carol.userId);
  alice.liar.becomeHonest();
  await alice.restart();
  expect((await alice.client.contacts.find(name)).userId).toBe(carol.userId);
  expect(alice.liar.count("getUsername")).toBe(1);
  const hers = await (await alice.client.contacts.find(name)).verification();
  const his = await (await bob.client.contacts.find(alice.userId)).verification();
  expect(hers.safetyNumber).not.toBe(his.safetyNumber);
  expect(hers.scan(his.scannable)).toBe("mismatch");
  // A link names the person, and leaves nothing to believe.
  expect((await alice.client.contacts.find(bob.client.account.link)).userId).toBe(bob.userId);
});

test("whoever has the name of a contact who is gone is another person: nothing is sent to them before they were verified", async () => {
  const [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
  const name = found(bob.client.account.username);
  await alice.client.contacts.find(name);
  await introduce(alice, bob);
  alice.liar.answer = async (request, next) => {
    if (is(request, "getUsername")) return made(200, { userId: carol.userId });
    return is(request, "sendMessages") && request.url.includes(bob.userId) ? made(404, { code: "not-found" }) : await next();
  };
  const write = async (text: string): Promise<Message> => await (await alice.client.conversations.direct(name)).send(text);
  await expect((await write("for bob")).sent()).rejects.toMatchObject({ code: "unknown-user" });
  await expect(write("for bob again")).rejects.toMatchObject({ code: "identity-changed", retryable: false });
  expect((await alice.notices()).filter((notice) => notice === "account-changed")).toHaveLength(1);
  await carol.client.connect();
  expect(await carol.client.contacts.listRequests()).toEqual([]);
  const now = await alice.client.contacts.find(name);
  expect(now.userId).toBe(carol.userId);
  const { verified, confirm } = await now.verification();
  expect(verified).toBe(false);
  await confirm();
  await (await write("for carol")).sent();
  expect(await bob.readNew(alice)).toEqual([]);
});

test("a contact whom the server calls gone is still found by name while nobody else has it, and is no longer gone once the server has them again", async () => {
  const [alice, bob] = [await town.newcomer("alice"), await town.newcomer("bob")];
  const name = found(bob.client.account.username);
  await alice.client.contacts.find(name);
  await introduce(alice, bob);
  alice.liar.answer = async (request, next) =>
    is(request, "getUsername") || (is(request, "sendMessages") && request.url.includes(bob.userId))
      ? made(404, { code: "not-found" })
      : await next();
  const lost = await alice.send(bob, "for bob");
  await expect(lost.sent()).rejects.toMatchObject({ code: "unknown-user" });
  expect((await alice.client.contacts.find(name)).userId).toBe(bob.userId);
  let lookups = 0;
  alice.liar.answer = async (request, next) => {
    if (is(request, "getUsername")) lookups++;
    return await next();
  };
  for (let again = 0; again < 3; again++) expect((await alice.client.contacts.find(name)).userId).toBe(bob.userId);
  // Asked once, and believed from then on.
  expect(lookups).toBe(1);
  await (await alice.send(bob, "there you are")).sent();
});

test("a username that was believed is never looked up again, whatever it would answer now", async () => {
  const [alice, bob, carol] = [await town.newcomer("alice"), await town.newcomer("bob"), await town.newcomer("carol")];
  const name = found(bob.client.account.username);
  await alice.client.contacts.find(name);
  alice.liar.answer = lyingAbout("getUsername", async () => made(200, { userId: carol.userId }));
  await (await alice.client.conversations.direct(name)).send("for bob");
  await alice.client.settled();
  await Promise.all([bob.client.connect(), carol.client.connect()]);
  expect(await bob.read(alice)).toEqual(["for bob"]);
  expect(await carol.client.contacts.listRequests()).toEqual([]);
});
