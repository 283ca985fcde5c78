// Files by command line alone: two people, a real server, and a line between them that can be cut. Programs are killed while they send
// and while they fetch; whoever runs them again has the file, and what had arrived does not travel again.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";
import { Wire } from "../client/killed/wire.ts";
import { parse, Person, Running } from "./person.ts";
import { Town } from "./town.ts";

const MIB = 1024 * 1024;
const START_MILLISECONDS = 60_000;

const town = new Town({ EDGEWISE_BENCH: "edgewise" });
let line: Wire;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  await town.start();
  line = await Wire.lay(Number(new URL(town.url).port));
  [alice, bob] = [new Person(town.folder, "alice", line.url), new Person(town.folder, "bob", line.url)];
  for (const [name, person] of Object.entries({ alice, bob })) await person.ask("register", "--username", name);
  await alice.ask("send", "bob", "hello");
  await bob.list("listen", "--until-empty");
  await bob.ask("accept", "alice");
}, START_MILLISECONDS);
afterAll(async () => {
  await line.cut();
  await town[Symbol.asyncDispose]();
}, START_MILLISECONDS);

function put(name: string, size: number): string {
  const path = join(town.folder, name);
  writeFileSync(path, seededRandom(size)(size));
  return path;
}

/** The newest message with files that Bob has. */
async function got(): Promise<Readonly<Record<string, unknown>>> {
  await bob.list("listen", "--until-empty");
  const lines = await bob.list("history", "alice");
  return lines.filter(({ attachments }) => Array.isArray(attachments) && attachments.length > 0).at(-1) ?? {};
}

function expectSame(one: string, other: string): void {
  expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
}

test("files go with a message, are listed with it, and are fetched one by one", async () => {
  const [text, data] = [join(town.folder, "notes.txt"), put("data.bin", 100_000)];
  writeFileSync(text, "Bring water.");
  const sent = await alice.ask("send", "bob", "For Sunday", "-a", text, "-a", data);
  expect(sent).toMatchObject({ type: "sent" });
  const message = await got();
  expect(message).toMatchObject({
    id: sent["id"],
    text: "For Sunday",
    attachments: [
      { name: "notes.txt", mime: "text/plain", size: 12 },
      { name: "data.bin", mime: "application/octet-stream", size: 100_000 },
    ],
  });
  const path = join(town.folder, "fetched.bin");
  const fetched = await bob.ask("download", String(sent["id"]), "--index", "2", "-o", path);
  expect(fetched).toEqual({ type: "file", path, name: "data.bin", size: 100_000, mime: "application/octet-stream" });
  expectSame(path, data);
  const missing = await bob.json("download", String(sent["id"]), "--index", "3");
  expect(missing).toMatchObject({ code: 1, error: { code: "unknown-file" } });
  const { stdout } = await bob.run("history", "alice");
  expect(stdout).toMatch(/For Sunday \[notes\.txt, 12 B\] \[data\.bin, 100\.0 kB\]/);
});

test("a file without a name for it goes into the folder one is in, and overwrites nothing there", async () => {
  const { id } = await alice.ask("send", "bob", "-a", put("summit.bin", 5000));
  await got();
  const args = ["--server", line.url, "--store", bob.store, "download", String(id)];
  const first = await new Running(args, {}, join(town.folder, "state")).ended;
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/summit\.bin {2}5\.0 kB\n$/) as string });
  expect(existsSync(join(town.folder, "state", "summit.bin"))).toBe(true);
  const second = await new Running(args, {}, join(town.folder, "state")).ended;
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("There is a file of this name.");
  expect(await bob.json("download", String(id), "-o", join(town.folder, "state"))).toMatchObject({
    code: 1,
    error: { code: "file-exists" },
  });
  const nowhere = await bob.json("download", String(id), "-o", join(town.folder, "nowhere", "summit.bin"));
  expect([nowhere.code, nowhere.error?.["message"]]).toEqual([2, "There is no such folder."]);
});

