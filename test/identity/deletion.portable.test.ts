// The end of an account: who may write it, and that nothing comes behind it.

import { generateKeyPair } from "#crypto";
import { admitEntry, deleteAccount, extendAccount, readAccountLog, recoverAccount } from "#identity";
import { encodeDeletionDetails, encodeRevokeDetails, LOG_ENTRIES_FOR_RECOVERY, LOG_TYPES, MAX_LOG_ENTRIES, parseDeviceId } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { found, Owner, ownDevice, variedAccount } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";
import { deviceDetails, forge, type Forgery } from "../support/forge.ts";
import { mutate } from "../support/mutate.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const END = { type: LOG_TYPES.deleteAccount, details: encodeDeletionDetails({ final: true }) };

function ended(seed: number): Owner {
  const owner = variedAccount(seed);
  owner.add();
  owner.append(owner.writeEnd(owner.devices[1]));
  return owner;
}

function refusalOf(owner: Owner, forgery: Forgery): string {
  return codeOf(() => extendAccount(owner.account, forge(owner, forgery), owner.now));
}

test("any active device ends the account, and every reader sees who was there and that nobody is", () => {
  const owner = ended(1);
  const { account } = owner;
  const before = found(owner.states.at(-2));
  expect(before.deletedSeconds).toBeUndefined();
  expect(account.deletedSeconds).toBe(account.createdSeconds);
  expect(account.devices).toEqual([]);
  expect(account.recovery).toEqual({ inForce: undefined, waiting: undefined });
  expect([account.genesisKey, account.usedKeys]).toEqual([before.genesisKey, before.usedKeys]);
  expect(owner.read()).toEqual(account);
  const verified = found(owner.states[2]).head;
  expect(readAccountLog(owner.entries, { userId: owner.userId, nowSeconds: owner.now, verified })).toEqual(account);
});

test("nothing follows the end: no device, no recovery key, no type that only a newer version knows", () => {
  const owner = ended(2);
  const key = found(owner.recoveryKey);
  const newcomer = ownDevice(seededRandom(3), parseDeviceId(9));
  const details = deviceDetails(newcomer);
  const statements: readonly Forgery["statement"][] = [
    { type: LOG_TYPES.addDevice, details },
    { type: LOG_TYPES.recover, details, signer: undefined },
    { details: encodeRevokeDetails({ deviceId: owner.first.deviceId }) },
    END,
    { type: 99, details: Uint8Array.of(8, 1) },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...statements), fc.constantFrom(...owner.devices), fc.boolean(), (statement, signer, counter) => {
      const signed = { signer: signer.deviceId, ...statement };
      const signedBy = signed.signer === undefined ? key : signer.identity;
      const by = { statement: signed, signedBy, ...(counter ? { countersignedBy: newcomer.identity } : {}) };
      expect(refusalOf(owner, by)).toBe("not-authorized");
    }),
    { numRuns: 30, seed: 1 },
  );
  const recover = { device: newcomer, recoveryKey: key.privateKey, nowSeconds: owner.now };
  expect(codeOf(() => recoverAccount(owner.account, recover, owner.random))).toBe("not-authorized");
  // The same one is good where the end has not come.
  expect(recoverAccount(found(owner.states.at(-2)), recover, owner.random).length).toBeGreaterThan(100);
});

test("nobody else ends it: not the server, another account, a revoked device, nor the recovery key", () => {
  const owner = new Owner(4);
  const other = new Owner(5);
  const second = owner.add();
  owner.revoke(second);
  const key = owner.nameKey(undefined);
  expect(refusalOf(owner, { statement: END, signedBy: generateKeyPair(seededRandom(6)) })).toBe("bad-signature");
  expect(refusalOf(owner, { statement: END, signedBy: other.first.identity })).toBe("bad-signature");
  expect(refusalOf(owner, { statement: { ...END, signer: second.deviceId }, signedBy: second.identity })).toBe("not-authorized");
  expect(refusalOf(owner, { statement: { ...END, signer: undefined }, signedBy: key })).toBe("not-authorized");
  expect(refusalOf(owner, { statement: END, signedBy: owner.first.identity, countersignedBy: key })).toBe("bad-signature");
  expect(refusalOf(owner, { statement: { ...END, details: Uint8Array.of(8, 0) }, signedBy: owner.first.identity })).toBe("not-canonical");
  const honest = forge(owner, { statement: END, signedBy: owner.first.identity });
  expect(extendAccount(owner.account, honest, owner.now).devices).toEqual([]);
});

test("of a log that has ended only its own beginnings are read, and no damage to the end is taken", () => {
  const owner = ended(7);
  const end = found(owner.entries.at(-1));
  const dice = seededDice(7);
  for (let i = 0; i < 100; i++) {
    const at = dice.roll(owner.entries.length - 1);
    const moved = [...owner.entries.slice(0, at), end, ...owner.entries.slice(at, -1)];
    expect(codeOf(() => owner.read(moved))).toMatch(/^[a-z-]+$/);
    expect(codeOf(() => extendAccount(found(owner.states.at(-2)), mutate(end, dice), owner.now))).toMatch(/^[a-z-]+$/);
  }
  for (let length = 1; length <= owner.entries.length; length++) {
    expect(owner.read(owner.entries.slice(0, length))).toEqual(owner.states[length - 1]);
  }
});

test("a log that is full still ends, and a server admits an end that is fresh", () => {
  const owner = new Owner(8);
  const full = { ...owner.account, head: { ...owner.account.head, length: MAX_LOG_ENTRIES } };
  const signer = owner.first;
  const end = deleteAccount(full, { signer, nowSeconds: owner.now }, owner.random);
  expect(admitEntry(full, end, owner.now).deletedSeconds).toBe(owner.now);
  expect(codeOf(() => admitEntry(full, end, owner.now + 3600))).toBe("expired");
  const beyond = { ...full, head: { ...full.head, length: MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY } };
  expect(codeOf(() => deleteAccount(beyond, { signer, nowSeconds: owner.now }, owner.random))).toBe("over-limit");
});
