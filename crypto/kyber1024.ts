// Kyber1024 of round 3, Signal's key type 0x08. It is ML-KEM-1024 (FIPS 203) inside two hashes: the encapsulator
// hashes its 32 random bytes first, and the shared secret is hashed together with the ciphertext.
// The wire forms here begin with the type byte.

import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, copy, ProtocolError } from "#wire";
import { backend } from "./backend.ts";
import { type Random, systemRandom } from "./random.ts";
import { exposeKey, Secret } from "./secret.ts";

const TYPE_KYBER1024 = 0x08;
const TYPE_BYTE: Bytes = new Uint8Array([TYPE_KYBER1024]);
const RAW_PUBLIC_KEY_BYTES = 1568;
const RAW_CIPHERTEXT_BYTES = 1568;
const SEED_BYTES = 64;
export const KYBER_PUBLIC_KEY_BYTES: number = 1 + RAW_PUBLIC_KEY_BYTES;
export const KYBER_CIPHERTEXT_BYTES: number = 1 + RAW_CIPHERTEXT_BYTES;

/** A KEM key pair of our own, kept as the 64-byte seed of FIPS 203 (d ‖ z): 64 bytes at rest instead of 3,168. */
export interface KyberKeyPair {
  readonly seed: Secret;
  readonly publicKey: KyberPublicKey;
}

/** A KEM public key that passed `parse`. */
export class KyberPublicKey {
  /** Type byte and key, 1,569 bytes. Borrowed: never written to. */
  readonly encoded: Bytes;
  private constructor(encoded: Bytes) {
    this.encoded = encoded;
  }

  /** @throws ProtocolError `bad-key`: wrong type byte or length, or a coefficient out of range (FIPS 203 section 7.2). */
  static parse(encoded: Uint8Array): KyberPublicKey {
    if (encoded.length !== KYBER_PUBLIC_KEY_BYTES || encoded[0] !== TYPE_KYBER1024) throw new ProtocolError("bad-key");
    if (!coefficientsInRange(encoded)) throw new ProtocolError("bad-key");
    return new KyberPublicKey(copy(encoded));
  }
}

const Q = 3329;

/** Each three bytes hold two 12-bit coefficients, which must be below q; the last 32 bytes are the matrix seed. */
function coefficientsInRange(encoded: Uint8Array): boolean {
  for (let i = 1; i < RAW_PUBLIC_KEY_BYTES + 1 - 32; i += 3) {
    const [a = 0, b = 0, c = 0] = [encoded[i], encoded[i + 1], encoded[i + 2]];
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}

export function generateKyberKeyPair(random: Random): KyberKeyPair {
  const native = random === systemRandom ? backend().mlKem1024.generate?.() : undefined;
  if (native !== undefined) {
    return { seed: new Secret(native.seed), publicKey: KyberPublicKey.parse(concat(TYPE_BYTE, native.publicKey)) };
  }
  return kyberKeyPairFromSeed(new Secret(random(SEED_BYTES)));
}

/** @throws UsageError `bad-argument` unless the seed has 64 bytes. */
export function kyberKeyPairFromSeed(seed: Secret): KyberKeyPair {
  const raw = backend().mlKem1024.publicKey(exposeKey(seed, SEED_BYTES));
  return { seed, publicKey: KyberPublicKey.parse(concat(TYPE_BYTE, raw)) };
}

/** The secret belongs to the caller. `ciphertext` begins with the type byte. */
export function kyberEncapsulate(publicKey: KyberPublicKey, random: Random): { readonly ciphertext: Bytes; readonly sharedSecret: Bytes } {
  // A native KEM draws its own coins, uniform as the hashed ones are; a seeded source needs them from us.
  const coins = random === systemRandom ? undefined : backend().sha3_256(random(32));
  const inner = backend().mlKem1024.encapsulate(copy(publicKey.encoded.subarray(1)), coins);
  return { ciphertext: concat(TYPE_BYTE, inner.ciphertext), sharedSecret: finish(inner.sharedSecret, inner.ciphertext) };
}

/**
 * @throws UsageError `bad-argument` unless the seed has 64 bytes.
 * @throws ProtocolError `bad-key` for a ciphertext of another type or length. A ciphertext that was made for another
 * key yields an unrelated secret and no error (implicit rejection); the message MAC fails then.
 */
export function kyberDecapsulate(seed: Secret, ciphertext: Uint8Array): Bytes {
  if (ciphertext.length !== KYBER_CIPHERTEXT_BYTES || ciphertext[0] !== TYPE_KYBER1024) throw new ProtocolError("bad-key");
  const raw = copy(ciphertext.subarray(1));
  return finish(backend().mlKem1024.decapsulate(exposeKey(seed, SEED_BYTES), raw), raw);
}

function finish(inner: Bytes, ciphertext: Bytes): Bytes {
  const secret = copy(shake256(concat(inner, backend().sha3_256(ciphertext)), { dkLen: 32 }));
  inner.fill(0);
  return secret;
}
