// Two people from the first message to a deleted one, each command with the fields that programs rely on.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Line, Person } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Pair {
  readonly alice: Person;
  readonly bob: Person;
  readonly aliceId: string;
  readonly bobId: string;
  readonly names: readonly [string, string];
}

let pairs = 0;

/** Two who know each other. */
async function friends(): Promise<Pair> {
  const pair = await strangers();
  await pair.alice.ask("send", pair.names[1], "first");
  await drain(pair.bob);
  await pair.bob.ask("accept", pair.names[0]);
  await drain(pair.bob);
  await drain(pair.alice);
  return pair;
}

let acquaintances: Promise<Pair> | undefined;

/** The same two each time: for what reads all that it causes, and asks for nothing that was before. */
function acquainted(): Promise<Pair> {
  acquaintances ??= friends();
  return acquaintances;
}

async function strangers(): Promise<Pair> {
  const names = [`alice${++pairs}`, `bob${pairs}`] as const;
  const [alice, bob] = [await town.citizen(names[0]), await town.citizen(names[1])];
  const [aliceId, bobId] = [String((await alice.ask("whoami"))["userId"]), String((await bob.ask("whoami"))["userId"])];
  return { alice, bob, aliceId, bobId, names };
}

function drain(person: Person): Promise<readonly Line[]> {
  return person.list("listen", "--until-empty");
}

function idOf(line: Line | undefined): string {
  const id = line?.["id"];
  if (typeof id !== "string") throw new TypeError("this line has no id");
  return id;
}

function ofType(lines: readonly Line[], type: string): readonly Line[] {
  return lines.filter((line) => line["type"] === type);
}

test("a first message is a request; its text comes when it was accepted, its receipts then", async () => {
  const { alice, bob, aliceId, bobId, names } = await strangers();
  const sent = await alice.ask("send", names[1], "Hello Bob");
  expect(sent).toEqual({
    type: "sent",
    id: expect.stringMatching(UUID),
    conversation: bobId,
    sentAt: expect.stringMatching(ISO_TIME),
  });
  const request = { type: "request", from: aliceId, fromName: names[0] };
  expect(await drain(bob)).toEqual([request]);
  expect(await bob.list("requests")).toEqual([request]);
  expect(await drain(alice)).toEqual([]);
  expect(await bob.ask("accept", aliceId)).toEqual({ type: "ok" });
  expect(await bob.list("requests")).toEqual([]);
  expect(ofType(await drain(bob), "message")).toEqual([
    expect.objectContaining({
      type: "message",
      id: sent["id"],
      conversation: aliceId,
      from: aliceId,
      fromName: names[0],
      text: "Hello Bob",
      sentAt: sent["sentAt"],
      attachments: [],
      replyTo: null,
    }),
  ]);
  expect(await drain(alice)).toContainEqual({ type: "receipt", kind: "delivered", ids: [sent["id"]], from: bobId });
  expect(await bob.ask("read", aliceId)).toEqual({ type: "ok" });
  expect(await drain(alice)).toEqual([{ type: "receipt", kind: "read", ids: [sent["id"]], from: bobId }]);
});

test("what was drained once is not printed again", async () => {
  const { alice, bob, names } = await acquainted();
  await alice.ask("send", names[1], "once");
  expect(ofType(await drain(bob), "message")).toHaveLength(1);
  expect(await drain(bob)).toEqual([]);
});

test("people can be named by username, userId and link", async () => {
  const { alice, bob, aliceId, bobId, names } = await acquainted();
  const link = String((await bob.ask("whoami"))["link"]);
  for (const who of [names[1], bobId, link]) expect(await alice.ask("send", who, who)).toMatchObject({ conversation: bobId });
  const texts = ofType(await drain(bob), "message").map((line) => line["text"]);
  expect(texts).toEqual([names[1], bobId, link]);
  expect(await bob.list("history", aliceId, "--limit", "3")).toHaveLength(3);
});

test("nobody has this name", async () => {
  const alice = await town.citizen("seeker");
  expect(await alice.json("send", "nobody_at_all", "hello")).toMatchObject({ code: 1, lines: [], error: { code: "unknown-user" } });
});

