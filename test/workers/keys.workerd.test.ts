import { env as bindings } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { databaseOf, databasesOf, parseServerSeed, ServerNames } from "#durable-objects";
import { checkPreKeyBundle } from "#identity";
import { encodeAccountKeys, MAX_ONE_TIME_EC_PREKEYS, parseUsername, PREKEYS_LOW, ProtocolError, toHex, uuidToBytes } from "#wire";
import {
  claimUsername,
  confirmUsername,
  countKeys,
  findUsername,
  type KeysEnv,
  putKeys,
  readLog,
  releaseUsername,
  takeKeys,
} from "../../workers/keys/index.ts";
import { found, Owner } from "../support/accounts.ts";
import { makeTables } from "./support/databases.ts";
import { range, store, uploadOf } from "./support/stored-account.ts";

const databases = databasesOf({ ...bindings });
const env: KeysEnv = { databases, names: new ServerNames(parseServerSeed(bindings.SERVER_SEED)) };
const NONE = { ec: [], kem: [] };

beforeAll(async () => {
  await makeTables(databases);
});

function taking(owner: Owner, oneTime = true) {
  const oneTimeFor = oneTime ? owner.devices.map(({ deviceId }) => deviceId) : [];
  return takeKeys(env, { userId: owner.userId, after: 0, oneTimeFor, nowSeconds: owner.now });
}

test("a thousand who ask at once for a hundred keys get a hundred different ones, and the rest the last resort", async () => {
  const owner = new Owner(1);
  const { deviceId } = owner.first;
  await store(env, owner, deviceId, uploadOf(owner, owner.first, { ec: range(1, 100), kem: range(2, 20) }));
  const answers = await Promise.all(range(0, 1000).map(() => taking(owner)));
  const bundles = answers.map((answer) => answer?.keys.devices[0]);
  const ec = bundles.flatMap((bundle) => (bundle?.oneTimePreKey === undefined ? [] : [bundle.oneTimePreKey.id]));
  const kem = bundles.map((bundle) => bundle?.kemPreKey.id ?? 0).filter((id) => id !== 1);
  expect(ec.toSorted((a, b) => a - b)).toEqual(range(1, 100));
  expect(kem.toSorted((a, b) => a - b)).toEqual(range(2, 20));
  expect(bundles.filter((bundle) => bundle?.kemPreKey.id === 1)).toHaveLength(980);
});

test("what is handed out is what a sender accepts, for every device, and encodes", async () => {
  const owner = new Owner(2);
  await store(env, owner, owner.first.deviceId, uploadOf(owner, owner.first, { ec: [1, 2], kem: [2] }));
  const second = owner.add();
  await store(env, owner, second.deviceId, uploadOf(owner, second, { ec: [], kem: [] }));
  const taken = await taking(owner);
  expect(taken?.keys.log.entries.map(toHex)).toEqual(owner.entries.map(toHex));
  const checked = taken?.keys.devices.map((keys) => checkPreKeyBundle(keys, { account: owner.account, nowSeconds: owner.now }));
  expect(checked?.map(({ kyberPreKey, oneTimePreKey }) => [kyberPreKey.id, oneTimePreKey?.id])).toEqual([
    [2, 1],
    [1, undefined],
  ]);
  expect(encodeAccountKeys(taken?.keys ?? { log: { entries: [] }, devices: [] }).length).toBeGreaterThan(3000);
});

test("without a budget no one-time key is consumed", async () => {
  const owner = new Owner(3);
  await store(env, owner, owner.first.deviceId, uploadOf(owner, owner.first, { ec: [1], kem: [2] }));
  const taken = await taking(owner, false);
  expect(taken?.keys.devices[0]).toMatchObject({ kemPreKey: { id: 1 }, oneTimePreKey: undefined });
  expect(taken?.low).toEqual([]);
  expect(await countKeys(env, owner.userId, owner.first.deviceId)).toMatchObject({ ec: 1, kem: 1 });
});

test("the owner is told when twenty are left, and not before", async () => {
  const owner = new Owner(4);
  const { deviceId } = owner.first;
  await store(env, owner, deviceId, uploadOf(owner, owner.first, { ec: range(1, PREKEYS_LOW + 2), kem: [] }));
  expect((await taking(owner))?.low).toEqual([]);
  expect((await taking(owner))?.low).toEqual([{ deviceId, keys: "ec", remaining: PREKEYS_LOW }]);
});

