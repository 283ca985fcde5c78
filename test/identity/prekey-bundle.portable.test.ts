import { KyberPublicKey, parsePublicKey } from "#crypto";
import { checkPreKeyBundle, createGenesis, createPreKeySet, OUR_CAPABILITIES, readAccountLog, userIdOfGenesis } from "#identity";
import { initiateSession, EMPTY_RECORD } from "#protocol";
import {
  decodeAccountKeys,
  decodeDevicePreKeys,
  type DevicePreKeys,
  encodeAccountKeys,
  encodeDevicePreKeys,
  parseDeviceId,
  PREKEY_RECORD_LIFETIME_SECONDS,
} from "#wire";
import { expect, test } from "vitest";
import { DAY, found, Owner, ownDevice, START } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { addressOf, Device } from "../support/devices.ts";
import { mutate } from "../support/mutate.ts";
import { handedOut, oneTimeKeys, preKeyInput, preKeySet } from "../support/prekeys.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const owner = new Owner(2);
const second = owner.add();
const { first, account } = owner;
const set = preKeySet(owner.userId, first, random);
const keys = handedOut(set, first, random);
const context = { account, nowSeconds: START };

type Context = Partial<Parameters<typeof checkPreKeyBundle>[1]>;

function check(change: Partial<DevicePreKeys>, where: Context = {}): ReturnType<typeof checkPreKeyBundle> {
  return checkPreKeyBundle({ ...keys, ...change }, { ...context, ...where });
}

function refusal(change: Partial<DevicePreKeys>, where: Context = {}): string {
  return codeOf(() => check(change, where));
}

test("a sender gets the keys that the device signed, and a session begins with them", () => {
  const checked = check({});
  expect(checked).toMatchObject({
    address: { userId: owner.userId, deviceId: 1 },
    registrationId: first.registrationId,
    recordSeconds: START,
  });
  expect(checked.identityKey.equals(first.identity.publicKey)).toBe(true);
  expect(checked.signedPreKey.publicKey.equals(parsePublicKey(set.signedPreKey.publicKey))).toBe(true);
  expect(checked.kyberPreKey.publicKey).toEqual(KyberPublicKey.parse(found(set.oneTime[0]).publicKey));
  expect(check({ kemPreKey: set.lastResort, oneTimePreKey: undefined })).toMatchObject({
    kyberPreKey: { id: 1 },
    oneTimePreKey: undefined,
  });
  const { local } = new Device(addressOf(3), random);
  expect(initiateSession(EMPTY_RECORD, { local, bundle: checked, nowSeconds: START }, random).kind).toBe("done");
});

test("keys and log travel together", () => {
  const answer = { log: { entries: owner.entries }, devices: [keys] };
  expect(decodeAccountKeys(encodeAccountKeys(answer))).toEqual(answer);
});

test("a device that the log does not know, or knows no more, gets no message", () => {
  expect(refusal({ deviceId: parseDeviceId(9) })).toBe("not-authorized");
  const other = new Owner(2);
  const gone = other.add();
  const keysOfGone = handedOut(preKeySet(other.userId, gone, random), gone, random);
  expect(checkPreKeyBundle(keysOfGone, { account: other.account, nowSeconds: START }).address.deviceId).toBe(2);
  other.revoke(gone);
  expect(codeOf(() => checkPreKeyBundle(keysOfGone, { account: other.account, nowSeconds: START }))).toBe("not-authorized");
});

test("one device's keys are not another's, of the same account or of a different one", () => {
  expect(refusal({ deviceId: second.deviceId })).toBe("bad-signature");
  const eve = new Owner(4);
  expect(refusal(handedOut(preKeySet(eve.userId, eve.first, random), eve.first, random))).toBe("bad-signature");
  // Eve claims the victim's key as her own in keys for her account: the victim never signed a record for it.
  expect(refusal({}, { account: { ...eve.account, devices: account.devices } })).toBe("bad-address");
});

