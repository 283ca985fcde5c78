// What a malicious signer can make, and the one verifier refuses. Where the bare equation holds the twin shows it, so
// that each refusal is the work of the rule it names and not of a broken forgery.

import { generateKeyPair, PublicKey, sign, verify } from "#crypto";
import { ascii, type Bytes, concat, toHex } from "#wire";
import { expect, test } from "vitest";
import {
  add,
  BASE,
  encode,
  fromLittleEndian,
  fromMontgomery,
  IDENTITY,
  mod,
  multiply,
  type Point,
  Q,
  toLittleEndian,
  toMontgomery,
  torsionPoints,
} from "../reference/edwards25519.ts";
import * as twin from "../reference/xeddsa.ts";
import { asXeddsa, cctvCases } from "../support/edge-vectors.ts";
import { lowOrderEncodings, withTorsion } from "../support/keys.ts";
import { seededDice, seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const message = ascii("Meet me at the lighthouse");

/** A signature by `scalar` with the nonce and the commitment of the signer's choice. The Edwards sign goes into the top bit. */
function forge(signer: { readonly scalar: bigint; readonly point: Point }, nonce: bigint, commitment: Bytes, text: Bytes): Bytes {
  const edwards = encode(signer.point);
  const signature = concat(commitment, toLittleEndian(mod(nonce + twin.challenge(commitment, edwards, text) * signer.scalar, Q)));
  signature[63] = (signature[63] ?? 0) | ((edwards[31] ?? 0) & 0x80);
  return signature;
}

function withoutSign(signature: Bytes): Bytes {
  const plain = Uint8Array.from(signature);
  plain[63] = (plain[63] ?? 0) & 0x7f;
  return plain;
}

export function strictVerifierConformance(seed: number): void {
  const random = seededRandom(seed);

  test("s + q, and every other s that is not reduced, is refused", () => {
    const { privateKey, publicKey } = generateKeyPair(random);
    const signature = sign(privateKey, message, random);
    const s = fromLittleEndian(signature.slice(32));
    expect(verify(publicKey, message, signature)).toBe(true);
    for (let value = s + Q; value < 2n ** 255n; value += Q) {
      const malleable = concat(signature.slice(0, 32), toLittleEndian(value));
      expect(twin.equationHolds(fromMontgomery(fromLittleEndian(publicKey.raw), 0) ?? IDENTITY, message, malleable)).toBe(true);
      expect(verify(publicKey, message, malleable)).toBe(false);
    }
    for (const value of [Q, Q + 1n, 2n ** 252n + 2n ** 251n, 2n ** 255n - 1n]) {
      expect(verify(publicKey, message, concat(signature.slice(0, 32), toLittleEndian(value)))).toBe(false);
    }
  });

  test("a commitment that is the identity is refused, though its equation holds", () => {
    const { scalar, edwards } = twin.specificationKeyPair(random(32));
    const point = multiply(scalar, BASE);
    expect(toHex(encode(point))).toBe(toHex(edwards));
    const publicKey = PublicKey.fromRaw(toMontgomery(point));
    const signature = forge({ scalar, point }, 0n, encode(IDENTITY), message);
    expect(twin.equationHolds(point, message, signature)).toBe(true);
    expect(verify(publicKey, message, signature)).toBe(false);
    expect(verify(publicKey, message, forge({ scalar, point }, 1n, encode(BASE), message))).toBe(true);
  });

  test("a commitment with a torsion part, alone or added, is refused", () => {
    const { scalar } = twin.specificationKeyPair(random(32));
    const point = multiply(scalar, BASE);
    const publicKey = PublicKey.fromRaw(toMontgomery(point));
    for (const torsion of torsionPoints().slice(1)) {
      expect(verify(publicKey, message, forge({ scalar, point }, 0n, encode(torsion), message))).toBe(false);
      expect(verify(publicKey, message, forge({ scalar, point }, 5n, encode(add(multiply(5n, BASE), torsion)), message))).toBe(false);
    }
  });

  test("a key with a torsion part is refused, though some of its signatures satisfy the equation", () => {
    const secret = 123_456_789n;
    for (const point of withTorsion(secret).slice(1)) {
      const publicKey = PublicKey.fromRaw(toMontgomery(point));
      let held = 0;
      for (let i = 0; i < 24; i++) {
        const text = concat(message, new Uint8Array([i]));
        const signature = forge({ scalar: secret, point }, 77n, encode(multiply(77n, BASE)), text);
        if (twin.equationHolds(point, text, withoutSign(signature))) held++;
        expect(verify(publicKey, text, signature)).toBe(false);
      }
      expect(held).toBeGreaterThan(0);
    }
  });

  test("a low-order key, under which one signature verifies everything, does not even parse", () => {
    for (const u of lowOrderEncodings) expect(thrownBy(() => PublicKey.fromRaw(u))).toMatchObject({ code: "bad-key" });
    const everything = concat(encode(IDENTITY), new Uint8Array(32));
    expect(twin.equationHolds(IDENTITY, message, everything)).toBe(true);
    expect(twin.verify(new Uint8Array(32), message, everything)).toBe(false);
  });

  test("a key on the twist verifies nothing", () => {
    const dice = seededDice(seed);
    const publicKey = PublicKey.fromRaw(toLittleEndian(2n));
    expect(fromMontgomery(2n, 0)).toBeUndefined();
    for (let i = 0; i < 8; i++) {
      const s = toLittleEndian(BigInt(dice.roll(1_000_000)));
      expect(verify(publicKey, message, concat(encode(multiply(fromLittleEndian(s), BASE)), s))).toBe(false);
    }
  });

  test("the slow twin of the verifier says the same of honest, damaged and published signatures", () => {
    const dice = seededDice(seed);
    for (let i = 0; i < 40; i++) {
      const { privateKey, publicKey } = generateKeyPair(random);
      const make = dice.pick([twin.sign, twin.signWithSignBit]);
      const signature = make(privateKey.expose(), message, random(64));
      if (dice.chance(0.5)) signature[dice.roll(64)] = dice.roll(256);
      expect(verify(publicKey, message, signature)).toBe(twin.verify(publicKey.raw, message, signature));
    }
    const published = cctvCases.filter(({ flags, number }) => !flags.includes("low_order_A") && number % 5 === 0);
    for (const vector of published) {
      const { u, signature } = asXeddsa(vector);
      expect(verify(PublicKey.fromRaw(u), vector.message, signature)).toBe(twin.verify(u, vector.message, signature));
    }
    expect(published.length).toBeGreaterThan(40);
  });
}
