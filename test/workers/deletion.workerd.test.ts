// An account that is deleted, over HTTP: who is told, what its tokens are good for, and what is still on its way to it.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";
import { readAccountLog } from "#identity";
import {
  type Bytes,
  decodeAccountKeys,
  decodeAccountLog,
  encodeAppendLog,
  encodePreKeyUpload,
  encodeSendRequest,
  type Operation,
  parseMessageId,
  parseUsername,
  ROUTES,
  uuidToBytes,
} from "#wire";
import { databasesOf } from "#durable-objects";
import { claimUsername, confirmUsername } from "../../workers/keys/index.ts";
import { SERVED } from "../../workers/gateway/served.ts";
import { mailboxOf } from "../durable-objects/support/post.ts";
import { found } from "../support/accounts.ts";
import { type Asking, codeOf, nowSeconds, openWorld, Person, World } from "./support/world.ts";
import { consumed, Enqueued, handleOf, newMessageId, opaqueMessage, Sender } from "./support/to-many.ts";

const WEEK = 7 * 24 * 3600;

let world: World;
let alice: Person;
let asAlice: string;
/** Another Worker, which has an answer of Bob's mailbox in memory. */
let elsewhere: World;
let bob: Person;
let before: string;
let genesis: Bytes;

async function end(person: Person, token: string): Promise<Response> {
  person.owner.append(person.owner.writeEnd());
  const protobuf = encodeAppendLog({ entry: found(person.owner.entries.at(-1)), preKeys: undefined });
  return await world.ask("appendLog", { token, parameters: { userId: person.userId }, protobuf });
}

function messageTo({ owner }: Person): Bytes {
  const devices = owner.devices.map(({ deviceId, registrationId }) => ({ deviceId, registrationId, content: new Uint8Array([1]) }));
  return encodeSendRequest({ messageId: parseMessageId(crypto.randomUUID()), scope: "all", ephemeral: false, devices });
}

beforeAll(async () => {
  world = await openWorld();
  elsewhere = new World();
  alice = await new Person(world, 501).register();
  asAlice = await alice.token();
  bob = new Person(world, 502);
  genesis = bob.registration({ username: parseUsername("bob_who_goes"), ec: 3, kem: 2 });
  await done(await world.ask("createAccount", { protobuf: genesis }));
  before = await bob.token();
  await done(await elsewhere.ask("getKeyCounts", { token: before }));
  await done(await end(bob, before));
});

async function done(response: Response): Promise<void> {
  if (response.status !== 200) throw new Error(await response.text());
}

test("whoever may read the log reads that its owner has ended it, and is told so where they write", async () => {
  const parameters = { userId: bob.userId };
  const page = async (operation: "getLog" | "getKeys"): Promise<Bytes> => {
    const response = await world.ask(operation, { token: asAlice, parameters });
    expect(response.status).toBe(200);
    return new Uint8Array(await response.arrayBuffer());
  };
  const { entries } = decodeAccountLog(await page("getLog"));
  expect(readAccountLog(entries, { userId: bob.userId, nowSeconds: nowSeconds() }).deletedSeconds).toBeDefined();
  expect(decodeAccountKeys(await page("getKeys"))).toEqual({ log: { entries }, devices: [] });
  const refused = await world.ask("sendMessages", { token: asAlice, parameters, protobuf: messageTo(bob) });
  expect([refused.status, await codeOf(refused)]).toEqual([410, "account-deleted"]);
});

const WITH_TOKEN = SERVED.filter((name) => ["token", "sender"].includes(ROUTES[name].auth));

function asking(operation: Operation): Asking {
  const { path, request } = ROUTES[operation];
  const named = { userId: bob.userId, name: "nobody_here", handle: "0".repeat(64), uploadId: "A".repeat(43) };
  const parameters = Object.fromEntries(Object.entries(named).filter(([name]) => path.includes(`{${name}}`)));
  return { parameters, ...(request === "protobuf" ? { protobuf: new Uint8Array([1]) } : {}) };
}

test.each(WITH_TOKEN)("a token of before opens nothing: %s", async (operation) => {
  const headers = operation === "openSocket" ? { "sec-websocket-protocol": `edgewise.v1, ${before}`, upgrade: "websocket" } : {};
  expect((await world.ask(operation, { ...asking(operation), token: before, headers })).status).toBe(401);
});