test("an old record is refused: by its expiry to the second, and by whoever saw a newer one", () => {
  const last = START + PREKEY_RECORD_LIFETIME_SECONDS;
  expect(check({}, { nowSeconds: last }).recordSeconds).toBe(START);
  expect(refusal({}, { nowSeconds: last + 1 })).toBe("expired");
  expect(check({}, { nowSeconds: START - DAY }).recordSeconds).toBe(START);
  expect(refusal({}, { nowSeconds: START - DAY - 1 })).toBe("too-far-ahead");
  expect(check({}, { seenSeconds: START }).recordSeconds).toBe(START);
  expect(refusal({}, { seenSeconds: START + 1 })).toBe("replayed");
});

test("every key must be the record's, in its role", () => {
  const strange = preKeySet(owner.userId, first, random);
  expect(refusal({ record: strange.record })).toBe("not-authorized");
  expect(refusal({ signedPreKey: strange.signedPreKey })).toBe("not-authorized");
  expect(refusal({ signedPreKey: { ...set.signedPreKey, id: 2 } })).toBe("not-authorized");
  expect(refusal({ kemPreKey: strange.lastResort })).toBe("not-authorized");
  expect(refusal({ kemPreKey: { ...set.lastResort, id: 2 } })).toBe("not-authorized");
  expect(refusal({ kemPreKey: { ...set.lastResort, publicKey: set.signedPreKey.publicKey } })).toBe("bad-key");
  expect(refusal({ signedPreKey: { ...set.signedPreKey, publicKey: set.lastResort.publicKey } })).toBe("bad-key");
});

test("a one-time key is a key of its own", () => {
  const [key] = oneTimeKeys([1], random);
  expect(check({ oneTimePreKey: key }).oneTimePreKey?.id).toBe(1);
  expect(refusal({ oneTimePreKey: { id: 0, publicKey: found(key).publicKey } })).toBe("bad-key");
  expect(refusal({ oneTimePreKey: { id: 1, publicKey: set.signedPreKey.publicKey } })).toBe("duplicate");
  expect(refusal({ oneTimePreKey: { id: 1, publicKey: first.identity.publicKey.encode() } })).toBe("duplicate");
  expect(refusal({ oneTimePreKey: { id: 1, publicKey: new Uint8Array(33) } })).toBe("bad-key");
});

test("nobody is talked down to a device that cannot do what the log says every device can", () => {
  for (const weaker of [{ pqRatchet: false }, { messageVersion: 3 }]) {
    const device = { ...ownDevice(random), capabilities: { ...OUR_CAPABILITIES, ...weaker } };
    const genesis = createGenesis({ device, nowSeconds: START }, random);
    const userId = userIdOfGenesis(genesis);
    const weak = readAccountLog([genesis], { userId, nowSeconds: START });
    const handed = handedOut(createPreKeySet(preKeyInput(userId, device, random), random), device, random);
    expect(codeOf(() => checkPreKeyBundle(handed, { account: weak, nowSeconds: START }))).toBe("upgrade-required");
  }
});

test("a damaged bundle is refused, or is the same where nothing is authenticated", () => {
  const bytes = encodeDevicePreKeys({ ...keys, oneTimePreKey: undefined });
  const dice = seededDice(1);
  const whole = JSON.stringify(check({ oneTimePreKey: undefined }), withoutBareSignatures);
  let refused = 0;
  for (let i = 0; i < 600; i++) {
    const damaged = mutate(bytes, dice);
    const verdict = verdictOf(() => checkPreKeyBundle(decodeDevicePreKeys(damaged), context));
    // The bare signatures are the session's to verify; extensions and one-time keys are signed by nobody.
    if (verdict.kind === "refused") refused++;
    else expect(JSON.stringify({ ...verdict.value, oneTimePreKey: undefined }, withoutBareSignatures)).toBe(whole);
  }
  expect(refused).toBeGreaterThan(500);
});

function withoutBareSignatures(key: string, value: unknown): unknown {
  return key === "signature" ? undefined : value;
}
