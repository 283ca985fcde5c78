import { LABELS } from "#crypto";
import {
  acceptDevice,
  type AccountState,
  activeDevice,
  addDevice,
  createGenesis,
  describeDevice,
  extendAccount,
  nextDeviceId,
  OUR_CAPABILITIES,
  proposeDevice,
  readAccountLog,
  recoverAccount,
  revokeDevice,
  userIdOfGenesis,
} from "#identity";
import {
  type Bytes,
  decodeLogEntry,
  decodeLogStatement,
  encodeLogEntry,
  encodeLogStatement,
  encodeRevokeDetails,
  LOG_ENTRIES_FOR_RECOVERY,
  LOG_TYPES,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_LOG_ENTRIES,
  parseDeviceId,
} from "#wire";
import { expect, test } from "vitest";
import { found, Owner, ownDevice, START, variedAccount } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";
import { deviceDetails, forge, type Forgery } from "../support/forge.ts";
import { seededRandom } from "../support/random.ts";

function refusalOf(owner: Owner, forgery: Forgery): string {
  return codeOf(() => extendAccount(owner.account, forge(owner, forgery), owner.now));
}

function ids(owner: Owner): readonly number[] {
  return owner.account.devices.map(({ deviceId }) => deviceId);
}

test("an account begins with one device, and its userId commits to the first entry", () => {
  const owner = new Owner(1);
  const { account, first } = owner;
  const genesis = found(owner.entries[0]);
  expect(account.userId).toBe(userIdOfGenesis(genesis));
  expect(account.genesisKey.equals(first.identity.publicKey)).toBe(true);
  expect(account.devices).toEqual([{ ...describeDevice(first), addedSeconds: START, addedBy: undefined }]);
  expect(account.head.length).toBe(1);
  expect(account.recovery).toEqual({ inForce: undefined, waiting: undefined });
});

test("no other log can be shown under a userId", () => {
  const [alice, eve] = [new Owner(2), new Owner(3)];
  expect(codeOf(() => readAccountLog(eve.entries, { userId: alice.userId, nowSeconds: START }))).toBe("bad-address");
  expect(codeOf(() => readAccountLog([], { userId: alice.userId, nowSeconds: START }))).toBe("truncated");
  expect(alice.read().userId).toBe(alice.userId);
});

test("reading a log at once and entry by entry is the same", () => {
  const owner = variedAccount(4);
  expect(owner.read()).toEqual(owner.account);
  for (let length = 1; length <= owner.entries.length; length++) {
    expect(owner.read(owner.entries.slice(0, length))).toEqual(owner.states[length - 1]);
  }
});

test("extending an account leaves the account before as it was", () => {
  const owner = new Owner(5);
  const before = owner.account;
  const printed = JSON.stringify([before, [...before.usedKeys], [...before.usedDeviceIds]]);
  owner.add();
  expect(JSON.stringify([before, [...before.usedKeys], [...before.usedDeviceIds]])).toBe(printed);
  expect(owner.account.devices).toHaveLength(2);
});

test("any active device adds and revokes, and a revoked one does neither", () => {
  const owner = new Owner(6);
  const { first } = owner;
  const second = owner.add();
  const third = owner.add(second);
  expect(ids(owner)).toEqual([1, 2, 3]);
  expect(activeDevice(owner.account, third.deviceId)?.addedBy).toBe(second.deviceId);
  owner.revoke(first, third);
  expect(ids(owner)).toEqual([2, 3]);
  expect(owner.account.genesisKey.equals(first.identity.publicKey)).toBe(true);
  const revoke = { signer: first.deviceId, details: encodeRevokeDetails({ deviceId: second.deviceId }) };
  expect(refusalOf(owner, { statement: revoke, signedBy: first.identity })).toBe("not-authorized");
  const another = ownDevice(owner.random, parseDeviceId(4));
  const add = { signer: first.deviceId, type: LOG_TYPES.addDevice, details: deviceDetails(another) };
  expect(refusalOf(owner, { statement: add, signedBy: first.identity, countersignedBy: another.identity })).toBe("not-authorized");
});

