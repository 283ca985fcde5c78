// No key twice, whatever happens: takers at the same time, uploads in between, answers that are lost, and everything
// that may be repeated being repeated.

import { env as bindings } from "cloudflare:workers";
import { expect, test } from "vitest";
import { useBackend } from "#crypto";
import { workerdBackend } from "#crypto/workerd";
import { databasesOf, parseServerSeed, ServerNames } from "#durable-objects";
import { type Bytes, concat, type DevicePreKeys, type PreKeyUpload, toHex } from "#wire";
import { type KeysEnv, putKeys, takeKeys } from "../../workers/keys/index.ts";
import { found, Owner } from "../support/accounts.ts";
import { seededDice } from "../support/random.ts";
import { makeTables } from "./support/databases.ts";
import { range, store, uploadOf } from "./support/stored-account.ts";

useBackend(workerdBackend);

const OPERATIONS = 10_000;
const AT_ONCE = 20;
const random = seededDice(1);

/** A database that loses one answer in ten: half of them before and half of them after it has done what was asked. */
function unreliable(database: D1Database): D1Database {
  const prepare = (query: string) => database.prepare(query);
  const batch = async (statements: D1PreparedStatement[]) => {
    const luck = random.roll(20);
    if (luck === 0) throw new Error("lost before");
    const answers = await database.batch(statements);
    if (luck === 1) throw new Error("lost after");
    return answers;
  };
  return { prepare, batch } as unknown as D1Database; // all that workers/keys uses of it
}

test("no one-time key is handed out twice in ten thousand operations with losses", { timeout: 120_000 }, async () => {
  const databases = databasesOf({ ...bindings });
  await makeTables(databases);
  const names = new ServerNames(parseServerSeed(bindings.SERVER_SEED));
  const env: KeysEnv = { databases: databases.map(unreliable), names };
  const owner = new Owner(1);
  const { deviceId } = owner.first;
  const sets = range(0, 12).map((i) => {
    owner.now += 1;
    return uploadOf(owner, owner.first, { ec: [], kem: range(2 + 20 * i, 8) });
  });
  await store({ databases, names }, owner, deviceId, found(sets[0]));
  const uploads: PreKeyUpload[] = [];
  const seen = new Map<string, number>();
  let nextId = 1;

  async function take(): Promise<void> {
    const answer = await takeKeys(env, { userId: owner.userId, after: 0, oneTimeFor: [deviceId], nowSeconds: owner.now });
    for (const key of oneTimeOf(found(answer?.keys.devices[0]))) seen.set(key, (seen.get(key) ?? 0) + 1);
  }

  async function put(upload: PreKeyUpload): Promise<void> {
    await putKeys(env, { userId: owner.userId, device: found(owner.account.devices[0]), upload, nowSeconds: owner.now });
  }

  function anything(): Promise<void> {
    const luck = random.roll(100);
    if (luck < 70) return take();
    if (luck < 85 || uploads.length === 0) {
      const upload = { set: undefined, oneTimePreKeys: range(nextId, 10).map((id) => ({ id, publicKey: anyKey() })) };
      nextId += 10;
      uploads.push(upload);
      return put(upload);
    }
    if (luck < 95) return put(found(uploads[random.roll(uploads.length)]));
    return put(found(sets[random.roll(sets.length)]));
  }

  let refused = 0;
  for (let done = 0; done < OPERATIONS; done += AT_ONCE) {
    const results = await Promise.allSettled(range(0, AT_ONCE).map(anything));
    refused += results.filter(({ status }) => status === "rejected").length;
  }
  expect(refused).toBeGreaterThan(OPERATIONS / 20);
  expect(seen.size).toBeGreaterThan(1000);
  expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
});

function oneTimeOf({ oneTimePreKey, kemPreKey }: DevicePreKeys): readonly string[] {
  const ec = oneTimePreKey === undefined ? [] : [`ec ${toHex(oneTimePreKey.publicKey)}`];
  const lastResort = kemPreKey.id === 1;
  return lastResort ? ec : [...ec, `kem ${kemPreKey.id} ${toHex(kemPreKey.publicKey.slice(0, 32))}`];
}

/** Nobody signs a one-time EC key or agrees with it here: any canonical one will do. */
function anyKey(): Bytes {
  const key = crypto.getRandomValues(new Uint8Array(32));
  key[31] = (key[31] ?? 0) & 0x3f;
  return concat(new Uint8Array([5]), key);
}
