// Every exported function that takes a key refuses one that is not a key: too short, too long, wiped, of low order, not
// canonical. A new export has to be put into one of the two lists below, or this file fails.

import * as exported from "#crypto";
import {
  agree,
  backend,
  type Backend,
  cbcDecrypt,
  cbcEncrypt,
  ctrOnce,
  decapsulateHalves,
  encapsulateFirst,
  encapsulateSecond,
  gcmSivOpenOnce,
  gcmSivSealOnce,
  generateIncremental,
  generateKeyPair,
  generateKyberKeyPair,
  generateSigningKeyPair,
  keyPairFromPrivate,
  kyberDecapsulate,
  kyberEncapsulate,
  kyberKeyPairFromSeed,
  KyberPublicKey,
  nobleBackend,
  parseIdentityKey,
  parsePublicKey,
  PublicKey,
  requireAnnounced,
  requireTorsionFree,
  Secret,
  sign,
  signWithSeed,
  useBackend,
  verify,
  verifyRepeated,
  xchachaOpen,
  xchachaSeal,
} from "#crypto";
import { nodeBackend } from "#crypto/node";
import { type Bytes, concat, EMPTY } from "#wire";
import { afterEach, describe, expect, test } from "vitest";
import { sha3_256 } from "../reference/keccak.ts";
import { encoded, lowOrderEncodings, mixedOrderKeys, nonCanonicalEncodings, twistKeys } from "../support/keys.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const random = seededRandom(11);
const before = backend();
afterEach(() => {
  useBackend(before);
});

const alice = generateKeyPair(random);
const kyber = generateKyberKeyPair(random);
const kem = generateIncremental(random);
const first = encapsulateFirst(kem.header, random);
const second = encapsulateSecond(kem.header, kem.vector, first.coins);
const message: Bytes = random(40);
const iv: Bytes = random(16);

/** Around the right length, and the lengths of other keys. */
function otherThan(right: number): readonly Bytes[] {
  const lengths = [0, 1, 16, 24, 31, 32, 33, 63, 64, 65, 96, 128, 160, 959, 960, 1088, 1151, 1152, 1184, 1568, 1569, right - 1, right + 1];
  return [...new Set(lengths)].filter((length) => length !== right).map((length) => random(length));
}

function wrongSecrets(right: number): readonly Secret[] {
  const wiped = new Secret(random(right));
  wiped.wipe();
  return [...otherThan(right).map((bytes) => new Secret(bytes)), wiped];
}

/** A header that commits to a vector of any length. */
function announcing(vector: Bytes): Bytes {
  const matrixSeed = random(32);
  return concat(matrixSeed, sha3_256(concat(vector, matrixSeed)));
}

type Calls = readonly (() => unknown)[];
const badPoints: readonly Bytes[] = [...lowOrderEncodings, ...nonCanonicalEncodings];

/** Our own program is wrong: it holds a key of another length, or one that it wiped. */
const ours: Readonly<Record<string, () => Calls>> = {
  agree: () => wrongSecrets(32).map((key) => () => agree(key, alice.publicKey)),
  keyPairFromPrivate: () => wrongSecrets(32).map((key) => () => keyPairFromPrivate(key)),
  sign: () => wrongSecrets(32).map((key) => () => sign(key, message, random)),
  signWithSeed: () => wrongSecrets(32).map((seed) => () => signWithSeed(seed, message)),
  kyberKeyPairFromSeed: () => wrongSecrets(64).map((seed) => () => kyberKeyPairFromSeed(seed)),
  kyberDecapsulate: () =>
    wrongSecrets(64).map((seed) => () => kyberDecapsulate(seed, kyberEncapsulate(kyber.publicKey, random).ciphertext)),
  decapsulateHalves: () => wrongSecrets(64).map((seed) => () => decapsulateHalves(seed, first.ct1, second)),
  encapsulateSecond: () => wrongSecrets(32).map((coins) => () => encapsulateSecond(kem.header, kem.vector, coins)),
  cbcEncrypt: () => [
    ...otherThan(32).map((key) => () => cbcEncrypt(key, iv, message)),
    ...otherThan(16).map((bad) => () => cbcEncrypt(random(32), bad, message)),
  ],
  cbcDecrypt: () => [
    ...otherThan(32).map((key) => () => cbcDecrypt(key, iv, random(32))),
    ...otherThan(16).map((bad) => () => cbcDecrypt(random(32), bad, random(32))),
  ],
  ctrOnce: () => otherThan(32).map((key) => () => ctrOnce(key, message)),
  gcmSivSealOnce: () => otherThan(32).map((key) => () => gcmSivSealOnce(key, message)),
  gcmSivOpenOnce: () => otherThan(32).map((key) => () => gcmSivOpenOnce(key, message)),
  xchachaSeal: () => otherThan(32).map((key) => () => xchachaSeal(key, message, EMPTY, random)),
  xchachaOpen: () => otherThan(32).map((key) => () => xchachaOpen(key, random(80), EMPTY)),
};