test("a revoked device's keys are not handed out, even if an upload was on its way", async () => {
  const owner = new Owner(5);
  await store(env, owner, owner.first.deviceId, uploadOf(owner, owner.first, NONE));
  const second = owner.add();
  const late = uploadOf(owner, second, { ec: [1], kem: [] });
  owner.revoke(second);
  await store(env, owner, second.deviceId, late);
  expect((await taking(owner))?.keys.devices.map(({ deviceId }) => deviceId)).toEqual([owner.first.deviceId]);
});

test("writing the first prekeys twice brings no consumed key back", async () => {
  const owner = new Owner(6);
  const upload = uploadOf(owner, owner.first, { ec: range(1, 5), kem: range(2, 3) });
  await store(env, owner, owner.first.deviceId, upload);
  await taking(owner);
  await store(env, owner, owner.first.deviceId, upload);
  expect(await countKeys(env, owner.userId, owner.first.deviceId)).toMatchObject({ ec: 4, kem: 2 });
});

test("an upload adds, a new set replaces, and a repeat of either changes nothing", async () => {
  const owner = new Owner(7);
  const device = owner.first;
  const put = (upload: ReturnType<typeof uploadOf>) =>
    putKeys(env, { userId: owner.userId, device: account(owner), upload, nowSeconds: owner.now });
  await store(env, owner, device.deviceId, uploadOf(owner, device, { ec: range(1, 3), kem: range(2, 3) }));
  const more = { set: undefined, oneTimePreKeys: uploadOf(owner, device, { ec: range(4, 3), kem: [] }).oneTimePreKeys };
  await put(more);
  expect(await countKeys(env, owner.userId, device.deviceId)).toMatchObject({ ec: 6, kem: 3 });
  owner.now += 60;
  const next = uploadOf(owner, device, { ec: [], kem: range(20, 2) });
  const before = await countKeys(env, owner.userId, device.deviceId);
  await put(next);
  const after = await countKeys(env, owner.userId, device.deviceId);
  expect(after).toMatchObject({ ec: 6, kem: 2 });
  expect(after.digest).not.toEqual(before.digest);
  for (let i = 0; i < 4; i++) await taking(owner);
  await put(more);
  await put(next);
  expect(await countKeys(env, owner.userId, device.deviceId)).toMatchObject({ ec: 2, kem: 0, digest: after.digest });
});

test("an upload that may not be stored changes nothing", async () => {
  const owner = new Owner(8);
  const device = owner.first;
  const put = (upload: ReturnType<typeof uploadOf>) =>
    putKeys(env, { userId: owner.userId, device: account(owner), upload, nowSeconds: owner.now });
  await expect(put({ set: undefined, oneTimePreKeys: uploadOf(owner, device, { ec: [1], kem: [] }).oneTimePreKeys })).rejects.toMatchObject(
    { code: "no-prekey" },
  );
  const good = uploadOf(owner, device, { ec: range(1, 60), kem: [2] });
  await store(env, owner, device.deviceId, good);
  await taking(owner);
  const counts = await countKeys(env, owner.userId, device.deviceId);
  const ecOnly = (ids: readonly number[]) => ({
    set: undefined,
    oneTimePreKeys: uploadOf(owner, device, { ec: ids, kem: [] }).oneTimePreKeys,
  });
  const stranger = new Owner(9, owner.now);
  const refused = [
    [ecOnly([1]), "duplicate"],
    [ecOnly([2]), "duplicate"],
    [ecOnly([60, 61]), "duplicate"],
    [ecOnly(range(61, 42)), "over-limit"],
    [uploadOf(stranger, stranger.first, NONE), "bad-signature"],
  ] as const;
  for (const [upload, code] of refused) {
    const error = await put(upload).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code });
  }
  expect(await countKeys(env, owner.userId, device.deviceId)).toEqual(counts);
  await put(ecOnly(range(61, 41)));
  expect(await countKeys(env, owner.userId, device.deviceId)).toMatchObject({ ec: MAX_ONE_TIME_EC_PREKEYS });
});

test("uploads at the same time never leave more than a hundred", async () => {
  const owner = new Owner(10);
  await store(env, owner, owner.first.deviceId, uploadOf(owner, owner.first, NONE));
  const uploads = range(0, 8).map((i) => ({
    set: undefined,
    oneTimePreKeys: uploadOf(owner, owner.first, { ec: range(1 + 40 * i, 40), kem: [] }).oneTimePreKeys,
  }));
  await Promise.allSettled(
    uploads.map((upload) => putKeys(env, { userId: owner.userId, device: account(owner), upload, nowSeconds: owner.now })),
  );
  const { ec } = await countKeys(env, owner.userId, owner.first.deviceId);
  expect(ec).toBeGreaterThan(0);
  expect(ec).toBeLessThanOrEqual(MAX_ONE_TIME_EC_PREKEYS);
});

