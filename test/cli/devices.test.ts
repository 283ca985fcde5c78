// One account on several devices, each of them a store and the program: linked by a code and by a request, put out, and restored when none
// is left; with the fields that programs rely on.

import "edgewise/node";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { type Operation, parseUserId, ROUTES, SOCKET_PROTOCOL } from "#wire";
import { sqlite } from "edgewise/store/node-sqlite";
import { CONVERSATIONS, TOKEN } from "../../client/records/tables.ts";
import { type Reader, Vault } from "../../client/records/vault.ts";
import { found } from "../support/accounts.ts";
import { type JsonOutcome, type Line, parse, type Person, type Running } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
beforeAll(() => town.start(), 60_000);
afterAll(() => town[Symbol.asyncDispose]());

interface Citizen {
  readonly person: Person;
  readonly id: string;
  readonly link: string;
}

async function citizen(name: string): Promise<Citizen> {
  const person = town.newcomer(name);
  const { userId, link } = await person.ask("register", "--username", name);
  return { person, id: String(userId), link: String(link) };
}

async function lineOf(running: Running, type: string): Promise<Line> {
  const find = ({ lines }: Running): Line | undefined => lines.find((line) => line["type"] === type);
  await running.until((one) => find(one) !== undefined);
  const line = find(running);
  if (line === undefined) throw new Error(`no ${type}`);
  return line;
}

interface Linking {
  /** On the device that is in: what to approve. */
  readonly approve: readonly string[];
  readonly link: readonly string[];
  /** What the person types who reads the digits. */
  readonly type: (digits: string) => string;
}

/** Both commands, to their end. */
async function link(inside: Person, outside: Person, { approve, link: args, type }: Linking): Promise<readonly [JsonOutcome, JsonOutcome]> {
  const newcomer = outside.start("devices", "link", ...args);
  const code = args.includes("--account") ? [] : [String((await lineOf(newcomer, "link"))["code"])];
  const approver = inside.start("devices", "approve", ...code, ...approve);
  await lineOf(approver, "digits-needed");
  const { digits } = await lineOf(newcomer, "digits");
  approver.write(`${type(String(digits))}\n`);
  return [parse(await approver.ended), parse(await newcomer.ended)];
}

function typesOf({ lines }: JsonOutcome): readonly unknown[] {
  return lines.map(({ type }) => type);
}

function textsIn(lines: readonly Line[]): readonly unknown[] {
  return lines.filter(({ type }) => type === "message").map(({ text, own }) => [text, own]);
}

/** What is said with bob, as a device shows it. */
async function textsOf(person: Person): Promise<readonly unknown[]> {
  return (await person.list("history", "bob")).map(({ text }) => text);
}

async function inStore<T>(person: Person, read: (records: Reader) => Promise<T>): Promise<T> {
  const vault = await Vault.open(sqlite(person.store), systemRandom);
  try {
    return await vault.read(read);
  } finally {
    await vault.close();
  }
}

async function unreadOn(person: Person, { id }: Citizen): Promise<number> {
  return found(await inStore(person, (records) => records.get(CONVERSATIONS, parseUserId(id)))).unread;
}

/** What the server answers to a token on every route that asks for one, the socket's too. */
async function answersTo(token: string, userId: string): Promise<readonly (readonly [Operation, number])[]> {
  const operations = (Object.keys(ROUTES) as Operation[]).filter((name) => ["token", "sender"].includes(ROUTES[name].auth));
  const answers: (readonly [Operation, number])[] = [];
  for (const name of operations) {
    const { method, path } = ROUTES[name];
    const socket = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "A".repeat(22) + "==",
    };
    const protocol = { ...socket, "sec-websocket-protocol": `${SOCKET_PROTOCOL}, ${token}` };
    const headers = name === "openSocket" ? protocol : { authorization: `Bearer ${token}`, "content-length": "0" };
    const asked = request(new URL(path.replaceAll(/\{\w+\}/g, userId), town.url), { method, headers });
    answers.push([
      name,
      await new Promise<number>((resolve, reject) => {
        asked.on("error", reject).on("response", (answer) => resolve(answer.resume().statusCode ?? 0));
        asked.on("upgrade", (_, line) => resolve(line.destroy() && 101)).end();
      }),
    ]);
  }
  return answers;
}