test("an account keeps one device", () => {
  const owner = new Owner(7);
  const last = { deviceId: owner.first.deviceId, signer: owner.first, nowSeconds: owner.now };
  expect(codeOf(() => revokeDevice(owner.account, last, owner.random))).toBe("not-authorized");
  owner.add();
  expect(revokeDevice(owner.account, last, owner.random).length).toBeGreaterThan(100);
});

test("a device that is not there cannot be revoked", () => {
  const owner = new Owner(8);
  owner.add();
  const target = { deviceId: parseDeviceId(9), signer: owner.first, nowSeconds: owner.now };
  expect(codeOf(() => revokeDevice(owner.account, target, owner.random))).toBe("bad-address");
});

test("the server cannot add a device, nor can a device of another account", () => {
  const [owner, other] = [new Owner(9), new Owner(10)];
  const ghost = ownDevice(seededRandom(11), parseDeviceId(2));
  const statement = { type: LOG_TYPES.addDevice, details: deviceDetails(ghost) };
  expect(refusalOf(owner, { statement, signedBy: ghost.identity, countersignedBy: ghost.identity })).toBe("bad-signature");
  expect(refusalOf(owner, { statement, signedBy: other.first.identity, countersignedBy: ghost.identity })).toBe("bad-signature");
  const byItself = { ...statement, signer: ghost.deviceId };
  expect(refusalOf(owner, { statement: byItself, signedBy: ghost.identity, countersignedBy: ghost.identity })).toBe("not-authorized");
  const honest = forge(owner, { statement, signedBy: owner.first.identity, countersignedBy: ghost.identity });
  expect(extendAccount(owner.account, honest, owner.now).devices).toHaveLength(2);
});

test("nobody is added who does not countersign: a key that is not one's own cannot be claimed", () => {
  const [owner, victim] = [new Owner(12), new Owner(13)];
  const claimed = { ...describeDevice(victim.first), deviceId: parseDeviceId(2) };
  const statement = { type: LOG_TYPES.addDevice, details: deviceDetails(claimed) };
  const { identity } = owner.first;
  expect(refusalOf(owner, { statement, signedBy: identity })).toBe("bad-signature");
  expect(refusalOf(owner, { statement, signedBy: identity, countersignedBy: identity })).toBe("bad-signature");
});

test("a signature does not count as a countersignature, nor the other way round", () => {
  const owner = new Owner(14);
  const device = ownDevice(seededRandom(15), parseDeviceId(2));
  const statement = { type: LOG_TYPES.addDevice, details: deviceDetails(device) };
  const keys = { signedBy: owner.first.identity, countersignedBy: device.identity };
  expect(refusalOf(owner, { statement, ...keys, counterLabel: LABELS.SIGN_LOG_ENTRY })).toBe("bad-signature");
  expect(refusalOf(owner, { statement, ...keys, label: LABELS.SIGN_LOG_COUNTERSIGN })).toBe("bad-signature");
  for (const label of [LABELS.SIGN_AUTH_CHALLENGE, LABELS.SIGN_PREKEY_RECORD]) {
    expect(refusalOf(owner, { statement, ...keys, label })).toBe("bad-signature");
    expect(refusalOf(owner, { statement, ...keys, counterLabel: label })).toBe("bad-signature");
  }
});

test("a countersignature that nobody asked for is refused", () => {
  const owner = new Owner(16);
  const second = owner.add();
  const statement = { details: encodeRevokeDetails({ deviceId: second.deviceId }) };
  expect(refusalOf(owner, { statement, signedBy: owner.first.identity, countersignedBy: second.identity })).toBe("bad-signature");
  const { statement: first, signature } = decodeLogEntry(found(owner.entries[0]));
  const padded = encodeLogEntry({ statement: first, signature, countersignature: signature });
  expect(codeOf(() => readAccountLog([padded], { userId: userIdOfGenesis(padded), nowSeconds: START }))).toBe("bad-signature");
});

