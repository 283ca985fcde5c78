// An account that is deleted: its mailbox becomes a tombstone, whatever is on its way and wherever the object dies meanwhile.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { type Bytes, parseDeviceId, uuidToBytes } from "#wire";
import { REMOVE } from "../../durable-objects/mailbox/schema.ts";
import { ownDevice } from "../support/accounts.ts";
import { seededRandom } from "../support/random.ts";
import { Addressee, databases, makeAllTables } from "./support/post.ts";

beforeAll(makeAllTables);
let seed = 900;
beforeEach(() => {
  seed += 10;
});

const DELETED = { kind: "deleted" };

/** Every row that is left of a mailbox, and whether anything is going to wake it. */
async function remains(of: Addressee): Promise<unknown> {
  return await runInDurableObject(of.stub, async (_, { storage }) => {
    const tables = [
      ...storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'"),
    ];
    const rows = tables.map(({ name }) => [name, [...storage.sql.exec(`SELECT * FROM ${name}`)]]);
    return { rows: Object.fromEntries(rows) as unknown, alarm: await storage.getAlarm() };
  });
}

const TOMBSTONE = { rows: { facts: [{ name: "deleted", value: "1" }] }, alarm: null };

/** Rows of the account in D1, by table. */
async function inDatabases(of: Addressee): Promise<Record<string, number>> {
  const tables = ["account_log", "device_prekeys", "one_time_ec", "one_time_kem", "deleted_accounts"];
  const count = async (table: string): Promise<number> =>
    (await of.database.prepare(`SELECT count(*) AS n FROM ${table} WHERE user = ?1`).bind(uuidToBytes(of.userId)).first<number>("n")) ?? 0;
  return Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await count(table)] as const)));
}

const NO_KEYS = { device_prekeys: 0, one_time_ec: 0, one_time_kem: 0, deleted_accounts: 1 };

/** The last entry, and the intent to append it as the object writes it before it asks D1. */
async function intendEnd(of: Addressee): Promise<Bytes> {
  const entry = of.owner.append(of.owner.writeEnd());
  await runInDurableObject(of.stub, (_, { storage }) => {
    storage.sql.exec("INSERT INTO intents (sequence, entry) VALUES (?, ?)", of.owner.entries.length, entry.slice().buffer);
  });
  return entry;
}

async function renamed(table: string, to: string): Promise<void> {
  await Promise.all(databases.map((database) => database.exec(`ALTER TABLE ${table} RENAME TO ${to}`)));
}

test("the end closes every socket and leaves a tombstone; what comes later is told so, or nothing, and writes nothing", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  await bob.send(1);
  const sockets = [await bob.connect(), await bob.connect(second)];
  await bob.end();
  for (const socket of sockets) {
    await socket.until(({ closed }) => closed !== undefined);
    expect(socket.closed).toEqual({ code: 4410 });
  }
  expect(await remains(bob)).toEqual(TOMBSTONE);
  expect(await inDatabases(bob)).toEqual({ account_log: 3, ...NO_KEYS });
  for (const life of ["this one", "the next"]) {
    const written = await bob.rowsWritten(async () => {
      expect(await bob.send(2)).toEqual(DELETED);
      expect(await bob.send(3, { ephemeral: true })).toEqual(DELETED);
      expect(await bob.stub.device(second.deviceId)).toEqual(DELETED);
      expect(await bob.stub.spendKeyBudget("x")).toEqual(DELETED);
      expect(await bob.register()).toEqual({ kind: "denied", code: "replayed" });
      expect(await bob.appendLast()).toEqual({ kind: "unknown" });
      expect([await bob.stub.spendFetchBudget(), await bob.stub.spendMediaBudget(1)]).toEqual([false, false]);
      expect((await bob.stub.fetch("https://mailbox/socket?device=1", { headers: { upgrade: "websocket" } })).status).toBe(401);
    });
    expect(`${written} in ${life}`).toBe(`0 in ${life}`);
    if (life === "this one") await evictDurableObject(bob.stub);
  }
  expect(await runDurableObjectAlarm(bob.stub)).toBe(false);
  expect(await remains(bob)).toEqual(TOMBSTONE);
  expect(await inDatabases(bob)).toEqual({ account_log: 3, ...NO_KEYS });
});

test("nobody's signature but an active device's ends an account", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  const eve = new Addressee(seed + 1);
  eve.owner.add();
  eve.owner.add();
  expect(await bob.stub.appendLog({ entry: eve.owner.writeEnd(), upload: undefined })).toMatchObject({ kind: "denied" });
  const late = bob.owner.writeEnd(second);
  bob.owner.revoke(second);
  await bob.appendLast();
  expect(await bob.stub.appendLog({ entry: late, upload: undefined })).toEqual({ kind: "conflict" });
  expect(await bob.send(1)).toEqual({ kind: "accepted" });
});