test("elsewhere it is good for half a minute more, and even then its mailbox and its keys take nothing", async () => {
  const preKeys = bob.preKeysOf(bob.owner.first, [10, 11], [20]);
  const late = await elsewhere.ask("putKeys", { token: before, protobuf: encodePreKeyUpload(preKeys) });
  expect([204, 400]).toContain(late.status);
  for (const table of ["device_prekeys", "one_time_ec", "one_time_kem"]) {
    for (const database of databasesOf({ ...env })) {
      const statement = database.prepare(`SELECT count(*) AS n FROM ${table} WHERE user = ?1`).bind(uuidToBytes(bob.userId));
      expect(await statement.first("n")).toBe(0);
    }
  }
  const headers = { "sec-websocket-protocol": `edgewise.v1, ${before}`, upgrade: "websocket" };
  expect((await elsewhere.ask("openSocket", { token: before, headers })).status).toBe(401);
  elsewhere.aheadSeconds += 31;
  expect((await elsewhere.ask("getCertificate", { token: before })).status).toBe(401);
});

test("a device of the account that signs in is told why not; nobody else learns from it that there was an account", async () => {
  const [told, nobody] = [await bob.proof(), new Person(world, 503)];
  const answer = await world.ask("createToken", { json: told });
  expect([answer.status, await codeOf(answer)]).toEqual([410, "account-deleted"]);
  const text = async (json: Record<string, unknown>): Promise<string> => {
    const response = await world.ask("createToken", { json });
    return `${response.status} ${await response.text()}`;
  };
  const unknown = await text(await nobody.proof());
  expect(unknown).toContain("unauthorized");
  expect(await text({ ...told, signature: "A".repeat(86) })).toBe(unknown);
  expect(await text({ ...(await nobody.proof()), userId: bob.userId })).toBe(unknown);
  const parameters = { userId: bob.userId };
  for (const name of SERVED.filter((one) => ROUTES[one].path.includes("{userId}"))) {
    const protobuf = ROUTES[name].request === "protobuf" ? { protobuf: new Uint8Array([1]) } : {};
    const about = await world.ask(name, { ...protobuf, parameters });
    const same = await world.ask(name, { ...protobuf, parameters: { userId: nobody.userId } });
    expect([name, about.status, await about.text()]).toEqual([name, same.status, await same.text()]);
  }
});

test("the same account is not registered again, and its name belongs to nobody for seven days", async () => {
  expect(await (await world.ask("createAccount", { protobuf: genesis })).json()).toMatchObject({ code: "malformed", reason: "replayed" });
  const name = () => world.ask("getUsername", { token: asAlice, parameters: { name: "bob_who_goes" } });
  expect((await name()).status).toBe(404);
  const username = parseUsername("bob_who_goes");
  const { keys } = world.services;
  expect(await claimUsername(keys, { username, userId: alice.userId }, nowSeconds() + WEEK - 60)).toBe(false);
  // A registration that was under way when the account ended has nothing left to confirm.
  await confirmUsername(keys, { username, userId: bob.userId }, nowSeconds());
  expect((await name()).status).toBe(404);
  expect(await claimUsername(keys, { username, userId: alice.userId }, nowSeconds() + WEEK + 60)).toBe(true);
});

test("what the queue brings to an account that was deleted meanwhile is refused once, tried no more, and stored nowhere", async () => {
  const [carol, dave] = [await new Person(world, 504).register(), await new Person(world, 505).register()];
  const sender = await Sender.signIn(alice);
  const asCarol = await carol.token();
  const sent: { readonly handle: string; readonly enqueued: Enqueued }[] = [];
  for (let i = 0; i < 40; i++) {
    const messageId = newMessageId();
    const enqueued = await Enqueued.of(handleOf(alice.userId, messageId));
    sent.push({ enqueued, handle: await sender.send(opaqueMessage([carol, dave], { bytes: 64 }), messageId) });
  }
  const references = sent.map(({ enqueued }) => enqueued.references);
  const [early, during, late] = [references.slice(0, 10), references.slice(10, 25), references.slice(25)];
  expect((await consumed(world, early.flat())).retried).toEqual([]);
  const [ended, between] = await Promise.all([end(carol, asCarol), consumed(world, during.flat())]);
  expect([ended.status, between.retried]).toEqual([200, []]);
  // Twice: the queue may repeat itself.
  for (let i = 0; i < 2; i++) expect((await consumed(world, [...late, ...during].flat())).retried).toEqual([]);
  const refusals = await Promise.all(sent.map(async ({ handle }) => await sender.result(handle)));
  expect(refusals.map(({ state }) => state)).toEqual(refusals.map(() => "done"));
  expect(refusals.slice(0, 10).flatMap(({ refused }) => refused)).toEqual([]);
  const gone = { index: 0, missing: [], extra: [1], stale: [] };
  for (const { delivered, refused } of refusals.slice(25)) expect({ delivered, refused }).toEqual({ delivered: 1, refused: [gone] });
  const rows = await runInDurableObject(mailboxOf(carol.userId), (_, { storage }) => [
    ...storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'messages'"),
    ...storage.sql.exec("SELECT name, value FROM facts"),
  ]);
  expect(rows).toEqual([{ name: "deleted", value: "1" }]);
});
