// What the gateway says when something behind it fails: never nothing, and soon.

import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { databasesOf } from "#durable-objects";
import { encodeSendRequest, parseMessageId } from "#wire";
import { codeOf, openWorld, Person, World } from "./support/world.ts";

let alice: Person;
let token: string;
let calls: string[];

beforeAll(async () => {
  const world = await openWorld();
  alice = await new Person(world, 1).register();
  token = await alice.token();
});

/** The real mailboxes, whose stubs fail in the first `times` calls of a method. */
function failing(method: string, times: number, failure: () => Promise<never>): DurableObjectNamespace {
  calls = [];
  let left = times;
  const getByName = (name: string) => {
    const stub = env.MAILBOX.getByName(name);
    return new Proxy(stub, {
      get(target, property) {
        if (property !== method) return Reflect.get(target, property) as unknown;
        return (...args: unknown[]) => {
          calls.push(name);
          if (left-- > 0) return failure();
          return (Reflect.get(target, property) as (...args: unknown[]) => unknown)(...args); // an RPC method of the stub
        };
      },
    });
  };
  return { getByName } as unknown as DurableObjectNamespace; // all that the gateway uses of it
}

function platformError(properties: Record<string, boolean>): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error("platform"), properties));
}

function send(world: World): Promise<Response> {
  const { deviceId, registrationId } = alice.owner.first;
  const devices = [{ deviceId, registrationId, content: new Uint8Array([1]) }];
  const protobuf = encodeSendRequest({ messageId: parseMessageId(crypto.randomUUID()), scope: "all", ephemeral: false, devices });
  return world.ask("sendMessages", { token, parameters: { userId: alice.userId }, protobuf });
}

test("a send to an object that was reset is made again, and is taken", async () => {
  const world = new World({ MAILBOX: failing("accept", 2, platformError({ retryable: true, durableObjectReset: true })) });
  expect((await send(world)).status).toBe(200);
  expect(calls).toHaveLength(3);
});

test("an object that stays broken is asked three times, and then the sender is told to come again", async () => {
  const world = new World({ MAILBOX: failing("accept", 99, platformError({ retryable: true })) });
  const response = await send(world);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(calls).toHaveLength(3);
});

test("an overloaded object is asked once", async () => {
  const world = new World({ MAILBOX: failing("accept", 99, platformError({ retryable: true, overloaded: true })) });
  expect(await codeOf(await send(world))).toBe("unavailable");
  expect(calls).toHaveLength(1);
});

test("what must not happen twice is asked once, whatever the failure", async () => {
  for (const method of ["spendFetchBudget", "spendKeyBudget"]) {
    const world = new World({ MAILBOX: failing(method, 99, platformError({ retryable: true })) });
    const response = await world.ask("getKeys", { token, parameters: { userId: alice.userId } });
    expect(await codeOf(response)).toBe("unavailable");
    expect(calls).toHaveLength(1);
  }
});

test("an object that never answers is given up", { timeout: 20_000 }, async () => {
  const world = new World({ MAILBOX: failing("accept", 99, () => new Promise<never>(() => {})) });
  const response = await send(world);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
});

test("a mistake of ours is said to be one, and nothing else about it", async () => {
  const mistake = () => Promise.reject(new TypeError(`mailbox of ${alice.userId}`));
  const response = await send(new World({ MAILBOX: failing("accept", 99, mistake) }));
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('{"type":"about:blank","status":500,"code":"internal"}');
});

/** A database that answers the first `times` batches never or with an error. */
function stalled(database: D1Database, times: number, failure: () => Promise<never>): D1Database {
  let left = times;
  const prepare = (query: string) => database.prepare(query);
  const batch = (statements: D1PreparedStatement[]) => (left-- > 0 ? failure() : database.batch(statements));
  return { prepare, batch } as unknown as D1Database; // all that workers/keys uses of it
}

function withStalled(times: number, failure: () => Promise<never>): World {
  const { KEYS_DB, KEYS_DB_1, KEYS_DB_2 } = env;
  const databases = { KEYS_DB, KEYS_DB_1, KEYS_DB_2 };
  const broken = Object.fromEntries(Object.entries(databases).map(([name, database]) => [name, stalled(database, times, failure)]));
  return new World(broken);
}

test("when one-time keys cannot be consumed in time, the last resort is given", async () => {
  const failures = [() => new Promise<never>(() => {}), () => Promise.reject(new Error("D1_ERROR: overloaded"))];
  for (const failure of failures) {
    const response = await withStalled(1, failure).ask("getKeys", { token, parameters: { userId: alice.userId } });
    expect(response.status).toBe(200);
  }
});

test("a database that is not there is a reason to come again, for each route that needs it", async () => {
  const asking = { token, parameters: { userId: alice.userId, name: "anybody" } };
  for (const operation of ["getKeys", "getLog", "getKeyCounts", "getUsername"] as const) {
    const world = withStalled(99, () => Promise.reject(new Error("D1_ERROR: no such table: secret_name")));
    const response = await world.ask(operation, asking);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(await response.text()).toBe('{"type":"about:blank","status":503,"code":"unavailable"}');
  }
});

test("what the mailbox cannot write to the database is to be tried again, and then it works", async () => {
  const world = new World();
  const bob = new Person(world, 2);
  const protobuf = bob.registration();
  const databases = databasesOf({ ...env });
  const rename = async (from: string, to: string) => {
    await Promise.all(databases.map((database) => database.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run()));
  };
  await rename("account_log", "account_log_away");
  const refused = await world.ask("createAccount", { protobuf });
  await rename("account_log_away", "account_log");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  expect((await world.ask("createAccount", { protobuf })).status).toBe(200);
  expect((await world.ask("getLog", { token, parameters: { userId: bob.userId } })).status).toBe(200);
});

