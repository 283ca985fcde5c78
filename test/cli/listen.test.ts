// listen as a process among others: beside send on one store, without a server, without a reader, told to end.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Person, type Running } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

let pairs = 0;

/** Two who know each other, and nothing waits. */
async function friends(): Promise<readonly [Person, Person, string]> {
  const names = [`ann${++pairs}`, `ben${pairs}`] as const;
  const [ann, ben] = [await town.citizen(names[0]), await town.citizen(names[1])];
  await ann.ask("send", names[1], "first");
  await ben.list("listen", "--until-empty");
  await ben.ask("accept", names[0]);
  await ben.list("listen", "--until-empty");
  await ann.list("listen", "--until-empty");
  return [ann, ben, names[1]];
}

function texts({ lines }: Pick<Running, "lines">): readonly unknown[] {
  return lines.filter((line) => line["type"] === "message" && line["own"] === false).map((line) => line["text"]);
}

test("one store can listen and send at the same time, on both sides", async () => {
  const [ann, ben, benName] = await friends();
  const annName = String((await ann.ask("whoami"))["username"]);
  const listening = [ann.start("listen"), ben.start("listen")] as const;
  const wanted = Array.from({ length: 12 }, (_, i) => String(i));
  const send = async (person: Person, to: string): Promise<void> => {
    for (const text of wanted) await person.ask("send", to, text);
  };
  await Promise.all([send(ann, benName), send(ben, annName)]);
  for (const running of listening) {
    await running.until((it) => texts(it).length >= wanted.length);
    const outcome = await running.stop();
    expect(outcome.code).toBe(0);
    expect(texts(outcome)).toEqual(wanted);
  }
  for (const person of [ann, ben]) expect(texts({ lines: await person.list("listen", "--until-empty") })).toEqual([]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends it cleanly, and nothing is printed twice", async (signal) => {
  const [ann, ben, benName] = await friends();
  const listening = ben.start("listen");
  await ann.ask("send", benName, "before");
  await listening.until((it) => texts(it).length === 1);
  expect((await listening.stop(signal)).code).toBe(0);
  await ann.ask("send", benName, "after");
  expect(texts({ lines: await ben.list("listen", "--until-empty") })).toEqual(["after"]);
});

test("it ends after the time it was given", async () => {
  const [, ben] = await friends();
  const { code, lines } = await ben.json("listen", "--timeout", "1");
  expect({ code, lines }).toEqual({ code: 0, lines: [] });
});

test("a reader that leaves is no error, and what it did not read is there next time", async () => {
  const [ann, ben, benName] = await friends();
  for (const text of ["1", "2"]) await ann.ask("send", benName, text);
  const listening = ben.start("listen");
  listening.process.stdout?.destroy();
  const { code, stderr } = await listening.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(texts({ lines: await ben.list("listen", "--until-empty") })).toEqual(["1", "2"]);
});

test("only one receives for a store: the older one is told and ends", async () => {
  const [ann, ben, benName] = await friends();
  const first = ben.start("listen");
  await ann.ask("send", benName, "are you there?");
  await first.until((it) => texts(it).length === 1);
  const second = ben.start("listen");
  const { code, stderr } = await first.ended;
  expect(code).toBe(1);
  expect(stderr).toContain('"code":"replaced-elsewhere"');
  expect((await second.stop()).code).toBe(0);
});

test("without a server: what has to reach it ends with 75, what is stored can be read, what was queued goes out later", async () => {
  const [ann, ben, benName] = await friends();
  const offline = new Person(town.folder, benName.replace("ben", "ann"), "http://localhost:9");
  const { code, lines, error } = await offline.json("send", benName, "from the tunnel");
  expect({ code, lines, error }).toMatchObject({
    code: 75,
    lines: [],
    error: { code: "offline", hint: expect.stringContaining("queued") },
  });
  expect((await offline.list("history", benName)).map((line) => line["text"])).toEqual(["first", "from the tunnel"]);
  expect(await offline.json("listen", "--until-empty")).toMatchObject({ code: 75, error: { code: "offline" } });
  await ann.ask("send", benName, "from the station");
  expect(texts({ lines: await ben.list("listen", "--until-empty") })).toEqual(["from the tunnel", "from the station"]);
});

test("it goes on when the server comes back", async () => {
  const [ann, ben, benName] = await friends();
  const listening = ben.start("listen");
  await ann.ask("send", benName, "before");
  await listening.until((it) => texts(it).length === 1);
  await town.kill();
  await town.start();
  await ann.ask("send", benName, "after");
  await listening.until((it) => texts(it).length === 2);
  const outcome = await listening.stop();
  expect(outcome.code).toBe(0);
  expect(texts(outcome)).toEqual(["before", "after"]);
});
