// The packed vector sets of test/vectors, unpacked, and their Ed25519 cases in the form of XEdDSA.

import { ascii, type Bytes, concat, EMPTY, fromHex } from "#wire";
import { fromLittleEndian, invert, mod, toLittleEndian } from "../reference/edwards25519.ts";
import cctv from "../vectors/cctv-ed25519.json" with { type: "json" };
import wycheproofEd25519 from "../vectors/wycheproof-ed25519.json" with { type: "json" };
import wycheproofX25519 from "../vectors/wycheproof-x25519.json" with { type: "json" };

export interface X25519Case {
  readonly flags: readonly string[];
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
  readonly shared: Bytes;
}

export interface SignatureCase {
  readonly number: number;
  readonly key: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

export interface CctvCase extends SignatureCase {
  readonly flags: readonly string[];
}

function fields(line: string): readonly string[] {
  return line.split(" ");
}

function flagsOf(names: readonly string[], sum: string): readonly string[] {
  return names.filter((_, i) => (Number.parseInt(sum, 16) >> i) & 1);
}

export const x25519Cases: readonly X25519Case[] = wycheproofX25519.cases.map((line) => {
  const [, flags = "", publicKey = "", privateKey = "", shared = ""] = fields(line);
  return {
    flags: flagsOf(wycheproofX25519.flagNames, flags),
    publicKey: fromHex(publicKey),
    privateKey: fromHex(privateKey),
    shared: fromHex(shared),
  };
});

export const cctvCases: readonly CctvCase[] = cctv.vectors.map((line) => {
  const [number, key, commitment, s = "", n = "", flags = ""] = fields(line);
  return {
    number: Number(number),
    key: fromHex(cctv.keys[Number(key)] ?? ""),
    message: ascii(n === "-" ? "ed25519vectors" : `ed25519vectors ${n}`),
    signature: concat(fromHex(cctv.commitments[Number(commitment)] ?? ""), fromHex(s)),
    flags: flagsOf(cctv.flagNames, flags),
  };
});

export const ed25519Cases: readonly (SignatureCase & { readonly valid: boolean })[] = wycheproofEd25519.cases.map((line) => {
  const [number, result, key, signature = "", message = ""] = fields(line);
  return {
    number: Number(number),
    key: fromHex(wycheproofEd25519.keys[Number(key)] ?? ""),
    message: message === "-" ? EMPTY : fromHex(message),
    signature: signature === "-" ? EMPTY : fromHex(signature),
    valid: result === "valid",
  };
});

/**
 * The same claim for an XEdDSA verifier: u = (1 + y) / (1 - y), the sign of A in the top bit of the signature. The bit
 * is flipped and not set, so that a signature which had it by mistake does not turn into a good one.
 */
export function asXeddsa({ key, signature }: SignatureCase): { readonly u: Bytes; readonly signature: Bytes } {
  const y = fromLittleEndian(key) & (2n ** 255n - 1n);
  const signed = Uint8Array.from(signature);
  if (signed.length === 64) signed[63] = (signed[63] ?? 0) ^ ((key[31] ?? 0) & 0x80);
  return { u: toLittleEndian(mod((1n + y) * invert(1n - y))), signature: signed };
}
