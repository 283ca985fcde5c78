// Three people in a group, each command with the fields that programs rely on, and what is said to whoever asks for what cannot be.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Line, Person, Running } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
let people: Three;
beforeAll(async () => {
  await town.start();
  people = await three();
}, 60_000);
afterAll(() => town[Symbol.asyncDispose]());

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const GROUP_ID = /^[0-9a-f]{64}$/;
const OK = { type: "ok" };

interface Citizen {
  readonly person: Person;
  readonly name: string;
  readonly id: string;
}

type Three = readonly [alice: Citizen, bob: Citizen, carol: Citizen];

async function citizen(name: string): Promise<Citizen> {
  const person = town.newcomer(name);
  const { userId } = await person.ask("register", "--username", name);
  return { person, name, id: String(userId) };
}

function drain({ person }: Citizen): Promise<readonly Line[]> {
  return person.list("listen", "--until-empty");
}

/** Both are contacts of the first. */
async function three(): Promise<Three> {
  const three = await Promise.all([citizen("alice"), citizen("bob"), citizen("carol")] as const);
  const [alice, ...others] = three;
  for (const other of others) {
    await alice.person.ask("send", other.name, "hello");
    await drain(other);
    await other.person.ask("accept", alice.id);
    await drain(other);
  }
  await drain(alice);
  return three;
}

/** A group of alice's with all of them, and nothing waits. */
async function group(title: string): Promise<string> {
  const [alice, bob, carol] = people;
  const made = await alice.person.ask("group", "create", title, bob.name, carol.name);
  await Promise.all([bob, carol].map(drain));
  await drain(alice);
  return String(made["id"]);
}

function ofType(lines: readonly Line[], type: string): readonly Line[] {
  return lines.filter((line) => line["type"] === type);
}

/** Who is in and as what, by their ids. */
async function rolesIn({ person }: Citizen, name: string): Promise<unknown> {
  const { members } = await person.ask("group", "members", name);
  return Object.fromEntries((members as readonly Line[]).map((member) => [member["userId"], member["role"]])); // compared by its reader
}

function changesIn(lines: readonly Line[], conversation: string): readonly unknown[] {
  const notices = lines.filter((line) => line["kind"] === "group-changed" && line["conversation"] === conversation);
  return notices.map(({ from, reason }) => [from, reason]);
}

test("a group is made, shown and listed alike by all who are in it, and those who were let in are told", async () => {
  const [alice, bob, carol] = people;
  const made = await alice.person.ask("group", "create", "Hiking", bob.name, carol.id);
  expect(made).toEqual({
    type: "group",
    id: expect.stringMatching(GROUP_ID),
    name: "Hiking",
    standing: "member",
    avatar: null,
    members: expect.any(Array),
  });
  const roles = { [alice.id]: "admin", [bob.id]: "member", [carol.id]: "member" };
  for (const one of people) {
    const lines = await drain(one);
    if (one !== alice) expect(changesIn(lines, String(made["id"]))).toEqual([[alice.id, "joined"]]);
    expect(await rolesIn(one, "#Hiking")).toEqual(roles);
    expect(await rolesIn(one, String(made["id"]))).toEqual(roles);
    expect(await one.person.list("group", "list")).toEqual([await one.person.ask("group", "members", "#Hiking")]);
  }
  const { members } = await bob.person.ask("group", "members", "#Hiking");
  expect(members).toContainEqual({ userId: alice.id, name: alice.name, role: "admin" });
});

