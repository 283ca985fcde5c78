// The rendezvous, through the gateway: four blobs, each written once and taken once, for two minutes. And that nothing answers but
// the two literal routes, whatever a request looks like.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemRandom } from "#crypto";
import { parseServerSeed, ServerNames } from "#durable-objects";
import {
  type Bytes,
  encodeLinkRequest,
  LINK_TICKET_LIFETIME_SECONDS,
  MAX_LINK_BLOB_BYTES,
  MAX_LINK_REQUEST_BYTES,
  parseRendezvousId,
  type RendezvousId,
  toHex,
} from "#wire";
import { seededDice } from "../support/random.ts";
import { codeOf, openWorld, ORIGIN, Person, World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  vi.useRealTimers();
});

const names = new ServerNames(parseServerSeed(env.SERVER_SEED));

function newId(): RendezvousId {
  return parseRendezvousId(toHex(systemRandom(32)));
}

function objectOf(rendezvousId: RendezvousId): DurableObjectStub {
  return env.RENDEZVOUS.getByName(names.rendezvous(rendezvousId));
}

async function put(rendezvousId: string, blob: string, octets: Bytes): Promise<number> {
  return (await world.ask("putLinkBlob", { parameters: { rendezvousId, blob }, octets })).status;
}

/** The blob, or the status of the refusal. */
async function take(rendezvousId: string, blob: string): Promise<Bytes | number> {
  const response = await world.ask("takeLinkBlob", { parameters: { rendezvousId, blob } });
  return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : response.status;
}

async function stored(rendezvousId: RendezvousId): Promise<number> {
  return await runInDurableObject(objectOf(rendezvousId), async (_, { storage }) => (await storage.list()).size);
}

async function alarmOf(rendezvousId: RendezvousId): Promise<number | null> {
  return await runInDurableObject(objectOf(rendezvousId), async (_, { storage }) => await storage.getAlarm());
}

test("each of the four blobs is handed out once, as it was written, and is gone then", async () => {
  const id = newId();
  for (const blob of ["1", "2", "3", "4"]) {
    const content = systemRandom(1000);
    expect(await take(id, blob)).toBe(404);
    expect(await put(id, blob, content)).toBe(204);
    expect(await take(id, blob)).toEqual(content);
    expect(await take(id, blob)).toBe(410);
  }
});

test("what was written is not written over, before it was taken or after; the same bytes again are the same write", async () => {
  const id = newId();
  const content = systemRandom(100);
  expect([await put(id, "1", content), await put(id, "1", content), await put(id, "1", systemRandom(100))]).toEqual([204, 204, 410]);
  expect(await take(id, "1")).toEqual(content);
  expect([await put(id, "1", systemRandom(100)), await put(id, "1", content)]).toEqual([410, 204]);
  expect(await take(id, "1")).toBe(410);
});

test("of fifty that take at once one gets it, also when the object has just woken", async () => {
  for (const wakes of [false, true]) {
    const id = newId();
    await put(id, "2", systemRandom(64));
    if (wakes) await evictDurableObject(objectOf(id));
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await take(id, "2")));
    expect(answers.filter((answer) => typeof answer !== "number")).toHaveLength(1);
    expect(answers.filter((answer) => answer === 410)).toHaveLength(49);
  }
});

test("what was written and what was taken outlive the object's memory", async () => {
  const id = newId();
  const content = systemRandom(MAX_LINK_BLOB_BYTES);
  await put(id, "1", content);
  await put(id, "2", content);
  await take(id, "1");
  await evictDurableObject(objectOf(id));
  expect(await take(id, "1")).toBe(410);
  expect(await take(id, "2")).toEqual(content);
});

test("two minutes after the first write an alarm deletes everything, tombstones too", async () => {
  const id = newId();
  const began = Date.now();
  await put(id, "1", systemRandom(32));
  const due = (await alarmOf(id)) ?? 0;
  expect(due - began).toBeGreaterThanOrEqual(LINK_TICKET_LIFETIME_SECONDS * 1000);
  expect(due - Date.now()).toBeLessThanOrEqual(LINK_TICKET_LIFETIME_SECONDS * 1000);
  await put(id, "2", systemRandom(32));
  expect(await alarmOf(id)).toBe(due);
  await take(id, "1");
  expect(await stored(id)).toBe(1);
  await runDurableObjectAlarm(objectOf(id));
  expect([await stored(id), await alarmOf(id)]).toEqual([0, null]);
  expect(await take(id, "2")).toBe(404);
  expect(await stored(id)).toBe(0);
});

test("an alarm that wakes the object deletes everything too", async () => {
  const id = newId();
  await put(id, "1", systemRandom(32));
  await evictDurableObject(objectOf(id));
  await runDurableObjectAlarm(objectOf(id));
  expect([await stored(id), await alarmOf(id)]).toEqual([0, null]);
});

