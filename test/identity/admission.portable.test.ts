import { admitEntry, createGenesis, extendAccount, OUR_CAPABILITIES, type OwnDevice, readAccountLog, userIdOfGenesis } from "#identity";
import { FRESHNESS_SECONDS, parseDeviceId } from "#wire";
import { expect, test } from "vitest";
import { DAY, found, Owner, ownDevice, START } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";
import { forge } from "../support/forge.ts";
import { seededRandom } from "../support/random.ts";

const random = seededRandom(1);

test("a server admits first entries and next ones, as readers would", () => {
  const owner = new Owner(2);
  const genesis = found(owner.entries[0]);
  const account = admitEntry(undefined, genesis, START);
  expect(account).toEqual(owner.account);
  const entry = owner.writeAdd(ownDevice(random, parseDeviceId(2)));
  expect(admitEntry(account, entry, START)).toEqual(extendAccount(account, entry, START));
  expect(codeOf(() => admitEntry(undefined, entry, START))).toBe("out-of-order");
  expect(codeOf(() => admitEntry(account, genesis, START))).toBe("out-of-order");
});

test("ten minutes either way are new, a second more is not", () => {
  const owner = new Owner(3);
  owner.now += 30 * DAY;
  const entry = owner.writeAdd(ownDevice(random, parseDeviceId(2)));
  const at = (nowSeconds: number): number => admitEntry(owner.account, entry, nowSeconds).devices.length;
  expect(at(owner.now + FRESHNESS_SECONDS)).toBe(2);
  expect(at(owner.now - FRESHNESS_SECONDS)).toBe(2);
  expect(codeOf(() => at(owner.now + FRESHNESS_SECONDS + 1))).toBe("expired");
  expect(codeOf(() => at(owner.now - FRESHNESS_SECONDS - 1))).toBe("too-far-ahead");
});

test("a stolen device cannot sign the seven days of a recovery key away", () => {
  const owner = new Owner(4);
  owner.nameKey(undefined);
  owner.now += 30 * DAY;
  const before = owner.now;
  owner.now -= 8 * DAY;
  owner.nameKey(undefined);
  expect(codeOf(() => admitEntry(found(owner.states.at(-2)), found(owner.entries.at(-1)), before))).toBe("expired");
});

test("a device that cannot speak today's protocol is not admitted, though a log that has one can be read", () => {
  for (const weaker of [{ pqRatchet: false }, { messageVersion: 3 }]) {
    const device: OwnDevice = { ...ownDevice(random), capabilities: { ...OUR_CAPABILITIES, ...weaker } };
    const genesis = createGenesis({ device, nowSeconds: START }, random);
    expect(codeOf(() => admitEntry(undefined, genesis, START))).toBe("upgrade-required");
    expect(readAccountLog([genesis], { userId: userIdOfGenesis(genesis), nowSeconds: START }).devices).toHaveLength(1);
  }
  const owner = new Owner(5);
  const device = { ...ownDevice(random, parseDeviceId(2)), capabilities: { ...OUR_CAPABILITIES, pqRatchet: false } };
  expect(codeOf(() => admitEntry(owner.account, owner.writeAdd(device), START))).toBe("upgrade-required");
  const capable = { ...device, capabilities: { ...OUR_CAPABILITIES, padding: false } };
  expect(admitEntry(owner.account, owner.writeAdd(capable), START).devices).toHaveLength(2);
});

test("what readers refuse a server refuses", () => {
  const owner = new Owner(6);
  const second = owner.add();
  const entry = forge(owner, { statement: { details: new Uint8Array([8, second.deviceId]) }, signedBy: second.identity });
  expect(codeOf(() => admitEntry(owner.account, entry, owner.now))).toBe("bad-signature");
});
