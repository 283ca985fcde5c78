// Why nothing but `verify` may judge a signature: what the platforms' own Ed25519 accepts. The counts are recorded, so
// that the day they change is seen; that our verifier refuses the forgeries does not depend on them.

import { PublicKey, verify } from "#crypto";
import { ascii, type Bytes, EMPTY, ProtocolError } from "#wire";
import { expect, test } from "vitest";
import { encode, IDENTITY } from "../reference/edwards25519.ts";
import { asXeddsa, cctvCases, type SignatureCase } from "../support/edge-vectors.ts";

async function nativelyAccepted({ key, message, signature }: SignatureCase): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
  } catch {
    return false;
  }
}

async function takenNatively(cases: readonly SignatureCase[]): Promise<readonly number[]> {
  const verdicts = await Promise.all(cases.map(nativelyAccepted));
  return cases.filter((_, i) => verdicts[i]).map(({ number }) => number);
}

function takenByUs(cases: readonly SignatureCase[]): readonly number[] {
  return cases.filter(accepted).map(({ number }) => number);
}

function accepted(vector: SignatureCase): boolean {
  const { u, signature } = asXeddsa(vector);
  try {
    return verify(PublicKey.fromRaw(u), vector.message, signature);
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** The key 01 00…00 is the identity, and so is R: with s = 0 the equation holds whatever the message. */
const signature: Bytes = new Uint8Array(64);
signature[0] = 1;
const forgeries: readonly SignatureCase[] = [EMPTY, ascii("one"), ascii("never signed by anybody"), new Uint8Array(1000)].map(
  (message, number) => ({
    number,
    key: encode(IDENTITY),
    message,
    signature,
  }),
);

/** What is known to be out there. A runtime that does something else is worth a look. */
const KNOWN = [
  { who: "Node 24.21, which refuses small-order keys", forgeries: 0, edgeCases: 43 },
  { who: "Node 20, workerd 1.20261117 and Chromium, which let the forgery through", forgeries: 4, edgeCases: 208 },
];

test("what this platform accepts is known, and ours accepts one edge case and no forgery", async () => {
  const native = { forgeries: (await takenNatively(forgeries)).length, edgeCases: (await takenNatively(cctvCases)).length };
  expect(KNOWN.map(({ who: _, ...counts }) => counts)).toContainEqual(native);
  expect(takenByUs(forgeries)).toEqual([]);
  expect(takenByUs(cctvCases)).toEqual([305]);
});