test("a first entry is signed by the key that it names", () => {
  const device = ownDevice(seededRandom(17));
  const entry = createGenesis({ device, nowSeconds: START }, seededRandom(18));
  const { statement, countersignature } = decodeLogEntry(entry);
  const other = decodeLogEntry(createGenesis({ device: ownDevice(seededRandom(19)), nowSeconds: START }, seededRandom(20)));
  const swapped = encodeLogEntry({ statement, signature: other.signature, countersignature });
  expect(codeOf(() => readAccountLog([swapped], { userId: userIdOfGenesis(swapped), nowSeconds: START }))).toBe("bad-signature");
});

test("a log has one first entry, and it is a genesis", () => {
  const owner = new Owner(21);
  const genesis = found(owner.entries[0]);
  expect(codeOf(() => extendAccount(owner.account, genesis, owner.now))).toBe("out-of-order");
  const again = { type: LOG_TYPES.genesis, details: deviceDetails(ownDevice(seededRandom(22), parseDeviceId(2))) };
  expect(refusalOf(owner, { statement: again, signedBy: owner.first.identity })).toBe("not-authorized");
  const first = { userId: undefined, previousHash: undefined, sequence: 1, details: deviceDetails(owner.first) };
  for (const [type, signer] of [
    [LOG_TYPES.addDevice, owner.first.deviceId],
    [LOG_TYPES.recover, undefined],
    [LOG_TYPES.genesis, parseDeviceId(2)],
    [LOG_TYPES.genesis, undefined],
  ] as const) {
    const entry = forge(owner, { statement: { ...first, type, signer }, signedBy: owner.first.identity });
    expect(codeOf(() => readAccountLog([entry], { userId: userIdOfGenesis(entry), nowSeconds: START }))).toBe("not-authorized");
  }
});

test("entries come in their order, each upon the one before, in the account they were made for", () => {
  const owner = new Owner(23);
  const second = owner.add();
  const details = encodeRevokeDetails({ deviceId: second.deviceId });
  const refused = (statement: Forgery["statement"]): string =>
    refusalOf(owner, { statement: { details, ...statement }, signedBy: owner.first.identity });
  expect(refused({ sequence: 2 })).toBe("out-of-order");
  expect(refused({ sequence: 4 })).toBe("out-of-order");
  expect(refused({ previousHash: new Uint8Array(32).fill(7) })).toBe("broken-chain");
  expect(refused({ previousHash: found(owner.states[0]).head.hash })).toBe("broken-chain");
  expect(refused({ userId: new Owner(24).userId })).toBe("bad-address");
  expect(
    extendAccount(owner.account, forge(owner, { statement: { details }, signedBy: owner.first.identity }), owner.now).devices,
  ).toHaveLength(1);
});

test("time does not go back, and a day ahead of the reader is as far as it goes", () => {
  const owner = new Owner(25);
  const second = owner.add();
  const details = encodeRevokeDetails({ deviceId: second.deviceId });
  const at = (createdSeconds: number): Bytes => forge(owner, { statement: { details, createdSeconds }, signedBy: owner.first.identity });
  const newest = owner.account.createdSeconds;
  expect(codeOf(() => extendAccount(owner.account, at(newest - 1), owner.now))).toBe("out-of-order");
  expect(extendAccount(owner.account, at(newest), owner.now).createdSeconds).toBe(newest);
  const limit = owner.now + 86_400;
  expect(codeOf(() => extendAccount(owner.account, at(limit + 1), owner.now))).toBe("too-far-ahead");
  expect(extendAccount(owner.account, at(limit), owner.now).createdSeconds).toBe(limit);
  expect(codeOf(() => readAccountLog(owner.entries, { userId: owner.userId, nowSeconds: START - 86_401 }))).toBe("too-far-ahead");
});

