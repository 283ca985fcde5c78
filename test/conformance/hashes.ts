// The hash and key-derivation part of the backend suite.

import { backend, hkdf, hmac, LABELS, sha256, sha256Stream, sha512 } from "#crypto";
import { EMPTY, fromHex, toHex, UsageError } from "#wire";
import { expect, test } from "vitest";
import rfc4231 from "../vectors/rfc4231.json" with { type: "json" };
import rfc5869 from "../vectors/rfc5869.json" with { type: "json" };
import sha2 from "../vectors/sha2.json" with { type: "json" };
import signal from "../vectors/signal.json" with { type: "json" };
import wycheproof from "../vectors/wycheproof-hkdf-sha256.json" with { type: "json" };

interface HkdfCase {
  readonly salt: string;
  readonly inputKey: string;
  readonly info: string;
  readonly length: number;
}

function derive({ salt, inputKey, info, length }: HkdfCase): string {
  return toHex(hkdf({ salt: fromHex(salt), inputKey: fromHex(inputKey), info: fromHex(info), length }));
}

export function hashConformance(): void {
  test("SHA-256 and SHA-512 give the answers of FIPS 180-4", () => {
    for (const { data, digest } of sha2.sha256) expect(toHex(sha256(fromHex(data)))).toBe(digest);
    for (const { data, digest } of sha2.sha512) expect(toHex(sha512(fromHex(data)))).toBe(digest);
  });

  test("SHA-256 in pieces is SHA-256 of the whole, wherever it is cut", () => {
    const whole = new Uint8Array(200).map((_, i) => i);
    for (let cut = 0; cut <= whole.length; cut++) {
      const stream = sha256Stream();
      for (const piece of [whole.slice(0, cut), EMPTY, whole.slice(cut)]) stream.update(piece);
      expect(toHex(stream.digest())).toBe(toHex(sha256(whole)));
    }
    for (const { data, digest } of sha2.sha256) {
      const stream = sha256Stream();
      for (const byte of fromHex(data)) stream.update(new Uint8Array([byte]));
      expect(toHex(stream.digest())).toBe(digest);
    }
  });

  test("a stream of SHA-256 copies what it is given, and ends with its digest", () => {
    const [stream, piece] = [sha256Stream(), new Uint8Array(70).fill(1)];
    stream.update(piece);
    piece.fill(2);
    expect(toHex(stream.digest())).toBe(toHex(sha256(new Uint8Array(70).fill(1))));
    expect(() => stream.update(piece)).toThrow();
    expect(() => stream.digest()).toThrow();
  });

  // The example values that NIST publishes with FIPS 202.
  test("SHA3-256 gives the answers of FIPS 202", () => {
    expect(toHex(backend().sha3_256(EMPTY))).toBe("a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    expect(toHex(backend().sha3_256(fromHex("616263")))).toBe("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  });

  test("SHA-512 of parts is SHA-512 of the whole", () => {
    const [, abc] = sha2.sha512;
    expect(toHex(sha512(fromHex("61"), EMPTY, fromHex("6263")))).toBe(abc?.digest);
    expect(toHex(sha512())).toBe(sha2.sha512[0]?.digest);
  });

  test("HMAC gives the answers of RFC 4231", () => {
    for (const { key, data, tag } of rfc4231.cases) expect(toHex(hmac(fromHex(key), fromHex(data))).slice(0, tag.length)).toBe(tag);
    expect(rfc4231.cases).toHaveLength(7);
  });

  test("HKDF gives the answers of RFC 5869", () => {
    for (const vector of rfc5869.cases) expect(derive(vector)).toBe(vector.output);
    expect(rfc5869.cases.map(({ section }) => section).sort()).toEqual(["A.1", "A.2", "A.3"]);
  });

  test("HKDF gives the answers of Wycheproof", () => {
    for (const vector of wycheproof.cases) expect(derive(vector)).toBe(vector.output);
    expect(wycheproof.cases.length).toBeGreaterThan(50);
  });

  test("HKDF refuses to make more than 255 blocks, and makes exactly 255", () => {
    const [vector] = rfc5869.cases;
    if (vector === undefined) throw new Error("no vectors");
    for (const length of [255 * 32 + 1, ...wycheproof.tooLong]) expect(() => derive({ ...vector, length })).toThrow(UsageError);
    expect(() => derive({ ...vector, info: "00".repeat(400), length: 255 * 32 + 1 })).toThrow(UsageError);
    const most = derive({ ...vector, length: 255 * 32 });
    expect(most).toHaveLength(2 * 255 * 32);
    expect(most.startsWith(vector.output)).toBe(true);
  });

  test("an empty HKDF salt is 32 zero bytes", () => {
    const vector = { inputKey: "0102", info: "03", length: 64 };
    expect(derive({ ...vector, salt: "" })).toBe(derive({ ...vector, salt: "00".repeat(32) }));
    expect(derive({ ...vector, salt: "" })).not.toBe(derive({ ...vector, salt: "01" }));
  });

  test("one step of the symmetric ratchet gives the published keys", () => {
    const { seed, next, cipherKey, macKey } = signal.chainKey;
    const chainKey = fromHex(seed);
    expect(toHex(hmac(chainKey, fromHex("02")))).toBe(next);
    const keys = hkdf({ salt: EMPTY, inputKey: hmac(chainKey, fromHex("01")), info: LABELS.MESSAGE_KEYS_INFO, length: 80 });
    expect(toHex(keys.slice(0, 32))).toBe(cipherKey);
    expect(toHex(keys.slice(32, 64))).toBe(macKey);
  });
}