test("three devices of one account: by a code, by a request, all of them the same, and one of them is lost", async () => {
  const [alice, bob] = [await citizen("alice"), await citizen("bob")];
  await bob.person.ask("send", "alice", "hello");
  await alice.person.list("listen", "--until-empty");
  await alice.person.ask("accept", "bob");
  await alice.person.ask("send", "bob", "from before");

  // By a code, with what was said before.
  const laptop = town.newcomer("laptop");
  const byCode: Linking = { approve: ["--history", "all"], link: ["--name", "laptop"], type: (digits) => digits };
  const [approved, linked] = await link(alice.person, laptop, byCode);
  expect([approved.code, linked.code]).toEqual([0, 0]);
  expect(approved.lines.slice(0, 2)).toEqual([
    { type: "digits-needed", deviceName: "laptop", triesLeft: 3 },
    {
      ...{ type: "device", deviceId: 2, name: "laptop", addedAt: expect.any(String), addedBy: 1 },
      ...{ isNew: true, hasCome: false, current: false },
    },
  ]);
  expect(typesOf(approved).slice(2)).toContain("history");
  expect(linked.lines).toEqual([
    { type: "link", code: expect.stringContaining(`${town.url}/#link/`) },
    { type: "digits", digits: expect.stringMatching(/^\d{6}$/) },
    { type: "account", userId: alice.id, deviceId: 2, username: "alice", link: alice.link },
  ]);
  const listened = await laptop.list("listen", "--until-empty");
  const done = { direction: "from", deviceId: 1, state: "done", done: 2, total: 2, error: null };
  expect(listened.findLast(({ type }) => type === "history")).toMatchObject(done);
  expect(await textsOf(laptop)).toEqual(["hello", "from before"]);

  // By a request, from the second one, which knows the person now; with nothing at first, and then from another device than the first.
  const tablet = town.newcomer("tablet");
  const asking: Linking = { approve: [], link: ["--name", "tablet", "--account", alice.link], type: (digits) => digits };
  const [also, asked] = await link(laptop, tablet, asking);
  expect([also.code, asked.code]).toEqual([0, 0]);
  expect(typesOf(asked)).toEqual(["digits", "account"]);
  expect(typesOf(also)).not.toContain("history");
  // It is not asked to let itself in.
  expect(typesOf(await tablet.json("listen", "--until-empty"))).not.toContain("link-request");
  expect(await textsOf(tablet)).toEqual([]);
  expect((await laptop.list("devices", "give-history", "3", "30d")).at(-1)).toEqual({ type: "ok" });
  expect((await tablet.list("listen", "--until-empty")).findLast(({ type }) => type === "history")).toMatchObject({ state: "done" });
  expect((await alice.person.json("devices", "give-history", "1")).error).toMatchObject({ code: "unknown-device" });
  expect((await alice.person.json("devices", "give-history", "2", "some")).code).not.toBe(0);

  // What any of them sends is on all of them, and what is read on one is read on all.
  const all = [alice.person, laptop, tablet];
  for (const [at, own] of all.entries()) await own.ask("send", "bob", `from device ${at + 1}`);
  await bob.person.ask("send", "alice", "to all");
  const added: unknown[] = [];
  for (const own of all) {
    const lines = await own.list("listen", "--until-empty");
    added.push(...lines.filter(({ kind }) => kind === "device-added").map(({ from, deviceId }) => [from, deviceId]));
  }
  expect(added).toContainEqual([alice.id, 3]);
  for (const own of all) {
    const texts = await textsOf(own);
    expect(texts.slice(0, 2)).toEqual(["hello", "from before"]);
    expect(texts).toHaveLength(6);
    expect(texts).toEqual(expect.arrayContaining(["from device 1", "from device 2", "from device 3", "to all"]));
    expect(await unreadOn(own, bob)).toBeGreaterThan(0);
  }
  // Whoever looks is told of devices that are new.
  const { stderr } = await alice.person.run("listen", "--until-empty");
  expect(stderr).toMatch(/: 2 laptop\. If it is not yours: edgewise devices revoke 2\n/);
  expect(stderr).toContain("edgewise devices revoke 3");
  await laptop.list("read", "bob");
  for (const own of [alice.person, tablet]) await own.list("listen", "--until-empty");
  for (const own of all) expect(await unreadOn(own, bob)).toBe(0);
  await bob.person.list("listen", "--until-empty");
  expect((await bob.person.list("search", "to all")).map(({ state }) => state)).toEqual(["read"]);

  // By its number, and by the name that it alone has.
  await alice.person.ask("devices", "rename", "1", "laptop");
  const doubtful = await alice.person.json("devices", "rename", "laptop", "phone");
  expect([doubtful.code, doubtful.error?.["hint"]]).toEqual([2, expect.stringContaining("1, 2")]);
  await alice.person.ask("devices", "rename", "1", "phone");
  await tablet.list("listen", "--until-empty");
  expect((await tablet.list("devices", "list")).map(({ deviceId, name, hasCome, current }) => [deviceId, name, hasCome, current])).toEqual([
    [1, "phone", true, false],
    [2, "laptop", true, false],
    [3, "tablet", true, true],
  ]);

  // One is lost: behind the answer it gets nothing, and nowhere is its token good for anything.
  const { token } = found(await inStore(laptop, (records) => records.get(TOKEN)));
  const before = await answersTo(token, alice.id);
  expect(before.filter(([, status]) => status === 401)).toEqual([]);
  expect(before).toContainEqual(["openSocket", 101]);
  expect(before.length).toBeGreaterThan(10);
  expect(await tablet.ask("devices", "revoke", "laptop")).toEqual({ type: "ok" });
  expect(await answersTo(token, alice.id)).toEqual(before.map(([name]) => [name, 401]));
  await bob.person.ask("send", "alice", "after");
  const lost = await laptop.json("listen", "--until-empty");
  expect([lost.code, lost.error?.["code"]]).toEqual([1, "device-removed"]);
  expect(await textsOf(laptop)).not.toContain("after");
  expect(await textsOf(laptop)).toContain("to all");
  for (const own of [alice.person, tablet]) expect(textsIn(await own.list("listen", "--until-empty"))).toEqual([["after", false]]);
  const gone = await tablet.json("devices", "revoke", "2");
  expect([gone.code, gone.error?.["code"]]).toEqual([1, "unknown-device"]);
}, 300_000);