test("a text can come from standard input, over several lines", async () => {
  const { alice, bob, names } = await acquainted();
  for (const args of [
    ["send", names[1]],
    ["send", names[1], "-"],
  ]) {
    expect((await alice.start(...args).write("one\ntwo\n").ended).code).toBe(0);
  }
  expect(ofType(await drain(bob), "message").map((line) => line["text"])).toEqual(["one\ntwo", "one\ntwo"]);
});

test("a text may begin with a dash behind two", async () => {
  const { alice, bob, names } = await acquainted();
  await alice.ask("send", names[1], "--", "--json is a flag");
  expect(ofType(await drain(bob), "message").map((line) => line["text"])).toEqual(["--json is a flag"]);
});

test("a reply names what it answers", async () => {
  const { alice, bob, aliceId, names } = await acquainted();
  const question = await alice.ask("send", names[1], "Lunch?");
  await drain(bob);
  const answer = await bob.ask("send", aliceId, "Yes", "--reply-to", idOf(question));
  expect(ofType(await drain(alice), "message")).toEqual([expect.objectContaining({ id: answer["id"], replyTo: question["id"] })]);
  expect(await bob.json("send", aliceId, "Yes", "--reply-to", "00000000-0000-4000-8000-000000000000")).toMatchObject({
    code: 1,
    error: { code: "unknown-message" },
  });
});

test("a message can be edited, reacted to and deleted, by those who may", async () => {
  const { alice, bob, aliceId, bobId, names } = await acquainted();
  const id = idOf(await alice.ask("send", names[1], "Helo"));
  await drain(bob);
  const ok = { type: "ok" };

  expect(await alice.ask("edit", id, "Hello")).toEqual(ok);
  expect(await drain(bob)).toEqual([expect.objectContaining({ type: "edit", id, from: aliceId, text: "Hello" })]);
  expect(await bob.json("edit", id, "Hullo")).toMatchObject({ code: 1, error: { code: "not-yours" } });

  expect(await bob.ask("react", id, "👍")).toEqual(ok);
  expect(ofType(await drain(alice), "reaction")).toEqual([expect.objectContaining({ type: "reaction", id, from: bobId, emoji: "👍" })]);
  expect(await bob.ask("react", id, "")).toEqual(ok);
  expect(ofType(await drain(alice), "reaction")).toEqual([expect.objectContaining({ type: "reaction", id, from: bobId, emoji: "" })]);

  expect(await bob.json("delete", id)).toMatchObject({ code: 1, error: { code: "not-yours" } });
  expect(await alice.ask("delete", id)).toEqual(ok);
  expect(await drain(bob)).toEqual([expect.objectContaining({ type: "delete", id, from: aliceId })]);
  const [last] = (await bob.list("history", aliceId)).slice(-1);
  expect(last).toMatchObject({ id, deleted: true, text: "" });
});

test("a history is the latest messages, oldest first, of both sides", async () => {
  const { alice, bob, aliceId, bobId, names } = await friends();
  await alice.ask("send", names[1], "two");
  await drain(bob);
  await bob.ask("send", aliceId, "three");
  await drain(alice);
  for (const [person, other] of [
    [alice, bobId],
    [bob, aliceId],
  ] as const) {
    const lines = await person.list("history", other);
    expect(lines.map((line) => [line["text"], line["from"]])).toEqual([
      ["first", aliceId],
      ["two", aliceId],
      ["three", bobId],
    ]);
    expect(lines.every((line) => line["type"] === "message" && line["conversation"] === other)).toBe(true);
  }
  expect((await alice.list("history", bobId, "--limit", "2")).map((line) => line["text"])).toEqual(["two", "three"]);
});

test("words are found, everywhere or in one conversation", async () => {
  const { alice, bobId, names } = await friends();
  const carol = await town.citizen(`carol${pairs}`);
  const carolId = String((await carol.ask("whoami"))["userId"]);
  await alice.ask("send", names[1], "The apple tree");
  await alice.ask("send", carolId, "An apple pie");
  expect((await alice.list("search", "apple")).map((line) => line["text"])).toEqual(["The apple tree", "An apple pie"]);
  expect((await alice.list("search", "apple", "--in", bobId)).map((line) => line["text"])).toEqual(["The apple tree"]);
  expect(await alice.list("search", "cherry")).toEqual([]);
});

