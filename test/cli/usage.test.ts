// What is said to whoever types something wrong, or nothing yet. No server is needed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { program } from "../../cli/program.ts";
import { Person, Running } from "./person.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROOT = join(import.meta.dirname, "..", "..");
const COMMANDS = [
  ...["register", "whoami", "profile", "send", "listen", "history", "search", "read", "download", "edit", "delete", "react"],
  ...["requests", "accept", "block", "unblock", "verify", "presence", "avatar", "devices", "recovery-key", "delete-account"],
];

const nobody = new Person(folder, "nobody", "http://localhost:9");

test("the help shows a first conversation and every command", async () => {
  const { code, stdout } = await new Running(["--help"]).ended;
  expect(code).toBe(0);
  expect(stdout).toContain("edgewise --store alice.db register --username alice");
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
});

test.each(COMMANDS)("%s explains itself in a sentence, with an example", async (command) => {
  const { code, stdout } = await new Running([command, "--help"]).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: edgewise ${command}\\b`));
  expect(stdout).toMatch(/\n\n[A-Z][^.]+\.\n/);
  expect(stdout).toMatch(new RegExp(`Example:\n  edgewise .*${command}`));
});

test("without a command the help is shown, and it counts as a mistake", async () => {
  const { code, stderr } = await new Running([]).ended;
  expect(code).toBe(2);
  expect(stderr).toContain("Usage: edgewise");
});

const MISTAKES: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
  ["an unknown command", ["sned", "bob", "hello"], /Unknown command 'sned'.*send/s],
  ["help for an unknown command", ["contacts", "--help"], /Unknown command 'contacts'/],
  ["help for an unknown part of one", ["group", "creat", "-h"], /Unknown command 'creat'.*create/s],
  ["a missing argument", ["send"], /Missing required argument 'conversation'/],
  ["a text without quotes", ["send", "bob", "hello", "secret"], /Too many arguments for send.*quotes/s],
  ["an unknown option", ["listen", "--forever"], /Unknown option '--forever'/],
  ["a time-out that is none", ["listen", "--timeout", "soon"], /--timeout.*a number of seconds\.\n.*listen --help/],
  ["a limit that is none", ["history", "bob", "--limit", "0"], /--limit.*a whole number above 0\.\n.*history --help/],
  ["a file without a name", ["send", "bob", "hello", "-a"], /argument missing/],
  ["a place among the files that is none", ["download", "0b5a", "--index", "0"], /--index.*a whole number above 0\.\n.*download --help/],
  ["a picture for a group and none", ["group", "avatar", "#Hiking", "a.png", "--remove"], /Name a file, or say --remove/],
  ["an empty text", ["send", "bob", ""], /no text to send/],
  ["a picture and none", ["profile", "--no-avatar", "--avatar", "me.png"], /do not go together/],
  ["a picture and none, the other way round", ["profile", "--avatar", "me.png", "--no-avatar"], /do not go together/],
  ["help as a command, as everywhere", ["devices", "help", "link"], /Unknown command 'help'/],
];

test.each(MISTAKES)("%s is a usage error", async (_what, args, said) => {
  const { code, stdout, stderr } = await nobody.run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(said);
  expect(stderr).toMatch(/^error: .+\n {2}.+\n$/);
});

test.each(MISTAKES)("%s is one line of JSON for a program", async (_what, args) => {
  const { code, lines, stderr, error } = await nobody.json(...args);
  expect({ code, lines }).toEqual({ code: 2, lines: [] });
  expect(error).toEqual({ type: "error", code: "usage", message: expect.any(String), hint: expect.any(String) });
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("what was typed as a message is not repeated in an error", async () => {
  const { stderr } = await nobody.run("send", "bob", "hello", "secret");
  expect(stderr).not.toContain("secret");
});

test("nothing on standard input is no message", async () => {
  const { code } = await nobody.start("send", "bob").write("\n").ended;
  expect(code).toBe(2);
});

test("a file that cannot be sent is named, with the reason", async () => {
  const nowhere = join(folder, "nowhere.bin");
  const missing = await nobody.run("send", "bob", "hello", "-a", nowhere);
  expect([missing.code, missing.stderr]).toEqual([1, `error: ${nowhere} cannot be sent: there is no such file.\n  Nothing was sent.\n`]);
  const aPipe = join(folder, "pipe");
  spawnSync("mkfifo", [aPipe]);
  for (const path of [aPipe, "/dev/null"]) {
    const { code, error } = await nobody.json("send", "bob", "-a", path);
    expect([code, error?.["message"]]).toEqual([1, `${path} cannot be sent: it is no regular file.`]);
  }
  rmSync(aPipe);
  const shown = await nobody.json("profile", "--avatar", nowhere);
  expect(shown.error).toMatchObject({ message: `${nowhere} cannot be shown: there is no such file.`, hint: "The picture is as it was." });
  const aFolder = await nobody.json("send", "bob", "-a", folder);
  expect([aFolder.code, aFolder.error?.["message"]]).toEqual([1, `${folder} cannot be sent: it is a folder.`]);
});

test("a file that is no store is told as such, and stays as it is", async () => {
  const words = join(folder, "notes.db");
  for (const content of ["a few words", "words ".repeat(2000)]) {
    writeFileSync(words, content);
    const { code, error } = await new Person(folder, "notes", "http://localhost:9").json("whoami");
    expect({ code, error }).toMatchObject({
      code: 1,
      error: { code: "storage-corrupt", message: expect.stringContaining("no Edgewise store") },
    });
    expect(readFileSync(words, "utf8")).toBe(content);
  }
  rmSync(words);
});

test("a folder that is named as a store is told as such", async () => {
  mkdirSync(join(folder, "place.db"));
  for (const args of [["whoami"], ["register"]]) {
    const { code, error } = await new Person(folder, "place", "http://localhost:9").json(...args);
    expect([code, error?.["message"]]).toEqual([2, `${join(folder, "place.db")} is a folder.`]);
  }
  rmSync(join(folder, "place.db"), { recursive: true });
});

test("a store that does not exist is not made by asking for something in it", async () => {
  for (const args of [["whoami"], ["send", "bob", "hello"], ["listen"]]) {
    const { code, error } = await nobody.json(...args);
    expect(code).toBe(1);
    expect(error).toMatchObject({ type: "error", code: "not-registered" });
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("npx finds the program of the repository without asking a registry", () => {
  const env = { ...process.env, npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" };
  const { status, stdout } = spawnSync("npx", ["edgewise", "--version"], { cwd: ROOT, env, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "0.1.0\n" });
});

test("the program is beside those of the packages", () => {
  const link = join(ROOT, "node_modules", ".bin", "edgewise");
  expect(existsSync(link)).toBe(true);
  const { status, stdout } = spawnSync(link, ["--version"], { cwd: folder, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "0.1.0\n" });
});

test("the page about the command line has every command, and no other", () => {
  const page = readFileSync(join(ROOT, "docs", "cli.md"), "utf8");
  const cells = [...page.matchAll(/^\| (`[^|]*(?:\\\|[^|]*)*) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)]);
  const shown = cells.map(([, command = ""]) => command).filter((command) => !command.startsWith("{"));
  const { commands } = program(AbortSignal.timeout(0));
  const wanted = commands.flatMap((one) =>
    one.commands.length === 0 ? [one.name()] : one.commands.map((part) => `${one.name()} ${part.name()}`),
  );
  const named = shown.map((command) => wanted.findLast((one) => command === one || command.startsWith(`${one} `)) ?? command);
  expect([...new Set(named)].toSorted()).toEqual(wanted.toSorted());
});
