// The identity key signs in several roles. No signature made in one is good in another.

import { LABELS, labelled, sign, verify } from "#crypto";
import { answerChallenge, checkAnswer, createPreKeySet } from "#identity";
import { ascii, be32, type Bytes, concat, decodeLogEntry, sameBytes } from "#wire";
import { expect, test } from "vitest";
import { found, variedAccount } from "../support/accounts.ts";
import { preKeyInput } from "../support/prekeys.ts";
import { codeOf } from "../support/codes.ts";
import { seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const OURS = Object.entries(LABELS).filter(([name]) => name.startsWith("SIGN_"));
/** First bytes of what the Signal wire signs bare: encoded keys of all types, and the alternate-identity statement. */
const BARE = [0x05, 0x07, 0x08, 0x0a, 0xff];

test("what we sign begins with a label of ours, and no encoded key begins so", () => {
  expect(OURS.length).toBeGreaterThanOrEqual(4);
  for (const [, label] of OURS) {
    expect(sameBytes(label.slice(0, 9), ascii("Edgewise/"))).toBe(true);
    const statement = labelled(label, random(40));
    expect(BARE).not.toContain(statement[0]);
  }
});

test("no label begins another, and none holds the zero that ends it", () => {
  for (const [name, label] of OURS) {
    expect(label.includes(0)).toBe(false);
    for (const [other, longer] of OURS) {
      if (name !== other) expect(sameBytes(longer.slice(0, label.length), label)).toBe(false);
    }
  }
});

test("no two lists of fields give the same bytes", () => {
  const label = found(OURS[0])[1];
  const lists: readonly (readonly Bytes[])[] = [
    [],
    [new Uint8Array(0)],
    [new Uint8Array(0), new Uint8Array(0)],
    [ascii("ab")],
    [ascii("a"), ascii("b")],
    [ascii("b"), ascii("a")],
    [concat(ascii("a"), be32(1), ascii("b"))],
  ];
  const statements = new Set(lists.map((fields) => labelled(label, ...fields).join()));
  expect(statements.size).toBe(lists.length);
});

test("no signature is good in a role that it was not made for", () => {
  const owner = variedAccount(2);
  const device = owner.first;
  const { privateKey, publicKey } = device.identity;
  const challenge = {
    origin: "https://chat.example.org",
    device: { userId: owner.userId, deviceId: device.deviceId },
    nonce: random(32),
  };
  const set = createPreKeySet(preKeyInput(owner.userId, device, random), random);
  const entry = decodeLogEntry(found(owner.entries.at(-1)));
  const fields = random(40);
  const statements: readonly (readonly [Bytes, Bytes])[] = [
    [set.signedPreKey.publicKey, set.signedPreKey.signature],
    [set.lastResort.publicKey, set.lastResort.signature],
    [labelled(LABELS.SIGN_PREKEY_RECORD, set.record.record), set.record.signature],
    [labelled(LABELS.SIGN_LOG_COUNTERSIGN, entry.statement), found(entry.countersignature)],
    ...OURS.map(([, label]) => [labelled(label, fields), sign(privateKey, labelled(label, fields), random)] as const),
  ];
  for (const [at, [statement, made]] of statements.entries()) {
    expect(verify(publicKey, statement, made)).toBe(true);
    for (const [other, [elsewhere]] of statements.entries()) expect(verify(publicKey, elsewhere, made)).toBe(at === other);
    expect(codeOf(() => checkAnswer(challenge, made, owner.account))).toBe("bad-signature");
  }
  expect(checkAnswer(challenge, answerChallenge(challenge, privateKey, random), owner.account).deviceId).toBe(device.deviceId);
});
