// What a server can answer instead of what it was asked for: nonsense, nothing, no for ever, and somebody else's papers. Every
// call says with a code what happened, and what was to be sent is sent when the answers are honest.

import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HttpResponse } from "#client";
import { generateKeyPair, systemRandom } from "#crypto";
import { issueSenderCertificate, issueServerCertificate } from "#identity";
import { type Bytes, type Operation, toUtf8 } from "#wire";
import { memory } from "edgewise/store/memory";
import { EC_KEYS, KEM_KEYS } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { found } from "../../support/accounts.ts";
import { type Answer, is, lyingAbout, made } from "./liar.ts";
import { keyOf } from "./second-device.ts";
import { PATIENCE, type Person, START_TIMEOUT, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close());

const HOUR = 3600_000;

async function pair(): Promise<readonly [Person, Person]> {
  const [alice, bob] = [await town.newcomer("alice"), await town.newcomer("bob")];
  await alice.client.contacts.find(bob.userId);
  return [alice, bob];
}

/** A chain of the server's own making that says that this is the device. */
async function falseCertificate(person: Person, root: ReturnType<typeof generateKeyPair>, expiresMilliseconds: number): Promise<Bytes> {
  const { first } = await keyOf(person);
  const serverKey = generateKeyPair(systemRandom);
  const serverCertificate = issueServerCertificate({ id: 1, serverKey: serverKey.publicKey, trustRoot: root.privateKey }, systemRandom);
  const device = { userId: person.userId, deviceId: first.deviceId };
  const { publicKey: identityKey } = first.identity;
  const request = { device, identityKey, expiresMilliseconds, serverCertificate, serverKey: serverKey.privateKey };
  return issueSenderCertificate(request, systemRandom);
}

test("a sender certificate that is somebody else's, expired, signed by another key or none at all is not sent under", async () => {
  const [alice, bob] = await pair();
  const carol = await town.newcomer("carol");
  let carols: Bytes | undefined;
  carol.liar.answer = lyingAbout("getCertificate", async (_, next) => {
    const answer = await next();
    carols = answer.body;
    return answer;
  });
  await carol.send(bob, "from carol");
  await carol.client.settled();
  const lies = [
    found(carols),
    await falseCertificate(alice, generateKeyPair(systemRandom), Date.now() + HOUR),
    new Uint8Array(0),
    toUtf8("no"),
  ];
  const message = await alice.send(bob, "one");
  for (const lie of lies) {
    alice.liar.answer = lyingAbout("getCertificate", async () => made(200, lie));
    await expect(alice.client.settled()).rejects.toMatchObject({ code: "server-failed" });
  }
  expect(alice.liar.count("sendMessages")).toBe(0);
  expect(await alice.state(message)).toBe("queued");
  alice.liar.becomeHonest();
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

test("whoever believed a false server at registration is believed by nobody until the server is honest", async () => {
  const alice = await town.stranger();
  const root = generateKeyPair(systemRandom);
  const trustRoots = [Buffer.from(root.publicKey.encode()).toString("base64url")];
  alice.liar.answer = lyingAbout("getConfig", async () => made(200, { registration: "open", trustRoots }));
  // Nothing that this client has could contradict: the first answer is believed, once.
  await alice.client.register({ name: "alice" });
  const bob = await town.newcomer("bob");
  await bob.client.connect();
  const certificate = await falseCertificate(alice, root, Date.now() + 12 * HOUR);
  alice.liar.answer = lyingAbout("getCertificate", async () => made(200, certificate));
  const message = await alice.send(bob, "one");
  await message.sent();
  await expect.poll(() => bob.liar.acknowledged.length, PATIENCE).toBe(2);
  expect(await bob.client.contacts.listRequests()).toEqual([]);
  alice.liar.becomeHonest();
  alice.clock.moveOn(12 * HOUR);
  await alice.send(bob, "two");
  await alice.client.settled();
  await expect.poll(() => bob.liar.acknowledged.length, PATIENCE).toBe(3);
  // What came before it never will.
  bob.clock.moveOn(120_000);
  await expect.poll(async () => (await bob.client.contacts.listRequests()).length, PATIENCE).toBe(1);
});

test("the keys of the server are learnt at registration, and again only when something leads elsewhere", async () => {
  const [alice, bob] = await pair();
  alice.liar.answer = lyingAbout("getConfig", async () => made(200, { registration: "open", trustRoots: [] }));
  await alice.restart();
  await alice.client.connect();
  await alice.send(bob, "one");
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
  expect(alice.liar.count("getConfig")).toBe(1);
});

test("a server that says for ever that devices have changed is asked four times a try, and the message waits in the open", async () => {
  const [alice, bob] = await town.friends();
  let answers = 0;
  alice.liar.answer = lyingAbout("sendMessages", async () => {
    const one = 1 + (answers++ % 127);
    return made(409, { code: "devices-changed", missing: [one], extra: [1], stale: answers % 2 === 0 ? [1, one] : [] });
  });
  const before = alice.liar.count("sendMessages");
  const message = await alice.send(bob, "one");
  await expect(message.sent()).rejects.toMatchObject({ code: "devices-changing", retryable: true });
  expect(alice.liar.count("sendMessages") - before).toBe(4);
  expect(await alice.state(message)).toBe("queued");
  await alice.send(bob, "two");
  alice.liar.becomeHonest();
  await alice.client.settled();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "two"]);
});

