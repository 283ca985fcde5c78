// A group over HTTP: whoever has its keys appends and reads, nobody is asked who they are, and all others get one answer.

import { env } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { base64url } from "jose";
import { xchachaSeal } from "#crypto";
import { signGroupAppend } from "#identity";
import {
  type Bytes,
  concat,
  EMPTY,
  encodeGroupAppend,
  FRESHNESS_SECONDS,
  type GroupAppend,
  MAX_GROUP_APPEND_BYTES,
  MAX_SEALED_GROUP_ENTRY_BYTES,
  toHex,
  toUtf8,
  uuidToBytes,
} from "#wire";
import { dump, groupOf } from "../durable-objects/support/groups.ts";
import { keysOf, SharedGroup } from "../support/shared-group.ts";
import { seededDice } from "../support/random.ts";
import { appendTo, authorizationOf, readFrom } from "./support/groups.ts";
import { type Asking, codeOf, nowSeconds, openWorld, ORIGIN, Person, World } from "./support/world.ts";

let world: World;
let shared: SharedGroup;
/** Nobody has made it. */
let absent: SharedGroup;
let seed = 700;

beforeAll(async () => {
  world = await openWorld();
});
beforeEach(() => {
  shared = new SharedGroup(seed++, ORIGIN);
  absent = new SharedGroup(seed++, ORIGIN);
});

afterEach(() => {
  vi.useRealTimers();
});

const OK = (version: number): string => `200 {"version":${version}}`;
const CONFLICT = (version: number): string => `409 {"type":"about:blank","status":409,"code":"version-conflict","version":${version}}`;
const NOT_FOUND = '404 {"type":"about:blank","status":404,"code":"not-found"}';

/** Begins, and appends up to `version`. */
async function upTo(version: number): Promise<void> {
  expect(await appendTo(world, shared, shared.begin())).toBe(OK(1));
  for (let next = 2; next <= version; next++) expect(await appendTo(world, shared, shared.change(next))).toBe(OK(next));
}

test("a group is begun, appended to and read, from anywhere and after a restart", async () => {
  const all = [shared.begin(), shared.change(2), shared.leave(3)];
  for (const [at, append] of all.entries()) expect(await appendTo(world, shared, append)).toBe(OK(at + 1));
  const entries = all.map(({ entry }) => toHex(entry));
  expect(await readFrom(world, shared)).toEqual({ versions: [1, 2, 3], entries, latest: 3 });
  await evictDurableObject(groupOf(shared.at.groupId));
  expect(await readFrom(world, shared, 1)).toEqual({ versions: [2, 3], entries: entries.slice(1), latest: 3 });
  expect(await readFrom(world, shared, 3)).toEqual({ versions: [], entries: [], latest: 3 });
  for (const append of all) expect(await appendTo(world, shared, append)).toBe(OK(append.version));
});

test("of fifty that append at once one is taken; the others are told the version", async () => {
  await upTo(1);
  const answers = await Promise.all(Array.from({ length: 50 }, () => appendTo(world, shared, shared.change(2))));
  expect(answers.filter((answer) => answer === OK(2))).toHaveLength(1);
  expect(answers.filter((answer) => answer === CONFLICT(2))).toHaveLength(49);
  expect((await readFrom(world, shared)).versions).toEqual([1, 2]);
});

test("whoever was removed reads up to the removal, and appends nothing", async () => {
  await upTo(2);
  const before = shared.pairs;
  const next = shared.makePairs();
  expect(await appendTo(world, shared, shared.change(3, { next }))).toBe(OK(3));
  shared.pairs = next;
  await appendTo(world, shared, shared.change(4));
  const stored = await dump(shared.at.groupId);
  for (const append of [shared.change(5, { pairs: before }), shared.leave(5, { pairs: before }), shared.change(4, { pairs: before })]) {
    expect(await appendTo(world, shared, append)).toBe(CONFLICT(3));
  }
  expect(await readFrom(world, shared, 0, before)).toMatchObject({ versions: [1, 2, 3], latest: 3 });
  expect(await readFrom(world, shared)).toMatchObject({ versions: [1, 2, 3, 4], latest: 4 });
  expect(await dump(shared.at.groupId)).toBe(stored);
});

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly headers: readonly string[];
}