test("when the alarm is late, the time is over all the same", async () => {
  const id = newId();
  await put(id, "1", systemRandom(32));
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + LINK_TICKET_LIFETIME_SECONDS * 1000 + 1);
  expect([await take(id, "1"), await put(id, "2", systemRandom(32))]).toEqual([410, 410]);
});

test("a look at a place where nobody was leaves nothing behind", async () => {
  const id = newId();
  for (const blob of ["1", "2", "3", "4"]) expect(await take(id, blob)).toBe(404);
  expect([await stored(id), await alarmOf(id)]).toEqual([0, null]);
});

/** Counts what an object stores from now on. */
async function countPuts(rendezvousId: RendezvousId): Promise<{ readonly puts: number }> {
  const counter = { puts: 0 };
  await runInDurableObject(objectOf(rendezvousId), (_, { storage }) => {
    const store = storage.put.bind(storage) as (...input: readonly unknown[]) => Promise<void>; // whichever of its two forms
    storage.put = async (...input: readonly unknown[]) => {
      counter.puts++;
      await store(...input);
    };
  });
  return counter;
}

test("a meeting is stored once for each blob that comes or goes, and not for those who ask in vain, or again", async () => {
  const id = newId();
  const awake = await countPuts(id);
  const content = systemRandom(32);
  await put(id, "1", content);
  for (let i = 0; i < 5; i++) {
    expect([await put(id, "1", content), await put(id, "1", systemRandom(32)), await take(id, "2")]).toEqual([204, 410, 404]);
  }
  expect(awake.puts).toBe(1);
  for (let i = 0; i < 5; i++) await take(id, "1");
  expect(awake.puts).toBe(2);
  await evictDurableObject(objectOf(id));
  const woken = await countPuts(id);
  expect([await take(id, "1"), await take(id, "2"), woken.puts]).toEqual([410, 404, 0]);
});

test("a blob that is too large, empty or of another type is refused, and nothing is stored", async () => {
  const id = newId();
  const parameters = { rendezvousId: id, blob: "1" };
  expect(await put(id, "1", systemRandom(MAX_LINK_BLOB_BYTES + 1))).toBe(413);
  expect(await put(id, "1", new Uint8Array())).toBe(400);
  expect((await world.ask("putLinkBlob", { parameters, protobuf: systemRandom(10) })).status).toBe(415);
  expect(await stored(id)).toBe(0);
  expect(await put(id, "1", systemRandom(MAX_LINK_BLOB_BYTES))).toBe(204);
});

