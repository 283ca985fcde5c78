// The demo as a newcomer runs it, and whether its table can say no.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { type GroupLetter, judge, type Letter, type Observed } from "../../examples/demo/promises.ts";
import { search, searchGroups } from "../../examples/demo/search.ts";

const DEMO = fileURLToPath(new URL("../../scripts/demo.mjs", import.meta.url));
const PICTURE = fileURLToPath(new URL("../../docs/demo.svg", import.meta.url));
const { NO_COLOR: _no, FORCE_COLOR: _force, ...ENV } = process.env;

const folder = mkdtempSync(join(tmpdir(), "edgewise-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The demo, with a folder for temporary files that nobody else uses. */
class Play {
  readonly place: string = mkdtempSync(join(folder, "play-"));
  readonly ended: Promise<number | null>;
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  stdout = "";
  stderr = "";

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(process.execPath, [DEMO], { stdio: ["ignore", "pipe", "pipe"], env: { ...ENV, TMPDIR: this.place, ...env } });
    this.process.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.stdout += chunk));
    this.process.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.stderr += chunk));
    this.ended = new Promise((resolve) => this.process.once("close", resolve));
  }

  async until(text: string): Promise<void> {
    while (!this.stdout.includes(text)) await new Promise((resolve) => this.process.stdout.once("data", resolve));
  }

  get serverUrl(): string {
    return /http:\/\/[\d.:]+/.exec(this.stdout)?.[0] ?? "";
  }
}

const letters: readonly Letter[] = [
  { from: "alice", to: "bob", text: "one", whileAway: false, heldAtKill: false, receipts: ["delivered", "read"] },
  { from: "bob", to: "alice", text: "two", whileAway: false, heldAtKill: false, receipts: ["delivered", "read"] },
  { from: "alice", to: "bob", text: "three", whileAway: true, heldAtKill: true, receipts: ["delivered", "read"] },
  { from: "alice", to: "bob", text: "four", whileAway: true, heldAtKill: false, receipts: ["delivered", "read"] },
];
const groupLetters: readonly GroupLetter[] = [
  { from: "alice", to: ["bob", "carol"], text: "five" },
  { from: "carol", to: ["alice", "bob"], text: "six" },
  { from: "bob", to: ["alice"], text: "seven" },
];
const KEPT: Observed = {
  letters,
  shown: shown(["one", "three", "four"]),
  groupLetters,
  shownInGroup: shownInGroup(["five"]),
  removed: "carol",
  killed: true,
  searches: [{ bytes: 4096, sought: 3, found: [], missed: [] }],
  groupSearches: [{ bytes: 4096, found: [] }],
  safetyNumbers: ["1".repeat(60), "1".repeat(60)],
};
const NOTHING: Observed = {
  letters: [],
  shown: new Map(),
  groupLetters: [],
  shownInGroup: new Map(),
  removed: undefined,
  killed: false,
  searches: [],
  groupSearches: [],
  safetyNumbers: [],
};
const PROMISES = judge(KEPT).map(({ promise }) => promise);
const [ONCE, ORDER, WAITED, SURVIVED, TOLD, REACHED, OUT, UNREAD, UNNAMED, NUMBER] = PROMISES;

function shown(toBob: readonly string[], toAlice: readonly string[] = ["two"]): Observed["shown"] {
  return new Map([
    ["alice", toAlice],
    ["bob", toBob],
  ]);
}

function shownInGroup(toCarol: readonly string[], toBob: readonly string[] = ["five", "six"]): Observed["shownInGroup"] {
  return new Map([
    ["alice", ["six", "seven"]],
    ["bob", toBob],
    ["carol", toCarol],
  ]);
}

function told(...receipts: Letter["receipts"]): readonly Letter[] {
  return letters.map((letter) => (letter.text === "three" ? { ...letter, receipts } : letter));
}

/** Without what differs from run to run, and without the spaces that a picture has no need of. */
function lasting(text: string): string {
  return text.replace(/[\d\s]/g, "");
}