test("six devices and no more", () => {
  const owner = new Owner(26);
  while (owner.devices.length < MAX_DEVICES_PER_ACCOUNT) owner.add();
  expect(codeOf(() => owner.writeAdd(ownDevice(owner.random, nextDeviceId(owner.account))))).toBe("over-limit");
  owner.revoke(found(owner.devices[3]));
  expect(owner.add().deviceId).toBe(7);
});

test("a log ends, for devices a little before it does for the recovery key", () => {
  const owner = new Owner(46);
  const second = owner.add();
  const key = owner.nameKey(undefined);
  const long = (length: number): AccountState => ({ ...owner.account, head: { ...owner.account.head, length } });
  const revoke = { deviceId: second.deviceId, signer: owner.first, nowSeconds: owner.now };
  expect(revokeDevice(long(MAX_LOG_ENTRIES - 1), revoke, owner.random).length).toBeGreaterThan(100);
  expect(codeOf(() => revokeDevice(long(MAX_LOG_ENTRIES), revoke, owner.random))).toBe("over-limit");
  const recover = { device: ownDevice(owner.random, parseDeviceId(3)), recoveryKey: key.privateKey, nowSeconds: owner.now };
  const whole = MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY;
  expect(recoverAccount(long(whole - 1), recover, owner.random).length).toBeGreaterThan(100);
  expect(codeOf(() => recoverAccount(long(whole), recover, owner.random))).toBe("over-limit");
  const entries = Array.from({ length: whole + 1 }, () => found(owner.entries[0]));
  expect(codeOf(() => owner.read(entries))).toBe("over-limit");
  expect(codeOf(() => owner.read(entries.slice(1)))).toBe("out-of-order");
});

test("no key serves twice, also not when its device is gone", () => {
  const owner = new Owner(27);
  const key = owner.nameKey(undefined);
  const second = owner.add();
  const again = (identity: typeof key): string =>
    codeOf(() => owner.writeAdd({ ...ownDevice(owner.random, nextDeviceId(owner.account)), identity }));
  expect(again(owner.first.identity)).toBe("duplicate");
  expect(again(key)).toBe("duplicate");
  owner.revoke(second);
  expect(again(second.identity)).toBe("duplicate");
  const newKey = owner.nameKey(key);
  expect(again(key)).toBe("duplicate");
  expect(again(newKey)).toBe("duplicate");
  expect(owner.writeAdd(ownDevice(owner.random, nextDeviceId(owner.account))).length).toBeGreaterThan(200);
});

test("a device id comes back only when all 127 were used", () => {
  const owner = new Owner(28);
  const second = owner.add();
  owner.revoke(second);
  expect(nextDeviceId(owner.account)).toBe(3);
  expect(codeOf(() => owner.writeAdd(ownDevice(owner.random, parseDeviceId(2))))).toBe("duplicate");
  for (let id = 3; id <= 127; id++) owner.revoke(owner.add());
  expect(owner.account.usedDeviceIds.size).toBe(127);
  expect(codeOf(() => owner.writeAdd(ownDevice(owner.random, owner.first.deviceId)))).toBe("duplicate");
  expect(owner.add().deviceId).toBe(2);
  expect(nextDeviceId(owner.account)).toBe(3);
  expect(codeOf(() => owner.writeAdd(ownDevice(owner.random, parseDeviceId(2))))).toBe("duplicate");
});

test("an entry of a type that is not known stops the reader, but only when its owner wrote it", () => {
  const owner = new Owner(29);
  const statement = { type: 7, details: new Uint8Array([1]) };
  expect(refusalOf(owner, { statement, signedBy: owner.first.identity })).toBe("upgrade-required");
  expect(refusalOf(owner, { statement, signedBy: new Owner(30).first.identity })).toBe("bad-signature");
  const unknownField = { details: new Uint8Array([8, 1, 40, 1]) };
  expect(refusalOf(owner, { statement: unknownField, signedBy: owner.first.identity })).toBe("upgrade-required");
});

