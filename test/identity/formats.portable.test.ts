// The formats of wire/ that logs and prekeys travel in: one encoding each, and room for the largest honest value.

import {
  type Bytes,
  decodeAccountKeys,
  decodeAccountLog,
  decodeDeletionDetails,
  decodeDeviceDetails,
  decodeDevicePreKeys,
  decodeLogEntry,
  decodeLogStatement,
  decodePreKeyRecord,
  decodePreKeyUpload,
  decodeRecoveryKeyDetails,
  decodeRevokeDetails,
  encodeAccountKeys,
  encodeAccountLog,
  encodeDeletionDetails,
  encodeDeviceDetails,
  encodeDevicePreKeys,
  encodeLogEntry,
  encodeLogStatement,
  encodePreKeyRecord,
  encodePreKeyUpload,
  encodeRecoveryKeyDetails,
  encodeRevokeDetails,
  MAX_LOG_ENTRY_BYTES,
  MAX_LOG_PAGE_ENTRIES,
  MAX_ONE_TIME_EC_PREKEYS,
  MAX_ONE_TIME_KEM_PREKEYS,
  MAX_PREKEY_ID,
  parseDeviceId,
} from "#wire";
import { expect, test } from "vitest";
import { found, variedAccount } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { handedOut, oneTimeKeys, preKeySet } from "../support/prekeys.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const owner = variedAccount(2);
const set = preKeySet(owner.userId, owner.first, random);
const bundle = handedOut(set, owner.first, random);
const statements = owner.entries.map((entry) => decodeLogStatement(decodeLogEntry(entry).statement));
const detailsOf = (type: number): readonly Bytes[] =>
  statements.filter((statement) => statement.type === type).map(({ details }) => details);

interface Format {
  readonly name: string;
  readonly honest: readonly Bytes[];
  readonly again: (bytes: Bytes) => Bytes;
}

function format<T>(name: string, honest: readonly Bytes[], decode: (bytes: Bytes) => T, encode: (value: T) => Bytes): Format {
  return { name, honest, again: (bytes) => encode(decode(bytes)) };
}

const FORMATS: readonly Format[] = [
  format("log entry", owner.entries, decodeLogEntry, encodeLogEntry),
  format("log statement", statements.map(encodeLogStatement), decodeLogStatement, encodeLogStatement),
  format("device", [...detailsOf(1), ...detailsOf(2), ...detailsOf(5)], decodeDeviceDetails, encodeDeviceDetails),
  format("revoked device", detailsOf(3), decodeRevokeDetails, encodeRevokeDetails),
  format("recovery key", detailsOf(4), decodeRecoveryKeyDetails, encodeRecoveryKeyDetails),
  format(
    "deletion",
    [decodeLogStatement(decodeLogEntry(owner.writeEnd()).statement).details],
    decodeDeletionDetails,
    encodeDeletionDetails,
  ),
  format("account log", [encodeAccountLog({ entries: owner.entries })], decodeAccountLog, encodeAccountLog),
  format("prekey record", [set.record.record], decodePreKeyRecord, encodePreKeyRecord),
  format(
    "prekey upload",
    [encodePreKeyUpload({ set, oneTimePreKeys: oneTimeKeys([1, 2], random) })],
    decodePreKeyUpload,
    encodePreKeyUpload,
  ),
  format("device prekeys", [encodeDevicePreKeys(bundle)], decodeDevicePreKeys, encodeDevicePreKeys),
  format("account keys", [encodeAccountKeys({ log: { entries: owner.entries }, devices: [bundle] })], decodeAccountKeys, encodeAccountKeys),
];

test.each(FORMATS)("a $name has one encoding: whatever is read is written the same", ({ honest, again }) => {
  const dice = seededDice(1);
  expect(honest.length).toBeGreaterThan(0);
  let accepted = 0;
  for (const bytes of honest) {
    expect(again(bytes)).toEqual(bytes);
    for (let i = 0; i < 400 / honest.length; i++) {
      const damaged = mutate(bytes, dice);
      const verdict = verdictOf(() => again(damaged));
      if (verdict.kind === "refused") continue;
      accepted++;
      expect(verdict.value).toEqual(damaged);
    }
  }
  expect(accepted).toBeLessThan(400);
});

test("a first statement has neither account nor predecessor, and every other one has both", () => {
  const [first, second] = [found(statements[0]), found(statements[1])];
  for (const wrong of [
    { ...first, sequence: 2 },
    { ...second, sequence: 1 },
    { ...second, userId: undefined },
    { ...second, previousHash: undefined },
    { ...first, userId: second.userId },
    { ...first, previousHash: second.previousHash },
  ]) {
    expect(codeOf(() => decodeLogStatement(encodeLogStatement(wrong)))).toBe("bad-value");
  }
});

test("the largest honest values fit", () => {
  const reference = { id: MAX_PREKEY_ID, hash: random(32) };
  const kem = { id: MAX_PREKEY_ID, publicKey: random(1569), signature: random(64) };
  const record = encodePreKeyRecord({
    userId: owner.userId,
    deviceId: parseDeviceId(127),
    createdSeconds: 2 ** 40,
    expiresSeconds: 2 ** 40,
    signedPreKeyId: MAX_PREKEY_ID,
    signedPreKey: random(33),
    lastResort: reference,
    oneTime: Array.from({ length: MAX_ONE_TIME_KEM_PREKEYS }, () => reference),
  });
  const largest = {
    record: { record, signature: random(64) },
    signedPreKey: { id: MAX_PREKEY_ID, publicKey: random(33), signature: random(64) },
    lastResort: kem,
    oneTime: Array.from({ length: MAX_ONE_TIME_KEM_PREKEYS }, () => kem),
  };
  const oneTimePreKey = { id: MAX_PREKEY_ID, publicKey: random(33) };
  const upload = { set: largest, oneTimePreKeys: Array.from({ length: MAX_ONE_TIME_EC_PREKEYS }, () => oneTimePreKey) };
  expect(decodePreKeyUpload(encodePreKeyUpload(upload))).toEqual(upload);
  const entries = Array.from({ length: MAX_LOG_PAGE_ENTRIES }, () => random(MAX_LOG_ENTRY_BYTES));
  const device = {
    deviceId: parseDeviceId(127),
    record: largest.record,
    signedPreKey: largest.signedPreKey,
    kemPreKey: kem,
    oneTimePreKey,
  };
  const keys = { log: { entries }, devices: Array.from({ length: 6 }, () => device) };
  expect(decodeAccountKeys(encodeAccountKeys(keys))).toEqual(keys);
});

test("one more than there may be is refused", () => {
  const keys = oneTimeKeys([1], random);
  const tooMany = Array.from({ length: MAX_ONE_TIME_EC_PREKEYS + 1 }, () => found(keys[0]));
  expect(() => encodePreKeyUpload({ set: undefined, oneTimePreKeys: tooMany })).toThrow("too-many");
  const kem = Array.from({ length: MAX_ONE_TIME_KEM_PREKEYS + 1 }, () => set.lastResort);
  expect(() => encodePreKeyUpload({ set: { ...set, oneTime: kem }, oneTimePreKeys: [] })).toThrow("too-many");
  const entries = Array.from({ length: MAX_LOG_PAGE_ENTRIES + 1 }, () => random(8));
  expect(() => encodeAccountLog({ entries })).toThrow("too-many");
  expect(() => encodeAccountLog({ entries: [random(MAX_LOG_ENTRY_BYTES + 1)] })).toThrow("too-long");
});
