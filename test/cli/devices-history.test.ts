// A second device, linked in the terminal, and what it is given of the messages of before.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Line, Person } from "./person.ts";
import { Town } from "./town.ts";

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
