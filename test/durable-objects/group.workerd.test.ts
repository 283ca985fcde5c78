// A group's object, from its first entry on. That signatures hold is checked before it is asked: test/workers/groups.workerd.test.ts.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MAX_GROUP_PAGE_BYTES, MAX_GROUP_PAGE_ENTRIES, MAX_SEALED_GROUP_ENTRY_BYTES, toHex } from "#wire";
import { SharedGroup } from "../support/shared-group.ts";
import { append, countRows, dump, groupOf, read } from "./support/groups.ts";

let shared: SharedGroup;
let seed = 500;
beforeEach(() => {
  shared = new SharedGroup(seed++);
});
afterEach(() => {
  vi.useRealTimers();
});

function minuteLater(): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + 60_000);
}

/** Begins, and appends up to `version`. */
async function upTo(version: number): Promise<void> {
  await append(shared, shared.begin());
  for (let next = 2; next <= version; next++) await append(shared, shared.change(next));
}

test("what is appended is read, from the beginning and from where the caller is", async () => {
  const first = shared.begin();
  const second = shared.change(2);
  const third = shared.leave(3);
  for (const [at, each] of [first, second, third].entries()) {
    expect(await append(shared, each)).toEqual({ kind: "appended", version: at + 1 });
  }
  const entries = [first, second, third].map(({ entry }) => toHex(entry));
  expect(await read(shared)).toEqual({ versions: [1, 2, 3], entries, latest: 3 });
  expect(await read(shared, 2)).toEqual({ versions: [3], entries: entries.slice(2), latest: 3 });
  for (const after of [3, 4, 999_999_999]) expect(await read(shared, after)).toEqual({ versions: [], entries: [], latest: 3 });
});

test("a group that does not exist answers everything with one word, and has no table", async () => {
  const other = new SharedGroup(seed++);
  const tries = [shared.change(1), shared.change(2), shared.leave(1), shared.leave(2), shared.change(1, { next: other.pairs })];
  for (const each of tries) expect(await append(shared, each)).toEqual({ kind: "unknown" });
  expect(await read(shared)).toBeUndefined();
  expect(await dump(shared.at.groupId)).toBe("[]");
});

test("wrong keys get the word of a group that does not exist, and change nothing", async () => {
  await upTo(3);
  const before = await dump(shared.at.groupId);
  const { member, admin } = shared.pairs;
  const stranger = shared.makePairs();
  const swapped = { member: admin, admin: member };
  const tries = [
    shared.change(4, { pairs: stranger }),
    shared.leave(4, { pairs: stranger }),
    shared.change(4, { pairs: swapped }),
    shared.leave(4, { pairs: swapped }),
    shared.change(4, { pairs: stranger, next: shared.makePairs() }),
    { ...new SharedGroup(seed++).begin(), version: 1 },
  ];
  for (const each of tries) expect(await append(shared, each)).toEqual({ kind: "unknown" });
  for (const pairs of [stranger, swapped]) expect(await read(shared, 0, pairs)).toBeUndefined();
  expect(await dump(shared.at.groupId)).toBe(before);
});

test("every place but the next is a conflict that names the last, and changes nothing", async () => {
  await upTo(3);
  const before = await dump(shared.at.groupId);
  for (const version of [1, 2, 3, 5, 4096, 4097, 0xffff_ffff]) {
    expect(await append(shared, shared.change(version))).toEqual({ kind: "conflict", version: 3 });
    expect(await append(shared, shared.leave(version))).toEqual({ kind: "conflict", version: 3 });
  }
  expect(await append(shared, shared.begin())).toEqual({ kind: "conflict", version: 3 });
  expect(await dump(shared.at.groupId)).toBe(before);
});

test("of fifty that append at once one is taken, and those that come again make one history", async () => {
  await append(shared, shared.begin());
  const waiting = new Map(Array.from({ length: 50 }, (_, i) => [i, shared.random(40)]));
  const taken: string[] = [];
  for (let version = 2; waiting.size > 0; version++) {
    const round = [...waiting];
    const results = await Promise.all(round.map(([, entry]) => append(shared, shared.change(version, { entry }))));
    const winners = round.filter((_, at) => results[at]?.kind === "appended");
    expect(winners).toHaveLength(1);
    for (const result of results) if (result.kind !== "appended") expect(result).toEqual({ kind: "conflict", version });
    for (const [name, entry] of winners) {
      waiting.delete(name);
      taken.push(toHex(entry));
    }
  }
  const log = await read(shared);
  expect(log?.versions).toEqual(Array.from({ length: 51 }, (_, i) => i + 1));
  expect(log?.entries.slice(1)).toEqual(taken);
  expect(new Set(taken).size).toBe(50);
});

test("a repeat is answered as the first time and writes nothing, also when others have appended since", async () => {
  const begin = shared.begin();
  const leave = shared.leave(2);
  const before = shared.pairs;
  const next = shared.makePairs();
  const rotation = shared.change(3, { next });
  const all = [begin, leave, rotation];
  for (const each of all) await append(shared, each);
  shared.pairs = next;
  await append(shared, shared.change(4));
  const written = await countRows(shared.at.groupId);
  const stored = await dump(shared.at.groupId);
  for (const each of all) expect(await append(shared, each)).toEqual({ kind: "appended", version: each.version });
  // The same entry, and other keys with it: that is another append.
  const other = shared.change(3, { pairs: before, next: shared.makePairs(), entry: rotation.entry });
  expect(await append(shared, other)).toEqual({ kind: "conflict", version: 3 });
  expect(written()).toBe(0);
  expect(await dump(shared.at.groupId)).toBe(stored);
});