/** A peer handed us something that is no key. */
const theirs: Readonly<Record<string, () => Calls>> = {
  PublicKey: () => [...otherThan(32), ...badPoints].map((u) => () => PublicKey.fromRaw(u)),
  parsePublicKey: () => [...otherThan(33), ...badPoints.map(encoded)].map((bytes) => () => parsePublicKey(bytes)),
  parseIdentityKey: () =>
    [...otherThan(33), ...[...badPoints, ...mixedOrderKeys, ...twistKeys].map(encoded)].map((bytes) => () => parseIdentityKey(bytes)),
  requireTorsionFree: () => [...mixedOrderKeys, ...twistKeys].map((u) => () => requireTorsionFree(PublicKey.fromRaw(u))),
  KyberPublicKey: () =>
    [...otherThan(1569), concat(new Uint8Array([8]), new Uint8Array(1568).fill(0xff))].map((bytes) => () => KyberPublicKey.parse(bytes)),
  kyberEncapsulate: () => otherThan(1569).map((bytes) => () => kyberEncapsulate(KyberPublicKey.parse(bytes), random)),
  kyberDecapsulate: () => otherThan(1569).map((bytes) => () => kyberDecapsulate(kyber.seed, bytes)),
  encapsulateFirst: () => otherThan(64).map((header) => () => encapsulateFirst(header, random)),
  encapsulateSecond: () => [
    ...otherThan(64).map((header) => () => encapsulateSecond(header, kem.vector, first.coins)),
    ...otherThan(1152).map((vector) => () => encapsulateSecond(kem.header, vector, first.coins)),
  ],
  requireAnnounced: () => [
    ...[EMPTY, random(1149), random(1155)].map((vector) => () => requireAnnounced(announcing(vector), vector)),
    ...otherThan(64).map((header) => () => requireAnnounced(header, kem.vector)),
    ...otherThan(1152).map((vector) => () => requireAnnounced(kem.header, vector)),
  ],
  decapsulateHalves: () => [
    ...otherThan(960).map((ct1) => () => decapsulateHalves(kem.seed, ct1, second)),
    ...otherThan(128).map((ct2) => () => decapsulateHalves(kem.seed, first.ct1, ct2)),
  ],
};

/**
 * `verify` and `verifyRepeated` say no instead of throwing; `hmac` and `hkdf` take keys of any length; wrapping uses the platform's
 * own keys and wraps whatever is secret; keys of files are asynchronous (test/conformance/chunks.ts); the rest takes no key.
 */
const elsewhere = [
  ...["importMediaKey", "sealChunk", "openChunk", "digestChunk", "sha256Stream"],
  ...["wrapSecret", "unwrapSecret"],
  ...["verify", "verifyRepeated", "hmac", "hkdf"],
  ...["LABELS", "Secret", "backend", "useBackend", "nobleBackend", "systemRandom", "clamp", "equal", "labelled", "sha256", "sha512"],
  ...["generateKeyPair", "generateKyberKeyPair", "generateSigningKeyPair", "generateIncremental"],
  ...["ENCODED_PUBLIC_KEY_BYTES", "KYBER_CIPHERTEXT_BYTES", "KYBER_PUBLIC_KEY_BYTES", "SIGNATURE_BYTES"],
  ...["KEM_CT1_BYTES", "KEM_CT2_BYTES", "KEM_HEADER_BYTES", "KEM_VECTOR_BYTES"],
];

test("every export of crypto/ is in one of the lists", () => {
  expect([...new Set([...Object.keys(ours), ...Object.keys(theirs), ...elsewhere])].sort()).toEqual(Object.keys(exported).sort());
});

describe.each([nobleBackend, nodeBackend].map((installed) => ({ name: installed.name, installed })))(
  "on the $name backend",
  ({ installed }) => {
    test.each(Object.keys(ours))("%s refuses a secret key of another length, and a wiped one, as a mistake of ours", (name) => {
      refuses(installed, ours[name]?.() ?? [], "UsageError");
    });

    test.each(Object.keys(theirs))("%s refuses what is no key, as a mistake of a peer's", (name) => {
      refuses(installed, theirs[name]?.() ?? [], "ProtocolError");
    });

    test("a wiped secret is named as one", () => {
      const wiped = new Secret(random(32));
      wiped.wipe();
      useBackend(installed);
      for (const call of [() => agree(wiped, alice.publicKey), () => sign(wiped, message, random), () => signWithSeed(wiped, message)]) {
        expect(thrownBy(call)).toMatchObject({ code: "wiped-secret" });
      }
    });

    test("`verify` says no to a key that is on the twist or has a torsion part", () => {
      useBackend(installed);
      const signature = sign(alice.privateKey, message, random);
      expect(verify(alice.publicKey, message, signature)).toBe(true);
      for (const u of [...mixedOrderKeys, ...twistKeys]) {
        expect(verify(PublicKey.fromRaw(u), message, signature)).toBe(false);
        expect(verifyRepeated(PublicKey.fromRaw(u), message, signature)).toBe(false);
      }
    });
  },
);

function refuses(installed: Backend, calls: Calls, family: string): void {
  useBackend(installed);
  expect(calls.length).toBeGreaterThan(10);
  for (const call of calls) expect(`${thrownBy(call).name}`).toBe(family);
}

test("an agreement that comes out as zeros is refused, whoever computed it", () => {
  useBackend({ ...nobleBackend, x25519: () => new Uint8Array(32) });
  expect(thrownBy(() => agree(alice.privateKey, generateSigningKeyPair(random).publicKey))).toMatchObject({ code: "bad-key-agreement" });
});