async function seen(operation: "getGroup" | "appendGroup", of: SharedGroup, asking: Asking): Promise<Seen> {
  const response = await world.ask(operation, { ...asking, parameters: { groupId: of.at.groupId } });
  return { status: response.status, body: await response.text(), headers: [...response.headers].map((pair) => pair.join(": ")) };
}

/** What somebody sends who has no key of the group. */
function wrongReads(of: SharedGroup, token: string): readonly Asking[] {
  const now = nowSeconds();
  const stranger = of.makePairs();
  const good = of.readProof(now);
  const flipped = [0, 5, 37, 60, 100].map((at) => new Uint8Array(good.with(at, (good[at] ?? 0) ^ 1)));
  const proofs = [
    of.readProof(now, { pairs: stranger }),
    of.readProof(now, { pairs: { ...of.pairs, member: of.pairs.admin } }),
    of.readProof(now - FRESHNESS_SECONDS - 5),
    of.readProof(now + FRESHNESS_SECONDS + 5),
    of.readProof(now, { at: { ...of.at, origin: "https://another.test" } }),
    of.readProof(now, { at: new SharedGroup(1, ORIGIN).at }),
    good.slice(0, 100),
    concat(good, new Uint8Array(1)),
    concat(good.slice(0, 4), new Uint8Array([5]), new Uint8Array(32), good.slice(37)),
    ...flipped,
  ];
  const texts = [
    `Bearer ${token}`,
    `EdgewiseGroup ${"*".repeat(135)}`,
    "EdgewiseGroup",
    base64url.encode(good),
    `Basic ${base64url.encode(good)}`,
  ];
  return [
    {},
    ...texts.map((authorization) => ({ headers: { authorization } })),
    ...proofs.map((proof) => ({ headers: authorizationOf(proof) })),
  ];
}

function wrongAppends(of: SharedGroup): readonly GroupAppend[] {
  const stranger = of.makePairs();
  const good = of.change(2);
  return [
    of.change(2, { pairs: stranger }),
    of.leave(2, { pairs: stranger }),
    of.change(2, { pairs: { ...of.pairs, admin: of.pairs.member } }),
    of.leave(2, { pairs: { ...of.pairs, member: of.pairs.admin } }),
    of.change(2, { pairs: stranger, next: of.makePairs() }),
    of.change(2, { at: { ...of.at, origin: "https://another.test" } }),
    of.change(2, { at: new SharedGroup(2, ORIGIN).at }),
    { ...good, version: 3 },
    { ...good, entry: of.random(60) },
    { ...good, authority: { kind: "admin", keys: keysOf(stranger) } },
    { ...good, authority: { kind: "member" } },
    { ...good, signer: of.pairs.member.publicKey.encode() },
    { ...good, signature: new Uint8Array(good.signature.with(9, (good.signature[9] ?? 0) ^ 1)) },
  ];
}

test("without a key of the group, a group that is there cannot be told from one that is not, and nothing changes", async () => {
  await upTo(1);
  const token = await (await new Person(world, 1).register()).token();
  const stored = await dump(shared.at.groupId);
  const one = await seen("getGroup", absent, {});
  expect(`${one.status} ${one.body}`).toBe(NOT_FOUND);
  for (const of of [shared, absent]) {
    for (const asking of wrongReads(of, token)) expect(await seen("getGroup", of, asking)).toEqual(one);
    for (const append of wrongAppends(of)) expect(await seen("appendGroup", of, { protobuf: encodeGroupAppend(append) })).toEqual(one);
  }
  expect(await dump(shared.at.groupId)).toBe(stored);
  expect(await dump(absent.at.groupId)).toBe("[]");
});

/** The real groups, whose calls are noted; and `before` them, what a test wants to happen. */
function watched(before: (call: () => Promise<unknown>) => Promise<unknown> = (call) => call()) {
  const calls: unknown[][] = [];
  const getByName = (name: string, ...options: unknown[]) => {
    const stub = env.GROUP.getByName(name) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const called =
      (method: string) =>
      (...args: unknown[]) => {
        calls.push([name, method, ...options, ...args]);
        return before(() => stub[method]?.(...args) ?? Promise.reject(new Error("no such method")));
      };
    return { append: called("append"), read: called("read") };
  };
  return { calls, GROUP: { getByName } as unknown as DurableObjectNamespace }; // all that the gateway uses of it
}