function broken(change: Partial<Observed>): readonly string[] {
  return judge({ ...KEPT, ...change })
    .filter(({ kept }) => !kept)
    .map(({ promise }) => promise);
}

test("the demo keeps every promise of its table, ends with 0 and leaves nothing behind", async () => {
  const play = new Play();
  expect(await play.ended).toBe(0);
  expect(play.stderr).toBe("");
  for (const promise of PROMISES) expect(play.stdout).toContain(`✓ ${promise} `);
  expect(play.stdout).not.toContain("✗");
  expect(play.stdout).toMatch(
    /bob goes offline[^]*✓ {2}sent[^]*SIGKILL[^]*waiting[^]*server is back[^]*bob is back[^]*✓✓ delivered[^]*✓✓ read[^]*makes a group[^]*carol[^]*✓✓ read[^]*removes carol[^]*✓✓ read/,
  );
  expect(Math.max(...play.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(readdirSync(play.place)).toEqual([]);
  await expect(fetch(play.serverUrl)).rejects.toThrow();
  const pictured = readFileSync(PICTURE, "utf8").replace(/<(style|title)[^]*?<\/\1>|<[^>]+>/g, "");
  expect(lasting(pictured), "docs/demo.svg is another demo").toBe(`$npmrundemo${lasting(play.stdout)}`);
});

test("colours are for terminals", async () => {
  const plain = new Play({ EDGEWISE_BENCH: "floor" });
  const coloured = new Play({ EDGEWISE_BENCH: "floor", FORCE_COLOR: "1" });
  await Promise.all([plain.ended, coloured.ended]);
  expect(plain.stdout).not.toContain("\u001B");
  expect(coloured.stdout).toContain("\u001B[");
});

test("with a server that is not Edgewise every promise is broken, and the demo ends with 1", async () => {
  const play = new Play({ EDGEWISE_BENCH: "floor" });
  expect(await play.ended).toBe(1);
  for (const promise of PROMISES) expect(play.stdout).toContain(`✗ ${promise} `);
  expect(readdirSync(play.place)).toEqual([]);
});

test("Ctrl-C in the middle leaves neither files nor a server behind", async () => {
  const play = new Play();
  await play.until("bob goes offline");
  play.process.kill("SIGINT");
  expect(await play.ended).toBe(130);
  expect(readdirSync(play.place)).toEqual([]);
  await expect(fetch(play.serverUrl)).rejects.toThrow();
});

test("what was never seen was not kept", () => {
  expect(broken({})).toEqual([]);
  expect(broken(NOTHING)).toEqual(PROMISES);
});

test.each<readonly [what: string, change: Partial<Observed>, broken: readonly (string | undefined)[]]>([
  ["a message shown twice", { shown: shown(["one", "three", "four", "four"]) }, [ONCE]],
  ["an answer that nobody wrote", { shown: shown(["one", "three", "four"], ["two", "more"]) }, [ONCE, ORDER]],
  ["two in the wrong order", { shown: shown(["one", "four", "three"]) }, [ORDER]],
  ["one that was written while the reader was there, lost", { shown: shown(["three", "four"]) }, [ONCE, ORDER]],
  ["one that was written while the reader was away, lost", { shown: shown(["one", "three"]) }, [ONCE, ORDER, WAITED]],
  ["one that the killed server had, lost", { shown: shown(["one", "four"]) }, [ONCE, ORDER, WAITED, SURVIVED]],
  ["a server that outlived its kill", { killed: false }, [SURVIVED]],
  ["nothing held by the server when it was killed", { letters: letters.map((it) => ({ ...it, heldAtKill: false })) }, [SURVIVED]],
  ["nobody ever away", { letters: letters.map((it) => ({ ...it, whileAway: false })) }, [WAITED]],
  ["no receipt", { letters: told() }, [TOLD]],
  ["never read", { letters: told("delivered") }, [TOLD]],
  ["read before it was delivered", { letters: told("read", "delivered") }, [TOLD]],
  ["told twice", { letters: told("delivered", "read", "read") }, [TOLD]],
  ["a word in the server's files", { searches: [{ bytes: 1, sought: 3, found: ["three"], missed: [] }, ...KEPT.searches] }, [UNREAD]],
  ["a search that sees nothing", { searches: [{ bytes: 1, sought: 3, found: [], missed: ["alice"] }] }, [UNREAD]],
  ["no search", { searches: [] }, [UNREAD]],
  ["a message to the group that one of them was not shown", { shownInGroup: shownInGroup(["five"], ["five"]) }, [REACHED]],
  ["a message to the group shown twice", { shownInGroup: shownInGroup(["five"], ["five", "six", "six"]) }, [REACHED]],
  ["a message in the group that nobody wrote", { shownInGroup: shownInGroup(["five", "eight"]) }, [REACHED]],
  ["a message that was read after the removal", { shownInGroup: shownInGroup(["five", "seven"]) }, [OUT]],
  ["nobody removed", { removed: undefined }, [OUT]],
  ["nobody who could read before", { removed: "dave" }, [OUT]],
  [
    "nothing said after the removal",
    { groupLetters: groupLetters.slice(0, 2), shownInGroup: new Map([...shownInGroup(["five"]), ["alice", ["six"]]]) },
    [OUT],
  ],
  ["a member in the files of the group", { groupSearches: [{ bytes: 1, found: ["alice"] }, ...KEPT.groupSearches] }, [UNNAMED]],
  ["a search where there is no group", { groupSearches: [{ bytes: 0, found: [] }] }, [UNNAMED]],
  ["different safety numbers", { safetyNumbers: ["1".repeat(60), "2".repeat(60)] }, [NUMBER]],
  ["only one safety number", { safetyNumbers: ["1".repeat(60)] }, [NUMBER]],
])("%s breaks the promise that it breaks, and no other", (_what, change, expected) => {
  expect(broken(change)).toEqual(expected);
});

test("the search finds a word in any file, as one byte a letter or two, and says which account it does not find", () => {
  const state = join(folder, "state");
  mkdirSync(join(state, "deep"), { recursive: true });
  const userId = "1a2b3c4d-0000-8000-8000-00000000aa00";
  const wanted = { texts: ["Meet me at the lighthouse, with blueberry cake"], userIds: [userId] };
  writeFileSync(join(state, "noise"), Buffer.alloc(1000, "light house blue berry"));
  expect(search(state, wanted)).toEqual({ bytes: 1000, sought: 2, found: [], missed: [userId] });
  writeFileSync(join(state, "deep", "a"), "\0\0lighthouse\0");
  writeFileSync(join(state, "b"), Buffer.concat([Buffer.from([1]), Buffer.from("blueberry", "utf16le")]));
  writeFileSync(join(state, "c"), Buffer.from("001a2b3c4d00008000800000000000aa00ff", "hex"));
  expect(search(state, wanted)).toMatchObject({ found: ["lighthouse", "blueberry"], missed: [] });
});

test("the search for members looks at what is kept of groups, and finds a title and a userId there", () => {
  const state = join(folder, "groups");
  const wanted = { title: "Sandwiches", userIds: ["1a2b3c4d-0000-8000-8000-00000000aa00", "1a2b3c4d-0000-8000-8000-00000000aa01"] };
  for (const kind of ["-Mailbox", "-Group", "-FanOut"]) mkdirSync(join(state, kind), { recursive: true });
  writeFileSync(join(state, "-Mailbox", "a"), "Sandwiches 1a2b3c4d-0000-8000-8000-00000000aa00");
  expect(searchGroups(state, wanted)).toEqual({ bytes: 0, found: [] });
  writeFileSync(join(state, "-Group", "a"), "-Sandwiches-");
  writeFileSync(join(state, "-FanOut", "a"), Buffer.from("1a2b3c4d00008000800000000000aa01", "hex"));
  expect(searchGroups(state, wanted)).toEqual({ bytes: 28, found: ["Sandwiches", wanted.userIds[1]] });
});
