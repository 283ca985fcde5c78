// A fresh clone whose first commands are started at once: the real setup in a repository of one package, real processes, and an
// npm that writes down when it runs and ends when it is told.

import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPTS = fileURLToPath(new URL("../../scripts/", import.meta.url));
const LOCKED = { version: "1.0.0", integrity: "sha512-none" };

const COMMAND = `
import { installPackages } from "./setup.mjs";
installPackages("what is served");
console.log("ready");
`;

/** Replaces node_modules as npm ci does: gone at the beginning, the record of it written last. */
const NPM = `
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
appendFileSync("npm.log", "begin\\n");
rmSync("node_modules", { recursive: true, force: true });
while (!existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
if (existsSync("fail")) {
  rmSync("fail");
  appendFileSync("npm.log", "failed\\n");
  process.exit(1);
}
mkdirSync("node_modules/.bin", { recursive: true });
mkdirSync("node_modules/thing");
writeFileSync("node_modules/.package-lock.json", ${JSON.stringify(JSON.stringify({ packages: { "node_modules/thing": LOCKED } }))});
appendFileSync("npm.log", "end\\n");
`;

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "edgewise-clone-"));
  mkdirSync(join(clone, "scripts"));
  for (const name of ["setup.mjs", "lock.mjs"]) copyFileSync(join(SCRIPTS, name), join(clone, "scripts", name));
  const dependencies = { thing: LOCKED.version };
  write("scripts/command.mjs", COMMAND);
  write("npm.mjs", NPM);
  write("package.json", JSON.stringify({ dependencies }));
  write("package-lock.json", JSON.stringify({ packages: { "": { dependencies }, "node_modules/thing": LOCKED } }));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function write(path: string, content: string): void {
  writeFileSync(join(clone, path), content);
}

function holdLock(holder: string): void {
  mkdirSync(join(clone, ".tsc"), { recursive: true });
  write(".tsc/installing", holder);
}

/** What npm has done, over all runs. */
function runs(): readonly string[] {
  const log = join(clone, "npm.log");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10);
}

class Command {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor() {
    const { npm_node_execpath: _, ...env } = process.env;
    this.process = spawn(process.execPath, ["scripts/command.mjs"], {
      cwd: clone,
      // A group of its own, so that a test can kill it with its npm.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, npm_execpath: join(clone, "npm.mjs") },
    });
    this.process.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.stdout += chunk));
    this.process.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.stderr += chunk));
    this.ended = new Promise((resolve) => this.process.once("close", resolve));
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error("never started");
    return this.process.pid;
  }
}

function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

test("of two first commands one installs, and the other waits, says so, and installs nothing", async () => {
  const first = new Command();
  await until(() => runs().length === 1);
  const second = new Command();
  await until(() => second.stderr.includes(`Waiting for process ${first.pid}`) || runs().length === 2);
  write("go", "");
  expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
  expect([first.stdout, second.stdout]).toEqual(["ready\n", "ready\n"]);
  expect(runs()).toEqual(["begin", "end"]);
  expect(existsSync(join(clone, ".tsc", "installing"))).toBe(false);
});

test("what is installed is used without asking anybody", async () => {
  write("go", "");
  expect(await new Command().ended).toBe(0);
  holdLock(String(process.pid));
  const next = new Command();
  expect(await next.ended).toBe(0);
  expect(next.stderr).toBe("");
  expect(runs()).toEqual(["begin", "end"]);
});

test("the turn of a process that is gone is over", async () => {
  holdLock(String(deadPid()));
  write("go", "");
  expect(await new Command().ended).toBe(0);
  expect(runs()).toEqual(["begin", "end"]);
});

test("the turn of a process that is there is not", async () => {
  holdLock(String(process.pid));
  write("go", "");
  const command = new Command();
  await until(() => command.stderr.includes(`Waiting for process ${process.pid}`) || runs().length > 0);
  expect(runs()).toEqual([]);
  rmSync(join(clone, ".tsc", "installing"));
  expect(await command.ended).toBe(0);
  expect(runs()).toEqual(["begin", "end"]);
});

test("a process that died before it had said its number holds nothing", async () => {
  holdLock("");
  utimesSync(join(clone, ".tsc", "installing"), 0, 0);
  write("go", "");
  expect(await new Command().ended).toBe(0);
});

test("after a kill in the middle the next command installs from the beginning", async () => {
  const first = new Command();
  await until(() => runs().length === 1);
  process.kill(-first.pid, "SIGKILL");
  await first.ended;
  write("go", "");
  const next = new Command();
  expect(await next.ended).toBe(0);
  expect(next.stderr).not.toContain("Waiting");
  expect(runs()).toEqual(["begin", "begin", "end"]);
});

test("when the first fails, the second tries for itself", async () => {
  write("fail", "");
  const first = new Command();
  await until(() => runs().length === 1);
  const second = new Command();
  await until(() => second.stderr.includes("Waiting") || runs().length === 2);
  write("go", "");
  expect(await Promise.all([first.ended, second.ended])).toEqual([1, 0]);
  expect(runs()).toEqual(["begin", "failed", "begin", "end"]);
});

test("of many that find the turn of a process that is gone, one installs", async () => {
  holdLock(String(deadPid()));
  write("go", "");
  const commands = Array.from({ length: 6 }, () => new Command());
  expect(new Set(await Promise.all(commands.map(({ ended }) => ended)))).toEqual(new Set([0]));
  expect(runs()).toEqual(["begin", "end"]);
});
