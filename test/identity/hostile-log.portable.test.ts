// Logs as a hostile server could show them, made from honest ones: damaged, cut, reordered, spliced, repeated.

import { extendAccount, openLogEntry, readAccountLog, userIdOfGenesis } from "#identity";
import { type Bytes, sameBytes, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY, found, Owner, variedAccount } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { type Dice, seededDice } from "../support/random.ts";

/** What an owner can do; what is impossible at the moment is left out. */
const STEPS: readonly ((owner: Owner, dice: Dice) => void)[] = [
  (owner, dice) => {
    if (owner.devices.length < 6) owner.add(dice.pick(owner.devices));
  },
  (owner, dice) => {
    if (owner.devices.length > 1) owner.revoke(dice.pick(owner.devices), dice.pick(owner.devices));
  },
  (owner, dice) => {
    const consenting = dice.chance(0.5) ? owner.recoveryKey : undefined;
    const waits = consenting === undefined && owner.account.recovery.inForce !== undefined;
    const key = owner.nameKey(consenting, dice.pick(owner.devices));
    if (!waits) owner.recoveryKey = key;
  },
  (owner) => {
    const { inForce } = owner.account.recovery;
    const key = owner.recoveryKey;
    if (key === undefined || inForce?.key.equals(key.publicKey) !== true || owner.account.recovery.waiting !== undefined) return;
    owner.recover(key);
  },
  (owner, dice) => {
    owner.now += dice.roll(4) * DAY;
  },
];

function history(seed: number, steps: readonly number[]): Owner {
  const owner = new Owner(seed);
  const dice = seededDice(seed);
  for (const step of steps) {
    const known = owner.account.recovery.inForce?.key;
    if (owner.recoveryKey !== undefined && known?.equals(owner.recoveryKey.publicKey) !== true) owner.recoveryKey = undefined;
    found(STEPS[step % STEPS.length])(owner, dice);
  }
  return owner;
}

const anyHistory = fc
  .record({ seed: fc.nat(), steps: fc.array(fc.nat({ max: STEPS.length - 1 }), { minLength: 2, maxLength: 8 }) })
  .map(({ seed, steps }) => history(seed, steps));

test("whatever an owner does, every reader agrees and the account stays sound", () => {
  fc.assert(
    fc.property(anyHistory, (owner) => {
      expect(owner.read()).toEqual(owner.account);
      const { devices, usedKeys, usedDeviceIds, head } = owner.account;
      expect(devices.length).toBeGreaterThan(0);
      expect(devices.length).toBeLessThanOrEqual(6);
      expect(head.length).toBe(owner.entries.length);
      expect(new Set(devices.map(({ deviceId }) => deviceId))).toEqual(new Set(owner.devices.map(({ deviceId }) => deviceId)));
      expect(new Set(devices.map(({ identityKey }) => toHex(identityKey.raw))).size).toBe(devices.length);
      for (const { deviceId, identityKey } of devices) {
        expect(usedDeviceIds.has(deviceId)).toBe(true);
        expect(usedKeys.has(toHex(identityKey.raw))).toBe(true);
      }
    }),
    { numRuns: 25, seed: 1 },
  );
});

/** Another list of entries, made of an honest log and one of somebody else. */
const REARRANGEMENTS: readonly ((entries: readonly Bytes[], other: readonly Bytes[], dice: Dice) => readonly Bytes[])[] = [
  (entries, _, dice) => without(entries, dice.roll(entries.length)),
  (entries, _, dice) => inserted(entries, dice.roll(entries.length + 1), dice.pick(entries)),
  (entries, other, dice) => inserted(entries, dice.roll(entries.length + 1), dice.pick(other)),
  (entries, other, dice) => replaced(entries, dice.roll(entries.length), dice.pick(other)),
  (entries, other, dice) => [...entries.slice(0, dice.roll(entries.length + 1)), ...other.slice(dice.roll(other.length))],
  (entries) => entries.toReversed(),
  (entries, _, dice) => swapped(entries, dice.roll(entries.length), dice.roll(entries.length)),
  (entries, _, dice) => {
    const at = dice.roll(entries.length);
    return replaced(entries, at, mutate(found(entries[at]), dice));
  },
];

function without(entries: readonly Bytes[], at: number): readonly Bytes[] {
  return entries.filter((_, index) => index !== at);
}

function inserted(entries: readonly Bytes[], at: number, entry: Bytes): readonly Bytes[] {
  return [...entries.slice(0, at), entry, ...entries.slice(at)];
}

function replaced(entries: readonly Bytes[], at: number, entry: Bytes): readonly Bytes[] {
  return entries.map((old, index) => (index === at ? entry : old));
}

function swapped(entries: readonly Bytes[], a: number, b: number): readonly Bytes[] {
  return replaced(replaced(entries, a, found(entries[b])), b, found(entries[a]));
}

function isPrefix(entries: readonly Bytes[], whole: readonly Bytes[]): boolean {
  return entries.length > 0 && entries.length <= whole.length && entries.every((entry, at) => sameBytes(entry, found(whole[at])));
}

test("of everything that can be made of a log, only its own beginnings are read", () => {
  const other = variedAccount(2).entries;
  fc.assert(
    fc.property(anyHistory, fc.nat(), (owner, seed) => {
      const dice = seededDice(seed);
      for (let i = 0; i < 12; i++) {
        const entries = dice.pick(REARRANGEMENTS)(owner.entries, other, dice);
        if (isPrefix(entries, owner.entries)) expect(owner.read(entries)).toEqual(owner.states[entries.length - 1]);
        else expect(codeOf(() => owner.read(entries))).toMatch(/^[a-z-]+$/);
      }
    }),
    { numRuns: 15, seed: 2 },
  );
});

test("a damaged entry is refused at its own place, and the account is as it was", () => {
  const owner = variedAccount(3);
  const dice = seededDice(3);
  for (let i = 0; i < 800; i++) {
    const at = 1 + dice.roll(owner.entries.length - 1);
    const before = found(owner.states[at - 1]);
    expect(codeOf(() => extendAccount(before, mutate(found(owner.entries[at]), dice), owner.now))).toMatch(/^[a-z-]+$/);
    expect(before.head.length).toBe(at);
  }
  expect(owner.read()).toEqual(owner.account);
});

test("a damaged first entry makes no account, under its own name or under a new one", () => {
  const owner = new Owner(4);
  const genesis = found(owner.entries[0]);
  const dice = seededDice(4);
  for (let i = 0; i < 300; i++) {
    const damaged = mutate(genesis, dice);
    expect(codeOf(() => owner.read([damaged]))).toMatch(/^[a-z-]+$/);
    const userId = userIdOfGenesis(damaged);
    expect(codeOf(() => readAccountLog([damaged], { userId, nowSeconds: owner.now }))).toMatch(/^[a-z-]+$/);
  }
});

test("noise is no entry", () => {
  const { account, now } = new Owner(5);
  const dice = seededDice(5);
  for (let i = 0; i < 5000; i++) {
    const noise = Uint8Array.from({ length: dice.roll(300) }, () => dice.roll(256));
    expect(codeOf(() => openLogEntry(noise))).toMatch(/^[a-z-]+$/);
    expect(codeOf(() => extendAccount(account, noise, now))).toMatch(/^[a-z-]+$/);
  }
});

test("an entry is refused a second time, also right after the first", () => {
  const owner = variedAccount(6);
  for (const entry of owner.entries) expect(codeOf(() => extendAccount(owner.account, entry, owner.now))).toBe("out-of-order");
});