test("what lies here has an id of its own: another id finds nothing", async () => {
  const id = newId();
  await put(id, "1", systemRandom(32));
  const near = `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
  expect(await take(near, "1")).toBe(404);
  expect(await take(id, "2")).toBe(404);
  // Not even the name that follows from it, which the platform sees.
  expect(await take(names.rendezvous(id), "1")).toBe(404);
});

test("an id that is none, and a fifth blob, are refused before anything wakes", async () => {
  const id = newId();
  for (const [rendezvousId, blob] of [
    [id.toUpperCase(), "1"],
    [id.slice(1), "1"],
    [`${id}0`, "1"],
    ["x".repeat(64), "1"],
    [id, "0"],
    [id, "5"],
    [id, "01"],
    [id, "1.0"],
    [id, "put"],
    [id, "destroy"],
  ] as const) {
    for (const operation of ["takeLinkBlob", "putLinkBlob"] as const) {
      const asking = operation === "putLinkBlob" ? { octets: systemRandom(10) } : {};
      const response = await world.ask(operation, { parameters: { rendezvousId, blob }, ...asking });
      expect([rendezvousId, blob, response.status, await codeOf(response)]).toEqual([rendezvousId, blob, 400, "malformed"]);
    }
  }
});

describe("a request to link", () => {
  async function ask(userId: string, protobuf: Bytes) {
    const response = await world.ask("requestLink", { parameters: { userId }, protobuf });
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, body: await response.text() };
  }

  function newRequest(): Bytes {
    return encodeLinkRequest({ rendezvousId: newId(), commitment: systemRandom(32) });
  }

  test("is answered alike for an account that is there, for one that is not, and when it is the sixth", async () => {
    const alice = await new Person(world, 1).register();
    const nobody = new Person(world, 2);
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push(await ask(alice.userId, newRequest()));
    answers.push(await ask(nobody.userId, newRequest()));
    await Promise.all(world.afterwards);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 202, body: "" });
  });

  test("is answered alike when the mailbox does not answer", async () => {
    const stub = { requestLink: async () => await Promise.reject(new Error("down")) };
    const asleep = new World({ MAILBOX: { getByName: () => stub } as unknown as DurableObjectNamespace }); // all that is used of it
    const { userId } = new Person(asleep, 3);
    const response = await asleep.ask("requestLink", { parameters: { userId }, protobuf: newRequest() });
    expect(response.status).toBe(202);
    await Promise.allSettled(asleep.afterwards);
  });

  test("is refused when it is none", async () => {
    const { userId } = new Person(world, 4);
    for (const body of [new Uint8Array(), newRequest().slice(1), systemRandom(66)]) expect((await ask(userId, body)).status).toBe(400);
    expect((await ask(userId, systemRandom(MAX_LINK_REQUEST_BYTES + 1))).status).toBe(413);
    expect((await ask("x", newRequest())).status).toBe(400);
  });

  test("is limited by the account that it is about, and by where it comes from", async () => {
    for (const limit of ["TARGET_LIMIT", "ADDRESS_LIMIT"] as const) {
      const limited = new World({ [limit]: { limit: () => Promise.resolve({ success: false }) } });
      const { userId } = new Person(limited, 5);
      expect((await limited.ask("requestLink", { parameters: { userId }, protobuf: newRequest() })).status).toBe(429);
    }
  });
});

test("blobs are limited by where they come from", async () => {
  const limited = new World({ ADDRESS_LIMIT: { limit: () => Promise.resolve({ success: false }) } });
  const parameters = { rendezvousId: newId(), blob: "1" };
  expect((await limited.ask("takeLinkBlob", { parameters })).status).toBe(429);
  expect((await limited.ask("putLinkBlob", { parameters, octets: systemRandom(10) })).status).toBe(429);
});

describe("the library behind it", () => {
  const ACTIONS = ["call", "set", "get-prop"];
  const TARGETS = [
    "put",
    "take",
    "destroy",
    "reset",
    "persist",
    "alarm",
    "state",
    "meeting",
    "setAlarm",
    "constructor",
    "__proto__",
    "fetch",
  ];

  test("a request that reaches the object, which none of a client's does, calls only what we mean to be called", async () => {
    const id = newId();
    await put(id, "1", systemRandom(32));
    for (const action of ACTIONS) {
      for (const target of TARGETS) {
        if (action === "call" && (target === "put" || target === "take")) continue;
        for (const path of [
          `/do/${action}/${target}`,
          `/do/${action}/${target}/`,
          `/do//${action}/${target}`,
          `/do/call/put/../../${action}/${target}`,
        ]) {
          const response = await objectOf(id).fetch(`https://itty-durable${path}`, { headers: { "do-content": "[{}]" } });
          expect([path, response.status]).toEqual([path, 404]);
        }
      }
    }
    expect(await take(id, "1")).toHaveLength(32);
  });

  test("no path, method or header of a client's gets to it past the two routes", async () => {
    const id = newId();
    const content = systemRandom(32);
    await put(id, "1", content);
    const dice = seededDice(1);
    const object = names.rendezvous(id);
    const segments = [
      "v1",
      "link",
      "do",
      ...ACTIONS,
      ...TARGETS,
      id,
      object,
      "1",
      "4",
      "5",
      "..",
      "%2e%2e",
      "",
      "*",
      ":action",
      "1%2f2",
      "1;x",
    ];
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "HEAD"];
    const headers = [
      { "do-content": "[1]" },
      { "do-name": object },
      { "do-name": object, "do-content": JSON.stringify([{ blob: 1 }]) },
      { authorization: "Bearer x" },
      { upgrade: "websocket" },
      { "x-http-method-override": "PUT" },
      { host: "itty-durable" },
    ];
    let asked = 0;
    for (let i = 0; i < 3000; i++) {
      const path = Array.from({ length: 1 + dice.roll(6) }, () => dice.pick(segments)).join("/");
      const prefix = dice.chance(0.5) ? "/v1/link/" : dice.chance(0.5) ? "/do/" : "/";
      const { pathname } = new URL(ORIGIN + prefix + path);
      const method = dice.pick(methods);
      const isOurs = new RegExp(`^/v1/link/(${id}|${object})/[14]$`).test(pathname) && (method === "GET" || method === "PUT");
      if (isOurs) continue;
      asked++;
      const request = new Request(ORIGIN + pathname, { method, headers: dice.pick(headers) });
      const response = await world.serve(request, { waitUntil: () => undefined });
      expect([pathname, method, [400, 404, 405].includes(response.status)]).toEqual([pathname, method, true]);
    }
    expect(asked).toBeGreaterThan(2500);
    expect(await take(id, "1")).toEqual(content);
  });

  test("headers of a client's do not come along with a call of ours", async () => {
    const id = newId();
    await put(id, "1", systemRandom(32));
    const headers = { "do-content": "[2]", "do-name": "other", authorization: "Bearer secret", upgrade: "websocket" };
    const parameters = { rendezvousId: id, blob: "1" };
    const seen = await runInDurableObject(objectOf(id), (object) => object as unknown as { readonly state: { request?: Request } });
    const response = await world.ask("takeLinkBlob", { parameters, headers });
    expect(response.status).toBe(200);
    expect([...(seen.state.request?.headers ?? new Headers()).keys()]).toEqual(["do-content"]);
  });
});
