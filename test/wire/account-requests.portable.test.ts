import { expect, test } from "vitest";
import {
  type CreateAccount,
  decodeAppendLog,
  decodeCreateAccount,
  encodeAppendLog,
  encodeCreateAccount,
  MAX_INVITE_BYTES,
  MAX_LOG_ENTRY_BYTES,
  parseUsername,
  toUtf8,
} from "#wire";
import { codeOf } from "../support/codes.ts";

const PREKEYS = { set: undefined, oneTimePreKeys: [{ id: 1, publicKey: new Uint8Array(33).fill(5) }] };
const FULL: CreateAccount = {
  genesis: new Uint8Array(MAX_LOG_ENTRY_BYTES).fill(7),
  preKeys: PREKEYS,
  username: parseUsername("alice_1.b"),
  invite: "i".repeat(MAX_INVITE_BYTES),
};

test("a registration and an entry come back as they were", () => {
  expect(decodeCreateAccount(encodeCreateAccount(FULL))).toEqual(FULL);
  const bare = { ...FULL, username: undefined, invite: undefined };
  expect(decodeCreateAccount(encodeCreateAccount(bare))).toEqual(bare);
  for (const preKeys of [PREKEYS, undefined]) {
    const append = { entry: new Uint8Array([1]), preKeys };
    expect(decodeAppendLog(encodeAppendLog(append))).toEqual(append);
  }
});

test("every truncation, and a byte more, is refused", () => {
  const bytes = encodeCreateAccount({ ...FULL, genesis: new Uint8Array([1]) });
  for (let length = 0; length < bytes.length; length++) {
    // Without its last fields whole, the rest is a registration by itself: those are optional.
    const cut = bytes.slice(0, length);
    const optionalFieldsCut = length === bytes.length - MAX_INVITE_BYTES - 2 || length === bytes.length - MAX_INVITE_BYTES - 2 - 11;
    if (!optionalFieldsCut) expect(codeOf(() => decodeCreateAccount(cut))).toMatch(/^(truncated|missing-field|bad-)/);
  }
  expect(codeOf(() => decodeCreateAccount(new Uint8Array([...bytes, 0])))).toBe("bad-field");
});

test("a username has one spelling", () => {
  for (const name of ["abc", "a".repeat(32), "___", "0.0", "a_b.c"]) expect(parseUsername(name)).toBe(name);
  const wrong = ["", "ab", "a".repeat(33), "Abc", ".ab", "a b", "a-b", "äbc", "ab\n", "a\u200Bbc", 123, undefined];
  for (const name of wrong) expect(codeOf(() => parseUsername(name))).toBe("bad-id");
});

test("a registration with a name that is none is refused", () => {
  const bytes = encodeCreateAccount({ ...FULL, invite: undefined });
  bytes.set(toUtf8("ALICE_1.B"), bytes.length - 9);
  expect(codeOf(() => decodeCreateAccount(bytes))).toBe("bad-id");
});