test("an extension of what was signed is kept and ignored, an extension beside it is refused", () => {
  const owner = new Owner(31);
  const second = owner.add();
  const extension = new Uint8Array([0x80, 0x08, 5]);
  const details = new Uint8Array([...encodeRevokeDetails({ deviceId: second.deviceId }), ...extension]);
  const entry = forge(owner, { statement: { details, extensions: [extension] }, signedBy: owner.first.identity });
  expect(extendAccount(owner.account, entry, owner.now).devices).toHaveLength(1);
  const beside = new Uint8Array([...entry, ...extension]);
  expect(codeOf(() => extendAccount(owner.account, beside, owner.now))).toBe("unknown-critical");
});

test("a new device agrees to nothing but its own addition to the account it means", () => {
  const owner = new Owner(32);
  const device = ownDevice(seededRandom(33), parseDeviceId(2));
  const described = describeDevice(device);
  const proposal = proposeDevice(owner.account, { device: described, signer: owner.first.deviceId, nowSeconds: owner.now });
  const accept = (change: Partial<Parameters<typeof acceptDevice>[0]>): Bytes =>
    acceptDevice({ proposal, userId: owner.userId, device, ...change }, owner.random);
  expect(accept({})).toHaveLength(64);
  expect(codeOf(() => accept({ userId: new Owner(34).userId }))).toBe("bad-address");
  expect(codeOf(() => accept({ device: { ...device, deviceId: parseDeviceId(3) } }))).toBe("bad-address");
  expect(codeOf(() => accept({ device: { ...device, capabilities: { ...OUR_CAPABILITIES, pqRatchet: false } } }))).toBe("bad-address");
  expect(codeOf(() => accept({ device: { ...device, identity: owner.first.identity } }))).toBe("bad-address");
  const fields = decodeLogStatement(proposal);
  const otherwise = [
    { type: LOG_TYPES.recover },
    { details: encodeRevokeDetails({ deviceId: parseDeviceId(1) }) },
    { extensions: [new Uint8Array([0x80, 0x08, 1])] },
  ];
  for (const change of otherwise)
    expect(codeOf(() => accept({ proposal: encodeLogStatement({ ...fields, ...change }) }))).toBe("bad-address");
});

test("an active device signs no proposal but for the device that its owner approved", () => {
  const owner = new Owner(35);
  const device = ownDevice(seededRandom(36), parseDeviceId(2));
  const ghost = ownDevice(seededRandom(37), parseDeviceId(2));
  const propose = (which: typeof device): Bytes =>
    proposeDevice(owner.account, { device: describeDevice(which), signer: owner.first.deviceId, nowSeconds: owner.now });
  const agree = (which: typeof device): Bytes =>
    acceptDevice({ proposal: propose(which), userId: owner.userId, device: which }, owner.random);
  const base = { device: describeDevice(device), signer: owner.first, nowSeconds: owner.now };
  const add = (proposal: Bytes, countersignature: Bytes): Bytes =>
    addDevice(owner.account, { ...base, proposal, countersignature }, owner.random);
  expect(codeOf(() => add(propose(ghost), agree(ghost)))).toBe("bad-address");
  expect(codeOf(() => add(propose(device), agree(ghost)))).toBe("bad-signature");
  expect(extendAccount(owner.account, add(propose(device), agree(device)), owner.now).devices).toHaveLength(2);
});

test("a proposal is good for one place in the log only", () => {
  const owner = new Owner(38);
  const device = ownDevice(seededRandom(39), parseDeviceId(2));
  const described = describeDevice(device);
  const proposal = proposeDevice(owner.account, { device: described, signer: owner.first.deviceId, nowSeconds: owner.now });
  const countersignature = acceptDevice({ proposal, userId: owner.userId, device }, owner.random);
  owner.nameKey(undefined);
  const input = { proposal, device: described, countersignature, signer: owner.first, nowSeconds: owner.now };
  expect(codeOf(() => addDevice(owner.account, input, owner.random))).toBe("out-of-order");
});

