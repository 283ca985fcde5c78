// The Node backend keeps native handles of keys. Whatever it keeps, it computes with the key it was given.

import { agree, generateKeyPair, keyPairFromPrivate, nobleBackend, Secret, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { type Bytes, toHex } from "#wire";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";

const random = seededRandom(12);
const before = useBackend(nodeBackend);
afterAll(() => {
  useBackend(before);
});

function expectRight(privateKey: Bytes, publicKey: Bytes): void {
  expect(toHex(nodeBackend.x25519PublicKey(privateKey))).toBe(toHex(nobleBackend.x25519PublicKey(privateKey)));
  expect(toHex(nodeBackend.x25519(privateKey, publicKey))).toBe(toHex(nobleBackend.x25519(privateKey, publicKey)));
}

test("private keys that share their first bytes are told apart", () => {
  const beginning = random(12);
  const peer = nobleBackend.x25519PublicKey(random(32));
  const keys = Array.from({ length: 6 }, () => {
    const key = random(32);
    key.set(beginning);
    return key;
  });
  for (let round = 0; round < 3; round++) for (const key of keys) expectRight(key, peer);
});

test("one string of 32 bytes is two keys: one of X25519 and one of Ed25519", () => {
  const key = random(32);
  const peer = nobleBackend.x25519PublicKey(random(32));
  for (let round = 0; round < 3; round++) {
    expectRight(key, peer);
    expect(toHex(nodeBackend.ed25519PublicKey(key))).toBe(toHex(nobleBackend.ed25519PublicKey(key)));
  }
});

test("one array can be a public key of X25519 and of Ed25519", () => {
  const seed = random(32);
  const [privateKey, message] = [random(32), random(10)];
  const point = nobleBackend.ed25519PublicKey(seed);
  const signature = nobleBackend.ed25519Sign(seed, message);
  for (let round = 0; round < 2; round++) {
    expect(nodeBackend.ed25519Verify(point, message, signature)).toBe(true);
    expect(toHex(nodeBackend.x25519(privateKey, point))).toBe(toHex(nobleBackend.x25519(privateKey, point)));
  }
});

test("an array that holds another private key later is the other key", () => {
  const peer = nobleBackend.x25519PublicKey(random(32));
  const array = random(32);
  expectRight(array, peer);
  array.set(random(32));
  expectRight(array, peer);
  array.fill(0, 0, 20);
  expectRight(array, peer);
});

test("more keys than are kept, used in turn, give the right results", () => {
  const peer = nobleBackend.x25519PublicKey(random(32));
  const keys = Array.from({ length: 300 }, () => random(32));
  const expected = keys.map((key) => toHex(nobleBackend.x25519(key, peer)));
  for (let round = 0; round < 2; round++) expect(keys.map((key) => toHex(nodeBackend.x25519(key, peer)))).toEqual(expected);
});

test("wiping a secret leaves an equal one of another owner usable", () => {
  const peer = generateKeyPair(random).publicKey;
  const bytes = random(32);
  const [mine, yours] = [new Secret(Uint8Array.from(bytes)), new Secret(Uint8Array.from(bytes))];
  const shared = toHex(agree(mine, peer));
  mine.wipe();
  expect(toHex(agree(yours, peer))).toBe(shared);
  expect(toHex(keyPairFromPrivate(yours).publicKey.raw)).toBe(toHex(nobleBackend.x25519PublicKey(bytes)));
});
