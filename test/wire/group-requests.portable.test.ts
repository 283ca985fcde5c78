import { expect, test } from "vitest";
import {
  decodeGroupAppend,
  decodeGroupEntries,
  encodeGroupAppend,
  encodeGroupEntries,
  type GroupAppend,
  MAX_GROUP_APPEND_BYTES,
  MAX_GROUP_PAGE_BYTES,
  MAX_GROUP_PAGE_ENTRIES,
  MAX_SEALED_GROUP_ENTRY_BYTES,
  UsageError,
} from "#wire";
import { codeOf } from "../support/codes.ts";

const KEYS = { memberKey: new Uint8Array(33).fill(5), adminKey: new Uint8Array(33).fill(6) };
const APPEND: GroupAppend = {
  version: 4096,
  entry: new Uint8Array([7]),
  signer: KEYS.adminKey,
  signature: new Uint8Array(64).fill(8),
  authority: { kind: "admin", keys: KEYS },
};

test("an append of each authority comes back as it was, also the largest", () => {
  const entry = new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES).fill(1);
  const authorities = [{ kind: "admin", keys: KEYS } as const, { kind: "admin", keys: undefined } as const, { kind: "member" } as const];
  for (const authority of authorities) {
    for (const append of [
      { ...APPEND, authority },
      { ...APPEND, authority, entry, version: 0xffff_ffff },
    ]) {
      const bytes = encodeGroupAppend(append);
      expect(decodeGroupAppend(bytes)).toEqual(append);
      expect(bytes.length).toBeLessThanOrEqual(MAX_GROUP_APPEND_BYTES);
    }
  }
});

test("an entry that is one byte too long is refused, and so is an empty one", () => {
  const long = new Uint8Array(MAX_SEALED_GROUP_ENTRY_BYTES + 1).fill(1);
  for (const entry of [long, new Uint8Array()]) expect(() => encodeGroupAppend({ ...APPEND, entry })).toThrow(UsageError);
});

test("one key without the other, a leave that names keys and an append by nobody cannot be written", () => {
  const bytes = encodeGroupAppend(APPEND);
  // The authority is last: tag, length, then the keys: tag, length, and each key with its tag and length.
  const start = bytes.length - 74;
  expect([...bytes.slice(start, start + 4)]).toEqual([0x2a, 72, 0x0a, 70]);
  const head = [...bytes.slice(0, start)];
  const memberKey = [0x0a, 33, ...KEYS.memberKey];
  const refusals = [
    [[...head, 0x2a, 37, 0x0a, 35, ...memberKey], "missing-field"],
    [[...head, 0x32, 72, ...bytes.slice(start + 2)], "unknown-critical"],
    [head, "missing-field"],
    [[...bytes, 0x32, 0], "not-canonical"],
  ] as const;
  for (const [damaged, code] of refusals) expect(codeOf(() => decodeGroupAppend(new Uint8Array(damaged)))).toBe(code);
});

test("every truncation, and a byte more, is refused", () => {
  for (const authority of [APPEND.authority, { kind: "member" } as const]) {
    const bytes = encodeGroupAppend({ ...APPEND, authority });
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeGroupAppend(bytes.slice(0, length)))).toMatch(/^(truncated|missing-field)$/);
    }
    expect(codeOf(() => decodeGroupAppend(new Uint8Array([...bytes, 0])))).toBe("bad-field");
  }
});

test("the fullest page comes back as it was and stays below a megabyte; one entry more is too many", () => {
  const entry = new Uint8Array(MAX_GROUP_PAGE_BYTES / MAX_GROUP_PAGE_ENTRIES).fill(1);
  const entries = Array.from({ length: MAX_GROUP_PAGE_ENTRIES }, (_, i) => ({ version: 4000 + i, entry }));
  const bytes = encodeGroupEntries({ entries, latest: 4096 });
  expect(decodeGroupEntries(bytes)).toEqual({ entries, latest: 4096 });
  expect(bytes.length).toBeLessThan(1 << 20);
  expect(() => encodeGroupEntries({ entries: [...entries, { version: 1, entry: KEYS.adminKey }], latest: 4096 })).toThrow(UsageError);
  expect(decodeGroupEntries(encodeGroupEntries({ entries: [], latest: 1 }))).toEqual({ entries: [], latest: 1 });
});
