// The file of a store: whose it is, what it looks like from outside, and what happens when it is damaged.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ascii, type Bytes, copy, toHex } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { Store } from "../../../client/ports.ts";
import { type Dice, seededDice, seededRandom } from "../../support/random.ts";
import { temporaryFolder } from "./files.ts";

const CORRUPT = { name: "ClientError", code: "storage-corrupt", retryable: false };
const HEADER_BYTES = 100;
const PAGE_BYTES = 4096;
/** The file format of SQLite, section 1.6: the first byte of such a page, and where it counts its records. */
const INDEX_LEAF = 0x0a;
const CELL_COUNT_LOW = 4;

test("a store and its folder are its owner's only, and so are its log and its key", async () => {
  const folder = join(temporaryFolder(), "new", "newer");
  const path = join(folder, "store.db");
  const store = open(path);
  expect(existsSync(folder)).toBe(false);
  await store.unlock();
  await put(store, "key", ascii("value"));
  const modes = readdirSync(folder).map((name) => [name, modeOf(join(folder, name))]);
  expect(Object.fromEntries(modes)).toEqual({
    "store.db": 0o600,
    "store.db-shm": 0o600,
    "store.db-wal": 0o600,
    "store.db.key": 0o600,
  });
  expect([modeOf(folder), modeOf(join(folder, ".."))]).toEqual([0o700, 0o700]);
  await store.close();
  expect(readdirSync(folder)).toEqual(["store.db", "store.db.key"]);
});

test.each([
  ["an empty file", () => new Uint8Array(0)],
  ["a text", () => ascii("Not a database at all. ".repeat(500))],
  ["a file that is shorter than a head", (whole: Bytes) => whole.slice(0, 99)],
  ["the database of another program", () => foreignDatabase()],
  ["zeros", (whole: Bytes) => new Uint8Array(whole.length)],
])("%s is refused and left as it is, whatever is asked", async (_, make) => {
  const path = join(await storeOf({ key: "value" }), "store.db");
  const content = make(copy(readFileSync(path)));
  writeFileSync(path, content);
  const store = open(path);
  await expect(store.read(async () => 1)).rejects.toMatchObject(CORRUPT);
  await expect(put(store, "key", ascii("new"))).rejects.toMatchObject(CORRUPT);
  await expect(store.unlock()).rejects.toMatchObject(CORRUPT);
  await store.close();
  expect(toHex(readFileSync(path))).toBe(toHex(content));
});

test("a store that opens again after it did not is used", async () => {
  const path = join(await storeOf({ key: "value" }), "store.db");
  const whole = readFileSync(path);
  truncateSync(path, 50);
  const store = open(path);
  await expect(valueOf(store, "key")).rejects.toMatchObject(CORRUPT);
  writeFileSync(path, whole);
  expect(await valueOf(store, "key")).toBe("value");
});

test("a store in a newer format wants a newer program", async () => {
  const path = join(await storeOf({ key: "value" }), "store.db");
  inSql(path, "PRAGMA user_version = 2");
  await expect(open(path).unlock()).rejects.toMatchObject({ code: "upgrade-required" });
  inSql(path, "PRAGMA user_version = 1");
  expect(await valueOf(open(path), "key")).toBe("value");
});

test("a log without its file is no new store, and is kept", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "store.db");
  writeFileSync(`${path}-wal`, "what is not yet in the file");
  await expect(open(path).unlock()).rejects.toMatchObject(CORRUPT);
  expect(readdirSync(folder)).toEqual(["store.db-wal"]);
});

test("an emptied file does not take its log with it", async () => {
  const path = join(temporaryFolder(), "store.db");
  await put(open(path), "key", ascii("value"));
  const [file, log] = [`${path}.copy`, `${path}.copy-wal`];
  copyFileSync(path, file);
  copyFileSync(`${path}-wal`, log);
  const before = toHex(readFileSync(log));
  const whole = readFileSync(file);
  truncateSync(file, 0);
  await expect(open(file).unlock()).rejects.toMatchObject(CORRUPT);
  expect(toHex(readFileSync(log))).toBe(before);
  writeFileSync(file, whole);
  expect(await valueOf(open(file), "key")).toBe("value");
});

test("a folder where the file should be, and a file where the folder should be, are no stores", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "store.db"));
  writeFileSync(join(folder, "file"), "a file");
  await expect(open(join(folder, "store.db")).unlock()).rejects.toMatchObject({ name: "ClientError", code: "storage-failed" });
  await expect(open(join(folder, "file", "store.db")).unlock()).rejects.toMatchObject({ name: "ClientError", code: "storage-failed" });
});

