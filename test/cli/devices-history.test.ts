// A second device, linked in the terminal, and a whole year of messages that it is given.

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
beforeAll(() => town.start(), 60_000);
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