test("of a device that links and one that deletes at once, one is first, and the log ends in one line", async () => {
  const bob = await Addressee.register(seed);
  const rival = bob.twin();
  const second = bob.owner.add();
  rival.owner.random(1);
  rival.owner.append(rival.owner.writeEnd());
  const [linked, ended] = await Promise.all([bob.appendLast(bob.upload(second)), rival.appendLast()]);
  expect([linked.kind, ended.kind]).toEqual(["appended", "conflict"]);
  const other = bob.owner.writeAdd(ownDevice(seededRandom(seed + 5000), parseDeviceId(3)));
  const [, late] = await Promise.all([bob.end(), bob.stub.appendLog({ entry: other, upload: bob.upload() })]);
  expect(late).toEqual({ kind: "unknown" });
  expect((await inDatabases(bob))["account_log"]).toBe(3);
  expect(await remains(bob)).toEqual(TOMBSTONE);
});

test("what died before D1 had the end is carried out by the alarm", async () => {
  const bob = await Addressee.register(seed);
  await bob.send(1);
  await intendEnd(bob);
  await evictDurableObject(bob.stub);
  expect(await bob.send(2)).toEqual({ kind: "accepted" });
  await runDurableObjectAlarm(bob.stub);
  expect(await remains(bob)).toEqual(TOMBSTONE);
  expect(await inDatabases(bob)).toEqual({ account_log: 2, ...NO_KEYS });
});

test("what died after D1 had the end, before the names were given up or after, is carried out by whoever comes next", async () => {
  const bob = await Addressee.register(seed);
  const carol = await Addressee.register(seed + 1);
  await renamed("usernames", "away");
  try {
    await expect(bob.end()).rejects.toThrow("the database failed");
    expect(await inDatabases(bob)).toEqual({ account_log: 2, ...NO_KEYS });
    expect(await bob.rows("intents")).toBe(1);
    await runDurableObjectAlarm(bob.stub);
    expect(await bob.rows("intents")).toBe(1);
  } finally {
    await renamed("away", "usernames");
  }
  await evictDurableObject(bob.stub);
  expect(await bob.send(1)).toEqual({ kind: "accepted" });
  expect(await bob.appendLast()).toMatchObject({ kind: "appended" });
  expect(await remains(bob)).toEqual(TOMBSTONE);
  // As if the answer to all of it had been lost: the intent is there still, and D1 has everything.
  const entry = await intendEnd(carol);
  await carol.stub.appendLog({ entry, upload: undefined });
  expect(await remains(carol)).toEqual(TOMBSTONE);
  expect(await inDatabases(carol)).toEqual({ account_log: 2, ...NO_KEYS });
});

test("while D1 fails nothing is lost: the account is there until its end is, and then it is not", async () => {
  const bob = await Addressee.register(seed);
  await intendEnd(bob);
  await renamed("account_log", "away");
  try {
    await runDurableObjectAlarm(bob.stub);
    expect(await bob.send(1)).toEqual({ kind: "accepted" });
  } finally {
    await renamed("away", "account_log");
  }
  await runDurableObjectAlarm(bob.stub);
  expect(await remains(bob)).toEqual(TOMBSTONE);
});

test("sockets that a crash has left open behind the end are closed when they say something", async () => {
  const bob = await Addressee.register(seed);
  const socket = await bob.connect();
  await runInDurableObject(bob.stub, (_, { storage }) => {
    storage.sql.exec(REMOVE);
    storage.sql.exec("INSERT INTO facts (name, value) VALUES ('deleted', '1')");
  });
  await evictDurableObject(bob.stub);
  socket.ack(1);
  await socket.until(({ closed }) => closed !== undefined);
  expect(socket.closed).toEqual({ code: 4410 });
});

test("a thousand messages under way to an account that is deleted: it stays empty", async () => {
  const bob = await Addressee.register(seed);
  const kinds = new Map<string, number>();
  const send = async (number: number): Promise<void> => {
    const { kind } = await bob.send(number);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  };
  let end: Promise<void> | undefined;
  for (let wave = 0; wave < 10; wave++) {
    const sends = Array.from({ length: 100 }, async (_, i) => await send(100 * wave + i));
    if (wave === 3) end = bob.end();
    if (wave === 8) await end;
    await Promise.all(sends);
  }
  expect([...kinds.keys()].toSorted()).toEqual(["accepted", "deleted"]);
  expect((kinds.get("accepted") ?? 0) + (kinds.get("deleted") ?? 0)).toBe(1000);
  expect(await remains(bob)).toEqual(TOMBSTONE);
  await evictDurableObject(bob.stub);
  expect(await remains(bob)).toEqual(TOMBSTONE);
});
