// Whoever has lost every device and kept the recovery key reads the account's log and puts a new device in the place of all; nobody
// else learns anything there.

import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { base64url } from "jose";
import type { KeyPair } from "#crypto";
import { proveRecoveryKey } from "#identity";
import { type Bytes, decodeAccountLog, encodeAppendLog, RECOVERY_SCHEME, type UserId } from "#wire";
import { found } from "../support/accounts.ts";
import { type Asking, codeOf, nowSeconds, openWorld, ORIGIN, Person, World } from "./support/world.ts";

let world: World;
let owner: Person;
let key: KeyPair;
let nobody: Person;
beforeAll(async () => {
  world = await openWorld();
  owner = await new Person(world, 71).register();
  nobody = new Person(world, 72);
  const token = await owner.token();
  key = owner.owner.nameKey(undefined);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: undefined });
  const answer = await world.ask("appendLog", { parameters: { userId: owner.userId }, token, protobuf });
  if (answer.status !== 200) throw new Error(await answer.text());
});

interface Proving {
  readonly userId?: UserId;
  readonly origin?: string;
  readonly by?: KeyPair;
  readonly atSeconds?: number;
}

function asking({ userId = owner.userId, origin = ORIGIN, by = key, atSeconds = nowSeconds() }: Proving = {}): Asking {
  const proof = proveRecoveryKey({ origin, userId }, by.privateKey, atSeconds, owner.owner.random);
  return { parameters: { userId: owner.userId }, headers: { authorization: `${RECOVERY_SCHEME} ${base64url.encode(proof)}` } };
}

async function readLog(after = 0): Promise<readonly Bytes[]> {
  const response = await world.ask("getRecoveryLog", { ...asking(), query: `?after=${after}` });
  expect(response.status).toBe(200);
  return decodeAccountLog(new Uint8Array(await response.arrayBuffer())).entries;
}

test("the recovery key reads the log", async () => {
  expect(await readLog()).toEqual(owner.owner.entries);
  expect(await readLog(1)).toEqual(owner.owner.entries.slice(1));
  expect(await readLog(2)).toEqual([]);
});

test("another key, another server's proof, another account's, an old one, and one for nobody are one refusal", async () => {
  const other = owner.owner.devices[0]?.identity;
  const wrong: readonly Asking[] = [
    asking({ by: found(other) }),
    asking({ origin: "https://elsewhere.test" }),
    asking({ userId: nobody.userId }),
    asking({ atSeconds: nowSeconds() - 3600 }),
    asking({ atSeconds: nowSeconds() + 3600 }),
    { ...asking(), parameters: { userId: nobody.userId } },
    { parameters: { userId: owner.userId } },
    { parameters: { userId: owner.userId }, headers: { authorization: `${RECOVERY_SCHEME} ${"A".repeat(91)}` } },
  ];
  for (const one of wrong) {
    for (const operation of ["getRecoveryLog", "recoverAccount"] as const) {
      expect(await codeOf(await world.ask(operation, one))).toBe("not-found");
    }
  }
});

/** What the databases were asked, besides by mailboxes. */
function watched(queries: string[]): Partial<Record<"KEYS_DB" | "KEYS_DB_1" | "KEYS_DB_2", D1Database>> {
  const watch = (database: D1Database): D1Database =>
    new Proxy(database, {
      get(target, property) {
        if (property !== "prepare") return (Reflect.get(target, property) as D1Database["batch"]).bind(target); // all others are methods
        return (sql: string) => {
          queries.push(sql);
          return target.prepare(sql);
        };
      },
    });
  const { KEYS_DB, KEYS_DB_1, KEYS_DB_2 } = env;
  return { KEYS_DB: watch(KEYS_DB), KEYS_DB_1: watch(KEYS_DB_1), KEYS_DB_2: watch(KEYS_DB_2) };
}

