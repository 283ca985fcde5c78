import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Bytes, uuidToBytes } from "#wire";
import { Addressee, databases, makeAllTables } from "./support/post.ts";

beforeAll(makeAllTables);
let seed = 200;
beforeEach(() => {
  seed += 10;
});
// A test may have taken a table away.
afterEach(makeAllTables);

async function stored(of: Addressee, table = "account_log"): Promise<number> {
  const statement = of.database.prepare(`SELECT count(*) AS n FROM ${table} WHERE user = ?1`).bind(uuidToBytes(of.userId));
  return (await statement.first<number>("n")) ?? 0;
}

async function breakLog(): Promise<void> {
  await Promise.all(databases.map((database) => database.exec("ALTER TABLE account_log RENAME TO away")));
}

async function mendLog(): Promise<void> {
  await Promise.all(databases.map((database) => database.exec("ALTER TABLE away RENAME TO account_log")));
}

async function putIntent(of: Addressee, sequence: number, entry: Bytes, upload: Bytes | undefined): Promise<void> {
  await runInDurableObject(of.stub, (_, state) => {
    state.storage.sql.exec(
      "INSERT INTO intents (sequence, entry, upload) VALUES (?, ?, ?)",
      sequence,
      entry.slice().buffer,
      upload?.slice().buffer ?? null,
    );
  });
}

test("registration puts log and keys in D1 and makes the device known; a repeat is answered alike and writes nothing", async () => {
  const bob = new Addressee(seed);
  const first = await bob.register();
  expect(first).toMatchObject({ kind: "appended", length: 1 });
  expect(await stored(bob)).toBe(1);
  expect(await stored(bob, "one_time_ec")).toBe(2);
  expect(await bob.stub.device(bob.owner.first.deviceId)).toMatchObject({ kind: "device" });
  const written = await bob.rowsWritten(async () => {
    expect(await bob.register()).toEqual(first);
  });
  expect(written).toBe(0);
  expect(await bob.rows("intents")).toBe(0);
});

test("registration in another's name, without keys, or with garbage makes no mailbox", async () => {
  const bob = new Addressee(seed);
  const eve = new Addressee(seed + 1);
  const [genesis = new Uint8Array()] = bob.owner.entries;
  const tries = [
    { userId: eve.userId, genesis, upload: bob.upload() },
    { userId: bob.userId, genesis, upload: eve.upload() },
    { userId: bob.userId, genesis, upload: new Uint8Array() },
    { userId: bob.userId, genesis: genesis.slice(1), upload: bob.upload() },
  ];
  for (const registration of tries) {
    expect(await bob.stub.register(registration)).toMatchObject({ kind: "denied" });
    expect(await eve.stub.register(registration)).toMatchObject({ kind: "denied" });
  }
  for (const of of [bob, eve]) {
    expect(await of.rows("facts")).toBe(-1);
    expect(await stored(of)).toBe(0);
  }
});

test("a new device needs its keys, then has a queue, and the others are told", async () => {
  const bob = await Addressee.register(seed);
  const device = bob.owner.add();
  expect(await bob.appendLast()).toEqual({ kind: "denied", code: "no-prekey" });
  expect(await bob.rows("intents")).toBe(0);
  expect(await bob.appendLast(bob.upload(device))).toMatchObject({ kind: "appended", length: 2 });
  expect(await stored(bob)).toBe(2);
  expect(await stored(bob, "device_prekeys")).toBe(2);
  const socket = await bob.connect();
  await socket.until(({ delivered }) => delivered.length === 1);
  expect(socket.delivered[0]?.envelope.type).toBe("notice");
});

test("an entry that is repeated changes nothing, and one beside it is a conflict", async () => {
  const bob = await Addressee.register(seed);
  const rival = bob.twin();
  const second = bob.owner.add();
  rival.owner.random(1);
  rival.owner.add();
  const upload = bob.upload(second);
  const first = await bob.appendLast(upload);
  const written = await bob.rowsWritten(async () => {
    expect(await bob.appendLast(upload)).toEqual(first);
    expect(await rival.appendLast(rival.upload(rival.owner.devices[1]))).toEqual({ kind: "conflict" });
  });
  expect(written).toBe(0);
  expect(await stored(bob)).toBe(2);
});

test("two appends at once do not fork the log", async () => {
  const bob = await Addressee.register(seed);
  const rival = bob.twin();
  const second = bob.owner.add();
  rival.owner.random(1);
  const other = rival.owner.add();
  const results = await Promise.all([bob.appendLast(bob.upload(second)), rival.appendLast(rival.upload(other))]);
  expect(results.map(({ kind }) => kind).toSorted()).toEqual(["appended", "conflict"]);
  expect(await stored(bob)).toBe(2);
});

test("revocation takes the device's keys away, and the revoked device's own entry comes too late", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  bob.owner.revoke(second);
  await bob.appendLast();
  expect(await stored(bob, "device_prekeys")).toBe(1);
  const forged = bob.twin();
  const forgedSecond = forged.owner.add();
  forged.owner.revoke(forged.owner.first, forgedSecond);
  expect((await forged.appendLast()).kind).toBe("conflict");
  expect(await bob.stub.device(bob.owner.first.deviceId)).toMatchObject({ kind: "device" });
});