test("what one writes to a group the others read: by name or id, as events, history and search, each once", async () => {
  const [alice, bob, carol] = people;
  const id = await group("Lunch");
  const sent = await alice.person.ask("send", "#Lunch", "The apple tree at noon?");
  expect(sent).toEqual({ type: "sent", id: expect.stringMatching(UUID), conversation: id, sentAt: expect.any(String) });
  for (const one of [bob, carol]) {
    expect(ofType(await drain(one), "message")).toEqual([
      expect.objectContaining({
        type: "message",
        id: sent["id"],
        conversation: id,
        from: alice.id,
        fromName: alice.name,
        text: "The apple tree at noon?",
        sentAt: sent["sentAt"],
        attachments: [],
        replyTo: null,
        own: false,
      }),
    ]);
    expect(await drain(one)).toEqual([]);
  }
  const answer = await bob.person.ask("send", id, "Yes", "--reply-to", String(sent["id"]));
  // Carol has never heard from bob.
  for (const one of [alice, carol]) {
    const expected = expect.objectContaining({ id: answer["id"], conversation: id, from: bob.id, text: "Yes", replyTo: sent["id"] });
    expect(ofType(await drain(one), "message")).toEqual([expected]);
  }
  for (const one of people) {
    const lines = await one.person.list("history", "#Lunch");
    expect(lines.map((line) => [line["from"], line["text"]])).toEqual([
      [alice.id, "The apple tree at noon?"],
      [bob.id, "Yes"],
    ]);
    expect(await one.person.list("search", "apple", "--in", "#Lunch")).toHaveLength(1);
  }
  await alice.person.ask("send", bob.name, "An apple, only for you");
  expect((await alice.person.list("search", "apple", "--in", "#Lunch")).map((line) => line["id"])).toEqual([sent["id"]]);
  expect(await alice.person.list("history", "#Lunch", "--limit", "1")).toEqual([expect.objectContaining({ id: answer["id"] })]);
});

test("a message in a group can be edited, reacted to, read and deleted, and its writer learns who has got it", async () => {
  const [alice, bob] = people;
  const id = await group("Words");
  const message = String((await alice.person.ask("send", "#Words", "Helo"))["id"]);
  await drain(bob);
  const receipts = ofType(await drain(alice), "receipt");
  expect(receipts).toEqual([{ type: "receipt", kind: "delivered", ids: [message], from: bob.id }]);
  expect(await alice.person.ask("edit", message, "Hello")).toEqual(OK);
  expect(ofType(await drain(bob), "edit")).toEqual([
    expect.objectContaining({ id: message, conversation: id, from: alice.id, text: "Hello" }),
  ]);
  expect(await bob.person.ask("react", message, "👍")).toEqual(OK);
  expect(ofType(await drain(alice), "reaction")).toEqual([
    expect.objectContaining({ id: message, conversation: id, from: bob.id, emoji: "👍" }),
  ]);
  expect(await bob.person.ask("read", "#Words")).toEqual(OK);
  expect(ofType(await drain(alice), "receipt")).toEqual([{ type: "receipt", kind: "read", ids: [message], from: bob.id }]);
  expect(await bob.person.json("delete", message)).toMatchObject({ code: 1, error: { code: "not-yours" } });
  expect(await alice.person.ask("delete", message)).toEqual(OK);
  expect(ofType(await drain(bob), "delete")).toEqual([expect.objectContaining({ id: message, conversation: id, from: alice.id })]);
});

test("who is added reads from then on; who is removed reads nothing more, is told, and keeps what there was", async () => {
  const [alice, bob, carol] = people;
  const { id } = await alice.person.ask("group", "create", "Doors", bob.name);
  await drain(carol);
  await alice.person.ask("send", "#Doors", "before");
  expect(await alice.person.ask("group", "add", "#Doors", carol.name)).toEqual(OK);
  expect(changesIn(await drain(carol), String(id))).toEqual([[alice.id, "joined"]]);
  expect(changesIn(await drain(bob), String(id))).toContainEqual([alice.id, "add"]);
  await alice.person.ask("send", "#Doors", "with carol");
  expect(ofType(await drain(carol), "message").map((line) => line["text"])).toEqual(["with carol"]);
  expect(await alice.person.ask("group", "remove", "#Doors", carol.name)).toEqual(OK);
  expect(changesIn(await drain(carol), String(id))).toEqual([[alice.id, "removed"]]);
  await alice.person.ask("send", "#Doors", "without carol");
  expect(await drain(carol)).toEqual([]);
  expect((await carol.person.list("history", "#Doors")).map((line) => line["text"])).toEqual(["with carol"]);
  expect(await carol.person.ask("group", "members", "#Doors")).toMatchObject({ standing: "removed" });
  expect(await carol.person.json("send", "#Doors", "still here?")).toMatchObject({ code: 1, lines: [], error: { code: "not-a-member" } });
  expect(ofType(await drain(bob), "message").map((line) => line["text"])).toEqual(["with carol", "without carol"]);
});