test("a token that is somebody else's makes nobody somebody else", async () => {
  const [alice, bob] = await pair();
  const carol = await town.newcomer("carol");
  await carol.client.connect();
  let carols: HttpResponse | undefined;
  carol.liar.answer = lyingAbout("createToken", async (_, next) => (carols = await next()));
  carol.clock.moveOn(HOUR);
  await carol.client.contacts.find(bob.userId);
  await carol.client.close();
  alice.liar.answer = lyingAbout("createToken", async () => found(carols));
  await alice.restart();
  alice.clock.moveOn(HOUR);
  await bob.send(carol, "for carol");
  await bob.client.settled();
  await alice.client.connect();
  await alice.send(bob, "one");
  await expect(alice.client.settled()).rejects.toMatchObject({ code: "server-failed" });
  expect(alice.liar.count("sendMessages")).toBe(0);
  expect(await alice.client.contacts.listRequests()).toEqual([]);
  alice.liar.becomeHonest();
  alice.clock.moveOn(HOUR);
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

const NONSENSE: readonly HttpResponse[] = [
  made(200, toUtf8("<html>Welcome to the airport</html>")),
  made(200, new Uint8Array([0x0a, 0x7f, 1])),
  made(200, new Uint8Array(1_000_000)),
  made(200, { userId: "nobody", nonce: "!", token: 7, ec: -1, kem: "many", trustRoots: ["?"] }),
  made(200, { userId: [], nonce: "AAAA", token: "a\r\nb", trustRoots: {} }),
  made(204, new Uint8Array(0)),
  made(302, { location: "https://elsewhere.example" }),
  made(418, { code: "teapot" }),
  made(500, { code: "internal" }),
  made(503, toUtf8("busy")),
  made(409, { code: "teapot" }),
];

test("nonsense in the place of keys or a log is one error, whatever the nonsense; nothing is sent, and nothing is lost", async () => {
  const [alice, bob] = await pair();
  const carol = await town.newcomer("carol");
  const message = await alice.send(bob, "one");
  for (const nonsense of NONSENSE) {
    alice.liar.answer = async (request, next) => (is(request, "getKeys") || is(request, "getLog") ? nonsense : await next());
    await expect(alice.client.settled()).rejects.toMatchObject({ code: "server-failed", retryable: true });
    await expect(alice.client.contacts.find(carol.userId)).rejects.toMatchObject({ code: "server-failed" });
  }
  expect(await alice.state(message)).toBe("queued");
  expect(alice.liar.count("sendMessages")).toBe(0);
  alice.liar.becomeHonest();
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

const SIGNING_IN: readonly Operation[] = ["createChallenge", "createToken", "getUsername"];

for (const operation of SIGNING_IN) {
  test(`nonsense from ${operation} is one error, and the connection outlives it`, async () => {
    const alice = await town.newcomer("alice");
    const bob = await town.newcomer("bob");
    const name = found(bob.client.account.username);
    for (const nonsense of NONSENSE) {
      alice.liar.answer = lyingAbout(operation, async () => nonsense);
      await expect(alice.client.contacts.find(name)).rejects.toMatchObject({ code: "server-failed" });
    }
    const connected = alice.client.connect();
    await expect.poll(() => alice.client.connection.value.status, PATIENCE).not.toBe("connecting");
    alice.liar.becomeHonest();
    alice.clock.moveOn(60_000);
    await connected;
    expect((await alice.client.contacts.find(name)).userId).toBe(bob.userId);
  });
}

test("a server that does not answer is given up after a time, and asked again", async () => {
  const [alice, bob] = await pair();
  let hanging = 0;
  const hang: Answer = ({ signal }) =>
    new Promise((_, reject) => {
      hanging++;
      signal.addEventListener("abort", () => reject(new TypeError("aborted")));
    });
  alice.liar.answer = hang;
  const message = await alice.send(bob, "one");
  await expect.poll(() => hanging, PATIENCE).toBe(1);
  const outcome = message.sent().catch((error: unknown) => error);
  alice.clock.moveOn(20_000);
  expect(await outcome).toMatchObject({ code: "offline", retryable: true });
  alice.liar.becomeHonest();
  await alice.client.settled();
  await bob.client.connect();
  expect(await bob.read(alice)).toEqual(["one"]);
});

test("a server that denies the device is believed in the open: what was to be sent has failed and can be sent again", async () => {
  const [alice, bob] = await town.friends();
  alice.liar.answer = async () => made(401, { code: "unauthorized" });
  const message = await alice.send(bob, "one");
  await expect(message.sent()).rejects.toMatchObject({ code: "device-removed" });
  expect(await alice.notices()).toEqual(["not-sent: device-removed"]);
  alice.liar.closeSocket(4401);
  await expect.poll(() => alice.client.connection.value.error, PATIENCE).toBe("device-removed");
  alice.liar.becomeHonest();
  await alice.client.connect();
  await message.retry();
  await message.sent();
  await expect.poll(() => bob.liar.acknowledged.length, PATIENCE).toBe(1);
  bob.clock.moveOn(60_000);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~one"]);
});

test("a server that says again and again that keys are low gets some, and does not fill the store", async () => {
  const [alice, bob] = await town.friends();
  alice.liar.answer = async (request, next) => {
    if (is(request, "getKeyCounts")) return made(200, { ec: 0, kem: 0 });
    return is(request, "putKeys") ? made(200, {}) : await next();
  };
  for (let hour = 1; hour <= 11; hour++) {
    alice.clock.moveOn(HOUR);
    const hintAndCount = (): number => {
      for (let hint = 0; hint < 20; hint++) alice.liar.send({ kind: "pre-keys-low", keys: "ec", remaining: 0 });
      return alice.liar.count("putKeys");
    };
    await expect.poll(hintAndCount, PATIENCE).toBe(hour);
  }
  const vault = await Vault.open(memory({ shared: alice.shared }), systemRandom);
  const [ec, kem] = await vault.read(async (records) => [await records.all(EC_KEYS), await records.all(KEM_KEYS)]);
  await vault.close();
  expect(ec.length).toBeLessThanOrEqual(1000);
  expect(kem.length).toBeLessThanOrEqual(1000);
  alice.liar.becomeHonest();
  await bob.send(alice, "still there");
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["still there"]);
});

test("an answer without an end is left, and one that points elsewhere is not followed", async () => {
  let elsewhere = 0;
  let isLeft = false;
  const server = createServer((request, response) => {
    if (request.url === "/elsewhere") elsewhere++;
    if (request.url === "/moved") response.writeHead(302, { location: "/elsewhere" });
    if (request.url !== "/endless") return void response.end();
    const more = (): void => void (isLeft || response.write(new Uint8Array(65_536), () => setImmediate(more)));
    response.on("close", () => (isLeft = true));
    more();
  });
  const url = await new Promise<string>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
    });
  });
  const ask = (path: string): Promise<HttpResponse> =>
    platformNetwork.request({ method: "GET", url: `${url}${path}`, headers: {}, body: undefined, signal: new AbortController().signal });
  await expect(ask("/endless")).rejects.toThrow("too large");
  await expect.poll(() => isLeft, PATIENCE).toBe(true);
  await expect(ask("/moved")).rejects.toThrow(TypeError);
  expect(elsewhere).toBe(0);
  server.close();
});