test("a device whose clock is behind still writes", () => {
  const owner = new Owner(40);
  const second = owner.add();
  owner.now -= 3000;
  owner.revoke(second);
  expect(owner.account.createdSeconds).toBe(START);
});

test("what was read before is not verified again, but must be the same", () => {
  const owner = variedAccount(41);
  const early = found(owner.states[4]).head;
  const read = (entries: readonly Bytes[], verified = early): unknown =>
    readAccountLog(entries, { userId: owner.userId, nowSeconds: owner.now, verified });
  expect(read(owner.entries)).toEqual(owner.account);
  expect(codeOf(() => read(owner.entries.slice(0, 4)))).toBe("broken-chain");
  expect(codeOf(() => read(owner.entries, { ...early, length: 4 }))).toBe("broken-chain");
  expect(codeOf(() => read(owner.entries, { ...early, length: 0 }))).toBe("broken-chain");
  const damaged = owner.entries.map((entry, at) => (at === 5 ? withFlippedSignature(entry) : entry));
  expect(codeOf(() => read(damaged))).toBe("bad-signature");
  const damagedEarly = owner.entries.map((entry, at) => (at === 2 ? withFlippedSignature(entry) : entry));
  expect(codeOf(() => read(damagedEarly))).toBe("broken-chain");
});

function withFlippedSignature(entry: Bytes): Bytes {
  const { statement, signature, countersignature } = decodeLogEntry(entry);
  const flipped = signature.slice();
  flipped[40] = (flipped[40] ?? 0) ^ 1;
  return encodeLogEntry({ statement, signature: flipped, countersignature });
}

test("recovery puts one new device in the place of all, and says so", () => {
  const owner = new Owner(42);
  owner.add();
  const key = owner.nameKey(undefined);
  const genesisKey = owner.account.genesisKey;
  const device = owner.recover(key);
  expect(ids(owner)).toEqual([3]);
  expect(owner.account.recovered).toEqual({ sequence: 4, createdSeconds: owner.account.createdSeconds });
  expect(owner.account.genesisKey).toBe(genesisKey);
  owner.add(device);
  expect(ids(owner)).toEqual([3, 4]);
  expect(owner.account.recovered?.sequence).toBe(4);
});

test("nobody recovers without the key in force, and the key does nothing else", () => {
  const owner = new Owner(43);
  const device = ownDevice(seededRandom(44), parseDeviceId(2));
  const { identity } = owner.first;
  const recover = { type: LOG_TYPES.recover, details: deviceDetails(device) };
  const withoutKey = { account: owner.account, input: { device, recoveryKey: identity.privateKey, nowSeconds: owner.now } };
  expect(codeOf(() => recoverAccount(withoutKey.account, withoutKey.input, owner.random))).toBe("not-authorized");
  const key = owner.nameKey(undefined);
  const byKey = { ...recover, signer: undefined };
  expect(refusalOf(owner, { statement: byKey, signedBy: identity, countersignedBy: device.identity })).toBe("bad-signature");
  expect(refusalOf(owner, { statement: recover, signedBy: identity, countersignedBy: device.identity })).toBe("not-authorized");
  expect(refusalOf(owner, { statement: byKey, signedBy: key })).toBe("bad-signature");
  expect(refusalOf(owner, { statement: byKey, signedBy: key, countersignedBy: identity })).toBe("bad-signature");
  const add = { type: LOG_TYPES.addDevice, details: deviceDetails(device), signer: undefined };
  expect(refusalOf(owner, { statement: add, signedBy: key, countersignedBy: device.identity })).toBe("not-authorized");
  const revoke = { details: encodeRevokeDetails({ deviceId: owner.first.deviceId }), signer: undefined };
  expect(refusalOf(owner, { statement: revoke, signedBy: key })).toBe("not-authorized");
  const honest = forge(owner, { statement: byKey, signedBy: key, countersignedBy: device.identity });
  expect(extendAccount(owner.account, honest, owner.now).devices).toHaveLength(1);
});