test("roles, names and leaving: admins may, members may not, and the last admin stays", async () => {
  const [alice, bob, carol] = people;
  const id = await group("Power");
  for (const args of [
    ["rename", "#Power", "Mine"],
    ["add", "#Power", bob.name, carol.name, alice.name],
    ["remove", "#Power", carol.id],
    ["role", "#Power", bob.id, "admin"],
  ]) {
    const outcome = await bob.person.json("group", ...args);
    // Whoever is in need not be added.
    if (args[0] === "add") expect(outcome).toMatchObject({ code: 0, lines: [OK] });
    else expect(outcome).toMatchObject({ code: 1, lines: [], error: { code: "not-an-admin" } });
  }
  expect(await alice.person.json("group", "leave", "#Power")).toMatchObject({ code: 1, error: { code: "last-admin" } });
  expect(await alice.person.ask("group", "role", "#Power", bob.name, "admin")).toEqual(OK);
  expect(changesIn(await drain(bob), id)).toEqual([[alice.id, "promote"]]);
  expect(await bob.person.ask("group", "rename", "#Power", "#Shared")).toEqual(OK);
  expect(changesIn(await drain(alice), id).at(-1)).toEqual([bob.id, "rename"]);
  expect(await alice.person.ask("group", "members", "#Shared")).toMatchObject({ id, name: "Shared" });
  expect(await bob.person.ask("group", "role", "#Shared", alice.id, "member")).toEqual(OK);
  expect(await alice.person.ask("group", "leave", "#Shared")).toEqual(OK);
  expect(await alice.person.ask("group", "members", id)).toMatchObject({ standing: "left" });
  await drain(carol);
  await drain(bob);
  for (const one of [bob, carol]) expect(await rolesIn(one, id)).toEqual({ [bob.id]: "admin", [carol.id]: "member" });
});

test("nothing is left behind by what was asked for wrongly", async () => {
  const alice = await citizen("alone");
  const asked = (...args: readonly string[]): ReturnType<Person["json"]> => alice.person.json(...args);
  expect(await asked("group", "create", "Ghosts", "nobody_at_all")).toMatchObject({ code: 1, lines: [], error: { code: "unknown-user" } });
  expect(await asked("group", "create", "", alice.name)).toMatchObject({ code: 2, lines: [], error: { code: "bad-argument" } });
  expect(await asked("group", "create", "x".repeat(101), alice.name)).toMatchObject({ code: 2, error: { code: "bad-argument" } });
  expect(await alice.person.list("group", "list")).toEqual([]);
  for (const args of [
    ["send", "#Nothing", "hello"],
    ["history", "#Nothing"],
    ["search", "hello", "--in", "#Nothing"],
    ["group", "members", "#Nothing"],
    ["group", "leave", "f".repeat(64)],
    ["group", "rename", "#Nothing", "Something"],
  ]) {
    expect(await asked(...args)).toMatchObject({ code: 1, lines: [], error: { type: "error", code: "unknown-group" } });
  }
});

test("what cannot be done to a group that is there says why", async () => {
  const alice = await citizen("maker");
  const stranger = await citizen("stranger");
  const refused = async (code: number, error: string, ...args: readonly string[]): Promise<void> => {
    expect(await alice.person.json("group", ...args)).toMatchObject({ code, lines: [], error: { type: "error", code: error } });
  };
  // A group of one's own needs somebody else to be named, and oneself is somebody.
  await alice.person.ask("group", "create", "One", alice.name);
  await refused(1, "unknown-user", "add", "#One", "nobody_at_all");
  await refused(1, "unknown-user", "role", "#One", stranger.name, "admin");
  await refused(2, "bad-argument", "rename", "#One", "two\nlines");
  await refused(2, "bad-argument", "remove", "#One", alice.name);
  await refused(2, "bad-argument", "role", "#One", alice.name, "member");
  await refused(2, "usage", "role", "#One", alice.name, "king");
  expect(await alice.person.ask("group", "members", "#One")).toMatchObject({ name: "One" });
  await alice.person.ask("group", "create", "One", alice.name);
  const { code, error } = await alice.person.json("send", "#One", "which one?");
  expect({ code, error }).toMatchObject({
    code: 2,
    error: { code: "bad-argument", hint: expect.stringMatching(/[0-9a-f]{64}, [0-9a-f]{64}$/) },
  });
  expect(await alice.person.json("send", "One", "which?")).toMatchObject({
    code: 2,
    error: { code: "bad-argument", hint: expect.stringContaining("'#One'") },
  });
  expect(await alice.person.ask("group", "leave", String((await alice.person.list("group", "list"))[0]?.["id"]))).toEqual(OK);
  await alice.person.ask("send", "#One", "this one");
});