test("the same work is done for a group that is there and for one that is not, and none for what is wrong in itself", async () => {
  await upTo(1);
  const works = [];
  for (const of of [shared, absent]) {
    const { calls, GROUP } = watched();
    const watching = new World({ GROUP });
    const parameters = { groupId: of.at.groupId };
    const counts: number[] = [];
    for (const asking of wrongReads(of, "a.b.c")) {
      await watching.ask("getGroup", { ...asking, parameters });
      counts.push(calls.length);
    }
    for (const append of wrongAppends(of)) {
      await watching.ask("appendGroup", { parameters, protobuf: encodeGroupAppend(append) });
      counts.push(calls.length);
    }
    works.push(counts);
  }
  expect(works[1]).toEqual(works[0]);
  // Two reads and five appends have a signature that is good under some key; only those wake an object.
  expect(works[0]?.at(-1)).toBe(7);
});

test("what has not the form of a request wakes no object", async () => {
  const { calls, GROUP } = watched();
  const watching = new World({ GROUP });
  const parameters = { groupId: shared.at.groupId };
  const low = concat(new Uint8Array([5]), new Uint8Array(32));
  const { member, admin } = shared.pairs;
  const one = (append: Partial<GroupAppend>) => encodeGroupAppend({ ...shared.begin(), ...append });
  const refusals: readonly (readonly [Asking, string])[] = [
    [{ protobuf: one({ signer: low }) }, "bad-key"],
    [{ protobuf: one({ authority: { kind: "admin", keys: { ...keysOf(shared.pairs), memberKey: low } } }) }, "bad-key"],
    [{ protobuf: one({ authority: { kind: "admin", keys: keysOf({ member: admin, admin }) } }) }, "bad-key"],
    [{ protobuf: one({ authority: { kind: "admin", keys: undefined } }) }, "not-authorized"],
    [{ protobuf: one({ authority: { kind: "member" } }) }, "not-authorized"],
    [{ protobuf: one({ signer: member.publicKey.encode() }) }, "not-authorized"],
    [{ protobuf: one({}).slice(0, -1) }, "truncated"],
    [{ protobuf: EMPTY, headers: { "content-type": "application/x-protobuf" } }, "missing-field"],
  ];
  for (const [asking, reason] of refusals) {
    const response = await watching.ask("appendGroup", { ...asking, parameters });
    expect([response.status, await response.text()]).toEqual([
      400,
      JSON.stringify({ type: "about:blank", status: 400, code: "malformed", reason }),
    ]);
  }
  for (const groupId of ["x", shared.at.groupId.toUpperCase(), shared.at.groupId.slice(1), `${shared.at.groupId}0`]) {
    expect(await codeOf(await watching.ask("getGroup", { parameters: { groupId } }))).toBe("malformed");
    expect(await codeOf(await watching.ask("appendGroup", { parameters: { groupId }, protobuf: one({}) }))).toBe("malformed");
  }
  for (const after of ["-1", "01", "1e3", "x", ""]) {
    const headers = authorizationOf(shared.readProof(nowSeconds()));
    expect(await codeOf(await watching.ask("getGroup", { parameters, query: `?after=${after}`, headers }))).toBe("malformed");
  }
  const long = new Uint8Array(MAX_GROUP_APPEND_BYTES + 1);
  expect(await codeOf(await watching.ask("appendGroup", { parameters, protobuf: long }))).toBe("too-large");
  expect(calls).toEqual([]);
});

test("the largest entry is taken, and one byte more is not", async () => {
  await upTo(1);
  const largest = shared.change(2, { entry: new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES).fill(1) });
  // Written by hand, because our encoder refuses it.
  const entry = new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES + 1).fill(1);
  const append = signGroupAppend(shared.at, { version: 2, entry, authority: { kind: "member" } }, shared.pairs.member);
  const length = [0xa9, 0x80, 0x06];
  const protobuf = concat(
    new Uint8Array([0x08, 2, 0x12, ...length]),
    entry,
    new Uint8Array([0x1a, 33]),
    append.signer,
    new Uint8Array([0x22, 64]),
    append.signature,
    new Uint8Array([0x32, 0]),
  );
  const response = await world.ask("appendGroup", { parameters: { groupId: shared.at.groupId }, protobuf });
  expect(await response.text()).toContain('"reason":"too-long"');
  expect(await appendTo(world, shared, largest)).toBe(OK(2));
});

