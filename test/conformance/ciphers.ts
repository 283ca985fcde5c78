// The cipher part of the backend suite.

import { type Backend, cbcDecrypt, cbcEncrypt, ctrOnce, gcmSivOpenOnce, gcmSivSealOnce, xchachaOpen, xchachaSeal } from "#crypto";
import { concat, EMPTY, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import aes from "../vectors/aes.json" with { type: "json" };
import { thrownBy } from "../support/refusals.ts";

export function cipherConformance(backend: Backend): void {
  test("AES-256-CBC gives the answers of SP 800-38A, and one block of padding more", () => {
    const [key, iv, plaintext] = [fromHex(aes.cbc.key), fromHex(aes.cbc.iv), fromHex(aes.cbc.plaintext)];
    const ciphertext = cbcEncrypt(key, iv, plaintext);
    expect(toHex(ciphertext).slice(0, -32)).toBe(aes.cbc.ciphertext);
    expect(toHex(cbcDecrypt(key, iv, ciphertext))).toBe(aes.cbc.plaintext);
  });

  test("AES-256-CBC pads as Wycheproof does, and refuses every wrong padding with one code", () => {
    const [valid, invalid] = [true, false].map((wanted) => aes.paddedCbc.filter((vector) => vector.valid === wanted));
    for (const { key, iv, plaintext, ciphertext } of valid ?? []) {
      expect(toHex(cbcDecrypt(fromHex(key), fromHex(iv), fromHex(ciphertext)))).toBe(plaintext);
      expect(toHex(cbcEncrypt(fromHex(key), fromHex(iv), fromHex(plaintext)))).toBe(ciphertext);
    }
    for (const { key, iv, ciphertext } of invalid ?? []) {
      const refusal = thrownBy(() => cbcDecrypt(fromHex(key), fromHex(iv), fromHex(ciphertext)));
      expect(refusal).toMatchObject({ name: "ProtocolError", code: "bad-padding" });
    }
    expect({ valid: valid?.length, invalid: invalid?.length }).toEqual({ valid: 24, invalid: 48 });
  });

  test("a CBC ciphertext that is empty or not whole blocks is refused", () => {
    const [key, iv] = [fromHex(aes.cbc.key), fromHex(aes.cbc.iv)];
    const whole = cbcEncrypt(key, iv, EMPTY);
    for (const ciphertext of [EMPTY, whole.slice(1), concat(whole, new Uint8Array(1))]) {
      expect(thrownBy(() => cbcDecrypt(key, iv, ciphertext))).toMatchObject({ name: "ProtocolError", code: "bad-padding" });
    }
  });

  test("AES-256-CTR gives the answers of SP 800-38A, whole and in part", () => {
    const [key, iv, plaintext] = [fromHex(aes.ctr.key), fromHex(aes.ctr.iv), fromHex(aes.ctr.plaintext)];
    expect(toHex(backend.aes256Ctr(key, iv, plaintext))).toBe(aes.ctr.ciphertext);
    expect(toHex(backend.aes256Ctr(key, iv, plaintext.slice(0, 21)))).toBe(aes.ctr.ciphertext.slice(0, 42));
    expect(toHex(backend.aes256Ctr(key, iv, fromHex(aes.ctr.ciphertext)))).toBe(aes.ctr.plaintext);
  });

  test("the counter of AES-256-CTR runs over all 128 bits", () => {
    const key = fromHex(aes.ctr.key);
    const wrapped = backend.aes256Ctr(key, new Uint8Array(16).fill(0xff), new Uint8Array(32));
    expect(toHex(wrapped.slice(16))).toBe(toHex(backend.aes256Ctr(key, new Uint8Array(16), new Uint8Array(16))));
  });

  test("`ctrOnce` counts from zero and undoes itself", () => {
    const [key, plaintext] = [fromHex(aes.ctr.key), fromHex(aes.ctr.plaintext)];
    const ciphertext = ctrOnce(key, plaintext);
    expect(toHex(ciphertext)).toBe(toHex(backend.aes256Ctr(key, new Uint8Array(16), plaintext)));
    expect(toHex(ctrOnce(key, ciphertext))).toBe(aes.ctr.plaintext);
  });

  test("AES-256-GCM-SIV gives the answers of RFC 8452", () => {
    for (const { key, plaintext, sealed } of aes.gcmSiv) {
      expect(toHex(gcmSivSealOnce(fromHex(key), fromHex(plaintext)))).toBe(sealed);
      expect(toHex(gcmSivOpenOnce(fromHex(key), fromHex(sealed)))).toBe(plaintext);
    }
    expect(aes.gcmSiv).toHaveLength(2);
  });

  test("XChaCha20-Poly1305 gives the answer of the draft, the nonce in front", () => {
    for (const { key, nonce, associated, plaintext, sealed } of aes.xchacha) {
      const record = xchachaSeal(fromHex(key), fromHex(plaintext), fromHex(associated), () => fromHex(nonce));
      expect(toHex(record)).toBe(nonce + sealed);
      expect(toHex(xchachaOpen(fromHex(key), record, fromHex(associated)))).toBe(plaintext);
    }
    expect(aes.xchacha).toHaveLength(1);
  });
}