test("without room nothing is stored and nothing is lost; with room again it goes on", async () => {
  const path = join(temporaryFolder(), "store.db");
  const store = sqlite(path, { maximumBytes: 200_000 });
  onTestFinished(() => store.close());
  await put(store, "key", ascii("value"));
  await put(store, "large", new Uint8Array(100_000));
  await expect(put(store, "larger", new Uint8Array(150_000))).rejects.toMatchObject({ code: "storage-full", retryable: true });
  const swallowed = store.write(async (transaction) => {
    transaction.put("key", ascii("half"));
    try {
      transaction.put("larger", new Uint8Array(150_000));
    } catch {
      // As if nothing had happened.
    }
  });
  await expect(swallowed).rejects.toMatchObject({ code: "storage-full" });
  expect(await valueOf(store, "key")).toBe("value");
  await store.write(async (transaction) => transaction.delete("large"));
  await put(store, "larger", new Uint8Array(150_000));
  expect(await store.read(async (transaction) => (await transaction.get("larger"))?.length)).toBe(150_000);
});

test("what is deleted is not in the file any more", async () => {
  const folder = await storeOf({ kept: "a secret that stays", dropped: "a secret that goes" });
  const path = join(folder, "store.db");
  expect(readFileSync(path).includes("a secret that goes")).toBe(true);
  const store = open(path);
  await store.write(async (transaction) => transaction.delete("dropped"));
  await store.close();
  expect(readFileSync(path).includes("a secret that stays")).toBe(true);
  expect(readFileSync(path).includes("a secret that goes")).toBe(false);
});

test("a record that was exchanged for another is not believed, and what is beside a damaged key is not called missing", async () => {
  const path = join(await storeOf({ a: "1", b: "2", c: "3", d: "4", e: "5" }), "store.db");
  inSql(path, "UPDATE records SET value = (SELECT value FROM records WHERE key = 'a') WHERE key = 'b'");
  inSql(path, "UPDATE records SET key = 'cc' WHERE key = 'c'");
  const store = open(path);
  expect(await valueOf(store, "a")).toBe("1");
  await expect(valueOf(store, "b")).rejects.toMatchObject(CORRUPT);
  await expect(valueOf(store, "c")).rejects.toMatchObject(CORRUPT);
  await expect(valueOf(store, "cc")).rejects.toMatchObject(CORRUPT);
  expect(await valueOf(store, "d")).toBe("4");
  await expect(scan(store, "c", "d")).rejects.toMatchObject(CORRUPT);
  // It has left this range on one side, and would have entered this other one from there.
  await expect(scan(store, "c", "cb")).rejects.toMatchObject(CORRUPT);
  await expect(scan(store, "cd", "ce")).rejects.toMatchObject(CORRUPT);
  expect(await valueOf(store, "f")).toBeUndefined();
  expect(await scan(store, "e", "f")).toEqual(["e"]);
});

test("a damaged file gives what was stored or a coded error, never anything else", async () => {
  const folder = await storeOf(manyRecords());
  const original = copy(readFileSync(join(folder, "store.db")));
  const dice = seededDice(12);
  const outcomes = { whole: 0, refused: 0, partly: 0 };
  for (let i = 0; i < 120; i++) {
    const damaged = damage(original, dice);
    const path = join(folder, `damaged-${i}.db`);
    writeFileSync(path, damaged);
    copyFileSync(join(folder, "store.db.key"), `${path}.key`);
    outcomes[await inspect(path)]++;
    // Whoever wants to rescue something finds what there was.
    expect(toHex(readFileSync(path).subarray(HEADER_BYTES))).toBe(toHex(damaged.subarray(HEADER_BYTES)));
  }
  // All three happen, so each of them is looked at.
  expect(outcomes.whole).toBeGreaterThan(5);
  expect(outcomes.refused).toBeGreaterThan(25);
  expect(outcomes.partly).toBeGreaterThan(25);
});

