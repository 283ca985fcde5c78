import { generateKeyPair, LABELS, labelled, sign } from "#crypto";
import { checkPreKeyUpload, type CreatePreKeySet, createPreKeySet } from "#identity";
import {
  type Bytes,
  decodePreKeyRecord,
  decodePreKeyUpload,
  encodePreKeyRecord,
  encodePreKeyUpload,
  FRESHNESS_SECONDS,
  MAX_PREKEY_ID,
  parseDeviceId,
  PREKEY_RECORD_LIFETIME_SECONDS,
  type PreKeyRecord,
  type PreKeySet,
  type PreKeyUpload,
} from "#wire";
import { expect, test } from "vitest";
import { found, Owner, START } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { kemKey, oneTimeKeys, preKeyInput, preKeySet } from "../support/prekeys.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const owner = new Owner(2);
const second = owner.add();
const { first, account } = owner;
const input = preKeyInput(owner.userId, first, random);
const set = createPreKeySet(input, random);
const upload: PreKeyUpload = { set, oneTimePreKeys: oneTimeKeys([1, 2, 3], random) };
const context = { account, deviceId: first.deviceId, nowSeconds: START };

type Context = Partial<Parameters<typeof checkPreKeyUpload>[1]>;

function check(change: Partial<PreKeyUpload>, where: Context = {}): PreKeyRecord | undefined {
  return checkPreKeyUpload({ ...upload, ...change }, { ...context, ...where });
}

function refusal(change: Partial<PreKeyUpload>, where: Context = {}): string {
  return codeOf(() => check(change, where));
}

function withSet(change: Partial<PreKeySet>): Partial<PreKeyUpload> {
  return { set: { ...set, ...change } };
}

/** The set with its record changed and signed again by the owner: what the record itself says is wrong. */
function resigned(change: Partial<PreKeyRecord>): Partial<PreKeyUpload> {
  const record = encodePreKeyRecord({ ...decodePreKeyRecord(set.record.record), ...change });
  const signature = sign(first.identity.privateKey, labelled(LABELS.SIGN_PREKEY_RECORD, record), random);
  return withSet({ record: { record, signature } });
}

function fresh(change: Partial<CreatePreKeySet>): Partial<PreKeyUpload> {
  return { set: createPreKeySet({ ...input, ...change }, random) };
}

test("an upload is accepted as a device makes it, whole or in part", () => {
  expect(check({})).toMatchObject({ userId: owner.userId, deviceId: 1, signedPreKeyId: 1 });
  expect(check({ oneTimePreKeys: [] })).toBeDefined();
  expect(check({ set: undefined })).toBeUndefined();
  expect(check(fresh({ oneTime: [] }))?.oneTime).toEqual([]);
  const bytes = encodePreKeyUpload(upload);
  expect(checkPreKeyUpload(decodePreKeyUpload(bytes), context)).toEqual(check({}));
  expect(refusal({ set: undefined, oneTimePreKeys: [] })).toBe("no-prekey");
});

test("keys are accepted from an active device and for itself only", () => {
  expect(refusal({}, { deviceId: parseDeviceId(5) })).toBe("not-authorized");
  expect(refusal({}, { deviceId: second.deviceId })).toBe("bad-signature");
  expect(refusal({}, { account: new Owner(3).account })).toBe("bad-signature");
  const byOther = createPreKeySet({ ...input, privateKey: second.identity.privateKey }, random);
  expect(refusal({ set: byOther })).toBe("bad-signature");
  expect(refusal(fresh({ owner: { userId: owner.userId, deviceId: second.deviceId } }))).toBe("bad-address");
  expect(refusal(fresh({ owner: { userId: new Owner(3).userId, deviceId: first.deviceId } }))).toBe("bad-address");
});

test("a record is made now, lives at most 52 days, and replaces only older ones", () => {
  expect(check({}, { nowSeconds: START + FRESHNESS_SECONDS })).toBeDefined();
  expect(refusal({}, { nowSeconds: START + FRESHNESS_SECONDS + 1 })).toBe("expired");
  expect(check({}, { nowSeconds: START - FRESHNESS_SECONDS })).toBeDefined();
  expect(refusal({}, { nowSeconds: START - FRESHNESS_SECONDS - 1 })).toBe("too-far-ahead");
  const lifetime = PREKEY_RECORD_LIFETIME_SECONDS;
  expect(check({})?.expiresSeconds).toBe(START + lifetime);
  expect(refusal(resigned({ expiresSeconds: START + lifetime + 1 }))).toBe("over-limit");
  expect(check(resigned({ expiresSeconds: START }))).toBeDefined();
  expect(refusal(resigned({ expiresSeconds: START - 1 }))).toBe("expired");
  expect(check({}, { replacesSeconds: START })).toBeDefined();
  expect(refusal({}, { replacesSeconds: START + 1 })).toBe("replayed");
});

test("every key stands in the record under its id and in its role, and nothing else does", () => {
  const [one, two] = [found(set.oneTime[0]), found(set.oneTime[1])];
  const { lastResort, signedPreKey } = set;
  expect(refusal(withSet({ signedPreKey: { ...signedPreKey, id: 2 } }))).toBe("not-authorized");
  const strange = preKeySet(owner.userId, first, random);
  expect(refusal(withSet({ signedPreKey: strange.signedPreKey }))).toBe("not-authorized");
  expect(refusal(withSet({ lastResort: strange.lastResort }))).toBe("not-authorized");
  expect(refusal(withSet({ oneTime: [one, found(strange.oneTime[1])] }))).toBe("not-authorized");
  expect(refusal(withSet({ oneTime: [one] }))).toBe("not-authorized");
  expect(refusal(withSet({ oneTime: [one, two, lastResort] }))).toBe("not-authorized");
  expect(refusal(withSet({ lastResort: one, oneTime: [lastResort, two] }))).toBe("not-authorized");
  expect(refusal(withSet({ oneTime: [{ ...one, id: two.id }, two] }))).toBe("not-authorized");
  expect(refusal(withSet({ record: strange.record }))).toBe("not-authorized");
});