test("strangers with as many bad proofs as they like use up no limit of the owner's and have no log read, and with the key there is one", async () => {
  const spent = new Map<string, number>();
  const TARGET_LIMIT = {
    limit({ key: name }: { readonly key: string }) {
      spent.set(name, (spent.get(name) ?? 0) + 1);
      return Promise.resolve({ success: (spent.get(name) ?? 0) <= 2 });
    },
  };
  const queries: string[] = [];
  const limited = new World({ TARGET_LIMIT, ...watched(queries) });
  const stranger = found(owner.owner.devices[0]?.identity);
  const read = async (one: Asking): Promise<number> => (await limited.ask("getRecoveryLog", one)).status;
  for (let i = 0; i < 10; i++) expect(await read(asking({ by: stranger }))).toBe(404);
  expect(await read(asking({ atSeconds: nowSeconds() - 3600 }))).toBe(404);
  expect(spent.size).toBe(0);
  expect(queries.join()).not.toContain("account_log");
  // Nor by asking for a token, or to be linked, which count by the account.
  for (let i = 0; i < 3; i++) await limited.services.limits.countTarget(owner.userId).catch(() => undefined);
  expect(await Promise.all([read(asking()), read(asking())])).toEqual([200, 200]);
  expect(queries.join()).toContain("account_log");
  expect(await read(asking())).toBe(429);
});

test("a key that waits opens nothing, the one that it waits for does, and after seven days it is the other way round", async () => {
  const person = await new Person(world, 73).register();
  const token = await person.token();
  const append = async (): Promise<void> => {
    const protobuf = encodeAppendLog({ entry: found(person.owner.entries.at(-1)), preKeys: undefined });
    expect((await world.ask("appendLog", { parameters: { userId: person.userId }, token, protobuf })).status).toBe(200);
  };
  const [first, second] = [person.owner.nameKey(undefined), await append().then(() => person.owner.nameKey(undefined))];
  await append();
  const opens = async (by: KeyPair, later: World = world): Promise<boolean> => {
    const atSeconds = nowSeconds() + later.aheadSeconds;
    const proof = proveRecoveryKey({ origin: ORIGIN, userId: person.userId }, by.privateKey, atSeconds, person.owner.random);
    const headers = { authorization: `${RECOVERY_SCHEME} ${base64url.encode(proof)}` };
    return (await later.ask("getRecoveryLog", { parameters: { userId: person.userId }, headers })).status === 200;
  };
  expect([await opens(first), await opens(second)]).toEqual([true, false]);
  const later = new World();
  later.aheadSeconds = 7 * 24 * 3600 + 60;
  expect([await opens(first, later), await opens(second, later)]).toEqual([false, true]);
});

test("with the key in hand no entry but a recovery is taken", async () => {
  const second = owner.owner.add();
  const added = { entry: found(owner.owner.entries.pop()), preKeys: owner.preKeysOf(second, [1], []) };
  owner.owner.states.pop();
  owner.owner.devices.pop();
  const response = await world.ask("recoverAccount", { ...asking(), protobuf: encodeAppendLog(added) });
  expect(await codeOf(response)).toBe("malformed");
  expect(await readLog()).toHaveLength(2);
});

test("the recovery key puts a new device in the place of all, and a repeat is answered the same", async () => {
  const token = await owner.token();
  const device = owner.owner.recover(key);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: owner.preKeysOf(device, [1], []) });
  for (let i = 0; i < 2; i++) expect((await world.ask("recoverAccount", { ...asking(), protobuf })).status).toBe(200);
  expect(await readLog()).toEqual(owner.owner.entries);
  world.aheadSeconds += 31;
  expect((await world.ask("getCertificate", { token })).status).toBe(401);
  expect((await world.ask("getCertificate", { token: await owner.token(device) })).status).toBe(200);
});

test("an entry that loses its place to another is a conflict", async () => {
  const device = owner.owner.recover(key);
  const entry = found(owner.owner.entries.pop());
  owner.owner.states.pop();
  const before = encodeAppendLog({ entry, preKeys: owner.preKeysOf(device, [1], []) });
  const faster = owner.owner.recover(key);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: owner.preKeysOf(faster, [1], []) });
  expect((await world.ask("recoverAccount", { ...asking(), protobuf })).status).toBe(200);
  expect(await codeOf(await world.ask("recoverAccount", { ...asking(), protobuf: before }))).toBe("log-conflict");
});
