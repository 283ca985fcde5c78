// register, whoami, profile; and what stands in the way: a server that is not there, a name that is taken, another's key.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, Person, Running } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

const USER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{10}00$/;

test("a new account is printed, and whoami prints the same, also without a server", async () => {
  const alice = town.newcomer("alice");
  const made = await alice.ask("register", "--username", "alice");
  expect(made).toEqual({
    type: "account",
    userId: expect.stringMatching(USER_ID),
    deviceId: 1,
    username: "alice",
    link: expect.stringMatching(/^edgewise:/),
  });
  expect(await alice.ask("whoami")).toEqual(made);
  expect(await new Person(town.folder, "alice", "http://localhost:9").ask("whoami")).toEqual(made);
});

test("people read the same", async () => {
  const anna = await town.citizen("anna");
  const { userId, link } = await anna.ask("whoami");
  const { code, stdout } = await anna.run("whoami");
  expect(code).toBe(0);
  for (const part of [String(userId), String(link), "anna"]) expect(stdout).toContain(part);
});

test("an account needs no username", async () => {
  const someone = town.newcomer("someone");
  expect(await someone.ask("register")).toMatchObject({ type: "account", username: null });
});

test("the store can be read by its owner only", async () => {
  await town.citizen("olga");
  const files = readdirSync(town.folder).filter((name) => name.startsWith("olga"));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(statSync(join(town.folder, file)).mode & 0o077).toBe(0);
});

test("a name that is taken, or a store that has an account, is refused", async () => {
  const first = await town.citizen("taken");
  expect(await town.newcomer("second").json("register", "--username", "taken")).toMatchObject({
    code: 1,
    lines: [],
    error: { type: "error", code: "username-taken", message: expect.any(String), hint: expect.any(String) },
  });
  expect(await first.json("register", "--username", "another")).toMatchObject({ code: 1, error: { code: "already-registered" } });
});

test("after a refused name the same store takes another one", async () => {
  await town.citizen("wanted");
  const late = town.newcomer("late");
  expect((await late.json("register", "--username", "wanted")).code).toBe(1);
  expect(await late.ask("register", "--username", "unwanted")).toMatchObject({ username: "unwanted" });
});

test("a server that is not there is worth another try", async () => {
  const lonely = new Person(town.folder, "lonely", "http://localhost:9");
  const nobody = { code: 75, error: { code: "offline", message: "No server answers at http://localhost:9." } };
  expect(await lonely.json("register", "--username", "lonely")).toMatchObject(nobody);
  expect(await lonely.json("devices", "link")).toMatchObject(nobody);
  expect(await town.newcomer("lonely").ask("register", "--username", "lonely")).toMatchObject({ username: "lonely" });
});

test("the name that others see can be changed", async () => {
  const paula = await town.citizen("paula");
  expect(await paula.ask("profile")).toEqual({ type: "profile", name: "paula", avatar: null });
  expect(await paula.ask("profile", "--name", "Paula P.")).toEqual({ type: "profile", name: "Paula P.", avatar: null });
  expect(await paula.ask("profile")).toEqual({ type: "profile", name: "Paula P.", avatar: null });
});

test("a store is not opened with another key, and not harmed by the attempt", async () => {
  const kim = await town.citizen("kim");
  const before = await kim.ask("whoami");
  const key = readdirSync(town.folder).find((name) => name.startsWith("kim") && name.endsWith("key"));
  if (key === undefined) throw new Error("there is no key file");
  const path = join(town.folder, key);
  const right = readFileSync(path);
  writeFileSync(path, randomBytes(right.length));
  expect(await kim.json("whoami")).toMatchObject({ code: 1, lines: [], error: { code: "storage-wrong-key" } });
  writeFileSync(path, right);
  expect(await kim.ask("whoami")).toEqual(before);
});

test("the default store is in the home folder", async () => {
  const home = mkdtempSync(join(tmpdir(), "edgewise-home-"));
  try {
    const outcome = parse(await new Running(["--json", "--server", town.url, "register"], { HOME: home }).ended);
    expect(outcome).toMatchObject({ code: 0, lines: [{ type: "account" }] });
    expect(readdirSync(join(home, ".edgewise"))).toContain("default.db");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test("a store knows its server: only who registers has to name one", async () => {
  const ida = await town.citizen("ida");
  await town.citizen("jan");
  const { code, lines } = parse(await new Running(["--store", ida.store, "--json", "send", "jan", "hello"]).ended);
  expect(code).toBe(0);
  expect(lines).toEqual([expect.objectContaining({ type: "sent" })]);
});

test("a first message to somebody unknown is not stored without a server, and says so", async () => {
  const lea = await town.citizen("lea");
  const away = await new Person(town.folder, "lea", "http://localhost:9").json("send", "nobody_yet", "hello");
  expect(away).toMatchObject({ code: 75, lines: [], error: { code: "offline", hint: expect.stringContaining("Nothing was stored") } });
  expect(await lea.ask("whoami")).toMatchObject({ username: "lea" });
});

test("an account ends when its name is typed; the store is empty then, and who writes to it is told", async () => {
  const [gil, hal] = [await town.citizen("gil"), await town.citizen("hal")];
  await gil.ask("send", "hal", "before");
  for (const typed of ["gil\n", ""]) {
    expect(parse(await hal.start("delete-account").write(typed).ended)).toMatchObject({
      code: 1,
      lines: [],
      error: { code: "not-confirmed" },
    });
  }
  expect(await hal.ask("whoami")).toMatchObject({ username: "hal" });
  expect(parse(await hal.start("delete-account").write("hal\n").ended)).toMatchObject({ code: 0, lines: [{ type: "ok" }] });
  expect(await hal.json("whoami")).toMatchObject({ code: 1, error: { code: "not-registered" } });
  expect(await gil.json("send", "hal", "after")).toMatchObject({ code: 1, error: { code: "account-deleted" } });
  const { lines } = await gil.json("listen", "--until-empty");
  expect(lines).toContainEqual(expect.objectContaining({ type: "notice", kind: "account-deleted" }));
  expect(await gil.ask("delete-account", "--yes")).toEqual({ type: "ok" });
});