test("a page that forgets its last record is damage, and the record is not called missing", async () => {
  const folder = await storeOf(manyRecords());
  const original = copy(readFileSync(join(folder, "store.db")));
  const leaves = Array.from({ length: original.length / PAGE_BYTES }, (_, i) => i * PAGE_BYTES).filter((at) => original[at] === INDEX_LEAF);
  expect(leaves.length).toBeGreaterThan(5);
  for (const at of leaves) {
    const path = join(folder, `damaged-${at}.db`);
    const damaged = copy(original);
    damaged[at + CELL_COUNT_LOW] = (damaged[at + CELL_COUNT_LOW] ?? 0) - 1;
    writeFileSync(path, damaged);
    expect(await inspect(path)).toBe("refused");
  }
});

const CODES = /^storage-corrupt$|^upgrade-required$/;

type Outcome = "whole" | "refused" | "partly";

/** Asks for everything in every way; what is answered at all has to be right. */
async function inspect(path: string): Promise<Outcome> {
  const store = sqlite(path);
  const records = Object.entries(manyRecords());
  const answers: Promise<boolean>[] = records.map(([key, value]) => isRight(valueOf(store, key), value));
  const keys = records.map(([key]) => key).sort();
  answers.push(isRight(scan(store, "", "~"), keys), isRight(scan(store, "", "~", true), keys.toReversed()));
  answers.push(isRight(valueOf(store, "no such key"), undefined));
  answers.push(
    isRight(
      scan(store, "record-1", "record-2"),
      keys.filter((key) => key.startsWith("record-1")),
    ),
  );
  answers.push(
    isRight(
      store.unlock().then((key) => key.length),
      32,
    ),
  );
  const right = await Promise.all(answers);
  await store.close();
  if (right.every((isAnswered) => isAnswered)) return "whole";
  return right.some((isAnswered) => isAnswered) ? "partly" : "refused";
}

/** False when it was refused, with a code. */
async function isRight<T>(answer: Promise<T>, expected: T): Promise<boolean> {
  const [outcome] = await Promise.allSettled([answer]);
  if (outcome.status === "rejected") {
    expect(outcome.reason).toMatchObject({ name: "ClientError", code: expect.stringMatching(CODES) });
    return false;
  }
  expect(outcome.value).toEqual(expected);
  return true;
}

/** A few bytes changed, in the head, in one page or anywhere; or a piece gone. */
function damage(original: Bytes, dice: Dice): Bytes {
  const damaged = copy(original);
  if (dice.chance(0.15)) return damaged.slice(0, dice.roll(damaged.length));
  const from = dice.pick([0, PAGE_BYTES * dice.roll(damaged.length / PAGE_BYTES), dice.roll(damaged.length)]);
  const span = dice.pick([100, PAGE_BYTES, damaged.length]);
  const flips = 1 + dice.roll(4);
  for (let i = 0; i < flips; i++) {
    const at = Math.min(from + dice.roll(span), damaged.length - 1);
    damaged[at] = (damaged[at] ?? 0) ^ (1 + dice.roll(255));
  }
  return damaged;
}

function manyRecords(): Readonly<Record<string, string>> {
  const random = seededRandom(5);
  const lengths = Array.from({ length: 120 }, (_, i) => (i % 40 === 7 ? 9_000 : 20 + ((i * 37) % 600)));
  return Object.fromEntries(lengths.map((length, i) => [`record-${i}`, toHex(random(length / 2))]));
}

/** A folder with a closed store of these records. */
async function storeOf(records: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  const store = sqlite(join(folder, "store.db"));
  await store.unlock();
  await store.write(async (transaction) => {
    for (const [key, value] of Object.entries(records)) transaction.put(key, ascii(value));
  });
  await store.close();
  return folder;
}

function foreignDatabase(): Bytes {
  const path = join(temporaryFolder(), "foreign.db");
  inSql(path, "CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB, sum INTEGER) WITHOUT ROWID; PRAGMA user_version = 1");
  return copy(readFileSync(path));
}

/** Past the store. */
function inSql(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function open(path: string): Store {
  const store = sqlite(path);
  onTestFinished(() => store.close());
  return store;
}

function put(store: Store, key: string, value: Bytes): Promise<void> {
  return store.write(async (transaction) => transaction.put(key, value));
}

async function valueOf(store: Store, key: string): Promise<string | undefined> {
  const value = await store.read((transaction) => transaction.get(key));
  return value === undefined ? undefined : Buffer.from(value).toString("latin1");
}

async function scan(store: Store, from: string, to: string, reverse = false): Promise<readonly string[]> {
  const entries = await store.read((transaction) => transaction.scan({ from, to, reverse }));
  return entries.map(({ key }) => key);
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
