// Several programs on one file, and programs that are killed. Real processes: nothing here is simulated.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { ascii, toHex } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { Store } from "../../../client/ports.ts";
import { seededDice } from "../../support/random.ts";
import { temporaryFolder } from "./files.ts";
import { FIRST, lastWholeRound, numberAt, round } from "./rounds.ts";

const PROGRAM = fileURLToPath(new URL("program.ts", import.meta.url));

test("two programs that count at once lose nothing", async () => {
  const path = join(temporaryFolder(), "store.db");
  const programs = [run("count", path, "500"), run("count", path, "500")];
  const ends = await Promise.all(programs.map((program) => once(program, "exit")));
  expect(ends).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(await open(path).read((transaction) => numberAt(transaction, "counter"))).toBe(1_000);
});

test("wherever a program is killed, its store opens, holds whole transactions, and every one that was reported", async () => {
  const folder = temporaryFolder();
  const dice = seededDice(9);
  let kills = 0;
  let rounds = 0;
  for (let i = 0; i < 60; i++) {
    // Most of them go on with a store that has been killed before; some die while they make one.
    const isNew = i % 4 === 0;
    const path = join(folder, isNew ? `new-${i}.db` : "old.db");
    const before = isNew ? 0 : await verified(path);
    const { reported, signal } = await runAndKill(path, isNew ? undefined : dice.roll(40), dice.roll(250));
    const after = await verified(path);
    expect(after).toBeGreaterThanOrEqual(Math.max(reported, before));
    // What was being committed when it died may have happened; nothing beyond.
    expect(after).toBeLessThanOrEqual(Math.max(reported, before) + 1);
    kills += signal === "SIGKILL" ? 1 : 0;
    rounds += after - before;
  }
  expect(kills).toBe(60);
  expect(rounds).toBeGreaterThan(100);
});

test("a write waits for another program's, and this program goes on meanwhile; it reads without waiting", async () => {
  const path = join(temporaryFolder(), "store.db");
  const store = open(path);
  await put(store, "key", "before");
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  let ticks = 0;
  const clock = setInterval(() => void ticks++, 10);
  onTestFinished(() => clearInterval(clock));
  setTimeout(() => other.exec("COMMIT"), 400);
  const reader = open(path);
  expect(await valueOf(reader, "key")).toBe("before");
  expect(other.isTransaction).toBe(true);
  await put(store, "key", "after");
  expect(other.isTransaction).toBe(false);
  expect(ticks).toBeGreaterThan(15);
  expect(await valueOf(reader, "key")).toBe("after");
});

test("a write that waits too long says that the store is locked, and nothing of it is done", async () => {
  const path = join(temporaryFolder(), "store.db");
  const store = open(path);
  await put(store, "key", "before");
  const other = new DatabaseSync(path);
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  await expect(put(store, "key", "late")).rejects.toMatchObject({ name: "ClientError", code: "storage-locked", retryable: true });
  other.exec("COMMIT");
  expect(await valueOf(store, "key")).toBe("before");
  await put(store, "key", "after");
  expect(await valueOf(store, "key")).toBe("after");
});

test("a program that writes without a pause leaves room for its own timers, and for others", async () => {
  const path = join(temporaryFolder(), "store.db");
  const [busy, other] = [open(path), open(path)];
  const others: Promise<void>[] = [];
  const clock = setInterval(() => others.push(put(other, "other", String(others.length + 1))), 5);
  onTestFinished(() => clearInterval(clock));
  let writes = 0;
  while (others.length < 10 && writes < 50_000) await put(busy, "busy", String(++writes));
  clearInterval(clock);
  expect(others).toHaveLength(10);
  expect(writes).toBeGreaterThan(10);
  await Promise.all(others);
  expect(await valueOf(busy, "other")).toBe("10");
});

interface Killed {
  /** The last number that it said was committed. */
  readonly reported: number;
  readonly signal: string | null;
}

/** So many rounds and a few milliseconds after it has begun; or, without rounds, some time after it was started. */
async function runAndKill(path: string, rounds: number | undefined, milliseconds: number): Promise<Killed> {
  const program = run("rewrite", path);
  let output = "";
  const kill = () => void program.kill("SIGKILL");
  if (rounds === undefined) setTimeout(kill, 50 + milliseconds);
  program.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString("latin1");
    if (rounds !== undefined && output.split("\n").length > rounds) setTimeout(kill, milliseconds / 50);
  });
  const [, signal] = (await once(program, "close")) as [number | null, string | null]; // Node's documentation of the event
  return { reported: Number(output.split("\n").at(-2) ?? "0"), signal };
}

/** The number of its last round. It can still be written, and has its key. */
async function verified(path: string): Promise<number> {
  const store = sqlite(path);
  const last = await store.read(lastWholeRound);
  expect(toHex((await store.unlock()).expose())).toHaveLength(64);
  await expect(store.write((transaction) => round(transaction).then(() => Promise.reject(new Error("only tried"))))).rejects.toThrow(
    "only tried",
  );
  expect(await store.read((transaction) => numberAt(transaction, FIRST))).toBe(last);
  await store.close();
  return last;
}

function run(...args: readonly string[]): ChildProcess {
  const program = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void program.kill("SIGKILL"));
  return program;
}

function open(path: string): Store {
  const store = sqlite(path);
  onTestFinished(() => store.close());
  return store;
}

function put(store: Store, key: string, value: string): Promise<void> {
  return store.write(async (transaction) => transaction.put(key, ascii(value)));
}

async function valueOf(store: Store, key: string): Promise<string | undefined> {
  const value = await store.read((transaction) => transaction.get(key));
  return value === undefined ? undefined : String.fromCharCode(...value);
}
