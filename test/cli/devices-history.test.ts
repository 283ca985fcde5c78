// A second device, linked in the terminal, and what it is given of the messages of before.

import "edgewise/node";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { parseUserId } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { Vault } from "../../client/records/vault.ts";
import { seed } from "../client/devices/seeds.ts";
import type { Line, Person } from "./person.ts";
import { Town } from "./town.ts";

const MESSAGES = 10_000;
const FILES = 50;
const FILES_A_MESSAGE = 10;

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

/** As two programs and somebody who types what one shows into the other. */
async function link(owner: Person, device: Person, ...options: readonly string[]): Promise<readonly Line[]> {
  const linking = device.start("devices", "link", "--name", "laptop");
  await linking.until(({ lines }) => lines.some(({ type }) => type === "link"));
  const code = String(linking.lines.find(({ type }) => type === "link")?.["code"]);
  const approving = owner.start("devices", "approve", code, ...options);
  await linking.until(({ lines }) => lines.some(({ type }) => type === "digits"));
  approving.write(`${String(linking.lines.find(({ type }) => type === "digits")?.["digits"])}\n`);
  expect([(await approving.ended).code, (await linking.ended).code]).toEqual([0, 0]);
  return approving.lines;
}

/** A year of talk, as if it had been typed. */
async function seedTalk(person: Person, own: Line, friend: Line): Promise<void> {
  const vault = await Vault.open(sqlite(person.store), systemRandom);
  const [ownId, conversation] = [parseUserId(own["userId"]), parseUserId(friend["userId"])];
  const said = [ownId, conversation].map((author) => ({ conversation, author }));
  await seed(vault, { own: ownId, said, count: MESSAGES, days: 365 });
  await vault.close();
}

async function textsOf(person: Person): Promise<readonly unknown[]> {
  return (await person.list("history", "bob")).map(({ text }) => text);
}

test("a device gets what was said before by choice, when it is linked or later, and says so", { timeout: 120_000 }, async () => {
  const [alice] = [await town.citizen("alice"), await town.citizen("bob")];
  for (const text of ["one", "two", "three"]) await alice.ask("send", "bob", text);
  const laptop = town.newcomer("laptop");
  const lines = await link(alice, laptop, "--history", "all");
  expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(["digits-needed", "device", "history"]));
  const listened = await laptop.list("listen", "--until-empty");
  expect(listened.findLast(({ type }) => type === "history")).toMatchObject({
    direction: "from",
    deviceId: 1,
    state: "done",
    done: 3,
    total: 3,
    error: null,
  });
  expect(await textsOf(laptop)).toEqual(["one", "two", "three"]);

  const tablet = town.newcomer("tablet");
  expect((await link(alice, tablet)).map(({ type }) => type)).not.toContain("history");
  await tablet.list("listen", "--until-empty");
  expect(await textsOf(tablet)).toEqual([]);
  expect((await laptop.list("devices", "give-history", "3", "30d")).at(-1)).toEqual({ type: "ok" });
  expect((await tablet.list("listen", "--until-empty")).findLast(({ type }) => type === "history")).toMatchObject({ state: "done" });
  expect(await textsOf(tablet)).toEqual(["one", "two", "three"]);
  expect((await alice.json("devices", "give-history", "1")).error).toMatchObject({ code: "unknown-device" });
  expect((await alice.json("devices", "give-history", "2", "some")).code).not.toBe(0);
});

test(`${MESSAGES} messages and ${FILES} files come to a new device`, { timeout: 240_000 }, async () => {
  const [anna, ben] = [await town.citizen("anna"), await town.citizen("ben")];
  await seedTalk(anna, await anna.ask("whoami"), await ben.ask("whoami"));
  const folder = mkdtempSync(join(tmpdir(), "edgewise-files-"));
  const paths = Array.from({ length: FILES }, (_, number) => join(folder, `${number}.bin`));
  for (const path of paths) writeFileSync(path, randomBytes(10_000));
  for (let at = 0; at < FILES; at += FILES_A_MESSAGE) {
    await anna.ask("send", "ben", `files from ${at}`, ...paths.slice(at, at + FILES_A_MESSAGE).flatMap((path) => ["-a", path]));
  }
  const laptop = town.newcomer("annas-laptop");
  await link(anna, laptop, "--history", "all");
  await laptop.list("listen", "--until-empty");
  const limit = String(2 * MESSAGES);
  const [there, here] = [await anna.list("history", "ben", "--limit", limit), await laptop.list("history", "ben", "--limit", limit)];
  expect(there.length).toBe(MESSAGES + FILES / FILES_A_MESSAGE);
  const said = (lines: readonly Line[]): readonly unknown[] =>
    lines.map(({ id, text, sentAt, attachments }) => ({ id, text, sentAt, attachments }));
  expect(said(here)).toEqual(said(there));
  const last = here.at(-1);
  expect(last?.["attachments"]).toHaveLength(FILES_A_MESSAGE);
  const copy = join(folder, "copy.bin");
  await laptop.ask("download", String(last?.["id"]), "-o", copy, "--index", "3");
  expect(readFileSync(copy).equals(readFileSync(String(paths[FILES - FILES_A_MESSAGE + 2])))).toBe(true);
  rmSync(folder, { recursive: true });
});