test("a rotation retires both keys: they append no more, and read up to it and no further", async () => {
  await upTo(2);
  const before = shared.pairs;
  const next = shared.makePairs();
  await append(shared, shared.change(3, { next }));
  shared.pairs = next;
  const fourth = shared.change(4);
  await append(shared, fourth);
  const stored = await dump(shared.at.groupId);
  for (const version of [4, 5, 6]) {
    expect(await append(shared, shared.change(version, { pairs: before }))).toEqual({ kind: "conflict", version: 3 });
    expect(await append(shared, shared.leave(version, { pairs: before }))).toEqual({ kind: "conflict", version: 3 });
  }
  expect(await read(shared, 0, before)).toMatchObject({ versions: [1, 2, 3], latest: 3 });
  expect(await read(shared, 3, before)).toEqual({ versions: [], entries: [], latest: 3 });
  expect(await read(shared, 0)).toMatchObject({ versions: [1, 2, 3, 4], latest: 4 });
  expect(await dump(shared.at.groupId)).toBe(stored);
});

test("keys of before do not come back", async () => {
  await upTo(1);
  const before = shared.pairs;
  const next = shared.makePairs();
  await append(shared, shared.change(2, { next }));
  shared.pairs = next;
  const stored = await dump(shared.at.groupId);
  const fresh = shared.makePairs();
  const mixes = [before, next, { ...fresh, member: before.member }, { ...fresh, admin: before.admin }, { ...fresh, admin: next.member }];
  for (const mix of mixes) expect(await append(shared, shared.change(3, { next: mix }))).toEqual({ kind: "used-key" });
  expect(await dump(shared.at.groupId)).toBe(stored);
});

test("everything that was answered is there after the object is gone, and goes on", async () => {
  const before = shared.pairs;
  await upTo(3);
  const next = shared.makePairs();
  await append(shared, shared.change(4, { next }));
  shared.pairs = next;
  await append(shared, shared.leave(5));
  const stored = await dump(shared.at.groupId);
  const log = await read(shared);
  await evictDurableObject(groupOf(shared.at.groupId));
  expect(await dump(shared.at.groupId)).toBe(stored);
  expect(await read(shared)).toEqual(log);
  expect(await read(shared, 0, before)).toMatchObject({ latest: 4 });
  expect(await append(shared, shared.change(6, { pairs: before }))).toEqual({ kind: "conflict", version: 4 });
  expect(await append(shared, shared.change(5))).toEqual({ kind: "conflict", version: 5 });
  expect(await append(shared, shared.change(6))).toEqual({ kind: "appended", version: 6 });
});

test("an append writes one row, one that brings keys two, and whatever is refused none", async () => {
  await append(shared, shared.begin());
  const written = await countRows(shared.at.groupId);
  await append(shared, shared.change(2));
  expect(written()).toBe(1);
  await append(shared, shared.leave(3));
  expect(written()).toBe(2);
  const next = shared.makePairs();
  await append(shared, shared.change(4, { next }));
  expect(written()).toBe(4);
  await append(shared, shared.change(5));
  await append(shared, shared.change(5, { pairs: shared.makePairs() }));
  await append(shared, shared.change(9, { pairs: next }));
  await read(shared);
  expect(written()).toBe(4);
});

test("pages are full and not more than full, by entries and by bytes", async () => {
  await upTo(60);
  minuteLater();
  for (let version = 61; version <= 70; version++) await append(shared, shared.change(version));
  expect(await read(shared)).toMatchObject({ versions: Array.from({ length: MAX_GROUP_PAGE_ENTRIES }, (_, i) => i + 1), latest: 70 });
  expect(await read(shared, 64)).toMatchObject({ versions: [65, 66, 67, 68, 69, 70] });
  const largest = () => new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES).fill(7);
  const perPage = Math.floor(MAX_GROUP_PAGE_BYTES / MAX_SEALED_GROUP_ENTRY_BYTES);
  for (let version = 71; version <= 71 + perPage; version++) await append(shared, shared.change(version, { entry: largest() }));
  expect((await read(shared, 70))?.versions).toHaveLength(perPage);
  expect((await read(shared, 70 + perPage))?.versions).toEqual([71 + perPage]);
});

test("more than sixty appends in a minute have to wait; conflicts, repeats and reads do not count", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await upTo(50);
  const last = shared.change(51);
  await append(shared, last);
  for (let i = 0; i < 30; i++) {
    expect((await append(shared, shared.change(51))).kind).toBe("conflict");
    expect((await append(shared, last)).kind).toBe("appended");
    expect(await read(shared)).toBeDefined();
  }
  for (let version = 52; version <= 60; version++) expect((await append(shared, shared.change(version))).kind).toBe("appended");
  const stored = await dump(shared.at.groupId);
  const refused = await append(shared, shared.change(61));
  expect(refused).toEqual({ kind: "rate-limited", retryAfterSeconds: 60 });
  expect(await dump(shared.at.groupId)).toBe(stored);
  minuteLater();
  expect((await append(shared, shared.change(61))).kind).toBe("appended");
});

test("an append that the storage does not take leaves the object as it was", async () => {
  await upTo(2);
  const next = shared.makePairs();
  const stored = await dump(shared.at.groupId);
  await runInDurableObject(groupOf(shared.at.groupId), (_, { storage }) => void storage.sql.exec("ALTER TABLE epochs RENAME TO away"));
  await expect(append(shared, shared.change(3, { next }))).rejects.toThrow();
  await runInDurableObject(groupOf(shared.at.groupId), (_, { storage }) => void storage.sql.exec("ALTER TABLE away RENAME TO epochs"));
  expect(await dump(shared.at.groupId)).toBe(stored);
  expect(await read(shared, 0, next)).toBeUndefined();
  expect(await append(shared, shared.change(3, { next }))).toEqual({ kind: "appended", version: 3 });
});