test("messages and sockets need no database", async () => {
  const world = withStalled(99, () => Promise.reject(new Error("D1 is down")));
  const json = await alice.proof();
  expect((await send(world)).status).toBe(200);
  expect((await world.ask("createToken", { json })).status).toBe(200);
  const socket = await world.ask("openSocket", { headers: { upgrade: "websocket", "sec-websocket-protocol": `edgewise.v1, ${token}` } });
  socket.webSocket?.accept();
  socket.webSocket?.close();
  expect(socket.status).toBe(101);
});

interface Limiter extends RateLimit {
  readonly keys: string[];
}

function limiter(limit: number): Limiter {
  const counts = new Map<string, number>();
  const keys: string[] = [];
  return {
    keys,
    limit({ key }) {
      keys.push(key);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return Promise.resolve({ success: (counts.get(key) ?? 0) <= limit });
    },
  };
}

const BROKEN: RateLimit = { limit: () => Promise.reject(new Error("limiter")) };

test("one user's requests are limited together, and the limiter learns no id", async () => {
  const user = limiter(3);
  const world = new World({ USER_LIMIT: user });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await world.ask(i % 2 === 0 ? "getKeyCounts" : "getCertificate", { token })).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(new Set(user.keys).size).toBe(1);
  expect(user.keys.join()).not.toContain(alice.userId);
});

test("a network's requests without a token are limited together, and no address is in a key", async () => {
  const address = limiter(2);
  const world = new World({ ADDRESS_LIMIT: address });
  const from = async (ip: string) => (await world.ask("getConfig", { headers: { "cf-connecting-ip": ip } })).status;
  expect([await from("192.0.2.1"), await from("192.0.2.77"), await from("192.0.2.3")]).toEqual([200, 200, 429]);
  expect([await from("2001:db8:1:200::1"), await from("2001:db8:1:2ff::9"), await from("2001:db8:1:201::")]).toEqual([200, 200, 429]);
  expect(await from("198.51.100.1")).toBe(200);
  expect(address.keys.join()).not.toMatch(/192|2001:|198/);
});

test("tries for one account's token are limited, wherever they come from", async () => {
  const world = new World({ TARGET_LIMIT: limiter(2) });
  const statuses = [];
  for (let i = 0; i < 3; i++) {
    const json = { ...(await alice.proof()), signature: "A".repeat(86) };
    statuses.push((await world.ask("createToken", { json, headers: { "cf-connecting-ip": `192.0.${i}.1` } })).status);
  }
  expect(statuses).toEqual([401, 401, 429]);
});

test("a limiter that fails stops strangers and lets users pass", async () => {
  const world = new World({ USER_LIMIT: BROKEN, ADDRESS_LIMIT: BROKEN });
  expect(await codeOf(await world.ask("getConfig"))).toBe("unavailable");
  expect((await world.ask("getKeyCounts", { token })).status).toBe(200);
});

test("a mailbox is made near whoever registers, and a sender's continent decides nothing", async () => {
  const hints: unknown[] = [];
  const getByName = (name: string, options?: DurableObjectNamespaceGetDurableObjectOptions) => {
    hints.push(options?.locationHint);
    return env.MAILBOX.getByName(name);
  };
  const world = new World({ MAILBOX: { getByName } as unknown as DurableObjectNamespace });
  const carol = new Person(world, 3);
  const context = { waitUntil: () => {} };
  const cf = { continent: "OC", longitude: "174" };
  const type = { "content-type": "application/x-protobuf" };
  const registered = await world.serve(
    new Request("https://edgewise.test/v1/accounts", { method: "POST", headers: type, body: carol.registration(), cf }),
    context,
  );
  expect([registered.status, hints]).toEqual([200, ["oc"]]);
  hints.length = 0;
  const { deviceId, registrationId } = carol.owner.first;
  const devices = [{ deviceId, registrationId, content: new Uint8Array([1]) }];
  const body = encodeSendRequest({ messageId: parseMessageId(crypto.randomUUID()), scope: "all", ephemeral: false, devices });
  const headers = { ...type, authorization: `Bearer ${token}` };
  const url = `https://edgewise.test/v1/mailboxes/${carol.userId}/messages`;
  expect((await world.serve(new Request(url, { method: "PUT", headers, body, cf }), context)).status).toBe(200);
  expect(hints).toEqual([undefined, undefined]);
});

test("no address and no credential reaches a mailbox with a socket", async () => {
  const seen: Request[] = [];
  const getByName = (name: string) => {
    const stub = env.MAILBOX.getByName(name) as unknown as { device: (id: number) => Promise<unknown> };
    return {
      device: (id: number) => stub.device(id),
      fetch: (request: Request) => (seen.push(request), Promise.resolve(new Response(null))),
    };
  };
  const world = new World({ MAILBOX: { getByName } as unknown as DurableObjectNamespace });
  const headers = {
    upgrade: "websocket",
    "sec-websocket-protocol": `edgewise.v1, ${token}`,
    "cf-connecting-ip": "192.0.2.1",
    "x-forwarded-for": "192.0.2.1",
    cookie: "a=b",
    "user-agent": "somebody",
  };
  await world.serve(new Request("https://edgewise.test/v1/socket", { headers }), { waitUntil: () => {} });
  expect(seen.map(({ headers: sent }) => Object.fromEntries(sent))).toEqual([
    { upgrade: "websocket", "sec-websocket-protocol": "edgewise.v1" },
  ]);
  expect(seen[0]?.url).not.toContain(alice.userId);
});