test("the bare signatures of the Signal wire are verified", () => {
  const [one, two] = [found(set.oneTime[0]), found(set.oneTime[1])];
  const { lastResort, signedPreKey } = set;
  expect(refusal(withSet({ signedPreKey: { ...signedPreKey, signature: lastResort.signature } }))).toBe("bad-signature");
  expect(refusal(withSet({ lastResort: { ...lastResort, signature: one.signature } }))).toBe("bad-signature");
  expect(refusal(withSet({ oneTime: [one, { ...two, signature: one.signature }] }))).toBe("bad-signature");
  const recordAsBare = { ...signedPreKey, signature: set.record.signature };
  expect(refusal(withSet({ signedPreKey: recordAsBare }))).toBe("bad-signature");
});

test("a key has the type and the length of its role", () => {
  const ec = set.signedPreKey.publicKey;
  const kem = set.lastResort.publicKey;
  const typed = (key: Bytes, type: number): Bytes => {
    const changed = key.slice();
    changed[0] = type;
    return changed;
  };
  for (const type of [0x08, 0x07, 0x0a, 0x00]) {
    expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: typed(ec, type) }] })).toBe("bad-key");
    expect(refusal(withSet({ signedPreKey: { ...set.signedPreKey, publicKey: typed(ec, type) } }))).toBe("bad-key");
  }
  for (const type of [0x05, 0x07, 0x0a, 0x00]) {
    expect(refusal(withSet({ lastResort: { ...set.lastResort, publicKey: typed(kem, type) } }))).toBe("bad-key");
  }
  expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: kem }] })).toBe("bad-key");
  expect(refusal(withSet({ lastResort: { ...set.lastResort, publicKey: ec } }))).toBe("bad-key");
  expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: ec.slice(0, 32) }] })).toBe("bad-key");
  const lowOrder = new Uint8Array(33);
  lowOrder[0] = 0x05;
  expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: lowOrder }] })).toBe("bad-key");
  expect(() => encodePreKeyUpload({ set: undefined, oneTimePreKeys: [{ id: 1, publicKey: kem }] })).toThrow("too-long");
});

test("ids are 24 bits, not zero, and each is there once in its role", () => {
  const key = ec();
  for (const id of [0, MAX_PREKEY_ID + 1]) expect(refusal({ oneTimePreKeys: [{ id, publicKey: key }] })).toBe("bad-key");
  expect(check({ oneTimePreKeys: [{ id: MAX_PREKEY_ID, publicKey: key }] })).toBeDefined();
  expect(refusal({ oneTimePreKeys: oneTimeKeys([4, 5, 4], random) })).toBe("duplicate");
  expect(refusal(fresh({ signedPreKey: { ...input.signedPreKey, id: MAX_PREKEY_ID + 1 } }))).toBe("bad-key");
  expect(refusal(fresh({ lastResort: kemKey(2, random) }))).toBe("duplicate");
  expect(refusal(fresh({ oneTime: [kemKey(2, random), kemKey(2, random)] }))).toBe("duplicate");
  expect(check(fresh({ lastResort: kemKey(9, random), signedPreKey: { ...input.signedPreKey, id: 9 } }))).toBeDefined();
});

function ec(): Bytes {
  return generateKeyPair(random).publicKey.encode();
}

test("no key serves in two roles", () => {
  const identity = first.identity.publicKey;
  expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: identity.encode() }] })).toBe("duplicate");
  expect(refusal({ oneTimePreKeys: [{ id: 1, publicKey: set.signedPreKey.publicKey }] })).toBe("duplicate");
  const key = ec();
  expect(
    refusal({
      oneTimePreKeys: [
        { id: 1, publicKey: key },
        { id: 2, publicKey: key },
      ],
    }),
  ).toBe("duplicate");
  expect(refusal(fresh({ signedPreKey: { id: 1, publicKey: identity } }))).toBe("duplicate");
  expect(refusal(fresh({ oneTime: [{ id: 5, publicKey: input.lastResort.publicKey }] }))).toBe("duplicate");
});

test("no changed byte of a record passes, and no changed byte of an upload but of what nobody signs", () => {
  const dice = seededDice(1);
  for (let at = 0; at < set.record.record.length; at++) {
    const record = set.record.record.slice();
    record[at] = (record[at] ?? 0) ^ (1 << dice.roll(8));
    expect(refusal(withSet({ record: { ...set.record, record } }))).toBe("bad-signature");
  }
  const bytes = encodePreKeyUpload({ set, oneTimePreKeys: [] });
  const honest = check({ oneTimePreKeys: [] });
  for (let i = 0; i < 300; i++) {
    const damaged = mutate(bytes, dice);
    const verdict = verdictOf(() => checkPreKeyUpload(decodePreKeyUpload(damaged), context));
    // Extensions around the signed parts are nobody's and change nothing.
    if (verdict.kind === "accepted") expect(verdict.value).toEqual(honest);
  }
  for (let i = 0; i < 2000; i++) {
    const noise = Uint8Array.from({ length: dice.roll(200) }, () => dice.roll(256));
    expect(codeOf(() => checkPreKeyUpload(decodePreKeyUpload(noise), context))).toMatch(/^[a-z-]+$/);
  }
});