test("a read proof is good again within ten minutes, and then never", async () => {
  await upTo(2);
  const moved = new World();
  const headers = authorizationOf(shared.readProof(nowSeconds()));
  const ask = async () => await moved.ask("getGroup", { parameters: { groupId: shared.at.groupId }, headers });
  const first = await (await ask()).arrayBuffer();
  moved.aheadSeconds = FRESHNESS_SECONDS - 30;
  expect(await (await ask()).arrayBuffer()).toEqual(first);
  for (const ahead of [FRESHNESS_SECONDS + 1, 24 * 3600, -FRESHNESS_SECONDS - 30]) {
    moved.aheadSeconds = ahead;
    expect(await codeOf(await ask())).toBe("not-found");
  }
});

test("a token is not looked at: with one or without, good or not, the answers are the same, and the object learns nothing of it", async () => {
  await upTo(2);
  const person = await new Person(world, 2).register();
  const token = await person.token();
  const { calls, GROUP } = watched();
  // Asking a mailbox who that is would throw.
  const watching = new World({ GROUP, MAILBOX: undefined as unknown as DurableObjectNamespace });
  const parameters = { groupId: shared.at.groupId };
  const repeat = encodeGroupAppend(shared.change(3));
  const answers = new Set<string>();
  for (const given of [undefined, token, `${token.slice(0, -4)}AAAA`, "nonsense"]) {
    const asking = given === undefined ? {} : { token: given };
    const headers = { "cf-connecting-ip": "192.0.2.77", cookie: "a=b" };
    const response = await watching.ask("appendGroup", { parameters, protobuf: repeat, headers, ...asking });
    answers.add(`${response.status} ${await response.text()}`);
  }
  await watching.ask("getGroup", {
    parameters,
    headers: { ...authorizationOf(shared.readProof(nowSeconds())), "cf-connecting-ip": "192.0.2.77" },
  });
  expect([...answers]).toEqual([OK(3)]);
  expect(calls).toHaveLength(5);
  const learned = JSON.stringify(calls, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value));
  const stored = await dump(shared.at.groupId);
  for (const trace of [token, person.userId, toHex(uuidToBytes(person.userId)), "192.0.2", "a=b", shared.at.groupId]) {
    expect(learned).not.toContain(trace);
    expect(stored).not.toContain(trace);
  }
  for (const [, method, ...args] of calls) {
    if (method === "append") expect(Object.keys(args.at(-1) as object).toSorted()).toEqual(["authority", "entry", "signer", "version"]);
    else expect(args).toEqual([{}, shared.pairs.member.publicKey.encode(), 0]);
  }
});

test("nothing of whom the entries name is in what is stored", async () => {
  const people = [3, 4, 5].map((number) => new Person(world, number).userId);
  const names = people.flatMap((userId) => [userId, toHex(uuidToBytes(userId)), toHex(toUtf8(userId))]);
  const key = shared.random(32);
  const clear = concat(...people.flatMap((userId) => [toUtf8(userId), uuidToBytes(userId)]));
  const entryOf = () => xchachaSeal(key, clear, EMPTY, shared.random);
  await appendTo(world, shared, shared.begin(entryOf()));
  await appendTo(world, shared, shared.change(2, { entry: entryOf(), next: shared.makePairs() }));
  const stored = await dump(shared.at.groupId);
  for (const name of names) expect(stored).not.toContain(name);
  // The same search finds them where they are in the clear.
  await appendTo(world, absent, absent.begin(clear));
  const open = await dump(absent.at.groupId);
  expect(names.filter((name) => open.includes(name)).length).toBe(6);
});

test("five hundred damaged requests get enumerated answers and change nothing", async () => {
  await upTo(2);
  const stored = await dump(shared.at.groupId);
  const dice = seededDice(11);
  const codes = new Map<string, number>();
  for (let i = 0; i < 500; i++) {
    const protobuf = damaged(encodeGroupAppend(dice.pick([shared.change(3), shared.leave(3), shared.change(1), shared.begin()])), dice);
    const response = await world.ask("appendGroup", { parameters: { groupId: shared.at.groupId }, protobuf });
    const code = await codeOf(response);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].toSorted()).toEqual(["malformed", "not-found"]);
  expect(Math.min(...codes.values())).toBeGreaterThan(20);
  expect(await dump(shared.at.groupId)).toBe(stored);
});

