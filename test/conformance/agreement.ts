// The X25519 part of the backend suite.

import { agree, type Backend, generateKeyPair, keyPairFromPrivate, PublicKey, Secret, systemRandom } from "#crypto";
import { type Bytes, fromHex, toHex } from "#wire";
import { expect, test } from "vitest";
import { type X25519Case, x25519Cases } from "../support/edge-vectors.ts";
import { thrownBy } from "../support/refusals.ts";
import rfc7748 from "../vectors/rfc7748.json" with { type: "json" };

function iterate(backend: Backend, times: number): string {
  let [k, u]: [Bytes, Bytes] = [fromHex(rfc7748.iterated.start), fromHex(rfc7748.iterated.start)];
  for (let i = 0; i < times; i++) [k, u] = [backend.x25519(k, u), k];
  return toHex(k);
}

export function agreementConformance(backend: Backend): void {
  test("X25519 gives the answers of RFC 7748", () => {
    for (const { scalar, u, result } of rfc7748.x25519) expect(toHex(backend.x25519(fromHex(scalar), fromHex(u)))).toBe(result);
  });

  test("X25519 of itself, once and a thousand times, gives the answers of RFC 7748", () => {
    expect(iterate(backend, 1)).toBe(rfc7748.iterated.after1);
    expect(iterate(backend, 1000)).toBe(rfc7748.iterated.after1000);
  });

  test("the two sides of RFC 7748 section 6.1 agree", () => {
    const { alicePrivate, alicePublic, bobPrivate, bobPublic, shared } = rfc7748.agreement;
    const alice = keyPairFromPrivate(new Secret(fromHex(alicePrivate)));
    const bob = keyPairFromPrivate(new Secret(fromHex(bobPrivate)));
    expect(toHex(alice.publicKey.raw)).toBe(alicePublic);
    expect(toHex(bob.publicKey.raw)).toBe(bobPublic);
    expect(toHex(agree(alice.privateKey, bob.publicKey))).toBe(shared);
    expect(toHex(agree(bob.privateKey, alice.publicKey))).toBe(shared);
  });

  test("X25519 gives all 518 answers of Wycheproof, zeros for a key that contributes nothing", () => {
    for (const { publicKey, privateKey, shared } of x25519Cases) {
      expect(toHex(backend.x25519(privateKey, publicKey))).toBe(toHex(shared));
    }
    expect(x25519Cases).toHaveLength(518);
  });

  test("of the 518 keys of Wycheproof exactly the low-order and the non-canonical ones are refused", () => {
    const isBad = ({ flags, publicKey }: X25519Case) =>
      (publicKey[31] ?? 0) >= 0x80 || flags.includes("LowOrderPublic") || flags.includes("NonCanonicalPublic");
    for (const { publicKey } of x25519Cases.filter(isBad)) {
      expect(thrownBy(() => PublicKey.fromRaw(publicKey))).toMatchObject({ name: "ProtocolError", code: "bad-key" });
    }
    for (const { publicKey, privateKey, shared } of x25519Cases.filter((vector) => !isBad(vector))) {
      expect(toHex(agree(new Secret(privateKey), PublicKey.fromRaw(publicKey)))).toBe(toHex(shared));
    }
  });

  test("pairs that the platform draws agree with pairs of a drawn private key", () => {
    const random = systemRandom;
    for (let i = 0; i < 4; i++) {
      const drawn = generateKeyPair(random);
      const own = generateKeyPair((length) => random(length));
      expect(drawn.publicKey.equals(keyPairFromPrivate(new Secret(Uint8Array.from(drawn.privateKey.expose()))).publicKey)).toBe(true);
      expect(toHex(agree(drawn.privateKey, own.publicKey))).toBe(toHex(agree(own.privateKey, drawn.publicKey)));
    }
  });
}