test("who is blocked is not heard until unblocked", async () => {
  const { alice, bob, aliceId, names } = await friends();
  expect(await bob.ask("block", names[0])).toEqual({ type: "ok" });
  await alice.ask("send", names[1], "unheard");
  expect(ofType(await drain(bob), "message")).toEqual([]);
  expect(await bob.json("send", aliceId, "hello")).toMatchObject({ code: 1, error: { code: "blocked" } });
  expect(await bob.ask("unblock", aliceId)).toEqual({ type: "ok" });
  await alice.ask("send", names[1], "heard");
  expect(ofType(await drain(bob), "message").map((line) => line["text"])).toContain("heard");
});

test("both see the same safety number, and can mark it or compare by code", async () => {
  const { alice, bob, aliceId, bobId } = await friends();
  const shown = await alice.ask("verify", bobId);
  expect(shown).toEqual({
    type: "safety-number",
    digits: expect.stringMatching(/^\d{60}$/),
    verified: false,
    scannable: expect.any(String),
  });
  const theirs = await bob.ask("verify", aliceId);
  expect(theirs["digits"]).toBe(shown["digits"]);
  expect(await alice.ask("verify", bobId, "--mark")).toMatchObject({ verified: true });
  expect(await alice.ask("verify", bobId)).toMatchObject({ verified: true });

  const stranger = await town.citizen(`mallory${pairs}`);
  const wrong = await stranger.ask("verify", aliceId);
  expect(await bob.json("verify", aliceId, "--scan", String(wrong["scannable"]))).toMatchObject({
    code: 1,
    lines: [],
    error: { code: "mismatch" },
  });
  expect(await bob.ask("verify", aliceId)).toMatchObject({ verified: false });
  expect(await bob.ask("verify", aliceId, "--scan", String(shown["scannable"]))).toMatchObject({ verified: true });
});

test("the code is drawn where it does not disturb a program", async () => {
  const { alice, bobId } = await acquainted();
  const json = await alice.json("verify", bobId, "--qr");
  expect(json.lines).toHaveLength(1);
  expect(json.stderr).toMatch(/█/);
  const people = await alice.run("verify", bobId, "--qr");
  expect(people.stdout).toMatch(/█/);
});

test("a new name reaches those one talks to", async () => {
  const { alice, bob, names } = await friends();
  await alice.ask("profile", "--name", "Alice Liddell");
  await alice.ask("send", names[1], "It is me");
  expect(ofType(await drain(bob), "message")).toEqual([expect.objectContaining({ fromName: "Alice Liddell" })]);
});

test("presence is told to friends: here while they receive, and not after", async () => {
  const { alice, bob, aliceId, bobId } = await acquainted();
  expect(await alice.ask("presence", bobId)).toEqual({ type: "presence", user: bobId, online: false });
  const listening = bob.start("listen");
  const watching = alice.start("presence", bobId, "--watch");
  const says = (online: boolean) => (running: { readonly lines: readonly Line[] }) => running.lines.at(-1)?.["online"] === online;
  await watching.until(says(true));
  expect((await listening.stop()).code).toBe(0);
  await watching.until(says(false));
  const { code, lines } = await watching.stop();
  expect(code).toBe(0);
  expect(lines.every((line) => line["type"] === "presence" && line["user"] === bobId)).toBe(true);
  expect(aliceId).not.toBe(bobId);
});

test("for people each message is one line, with the hour, the name and the id to answer with", async () => {
  const { alice, bob, names } = await acquainted();
  const id = idOf(await alice.ask("send", names[1], "\u001B[31mone\ntwo\u202E"));
  const { code, stdout, stderr } = await bob.run("listen", "--until-empty");
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^\\d\\d:\\d\\d ${names[0]}: \\\\u001b\\[31mone ⏎ two\\\\u202e  ${id}\n$`));
  expect(stderr).toContain("connected");
});
