import { expect, test } from "vitest";
import {
  GROUP_PLACES_FOR_ADMINS,
  MAX_GROUP_LEAVES,
  MAX_GROUP_LOG_PLACES,
  MAX_GROUP_PAGE_BYTES,
  MAX_GROUP_PAGE_ENTRIES,
  MAX_SEALED_GROUP_ENTRY_BYTES,
} from "#wire";
import type { CheckedGroupAppend } from "../../durable-objects/group/api.ts";
import {
  countAppend,
  decideAppend,
  fitsPage,
  type LogOutline,
  type Pace,
  readableBy,
  type StoredEntry,
  withEntry,
} from "../../durable-objects/group/core.ts";

const key = (number: number) => new Uint8Array(33).fill(number);
const entry = (number: number) => new Uint8Array([number]);
const keys = (epoch: number) => ({ memberKey: key(10 * epoch + 1), adminKey: key(10 * epoch + 2) });

function byAdmin(version: number, epoch: number, next?: number): CheckedGroupAppend {
  const authority = { kind: "admin", keys: next === undefined ? undefined : keys(next) } as const;
  return { version, entry: entry(version), signer: keys(epoch).adminKey, authority };
}

function byMember(version: number, epoch: number): CheckedGroupAppend {
  return { version, entry: entry(version), signer: keys(epoch).memberKey, authority: { kind: "member" } };
}

/** 1 begins epoch 1, 2 changes, 3 rotates to epoch 2, 4 is a leave, 5 changes. */
const LOG: readonly CheckedGroupAppend[] = [byAdmin(1, 1, 1), byAdmin(2, 1), byAdmin(3, 1, 2), byMember(4, 2), byAdmin(5, 2)];
let OUTLINE: LogOutline = withEntry(undefined, byAdmin(1, 1, 1));
for (const append of LOG.slice(1)) OUTLINE = withEntry(OUTLINE, append);

function storedAt(version: number): StoredEntry | undefined {
  const append = LOG[version - 1];
  return append && { entry: append.entry, authority: append.authority.kind };
}

function decide(append: CheckedGroupAppend, outline: LogOutline | undefined = OUTLINE) {
  return decideAppend(outline, append, storedAt);
}

test("a group begins with version 1, with keys, by the admin key that it brings", () => {
  expect(decideAppend(undefined, byAdmin(1, 1, 1), storedAt)).toEqual({ kind: "append" });
  for (const append of [byAdmin(1, 1), byAdmin(2, 1, 1), byAdmin(1, 1, 2), byMember(1, 1), byAdmin(0, 1, 1)]) {
    expect(decideAppend(undefined, append, storedAt)).toEqual({ kind: "unknown" });
  }
});

test("the next entry is taken from the keys in force", () => {
  for (const append of [byAdmin(6, 2), byAdmin(6, 2, 3), byMember(6, 2)]) expect(decide(append)).toEqual({ kind: "append" });
});

test("a key that the group never had, and a member's key as an admin's, or an admin's as a member's, are nobody's", () => {
  for (const version of [1, 3, 5, 6, 7]) {
    expect(decide(byAdmin(version, 4))).toEqual({ kind: "unknown" });
    expect(decide({ ...byAdmin(version, 2), signer: keys(2).memberKey })).toEqual({ kind: "unknown" });
    expect(decide({ ...byMember(version, 2), signer: keys(2).adminKey })).toEqual({ kind: "unknown" });
  }
});

test("another place than the next is a conflict that names the last", () => {
  for (const version of [0, 1, 2, 5, 7, 4000]) {
    expect(decide({ ...byAdmin(version, 2), entry: entry(99) })).toEqual({ kind: "conflict", version: 5 });
  }
});

test("a retired key appends nothing, and is told of nothing behind its retirement", () => {
  for (const version of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const other = { entry: entry(99) };
    expect(decide({ ...byAdmin(version, 1), ...other })).toEqual({ kind: "conflict", version: 3 });
    expect(decide({ ...byMember(version, 1), ...other })).toEqual({ kind: "conflict", version: 3 });
  }
});

test("each entry may come again from whom it came, and is a repeat; with anything changed it is none", () => {
  for (const append of LOG) {
    expect(decide(append)).toEqual({ kind: "repeat" });
    const changed: CheckedGroupAppend[] = [
      { ...append, entry: entry(99) },
      { ...append, version: append.version + 3 },
      append.authority.kind === "admin" && append.authority.keys !== undefined
        ? { ...append, authority: { kind: "admin", keys: undefined } }
        : { ...append, authority: { kind: "admin", keys: keys(3) } },
      ...[1, 2]
        .flatMap((epoch) => [
          { ...append, signer: keys(epoch).adminKey },
          { ...append, signer: keys(epoch).memberKey },
        ])
        .filter(({ signer }) => signer[0] !== append.signer[0]),
      {
        ...append,
        authority: append.authority.kind === "admin" ? { kind: "member" } : { kind: "admin", keys: undefined },
      },
    ];
    for (const other of changed) expect(["conflict", "unknown"]).toContain(decide(other).kind);
  }
  // The same entry, rightly signed in the other role.
  expect(decide({ ...byMember(2, 1), entry: entry(2) })).toEqual({ kind: "conflict", version: 3 });
  expect(decide({ ...byAdmin(4, 2), entry: entry(4) })).toEqual({ kind: "conflict", version: 5 });
  const rotation = { kind: "admin", keys: { ...keys(2), memberKey: key(99) } } as const;
  expect(decide({ ...byAdmin(3, 1), authority: rotation })).toEqual({ kind: "conflict", version: 3 });
});