test("what died before D1 had it is carried out by the alarm", async () => {
  const bob = await Addressee.register(seed);
  const second = bob.owner.add();
  const entry = bob.owner.entries[1] ?? new Uint8Array();
  await putIntent(bob, 2, entry, bob.upload(second));
  await evictDurableObject(bob.stub);
  expect(await bob.stub.device(second.deviceId)).toEqual({ kind: "unknown" });
  expect(await runDurableObjectAlarm(bob.stub)).toBe(true);
  expect(await bob.stub.device(second.deviceId)).toMatchObject({ kind: "device" });
  expect(await stored(bob)).toBe(2);
  expect(await bob.rows("intents")).toBe(0);
});

test("what died after D1 had it is carried out once: no key comes back, no notice comes twice", async () => {
  const bob = await Addressee.register(seed);
  const second = bob.owner.add();
  const entry = bob.owner.entries[1] ?? new Uint8Array();
  const upload = bob.upload(second);
  await bob.appendLast(upload);
  const user = uuidToBytes(bob.userId);
  await bob.database.prepare("DELETE FROM one_time_ec WHERE user = ?1 AND device = 2 AND key_id = 1").bind(user).run();
  await bob.database.prepare("DELETE FROM one_time_kem WHERE user = ?1 AND device = 2").bind(user).run();
  const before = [await stored(bob, "one_time_ec"), await stored(bob, "one_time_kem"), await bob.queued()];
  await putIntent(bob, 2, entry, upload);
  await runDurableObjectAlarm(bob.stub);
  expect([await stored(bob, "one_time_ec"), await stored(bob, "one_time_kem"), await bob.queued()]).toEqual(before);
  expect(await stored(bob)).toBe(2);
  expect(await bob.rows("intents")).toBe(0);
});

test("while D1 fails the intent stays, the alarm comes back, and the next one finishes", async () => {
  const bob = await Addressee.register(seed);
  const second = bob.owner.add();
  await putIntent(bob, 2, bob.owner.entries[1] ?? new Uint8Array(), bob.upload(second));
  await breakLog();
  try {
    await runDurableObjectAlarm(bob.stub);
    expect(await bob.rows("intents")).toBe(1);
    const due = await runInDurableObject(bob.stub, async (_, state) => await state.storage.getAlarm());
    expect((due ?? Infinity) - Date.now()).toBeLessThanOrEqual(60_000);
    await runDurableObjectAlarm(bob.stub);
    const later = await runInDurableObject(bob.stub, async (_, state) => await state.storage.getAlarm());
    expect((later ?? 0) - (due ?? 0)).toBeGreaterThan(30_000);
    // Mail is none of D1's business.
    expect(await bob.stub.device(bob.owner.first.deviceId)).toMatchObject({ kind: "device" });
  } finally {
    await mendLog();
  }
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.stub.device(second.deviceId)).toMatchObject({ kind: "device" });
});

test("a registration that died is finished by its repeat, or by the alarm", async () => {
  for (const [at, finish] of [
    async (bob: Addressee) => await bob.register(),
    async (bob: Addressee) => await runDurableObjectAlarm(bob.stub),
  ].entries()) {
    const bob = await Addressee.register(seed + at);
    const upload = bob.upload();
    await runInDurableObject(bob.stub, (_, state) => {
      state.storage.sql.exec("DELETE FROM devices; DELETE FROM facts WHERE name = 'head'");
    });
    await bob.database.prepare("DELETE FROM account_log WHERE user = ?1").bind(uuidToBytes(bob.userId)).run();
    await putIntent(bob, 1, bob.owner.entries[0] ?? new Uint8Array(), upload);
    await evictDurableObject(bob.stub);
    await finish(bob);
    expect(await stored(bob)).toBe(1);
    expect(await bob.stub.device(bob.owner.first.deviceId)).toMatchObject({ kind: "device" });
  }
});

test("a crash between the change and the closing of sockets is made good by the alarm", async () => {
  const bob = await Addressee.register(seed);
  const second = await bob.addDevice();
  const [kept, revoked] = [await bob.connect(), await bob.connect(second)];
  await runInDurableObject(bob.stub, (_, state) => {
    state.storage.sql.exec("DELETE FROM devices WHERE device = 2");
  });
  await evictDurableObject(bob.stub);
  await runDurableObjectAlarm(bob.stub);
  await revoked.until(({ closed }) => closed !== undefined);
  expect([revoked.closed, kept.closed]).toEqual([{ code: 4401 }, undefined]);
});

test("a database that was set back grows no other history", async () => {
  const bob = await Addressee.register(seed);
  await bob.addDevice();
  const rival = bob.twin();
  rival.owner.random(1);
  const other = rival.owner.add();
  await bob.database.prepare("DELETE FROM account_log WHERE user = ?1 AND sequence = 2").bind(uuidToBytes(bob.userId)).run();
  expect(await rival.appendLast(rival.upload(other))).toEqual({ kind: "denied", code: "broken-chain" });
  expect(await stored(bob)).toBe(1);
});

test("an intent that has lost its place is given up: log, keys and devices stay, and the log goes on", async () => {
  const bob = await Addressee.register(seed);
  const rival = bob.twin();
  await bob.addDevice();
  rival.owner.random(1);
  const other = rival.owner.add();
  const record = async () =>
    await bob.database
      .prepare("SELECT hex(record) AS r FROM device_prekeys WHERE user = ?1 AND device = 2")
      .bind(uuidToBytes(bob.userId))
      .first<string>("r");
  const before = [await record(), await bob.queued()];
  await putIntent(bob, 2, rival.owner.entries[1] ?? new Uint8Array(), rival.upload(other));
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.rows("intents")).toBe(0);
  expect([await record(), await bob.queued()]).toEqual(before);
  const third = bob.owner.add();
  expect(await bob.appendLast(bob.upload(third))).toMatchObject({ kind: "appended", length: 3 });
});