test("a log is read from where the caller stands, and an account that is not there has none", async () => {
  const owner = new Owner(11);
  owner.add();
  owner.add();
  await store(env, owner, owner.first.deviceId, { set: undefined, oneTimePreKeys: [] });
  for (let after = 0; after <= 4; after++) {
    expect((await readLog(env, owner.userId, after))?.map(toHex)).toEqual(owner.entries.slice(after).map(toHex));
  }
  expect(await readLog(env, new Owner(12).userId, 0)).toBeUndefined();
  expect(await taking(new Owner(12))).toBeUndefined();
});

test("of many who claim a name one gets it, and nobody finds it before its account is there", async () => {
  const owners = range(20, 8).map((seed) => new Owner(seed));
  const username = parseUsername("claimed_by_many");
  const now = 1_800_000_000;
  const won = await Promise.all(owners.map(({ userId }) => claimUsername(env, { username, userId }, now)));
  expect(won.filter(Boolean)).toHaveLength(1);
  const winner = found(owners[won.indexOf(true)]).userId;
  expect(await findUsername(env, username)).toBeUndefined();
  expect(await claimUsername(env, { username, userId: winner }, now)).toBe(true);
  await confirmUsername(env, { username, userId: winner }, now);
  expect(await findUsername(env, username)).toBe(winner);
});

test("a claim without an account ends after a quarter of an hour", async () => {
  const [first, second] = [new Owner(30).userId, new Owner(31).userId];
  const username = parseUsername("abandoned");
  const now = 1_800_000_000;
  expect(await claimUsername(env, { username, userId: first }, now)).toBe(true);
  expect(await claimUsername(env, { username, userId: second }, now + 15 * 60)).toBe(false);
  expect(await claimUsername(env, { username, userId: second }, now + 15 * 60 + 1)).toBe(true);
});

test("a released name belongs to nobody for seven days", async () => {
  const [first, second] = [new Owner(32).userId, new Owner(33).userId];
  const username = parseUsername("released");
  const now = 1_800_000_000;
  const week = 7 * 24 * 3600;
  await claimUsername(env, { username, userId: first }, now);
  await confirmUsername(env, { username, userId: first }, now);
  await releaseUsername(env, { username, userId: second }, now);
  expect(await findUsername(env, username)).toBe(first);
  await releaseUsername(env, { username, userId: first }, now);
  expect(await findUsername(env, username)).toBeUndefined();
  expect(await claimUsername(env, { username, userId: second }, now + week)).toBe(false);
  expect(await claimUsername(env, { username, userId: second }, now + week + 1)).toBe(true);
});

test("accounts are spread over all databases, and each is in one", async () => {
  const owners = range(40, 24).map((seed) => new Owner(seed));
  for (const owner of owners) await store(env, owner, owner.first.deviceId, { set: undefined, oneTimePreKeys: [] });
  const used = new Set<number>();
  for (const { userId } of owners) {
    const counts = await Promise.all(
      databases.map((database) =>
        database.prepare("SELECT count(*) AS n FROM account_log WHERE user = ?1").bind(uuidToBytes(userId)).first("n"),
      ),
    );
    expect(counts.filter((n) => n === 1)).toHaveLength(1);
    expect(counts.filter((n) => n === 0)).toHaveLength(2);
    const at = counts.indexOf(1);
    used.add(at);
    expect(databases[at]).toBe(databaseOf(databases, env.names.slot(uuidToBytes(userId))));
  }
  expect(used.size).toBe(3);
});

test("no username is in a database as it is", async () => {
  const username = parseUsername("plainly_visible");
  await claimUsername(env, { username, userId: new Owner(60).userId }, 1_800_000_000);
  const rows = await Promise.all(databases.map((database) => database.prepare("SELECT hex(tag) AS tag FROM usernames").all()));
  const text = JSON.stringify(rows.map(({ results }) => results)).toLowerCase();
  expect(text).toMatch(/[0-9a-f]{64}/);
  expect(text).not.toContain(toHex(new TextEncoder().encode(username)));
});

function account(owner: Owner) {
  return found(owner.account.devices[0]);
}
