import { generateKeyPair, type KeyPair } from "#crypto";
import { recoverAccount, recoveryAt, setRecoveryKey } from "#identity";
import { parseDeviceId, RECOVERY_KEY_DELAY_SECONDS } from "#wire";
import { expect, test } from "vitest";
import { DAY, found, Owner, ownDevice } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";

/** Whether an entry made with this key at this time recovers the account; if not, it is for want of the right key. */
function recovers(owner: Owner, key: KeyPair, nowSeconds: number): boolean {
  const device = ownDevice(owner.random, parseDeviceId(100));
  const verdict = verdictOf(() => recoverAccount(owner.account, { device, recoveryKey: key.privateKey, nowSeconds }, owner.random));
  if (verdict.kind === "refused") expect(["bad-signature", "not-authorized"]).toContain(verdict.code);
  return verdict.kind === "accepted";
}

test("the first recovery key is in force at once", () => {
  const owner = new Owner(1);
  const key = owner.nameKey(undefined);
  expect(owner.account.recovery.inForce?.key.equals(key.publicKey)).toBe(true);
  expect(recovers(owner, key, owner.now)).toBe(true);
});

test("with the consent of the old key the new one is in force at once, and the old one no longer", () => {
  const owner = new Owner(2);
  const old = owner.nameKey(undefined);
  const key = owner.nameKey(old);
  expect(owner.account.recovery.waiting).toBeUndefined();
  expect(recovers(owner, key, owner.now)).toBe(true);
  expect(recovers(owner, old, owner.now)).toBe(false);
});

test("consent comes from the key in force and from no other", () => {
  const owner = new Owner(3);
  const consent = (key: KeyPair): string => codeOf(() => owner.nameKey(key));
  expect(consent(generateKeyPair(owner.random))).toBe("not-authorized");
  owner.nameKey(undefined);
  expect(consent(generateKeyPair(owner.random))).toBe("bad-signature");
  expect(consent(owner.first.identity)).toBe("bad-signature");
});

test("without consent a new key waits seven days to the second, and the old one stays in force", () => {
  const owner = new Owner(4);
  const old = owner.nameKey(undefined);
  owner.now += 30 * DAY;
  const named = owner.now;
  const key = owner.nameKey(undefined);
  const due = named + RECOVERY_KEY_DELAY_SECONDS;
  expect(owner.account.recovery.waiting?.settledSeconds).toBe(due);
  expect([recovers(owner, old, due - 1), recovers(owner, key, due - 1)]).toEqual([true, false]);
  expect([recovers(owner, old, due), recovers(owner, key, due)]).toEqual([false, true]);
  expect(recoveryAt(owner.account.recovery, due - 1).inForce?.key.equals(old.publicKey)).toBe(true);
  expect(recoveryAt(owner.account.recovery, due)).toMatchObject({ waiting: undefined });
  expect(recoveryAt(owner.account.recovery, due).inForce?.key.equals(key.publicKey)).toBe(true);
});

test("recovery with the old key withdraws the one that waits", () => {
  const owner = new Owner(5);
  const old = owner.nameKey(undefined);
  const key = owner.nameKey(undefined);
  owner.recover(old);
  owner.now += 30 * DAY;
  expect([recovers(owner, old, owner.now), recovers(owner, key, owner.now)]).toEqual([true, false]);
});

test("revoking the device that named a key withdraws it while it waits, and not afterwards", () => {
  for (const [days, withdrawn] of [
    [6, true],
    [8, false],
  ] as const) {
    const owner = new Owner(6);
    const old = owner.nameKey(undefined);
    const second = owner.add();
    owner.now += 30 * DAY;
    const key = owner.nameKey(undefined, second);
    owner.now += days * DAY;
    owner.revoke(second);
    owner.now += 30 * DAY;
    expect([recovers(owner, old, owner.now), recovers(owner, key, owner.now)]).toEqual([withdrawn, !withdrawn]);
  }
});

test("revoking another device withdraws nothing", () => {
  const owner = new Owner(7);
  owner.nameKey(undefined);
  const [second, third] = [owner.add(), owner.add()];
  owner.now += 30 * DAY;
  const key = owner.nameKey(undefined, second);
  owner.revoke(third);
  owner.now += 8 * DAY;
  expect(recovers(owner, key, owner.now)).toBe(true);
});

test("a thief's device leaves no recovery key behind where there was none, if it is revoked within seven days", () => {
  for (const [days, gone] of [
    [6, true],
    [8, false],
  ] as const) {
    const owner = new Owner(8);
    const stolen = owner.add();
    const key = owner.nameKey(undefined, stolen);
    owner.now += days * DAY;
    owner.revoke(stolen);
    expect(owner.account.recovery.inForce === undefined).toBe(gone);
    expect(recovers(owner, key, owner.now)).toBe(!gone);
  }
});

test("when a thief's first key is taken back, the owner's that waited behind it is in force", () => {
  const owner = new Owner(9);
  const stolen = owner.add();
  const thiefs = owner.nameKey(undefined, stolen);
  const key = owner.nameKey(undefined);
  expect([recovers(owner, thiefs, owner.now), recovers(owner, key, owner.now)]).toEqual([true, false]);
  owner.revoke(stolen);
  expect([recovers(owner, thiefs, owner.now), recovers(owner, key, owner.now)]).toEqual([false, true]);
});

test("a key that was named with consent stays when its device goes", () => {
  const owner = new Owner(10);
  const old = owner.nameKey(undefined);
  const second = owner.add();
  const key = owner.nameKey(old, second);
  owner.revoke(second);
  expect(recovers(owner, key, owner.now)).toBe(true);
});

test("a second proposal takes the place of the first and waits its own seven days", () => {
  const owner = new Owner(11);
  owner.nameKey(undefined);
  const first = owner.nameKey(undefined);
  owner.now += 3 * DAY;
  const named = owner.now;
  const second = owner.nameKey(undefined);
  expect(recovers(owner, first, owner.now + 8 * DAY)).toBe(false);
  expect(recovers(owner, second, named + RECOVERY_KEY_DELAY_SECONDS - 1)).toBe(false);
  expect(recovers(owner, second, named + RECOVERY_KEY_DELAY_SECONDS)).toBe(true);
});

test("naming the key in force withdraws what waits, and is refused when nothing does", () => {
  const owner = new Owner(12);
  const old = owner.nameKey(undefined);
  const name = (): void => {
    const input = { recoveryKey: old.publicKey, signer: owner.first, nowSeconds: owner.now };
    owner.append(setRecoveryKey(owner.account, input, owner.random));
  };
  expect(codeOf(name)).toBe("duplicate");
  const key = owner.nameKey(undefined);
  name();
  owner.now += 30 * DAY;
  expect([recovers(owner, old, owner.now), recovers(owner, key, owner.now)]).toEqual([true, false]);
  expect(found(owner.account.recovery.inForce).key.equals(old.publicKey)).toBe(true);
});

test("a recovery key is no device's key and none that was used", () => {
  const owner = new Owner(13);
  const old = owner.nameKey(undefined);
  const second = owner.add();
  owner.nameKey(old);
  for (const { publicKey } of [owner.first.identity, second.identity, old]) {
    const input = { recoveryKey: publicKey, signer: owner.first, nowSeconds: owner.now };
    expect(codeOf(() => setRecoveryKey(owner.account, input, owner.random))).toBe("duplicate");
  }
});
