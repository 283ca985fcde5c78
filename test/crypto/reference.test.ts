// The slow twins of test/reference are checked against published answers before anything is checked against them.

import { sha256 } from "#crypto";
import { ascii, EMPTY, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import {
  add,
  BASE,
  decode,
  encode,
  fromMontgomery,
  isIdentity,
  isTorsionFree,
  multiply,
  Q,
  toMontgomery,
  torsionPoints,
} from "../reference/edwards25519.ts";
import { sha3_256, sha3_512, shake128, shake256 } from "../reference/keccak.ts";
import { kyber1024PublicKey } from "../reference/kyber.ts";
import { x25519 } from "../reference/x25519.ts";
import { sign, verify } from "../reference/xeddsa.ts";
import mlkem1024 from "../vectors/mlkem1024.json" with { type: "json" };
import rfc7748 from "../vectors/rfc7748.json" with { type: "json" };
import rfc8032 from "../vectors/rfc8032.json" with { type: "json" };
import signal from "../vectors/signal.json" with { type: "json" };

test("X25519 in big integers gives the answers of RFC 7748", () => {
  for (const { scalar, u, result } of rfc7748.x25519) expect(toHex(x25519(fromHex(scalar), fromHex(u)))).toBe(result);
});

test("SHA-3 and SHAKE in big integers give the answers of FIPS 202", () => {
  expect(toHex(sha3_256(ascii("abc")))).toBe("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  expect(toHex(sha3_512(ascii("abc")))).toBe(
    "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
  );
  expect(toHex(shake128(EMPTY, 32))).toBe("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  expect(toHex(shake256(EMPTY, 32))).toBe("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
});

test("key generation of Kyber by its definitions gives the answers of ACVP", () => {
  for (const { d, publicKeySha256 } of mlkem1024.keyGen.slice(0, 3)) {
    expect(toHex(sha256(kyber1024PublicKey(fromHex(d), "fips-203")))).toBe(publicKeySha256);
    expect(toHex(sha256(kyber1024PublicKey(fromHex(d), "round-3")))).not.toBe(publicKeySha256);
  }
});

test("the base point of edwards25519 has its encoding, its order and its u-coordinate", () => {
  expect(toHex(encode(BASE))).toBe("5866666666666666666666666666666666666666666666666666666666666666");
  expect(toHex(toMontgomery(BASE))).toBe(rfc7748.iterated.start);
  expect(isIdentity(multiply(Q, BASE))).toBe(true);
  expect(fromMontgomery(9n, 0)).toEqual(decode(encode(BASE)));
});

test("the eight torsion points are eight, of orders that divide 8, and spoil what they are added to", () => {
  const torsion = torsionPoints();
  expect(new Set(torsion.map((point) => toHex(encode(point)))).size).toBe(8);
  expect(torsion.every((point) => isIdentity(multiply(8n, point)))).toBe(true);
  expect(torsion.map((point) => isTorsionFree(add(BASE, point)))).toEqual([true, false, false, false, false, false, false, false]);
});

test("XEdDSA in big integers gives the public known answer and accepts it", () => {
  const privateKey = new Uint8Array(32);
  privateKey[8] = signal.xeddsa.privateKeyByte8;
  const message = new Uint8Array(signal.xeddsa.messageLength);
  const signature = sign(privateKey, message, new Uint8Array(signal.xeddsa.randomLength));
  expect(toHex(signature)).toBe(signal.xeddsa.signature);
  expect(verify(x25519(privateKey, fromHex(rfc7748.iterated.start)), message, signature)).toBe(true);
  expect(verify(x25519(privateKey, fromHex(rfc7748.iterated.start)), message.slice(1), signature)).toBe(false);
});

test("points of RFC 8032 decode and encode to the same bytes", () => {
  for (const { publicKey } of rfc8032.cases) {
    const point = decode(fromHex(publicKey));
    expect(point === undefined ? undefined : toHex(encode(point))).toBe(publicKey);
  }
});
