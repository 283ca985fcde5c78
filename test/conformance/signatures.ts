// The signature part of the backend suite: Ed25519 as the backends do it, and what the one strict verifier makes of
// the published edge cases on top of them.

import { type Backend, PublicKey, Secret, sign, signWithSeed, verify } from "#crypto";
import { type Bytes, concat, fromHex, ProtocolError, sameBytes, toHex } from "#wire";
import { expect, test } from "vitest";
import { add, BASE, decode, encode, mod, multiply, Q, toLittleEndian, torsionPoints } from "../reference/edwards25519.ts";
import { challenge, specificationKeyPair } from "../reference/xeddsa.ts";
import { asXeddsa, cctvCases, ed25519Cases, type SignatureCase } from "../support/edge-vectors.ts";
import rfc8032 from "../vectors/rfc8032.json" with { type: "json" };
import signal from "../vectors/signal.json" with { type: "json" };

/** Whether our verifier takes the claim, the parsing of its key included. */
function accepted(vector: SignatureCase): boolean {
  const { u, signature } = asXeddsa(vector);
  try {
    return verify(PublicKey.fromRaw(u), vector.message, signature);
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "bad-key") return false;
    throw error;
  }
}

export function signatureConformance(backend: Backend): void {
  test("Ed25519 gives the answers of RFC 8032", () => {
    for (const { seed, publicKey, message, signature } of rfc8032.cases) {
      expect(toHex(backend.ed25519PublicKey(fromHex(seed)))).toBe(publicKey);
      expect(toHex(signWithSeed(new Secret(fromHex(seed)), fromHex(message)))).toBe(signature);
      expect(backend.ed25519Verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(true);
      expect(backend.ed25519Verify(fromHex(publicKey), concat(fromHex(message), new Uint8Array(1)), fromHex(signature))).toBe(false);
    }
    expect(rfc8032.cases.length).toBeGreaterThan(4);
  });

  test("bytes that are no point are a false signature and no error", () => {
    const notAPoint = toLittleEndian(2n);
    expect(decode(notAPoint)).toBeUndefined();
    expect(backend.ed25519Verify(notAPoint, new Uint8Array(1), new Uint8Array(64))).toBe(false);
    const [vector] = rfc8032.cases;
    const signature = concat(notAPoint, new Uint8Array(32));
    expect(backend.ed25519Verify(fromHex(vector?.publicKey ?? ""), new Uint8Array(1), signature)).toBe(false);
  });

  test("XEdDSA gives the public known answer", () => {
    const privateKey = new Uint8Array(32);
    privateKey[8] = signal.xeddsa.privateKeyByte8;
    privateKey[31] = 0x40; // clamped
    const message = new Uint8Array(signal.xeddsa.messageLength);
    expect(toHex(sign(new Secret(privateKey), message, (length) => new Uint8Array(length)))).toBe(signal.xeddsa.signature);
  });

  test("R is compared as bytes: a torsion part that the cofactor would remove is refused", () => {
    for (const [index, torsion] of torsionPoints().entries()) {
      const { scalar, edwards } = specificationKeyPair(new Uint8Array(32).fill(7));
      const message = new Uint8Array([index]);
      const commitment = encode(add(multiply(12345n, BASE), torsion));
      const signature = concat(commitment, toLittleEndian(mod(12345n + challenge(commitment, edwards, message) * scalar, Q)));
      expect(backend.ed25519Verify(edwards, message, signature)).toBe(index === 0);
    }
  });

  test("of the 914 edge cases of CCTV exactly the one without flags is accepted", () => {
    const taken = cctvCases.filter(accepted);
    expect(taken.map(({ number, flags }) => ({ number, flags }))).toEqual([{ number: 305, flags: [] }]);
    expect(cctvCases).toHaveLength(914);
  });

  test("none of the 151 verdicts of Wycheproof is contradicted", () => {
    for (const vector of ed25519Cases)
      expect({ number: vector.number, accepted: accepted(vector) }).toEqual({ number: vector.number, accepted: vector.valid });
    expect(ed25519Cases).toHaveLength(151);
  });

  test("what the backend signs with a seed, it verifies, and no other message", () => {
    const message: Bytes = new Uint8Array([1, 2, 3]);
    const seed = new Uint8Array(32).fill(9);
    const signature = backend.ed25519Sign(seed, message);
    expect(sameBytes(signature, backend.ed25519Sign(seed, message))).toBe(true);
    expect(backend.ed25519Verify(backend.ed25519PublicKey(seed), message, signature)).toBe(true);
    expect(backend.ed25519Verify(backend.ed25519PublicKey(seed), new Uint8Array([1, 2, 4]), signature)).toBe(false);
  });
}