test("wrong digits three times end it on both sides", async () => {
  const carol = await citizen("carol");
  const wrong = (digits: string): string => Array.from({ length: 3 }, () => (digits === "000000" ? "111111" : "000000")).join("\n");
  const [approved, linked] = await link(carol.person, town.newcomer("other"), { approve: [], link: ["--name", "other"], type: wrong });
  expect([approved.code, approved.error?.["code"]]).toEqual([1, "wrong-digits"]);
  expect(approved.lines.map(({ triesLeft }) => triesLeft)).toEqual([3, 2, 1]);
  expect([linked.code, linked.error?.["code"]]).toEqual([1, "link-refused"]);
  expect(await carol.person.list("devices", "list")).toHaveLength(1);
}, 60_000);

test("what cannot be linked, put out or restored is said in a code", async () => {
  const dave = await citizen("dave");
  const codeOf = async (...args: readonly string[]): Promise<unknown> => (await dave.person.json(...args)).error?.["code"];
  expect(await codeOf("devices", "approve", "hello")).toBe("bad-argument");
  expect(await codeOf("devices", "approve", "hello", "--history", "all")).toBe("bad-argument");
  expect(await codeOf("devices", "approve", "hello", "--history", "some")).toBe("usage");
  expect(await codeOf("devices", "link")).toBe("already-registered");
  expect(await codeOf("devices", "revoke", "1")).toBe("last-device");
  expect(await codeOf("devices", "revoke", "nothing of this name")).toBe("unknown-device");
  expect(await dave.person.json("devices", "approve", "--timeout", "1")).toMatchObject({ code: 75, error: { code: "nobody-asked" } });
  const nameless = await town.newcomer("nobody").json("devices", "link", "--account", "dave");
  expect(nameless.error?.["message"]).toContain("contact link");
  const notAKey = parse(await town.newcomer("nobody").start("recovery-key", "restore").write("a key\n").ended);
  expect(notAKey.error?.["code"]).toBe("bad-argument");
}, 60_000);

test("a recovery key is shown once, and brings the account to a store that is new", async () => {
  const erin = await citizen("erin");
  const { key } = await erin.person.ask("recovery-key", "create");
  const next = parse(await erin.person.start("recovery-key", "create", "--current").write(`${String(key)}\n`).ended);
  const [line] = next.lines;
  expect(line).toEqual({ type: "recovery-key", key: expect.stringMatching(/^([0-9A-Z]{4}-){13}[0-9A-Z]{4}$/) });
  const fresh = town.newcomer("fresh");
  const old = parse(await fresh.start("recovery-key", "restore").write(`${String(key)}\n`).ended);
  expect([old.code, old.error?.["code"]]).toEqual([1, "wrong-recovery-key"]);
  const restored = parse(await fresh.start("recovery-key", "restore").write(`${String(line?.["key"])}\n`).ended);
  expect(restored.lines).toEqual([{ type: "account", userId: erin.id, deviceId: 2, username: null, link: erin.link }]);
  expect((await erin.person.json("listen", "--until-empty")).error?.["code"]).toBe("device-removed");
  expect(await fresh.ask("whoami")).toEqual(restored.lines[0]);
}, 60_000);
