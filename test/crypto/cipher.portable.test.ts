// The ciphers around their known answers: every changed byte is refused, and no caller supplies a nonce.

import { cbcDecrypt, cbcEncrypt, ctrOnce, gcmSivOpenOnce, gcmSivSealOnce, systemRandom, xchachaOpen, xchachaSeal } from "#crypto";
import { ascii, type Bytes, concat, EMPTY, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const BAD_TAG = { name: "ProtocolError", code: "bad-tag", message: "bad-tag" };
const random = seededRandom(8);
const key = random(32);
const plaintext = ascii("Meet me at the lighthouse");
const associated = ascii("record 17");
const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));

function flipped(bytes: Bytes, at: number): Bytes {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
  return changed;
}

test("whatever is sealed is opened, by each cipher", () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (data, context) => {
      const iv = random(16);
      expect(toHex(cbcDecrypt(key, iv, cbcEncrypt(key, iv, data)))).toBe(toHex(data));
      expect(toHex(ctrOnce(key, ctrOnce(key, data)))).toBe(toHex(data));
      expect(toHex(gcmSivOpenOnce(key, gcmSivSealOnce(key, data)))).toBe(toHex(data));
      expect(toHex(xchachaOpen(key, xchachaSeal(key, data, context, random), context))).toBe(toHex(data));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test("a changed byte anywhere in a GCM-SIV box, a cut and another key are refused", () => {
  const sealed = gcmSivSealOnce(key, plaintext);
  expect(sealed).toHaveLength(plaintext.length + 16);
  for (let at = 0; at < sealed.length; at++) {
    expect(thrownBy(() => gcmSivOpenOnce(key, flipped(sealed, at)))).toMatchObject(BAD_TAG);
    expect(thrownBy(() => gcmSivOpenOnce(key, sealed.slice(0, at)))).toMatchObject(BAD_TAG);
  }
  expect(thrownBy(() => gcmSivOpenOnce(key, concat(sealed, new Uint8Array(1))))).toMatchObject(BAD_TAG);
  expect(thrownBy(() => gcmSivOpenOnce(random(32), sealed))).toMatchObject(BAD_TAG);
});

test("a changed byte anywhere in a record, its nonce included, a cut and another context or key are refused", () => {
  const sealed = xchachaSeal(key, plaintext, associated, random);
  expect(sealed).toHaveLength(24 + plaintext.length + 16);
  for (let at = 0; at < sealed.length; at++) {
    expect(thrownBy(() => xchachaOpen(key, flipped(sealed, at), associated))).toMatchObject(BAD_TAG);
    expect(thrownBy(() => xchachaOpen(key, sealed.slice(0, at), associated))).toMatchObject(BAD_TAG);
  }
  expect(thrownBy(() => xchachaOpen(key, sealed, EMPTY))).toMatchObject(BAD_TAG);
  expect(thrownBy(() => xchachaOpen(key, sealed, flipped(associated, 0)))).toMatchObject(BAD_TAG);
  expect(thrownBy(() => xchachaOpen(random(32), sealed, associated))).toMatchObject(BAD_TAG);
});

test("one record sealed twice shares no nonce and no bytes", () => {
  const sealed = Array.from({ length: 64 }, () => toHex(xchachaSeal(key, plaintext, associated, systemRandom)));
  expect(new Set(sealed.map((hex) => hex.slice(0, 48))).size).toBe(64);
  expect(new Set(sealed.map((hex) => hex.slice(48))).size).toBe(64);
});

test("sealing and opening write to none of their arguments", () => {
  const iv = random(16);
  const arguments_ = [key, iv, plaintext, associated];
  const before = arguments_.map(toHex);
  cbcDecrypt(key, iv, cbcEncrypt(key, iv, plaintext));
  ctrOnce(key, plaintext);
  gcmSivOpenOnce(key, gcmSivSealOnce(key, plaintext));
  xchachaOpen(key, xchachaSeal(key, plaintext, associated, random), associated);
  expect(arguments_.map(toHex)).toEqual(before);
});
