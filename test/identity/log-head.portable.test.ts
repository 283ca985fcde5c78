import { sha256 } from "#crypto";
import { compareHeads } from "#identity";
import { expect, test } from "vitest";
import { found, Owner, variedAccount } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";

test("a head that was seen is the same, extended, rolled back or forked", () => {
  const owner = variedAccount(1);
  const { entries } = owner;
  for (const [at, { head }] of owner.states.entries()) {
    expect(head.hash).toEqual(sha256(found(entries[at])));
    const added = entries.slice(at + 1);
    expect(compareHeads(head, entries)).toEqual(added.length === 0 ? { kind: "same" } : { kind: "extension", added });
    expect(compareHeads(head, entries.slice(0, at))).toEqual({ kind: "rollback" });
  }
});

test("two histories of one account are a fork for whoever saw the other one", () => {
  const [one, other] = [new Owner(2), new Owner(2)];
  one.add();
  other.nameKey(undefined);
  expect(one.userId).toBe(other.userId);
  expect(compareHeads(one.account.head, other.entries)).toEqual({ kind: "fork" });
  expect(compareHeads(other.account.head, one.entries)).toEqual({ kind: "fork" });
  expect(compareHeads(found(one.states[0]).head, other.entries)).toMatchObject({ kind: "extension" });
});

test("a fork stays a fork when it grows", () => {
  const [one, other] = [new Owner(3), new Owner(3)];
  one.add();
  other.nameKey(undefined);
  for (let i = 0; i < 3; i++) other.add();
  expect(compareHeads(one.account.head, other.entries)).toEqual({ kind: "fork" });
});

test("a head without a place is no head", () => {
  const owner = new Owner(4);
  for (const length of [0, -1, 1.5, Number.NaN]) {
    expect(codeOf(() => compareHeads({ length, hash: owner.account.head.hash }, owner.entries))).toBe("bad-value");
  }
});