test("a rotation to a key that was there before, in either role, is refused", () => {
  for (const used of [key(11), key(12), key(21), key(22)]) {
    for (const mixed of [
      { ...keys(3), memberKey: used },
      { ...keys(3), adminKey: used },
    ]) {
      expect(decide({ ...byAdmin(6, 2), authority: { kind: "admin", keys: mixed } })).toEqual({ kind: "used-key" });
    }
  }
});

test("the last places are for admins, and behind the last there is none", () => {
  const filled = (latest: number): LogOutline => ({ ...OUTLINE, latest });
  const lastLeave = MAX_GROUP_LOG_PLACES - GROUP_PLACES_FOR_ADMINS;
  expect(decide(byMember(lastLeave, 2), filled(lastLeave - 1))).toEqual({ kind: "append" });
  expect(decide(byMember(lastLeave + 1, 2), filled(lastLeave))).toEqual({ kind: "full" });
  expect(decide(byAdmin(lastLeave + 1, 2), filled(lastLeave))).toEqual({ kind: "append" });
  expect(decide(byAdmin(MAX_GROUP_LOG_PLACES, 2, 3), filled(MAX_GROUP_LOG_PLACES - 1))).toEqual({ kind: "append" });
  expect(decide(byAdmin(MAX_GROUP_LOG_PLACES + 1, 2, 3), filled(MAX_GROUP_LOG_PLACES))).toEqual({ kind: "full" });
});

test("members write no more than they are under one set of keys, and may again under the next", () => {
  let outline = OUTLINE;
  for (; outline.leaves < MAX_GROUP_LEAVES; outline = withEntry(outline, byMember(outline.latest + 1, 2))) {
    expect(decide(byMember(outline.latest + 1, 2), outline)).toEqual({ kind: "append" });
  }
  expect(outline.latest).toBe(OUTLINE.latest + MAX_GROUP_LEAVES - 1);
  expect(decide(byMember(outline.latest + 1, 2), outline)).toEqual({ kind: "full" });
  const rotation = byAdmin(outline.latest + 1, 2, 3);
  expect(decide(rotation, outline)).toEqual({ kind: "append" });
  outline = withEntry(outline, rotation);
  expect(decide(byMember(outline.latest + 1, 3), outline)).toEqual({ kind: "append" });
});

test("a member's key reads all while it is in force, and then up to what retired it; an admin's reads nothing", () => {
  expect(readableBy(OUTLINE, keys(2).memberKey)).toBe(5);
  expect(readableBy(OUTLINE, keys(1).memberKey)).toBe(3);
  for (const none of [keys(1).adminKey, keys(2).adminKey, keys(3).memberKey, new Uint8Array()]) {
    expect(readableBy(OUTLINE, none)).toBeUndefined();
  }
});

test("a page has room for the largest entry, for so many entries and for so many bytes", () => {
  const of = (count: number, bytes: number) => Array.from({ length: count }, () => ({ entry: new Uint8Array(bytes) }));
  expect(fitsPage([], new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES))).toBe(true);
  expect(fitsPage(of(MAX_GROUP_PAGE_ENTRIES - 1, 1), entry(1))).toBe(true);
  expect(fitsPage(of(MAX_GROUP_PAGE_ENTRIES, 1), entry(1))).toBe(false);
  expect(fitsPage(of(10, 90_000), new Uint8Array(MAX_GROUP_PAGE_BYTES - 900_000))).toBe(true);
  expect(fitsPage(of(10, 90_000), new Uint8Array(MAX_GROUP_PAGE_BYTES - 900_000 + 1))).toBe(false);
});

test("sixty appends a minute, and then again; a clock that steps back refills nothing", () => {
  let pace: Pace | undefined;
  for (let i = 0; i < 60; i++) {
    const counted = countAppend(pace, 1_000_000 + i * 100);
    if (counted.kind === "too-many") throw new Error(`append ${i} was refused`);
    pace = counted.pace;
  }
  expect(countAppend(pace, 1_006_000)).toEqual({ kind: "too-many", retryAfterSeconds: 54 });
  expect(countAppend(pace, 1_059_999)).toEqual({ kind: "too-many", retryAfterSeconds: 1 });
  expect(countAppend(pace, 0)).toEqual({ kind: "too-many", retryAfterSeconds: 60 });
  expect(countAppend(pace, 1_060_000)).toEqual({ kind: "counted", pace: { sinceMilliseconds: 1_060_000, appends: 1 } });
});