test("of files that go with their metadata it is said, of others and where it was asked for it is not", async () => {
  const [report, picture] = [put("report.PDF", 10), put("data.bin", 10)];
  const said = "report.PDF is sent as it is, with its metadata.";
  const plain = await alice.run("send", "bob", "-a", report, "-a", picture);
  expect(plain).toMatchObject({ code: 0, stdout: expect.not.stringContaining(said) as string });
  expect(plain.stderr.split("\n").filter((words) => words.includes("metadata"))).toEqual([said]);
  const kept = await alice.run("send", "bob", "--keep-metadata", "-a", report);
  expect([kept.code, kept.stderr.includes("metadata")]).toEqual([0, false]);
});

test("what cannot be read is not sent, and says so", async () => {
  const { code, error } = await alice.json("send", "bob", "-a", join(town.folder, "nowhere.bin"));
  expect({ code, error: error?.["code"] }).toEqual({ code: 1, error: "file-unreadable" });
});

test("a program that is killed while it sends leaves a file that the next one goes on with", async () => {
  const path = put("large.bin", 20 * MIB);
  let bytes = 0;
  let creations = 0;
  const { promise: midway, resolve } = Promise.withResolvers<void>();
  line.see = ({ method, path: asked, body }) => {
    if (method === "POST" && asked === "/v1/media/upload") creations++;
    if (method === "PATCH") bytes += body.length;
    if (bytes > 6 * MIB) resolve();
  };
  const sending = alice.start("send", "bob", "-a", path);
  await midway;
  expect(sending.lines).toEqual([]);
  await sending.stop("SIGKILL");
  const before = bytes;
  await alice.list("listen", "--until-empty");
  line.see = () => undefined;
  expect(creations).toBe(1);
  expect(before).toBeLessThan(20 * MIB);
  // What was on its way when the program was killed may travel twice, and no more.
  expect(bytes).toBeLessThan(20 * MIB + 7 * MIB);
  const message = await got();
  const to = join(town.folder, "arrived.bin");
  await bob.ask("download", String(message["id"]), "-o", to);
  expectSame(to, path);
});

test("a program that is interrupted while it sends says what it has stored, so that nobody sends it twice, and that can be taken back", async () => {
  const path = join(town.folder, "large.bin");
  const { promise: midway, resolve } = Promise.withResolvers<void>();
  line.see = ({ method }) => void (method === "PATCH" && resolve());
  const sending = alice.start("send", "bob", "never mind", "-a", path);
  await midway;
  // As a terminal does, which asks each process of a command.
  sending.process.kill("SIGINT");
  const { code, error } = parse(await sending.stop("SIGINT"));
  line.see = () => undefined;
  expect({ code, error }).toMatchObject({ code: 75, error: { code: "interrupted", id: expect.any(String) as string } });
  const id = String(error?.["id"]);
  expect(error?.["hint"]).toContain(`edgewise delete ${id}`);
  await alice.ask("delete", id);
  await alice.list("listen", "--until-empty");
  expect((await bob.list("listen", "--until-empty")).filter(({ type }) => type === "message")).toEqual([]);
});

test("a program that is killed while it fetches leaves a part that the next one goes on with", async () => {
  const path = join(town.folder, "large.bin");
  const message = await got();
  const to = join(town.folder, "again.bin");
  const places: number[] = [];
  const { promise: midway, resolve } = Promise.withResolvers<void>();
  line.see = ({ range = "" }) => {
    if (range !== "") places.push(Number(/\d+/.exec(range)?.[0]));
    if (places.length > 20) resolve();
  };
  const fetching = bob.start("download", String(message["id"]), "-o", to);
  await midway;
  await fetching.stop("SIGKILL");
  expect(existsSync(to)).toBe(false);
  const kept = readFileSync(`${to}.part`);
  expect(kept.length).toBeGreaterThan(MIB);
  expect(kept.equals(readFileSync(path).subarray(0, kept.length))).toBe(true);
  places.splice(0);
  await bob.ask("download", String(message["id"]), "-o", to);
  line.see = () => undefined;
  expectSame(to, path);
  expect(readdirSync(town.folder)).not.toContain("again.bin.part");
  // All but the chunk that was not whole.
  expect(Math.min(...places)).toBeGreaterThan(kept.length - 262_144);
});