test("without the server a change fails as temporary, and a message waits for the next command", async () => {
  const [alice, bob] = people;
  await group("Tunnel");
  const offline = new Person(town.folder, alice.name, "http://localhost:9");
  expect(await offline.json("group", "rename", "#Tunnel", "Light")).toMatchObject({ code: 75, lines: [], error: { code: "offline" } });
  const { code, error } = await offline.json("send", "#Tunnel", "from the tunnel");
  expect({ code, error }).toMatchObject({ code: 75, error: { code: "offline", hint: expect.stringContaining("queued") } });
  expect((await offline.list("group", "list")).map((line) => line["name"])).toContain("Tunnel");
  await alice.person.ask("send", "#Tunnel", "from the station");
  expect(ofType(await drain(bob), "message").map((line) => line["text"])).toEqual(["from the tunnel", "from the station"]);
});

test("for people a message of a group names writer and group, and a group is a list of names", async () => {
  const [alice, bob, carol] = people;
  const id = await group("People");
  const { id: message } = await alice.person.ask("send", "#People", "hello all");
  const { stdout } = await bob.person.run("listen", "--until-empty");
  expect(stdout).toContain(`${alice.name} → #People: hello all  ${String(message)}\n`);
  const shown = await alice.person.run("group", "members", "#People");
  expect(shown.stdout.split("\n").toSorted()).toEqual(
    ["", `#People  ${id}`, `  ${alice.name} (admin)`, `  ${bob.name}`, `  ${carol.name}`].toSorted(),
  );
});

const COMMANDS = ["create", "list", "members", "add", "remove", "leave", "rename", "role"];

test("the help of group shows its commands, and without one it counts as a mistake", async () => {
  const { code, stdout } = await new Running(["group", "--help"]).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: edgewise group\b/);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
  const nothing = await new Running(["group"]).ended;
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain("Usage: edgewise group");
});

test.each(COMMANDS)("group %s explains itself in a sentence, with an example", async (command) => {
  const { code, stdout } = await new Running(["group", command, "--help"]).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: edgewise group ${command}\\b`));
  expect(stdout).toMatch(/\n\n[A-Z][^.]+\./);
  expect(stdout).toMatch(new RegExp(`Example:\n  edgewise group ${command}`));
});

test.each([
  ["an unknown command", ["group", "crate", "Hiking"], /Unknown command 'crate'.*create/s],
  ["a group without a name", ["group", "create"], /Missing required argument 'name'/],
  ["a group without anybody", ["group", "create", "Hiking"], /Missing required argument 'user'/],
  ["nobody to add", ["group", "add", "#Hiking"], /Missing required argument 'user'/],
  ["a name without quotes", ["group", "rename", "#Hiking", "Hiking", "2027"], /Too many arguments for group rename.*quotes/s],
  ["no role", ["group", "role", "#Hiking", "bob"], /Missing required argument 'role'/],
  ["an unknown option", ["group", "list", "--all"], /Unknown option '--all'.*edgewise group list --help/s],
])("%s is a usage error", async (_what, args, said) => {
  const nobody = new Person(town.folder, "nobody", "http://localhost:9");
  const { code, stdout, stderr } = await nobody.run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(said);
  expect((await nobody.json(...args)).error).toMatchObject({ type: "error", code: "usage" });
});
