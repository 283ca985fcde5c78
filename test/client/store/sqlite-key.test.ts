// The key of a store in a file: with the right key file or passphrase it is always the same, without it there is none.

import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ascii, sameBytes, toHex } from "#wire";
import { type SqliteOptions, sqlite } from "edgewise/store/node-sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { Store } from "../../../client/ports.ts";
import { temporaryFolder } from "./files.ts";

const WRONG = { name: "ClientError", code: "storage-wrong-key", retryable: false };

test("a missing key file is a wrong key, never a new one; with the file back everything is as before", async () => {
  const { path, key } = await newStore();
  renameSync(`${path}.key`, `${path}.hidden`);
  await expect(open(path).unlock()).rejects.toMatchObject(WRONG);
  expect(readdirSync(join(path, ".."))).not.toContain("store.db.key");
  renameSync(`${path}.hidden`, `${path}.key`);
  expect(await keyOf(open(path))).toBe(key);
});

test("another store's key file, a changed one and a cut one are wrong keys and stay as they are", async () => {
  const [{ path, key }, other] = [await newStore(), await newStore()];
  const right = readFileSync(`${path}.key`);
  const changed = Buffer.from(right).fill(right.readUInt8(31) ^ 1, 31);
  for (const wrong of [readFileSync(`${other.path}.key`), changed, right.subarray(0, 31), Buffer.concat([right, right]), Buffer.alloc(0)]) {
    writeFileSync(`${path}.key`, wrong);
    await expect(open(path).unlock()).rejects.toMatchObject(WRONG);
    expect(sameBytes(readFileSync(`${path}.key`), wrong)).toBe(true);
  }
  writeFileSync(`${path}.key`, right);
  expect(await keyOf(open(path))).toBe(key);
});

test("the key of the store is neither in the store nor in the key file", async () => {
  const { path, key } = await newStore();
  for (const file of [path, `${path}.key`]) expect(readFileSync(file).includes(Buffer.from(key, "hex"))).toBe(false);
});

test("a program that died after it made the key file, and before the store knew, leaves a file that the next one takes", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "store.db");
  const orphan = Buffer.alloc(32, 7);
  writeFileSync(`${path}.key`, orphan);
  writeFileSync(`${path}.key.new`, "the beginning of a key");
  const key = await keyOf(open(path));
  expect(sameBytes(readFileSync(`${path}.key`), orphan)).toBe(true);
  expect(await keyOf(open(path))).toBe(key);
});

test("records whose key is gone from the store are damage, not the beginning of a new store", async () => {
  const { path } = await newStore();
  const database = new DatabaseSync(path);
  database.exec("DELETE FROM keyring");
  database.close();
  await expect(open(path).unlock()).rejects.toMatchObject({ code: "storage-corrupt" });
  rmSync(`${path}.key`);
  await expect(open(path).unlock()).rejects.toMatchObject({ code: "storage-corrupt" });
  expect(readdirSync(join(path, ".."))).not.toContain("store.db.key");
});

test("a changed box is damage; a box that was exchanged for another store's is a wrong key", async () => {
  const [{ path }, other] = [await newStore(), await newStore()];
  const database = new DatabaseSync(path);
  database.exec(`ATTACH '${other.path}' AS other; UPDATE keyring SET (wrapped, sum) = (SELECT wrapped, sum FROM other.keyring)`);
  await expect(open(path).unlock()).rejects.toMatchObject(WRONG);
  database.exec("UPDATE keyring SET wrapped = zeroblob(73)");
  database.close();
  await expect(open(path).unlock()).rejects.toMatchObject({ code: "storage-corrupt" });
});

test("a passphrase opens the store, however its accents are written; another one, an empty one and none do not", async () => {
  const { path, key } = await newStore({ passphrase: "caf\u00e9 au lait" });
  expect(readdirSync(join(path, ".."))).toEqual(["store.db"]);
  expect(await keyOf(open(path, { passphrase: "cafe\u0301 au lait" }))).toBe(key);
  for (const passphrase of ["cafe au lait", "caf\u00e9 au lait ", ""]) {
    await expect(open(path, { passphrase }).unlock()).rejects.toMatchObject(WRONG);
  }
  await expect(open(path).unlock()).rejects.toMatchObject(WRONG);
  expect(readdirSync(join(path, ".."))).not.toContain("store.db.key");
});

test("a store with a key file does not open with a passphrase, not even beside its key file", async () => {
  const { path, key } = await newStore();
  await expect(open(path, { passphrase: "passphrase" }).unlock()).rejects.toMatchObject(WRONG);
  expect(await keyOf(open(path))).toBe(key);
});

test("one passphrase for two stores makes two keys", async () => {
  const [one, other] = [await newStore({ passphrase: "the same" }), await newStore({ passphrase: "the same" })];
  expect(one.key).not.toBe(other.key);
});

test("programs that make a store with a passphrase at once agree on its key", async () => {
  const path = join(temporaryFolder(), "store.db");
  const keys = await Promise.all(Array.from({ length: 3 }, () => keyOf(open(path, { passphrase: "passphrase" }))));
  expect(new Set(keys).size).toBe(1);
});

test("a copy of a store and its key file is the same store", async () => {
  const { path, key } = await newStore();
  const copied = join(temporaryFolder(), "copy.db");
  copyFileSync(path, copied);
  await expect(open(copied).unlock()).rejects.toMatchObject(WRONG);
  copyFileSync(`${path}.key`, `${copied}.key`);
  expect(await keyOf(open(copied))).toBe(key);
});

/** Closed, with a record in it. */
async function newStore(options: SqliteOptions = {}): Promise<{ readonly path: string; readonly key: string }> {
  const path = join(temporaryFolder(), "store.db");
  const store = sqlite(path, options);
  const key = await keyOf(store);
  await store.write(async (transaction) => transaction.put("key", ascii("value")));
  await store.close();
  return { path, key };
}

function open(path: string, options: SqliteOptions = {}): Store {
  const store = sqlite(path, options);
  onTestFinished(() => store.close());
  return store;
}

async function keyOf(store: Store): Promise<string> {
  return toHex((await store.unlock()).expose());
}
