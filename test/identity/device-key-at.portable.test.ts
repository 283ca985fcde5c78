import { deviceKeyAt } from "#identity";
import { expect, test } from "vitest";
import { found, Owner } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";

const owner = new Owner(77);
const before = owner.account.head;
const phone = owner.add();
const between = owner.account.head;
owner.revoke(phone);
const after = owner.account.head;

function ask(head: typeof before, deviceId = phone.deviceId, entries = owner.entries): ReturnType<typeof deviceKeyAt> {
  return deviceKeyAt(entries, { userId: owner.userId, deviceId, head, nowSeconds: owner.now });
}

test("the answer is the log's as it was at the head, whatever came later", () => {
  expect(ask(before)).toBeUndefined();
  expect(ask(between)?.equals(phone.identity.publicKey)).toBe(true);
  expect(ask(after)).toBeUndefined();
  expect(ask(after, owner.first.deviceId)?.equals(owner.first.identity.publicKey)).toBe(true);
});

test("a head that the log does not have gives no key", () => {
  expect(ask({ ...between, hash: new Uint8Array(32) })).toBeUndefined();
  expect(ask({ ...between, length: 1 })).toBeUndefined();
  for (const length of [0, 4, 9]) expect(ask({ ...between, length })).toBeUndefined();
  expect(ask(between, phone.deviceId, owner.entries.slice(0, 1))).toBeUndefined();
});

test("a log that is none is an error and not the answer that there is no such device", () => {
  const other = new Owner(78);
  expect(codeOf(() => ask(other.account.head, phone.deviceId, other.entries))).toBe("bad-address");
  const mixed = [found(other.entries[0]), found(owner.entries[1])];
  expect(codeOf(() => ask(between, phone.deviceId, mixed))).toBe("bad-address");
});
