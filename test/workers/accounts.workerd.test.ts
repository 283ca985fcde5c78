// What people do with the server, from registration to a message, over HTTP.

import { beforeAll, expect, test, vi } from "vitest";
import { parseIdentityKey, type PublicKey } from "#crypto";
import { checkPreKeyBundle, matchesAccount, readAccountLog, validateSenderCertificate } from "#identity";
import {
  type Bytes,
  decodeAccountKeys,
  decodeAccountLog,
  decodeServerFrame,
  encodeAppendLog,
  encodeSendRequest,
  parseMessageId,
  parseUsername,
  toHex,
} from "#wire";
import { codeOf, nowSeconds, openWorld, Person, World } from "./support/world.ts";
import { base64url } from "jose";

let world: World;
let alice: Person;
let bob: Person;
let asBob: string;

beforeAll(async () => {
  world = await openWorld();
  alice = await new Person(world, 1).register({ username: parseUsername("alice"), ec: 3, kem: 2 });
  bob = await new Person(world, 2).register();
  asBob = await bob.token();
});

async function bytesOf(response: Response): Promise<Bytes> {
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

test("a registration may be repeated as it is", async () => {
  const carol = new Person(world, 3);
  const protobuf = carol.registration({ username: parseUsername("carol") });
  const first = await world.ask("createAccount", { protobuf });
  const second = await world.ask("createAccount", { protobuf });
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(await second.json()).toEqual(await first.json());
  expect(await (await world.ask("getUsername", { token: asBob, parameters: { name: "carol" } })).json()).toEqual({ userId: carol.userId });
});

test("a name that is taken makes no account", async () => {
  const dave = new Person(world, 4);
  const response = await world.ask("createAccount", { protobuf: dave.registration({ username: parseUsername("alice") }) });
  expect(await codeOf(response)).toBe("username-taken");
  expect((await world.ask("getLog", { token: asBob, parameters: { userId: dave.userId } })).status).toBe(404);
  expect((await world.ask("getUsername", { token: asBob, parameters: { name: "nobody_has_it" } })).status).toBe(404);
});

test("where registration is by invitation, only the code makes an account", async () => {
  const closed = new World({ INVITE_CODE: "come in" });
  expect(await (await closed.ask("getConfig")).json()).toMatchObject({ registration: "invite" });
  const eve = new Person(closed, 5);
  for (const invite of [undefined, "come", "come in ", "Come in"]) {
    const protobuf = eve.registration(invite === undefined ? {} : { invite });
    expect(await codeOf(await closed.ask("createAccount", { protobuf }))).toBe("not-admitted");
  }
  expect((await closed.ask("createAccount", { protobuf: eve.registration({ invite: "come in" }) })).status).toBe(200);
});

test("an account whose prekeys are another device's is not made", async () => {
  const [frank, grace] = [new Person(world, 6), new Person(world, 7)];
  const own = frank.registration();
  const entry = frank.owner.entries[0] ?? new Uint8Array();
  const others = grace.registration();
  const entryOfOther = grace.owner.entries[0] ?? new Uint8Array();
  const mixed = new Uint8Array([...own.slice(0, 3 + entry.length), ...others.slice(3 + entryOfOther.length)]);
  const response = await world.ask("createAccount", { protobuf: mixed });
  expect(await response.json()).toMatchObject({ code: "malformed", reason: "bad-signature" });
  expect((await world.ask("getLog", { token: asBob, parameters: { userId: frank.userId } })).status).toBe(404);
});

test("keys that are fetched are what a sender accepts, each one-time key once, and then the last resort", async () => {
  const parameters = { userId: alice.userId };
  const bundles = [];
  for (let i = 0; i < 2; i++) {
    const keys = decodeAccountKeys(await bytesOf(await world.ask("getKeys", { token: asBob, parameters })));
    const account = readAccountLog(keys.log.entries, { userId: alice.userId, nowSeconds: nowSeconds() });
    bundles.push(...keys.devices.map((device) => checkPreKeyBundle(device, { account, nowSeconds: nowSeconds() })));
  }
  expect(bundles.map(({ oneTimePreKey }) => oneTimePreKey?.id)).toEqual([1, 2]);
  expect(bundles.map(({ kyberPreKey }) => kyberPreKey.id)).toEqual([2, 3]);
  const third = decodeAccountKeys(await bytesOf(await world.ask("getKeys", { token: asBob, parameters, query: "?after=1" })));
  expect(third.log.entries).toEqual([]);
  // A requester gets two one-time keys of one device in an hour.
  expect(third.devices[0]).toMatchObject({ oneTimePreKey: undefined, kemPreKey: { id: 1 } });
  const counts = await world.ask("getKeyCounts", { token: await alice.token() });
  expect(await counts.json()).toMatchObject({ ec: 1, kem: 0 });
});

test("a log grows by its owner's entries, and a second entry of the same number is a conflict", async () => {
  const heidi = await new Person(world, 8).register();
  const token = await heidi.token();
  const parameters = { userId: heidi.userId };
  heidi.owner.nameKey(undefined);
  const [, entry = new Uint8Array()] = heidi.owner.entries;
  const append = (bytes: Bytes) =>
    world.ask("appendLog", { token, parameters, protobuf: encodeAppendLog({ entry: bytes, preKeys: undefined }) });
  expect(await (await append(entry)).json()).toMatchObject({ head: { length: 2 } });
  const fork = new Person(world, 8);
  fork.owner.random(1);
  fork.owner.nameKey(undefined);
  expect(await codeOf(await append(fork.owner.entries[1] ?? new Uint8Array()))).toBe("log-conflict");
  const log = decodeAccountLog(await bytesOf(await world.ask("getLog", { token, parameters })));
  expect(log.entries.map(toHex)).toEqual(heidi.owner.entries.map(toHex));
  expect(decodeAccountLog(await bytesOf(await world.ask("getLog", { token, parameters, query: "?after=2" }))).entries).toEqual([]);
});

test("a sender certificate is believed with the published root, and agrees with the log", async () => {
  const config = await (await world.ask("getConfig")).json<{ trustRoots: string[] }>();
  const trustRoots: PublicKey[] = config.trustRoots.map((root) => parseIdentityKey(new Uint8Array(base64url.decode(root))));
  const certificate = await bytesOf(await world.ask("getCertificate", { token: asBob }));
  const sender = validateSenderCertificate(certificate, { trustRoots, nowMilliseconds: Date.now() });
  expect(matchesAccount(sender, bob.owner.account)).toBe(true);
  expect(sender.expiresMilliseconds - Date.now()).toBeLessThanOrEqual(24 * 3600 * 1000);
  expect(() => validateSenderCertificate(certificate, { trustRoots, nowMilliseconds: Date.now() + 25 * 3600 * 1000 })).toThrow("expired");
});

test("a message is taken, and who names other devices than there are is told which", async () => {
  const { deviceId, registrationId } = alice.owner.first;
  const send = (changes: object) => {
    const devices = [{ deviceId, registrationId, content: new Uint8Array([1, 2, 3]), ...changes }];
    const messageId = parseMessageId(crypto.randomUUID());
    const protobuf = encodeSendRequest({ messageId, scope: "all", ephemeral: false, devices });
    return world.ask("sendMessages", { token: asBob, parameters: { userId: alice.userId }, protobuf });
  };
  expect((await send({})).status).toBe(200);
  const changed = await send({ deviceId: 5 });
  expect(await changed.json()).toMatchObject({ code: "devices-changed", missing: [1], extra: [5], stale: [] });
  const unknown = encodeSendRequest({
    messageId: parseMessageId(crypto.randomUUID()),
    scope: "all",
    ephemeral: false,
    devices: [{ deviceId, registrationId, content: new Uint8Array([1]) }],
  });
  const nobody = new Person(world, 9).userId;
  expect((await world.ask("sendMessages", { token: asBob, parameters: { userId: nobody }, protobuf: unknown })).status).toBe(404);
});

test("a revoked device's token is dead within thirty seconds, and at once where its revocation came in", async () => {
  const ivan = await new Person(world, 10).register();
  const parameters = { userId: ivan.userId };
  const token = await ivan.token();
  const append = (entry: Bytes, preKeys?: ReturnType<Person["preKeysOf"]>) =>
    world.ask("appendLog", { token, parameters, protobuf: encodeAppendLog({ entry, preKeys }) });
  const second = ivan.owner.add();
  expect((await append(ivan.owner.entries[1] ?? new Uint8Array(), ivan.preKeysOf(second, [], []))).status).toBe(200);
  const other = new World();
  const secondToken = await ivan.token(second);
  for (const one of [other, world]) expect((await one.ask("getCertificate", { token: secondToken })).status).toBe(200);
  expect((await append(ivan.owner.revoke(second))).status).toBe(200);
  expect((await world.ask("getCertificate", { token: secondToken })).status).toBe(401);
  expect((await new World().ask("getCertificate", { token: secondToken })).status).toBe(401);
  other.aheadSeconds = 30;
  expect((await other.ask("getCertificate", { token: secondToken })).status).toBe(401);
});

function upgrade(token: string, headers: Record<string, string> = {}): Promise<Response> {
  const all = { upgrade: "websocket", "sec-websocket-protocol": `edgewise.v1, ${token}`, ...headers };
  return world.ask("openSocket", { headers: all });
}

function close(response: Response): void {
  response.webSocket?.accept();
  response.webSocket?.close();
}

test("a socket opens with the token among its protocols, and says only the name of ours", async () => {
  for (const headers of [{}, { origin: "https://edgewise.test" }]) {
    const response = await upgrade(asBob, headers);
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("edgewise.v1");
    close(response);
  }
});

test("a page of another origin gets no socket", async () => {
  for (const origin of [
    "https://evil.example",
    "null",
    "https://edgewise.test.evil.example",
    "http://edgewise.test",
    "https://edgewise.test:8443",
    "",
  ]) {
    expect(await codeOf(await upgrade(asBob, { origin }))).toBe("not-admitted");
  }
});

test("a socket is refused without upgrade, and with a token in any other place", async () => {
  const protocols = `edgewise.v1, ${asBob}`;
  expect(await codeOf(await world.ask("openSocket", { headers: { "sec-websocket-protocol": protocols } }))).toBe("upgrade-required");
  const elsewhere = [
    { "sec-websocket-protocol": asBob },
    { "sec-websocket-protocol": `${asBob}, edgewise.v1` },
    { "sec-websocket-protocol": `${protocols}, more` },
    { "sec-websocket-protocol": "edgewise.v1", authorization: `Bearer ${asBob}` },
    { "sec-websocket-protocol": "edgewise.v1", cookie: `token=${asBob}` },
  ];
  for (const headers of elsewhere) {
    expect((await world.ask("openSocket", { headers: { upgrade: "websocket", ...headers } })).status).toBe(401);
  }
  expect(
    (
      await world.ask("openSocket", {
        headers: { upgrade: "websocket", "sec-websocket-protocol": "edgewise.v1" },
        query: `?token=${asBob}`,
      })
    ).status,
  ).toBe(401);
});

test("a device that is connected hears that few one-time keys are left", async () => {
  const judy = await new Person(world, 11).register({ ec: 21, kem: 1 });
  const { webSocket } = await upgrade(await judy.token());
  const frames: unknown[] = [];
  if (webSocket === null) throw new Error("no socket");
  webSocket.binaryType = "arraybuffer";
  webSocket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) frames.push(decodeServerFrame(new Uint8Array(data)).frame);
  });
  webSocket.accept();
  expect((await world.ask("getKeys", { token: asBob, parameters: { userId: judy.userId } })).status).toBe(200);
  await Promise.all(world.afterwards);
  await vi.waitFor(() => {
    expect(frames).toContainEqual(expect.objectContaining({ kind: "pre-keys-low", keys: "ec", remaining: 20 }));
    expect(frames).toContainEqual(expect.objectContaining({ kind: "pre-keys-low", keys: "kem", remaining: 0 }));
  });
  webSocket.close();
});