function damaged(good: Bytes, { roll }: ReturnType<typeof seededDice>): Bytes {
  const at = roll(good.length);
  switch (roll(4)) {
    case 0:
      return good.slice(0, at);
    case 1:
      return concat(good.slice(0, at), shared.random(1 + roll(8)), good.slice(at));
    case 2:
      return shared.random(roll(300));
    default:
      return new Uint8Array(good.with(at, (good[at] ?? 0) ^ (1 << roll(8))));
  }
}

interface Limiter extends RateLimit {
  readonly keys: string[];
}

function limiter(limit: number): Limiter {
  const keys: string[] = [];
  return {
    keys,
    limit({ key }) {
      keys.push(key);
      return Promise.resolve({ success: keys.filter((other) => other === key).length <= limit });
    },
  };
}

test("requests are limited by network and by group, and the limiters learn neither", async () => {
  await upTo(1);
  const group = limiter(3);
  const address = limiter(2);
  const limited = new World({ GROUP_LIMIT: group, ADDRESS_LIMIT: address });
  const ask = async (of: SharedGroup, ip: string) => {
    const headers = { ...authorizationOf(of.readProof(nowSeconds())), "cf-connecting-ip": ip };
    const response = await limited.ask("getGroup", { parameters: { groupId: of.at.groupId }, headers });
    return [response.status, response.headers.get("retry-after")];
  };
  for (const ip of ["192.0.2.1", "192.0.2.2"]) expect(await ask(shared, ip)).toEqual([200, null]);
  expect(await ask(shared, "192.0.2.3")).toEqual([429, "60"]);
  expect(await ask(shared, "198.51.100.1")).toEqual([200, null]);
  expect(await ask(shared, "203.0.113.1")).toEqual([429, "60"]);
  // Another group, that is not even there, has a limit of its own.
  expect(await ask(absent, "203.0.113.2")).toEqual([404, null]);
  expect(group.keys.join()).not.toContain(shared.at.groupId);
  expect(new Set(group.keys).size).toBe(2);
  const broken: RateLimit = { limit: () => Promise.reject(new Error("limiter")) };
  const closed = new World({ GROUP_LIMIT: broken });
  const protobuf = encodeGroupAppend(shared.change(2));
  expect(await codeOf(await closed.ask("appendGroup", { parameters: { groupId: shared.at.groupId }, protobuf }))).toBe("unavailable");
});

test("a group that is appended to too fast is told when to come again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await upTo(60);
  const protobuf = encodeGroupAppend(shared.change(61));
  const response = await world.ask("appendGroup", { parameters: { groupId: shared.at.groupId }, protobuf });
  expect(await codeOf(response)).toBe("rate-limited");
  expect(response.headers.get("retry-after")).toBe("60");
});

test("an answer that was lost on its way is asked for again, and the entry is there once", async () => {
  await upTo(1);
  let lost = 0;
  const { calls, GROUP } = watched(async (call) => {
    const result = await call();
    if (lost++ < 2) throw Object.assign(new Error("platform"), { retryable: true });
    return result;
  });
  expect(await appendTo(new World({ GROUP }), shared, shared.change(2))).toBe(OK(2));
  expect(calls).toHaveLength(3);
  expect((await readFrom(world, shared)).versions).toEqual([1, 2]);
});

test("a new group is made near whoever makes it, and where others ask from decides nothing", async () => {
  const { calls, GROUP } = watched();
  const serving = new World({ GROUP });
  const ask = async (append: GroupAppend) => {
    const headers = { "content-type": "application/x-protobuf" };
    const cf = { continent: "OC", longitude: "174" };
    const url = `${ORIGIN}/v1/groups/${shared.at.groupId}`;
    return await serving.serve(new Request(url, { method: "POST", headers, body: encodeGroupAppend(append), cf }), { waitUntil: () => {} });
  };
  expect((await ask(shared.begin())).status).toBe(200);
  expect((await ask(shared.change(2))).status).toBe(200);
  expect(calls.map(([, , options]) => options)).toEqual([{ locationHint: "oc" }, {}]);
});
