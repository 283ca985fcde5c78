// Curve25519 key pairs and Diffie-Hellman (RFC 7748).

import { type Bytes, ProtocolError } from "#wire";
import { backend } from "./backend.ts";
import { PublicKey } from "./public-key.ts";
import { type Random, systemRandom } from "./random.ts";
import { exposeKey, Secret } from "./secret.ts";

const PRIVATE_KEY_BYTES = 32;

/** One Curve25519 key pair of our own. The private key is the clamped scalar of RFC 7748, 32 bytes. */
export interface KeyPair {
  readonly privateKey: Secret;
  readonly publicKey: PublicKey;
}

export function generateKeyPair(random: Random): KeyPair {
  const native = random === systemRandom ? backend().generateX25519?.() : undefined;
  if (native !== undefined) return { privateKey: new Secret(native.privateKey), publicKey: PublicKey.fromRaw(native.publicKey) };
  return keyPairFromPrivate(new Secret(clamp(random(32))));
}

/** @throws UsageError `bad-argument` unless the key has 32 bytes. */
export function keyPairFromPrivate(privateKey: Secret): KeyPair {
  return { privateKey, publicKey: PublicKey.fromRaw(backend().x25519PublicKey(exposeKey(privateKey, PRIVATE_KEY_BYTES))) };
}

/** Clamps in place (RFC 7748 section 5) and returns its argument. */
export function clamp(scalar: Bytes): Bytes {
  scalar[0] = (scalar[0] ?? 0) & 248;
  scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
  return scalar;
}

/**
 * X25519. The result is a secret that the caller owns.
 * @throws UsageError `bad-argument` unless the private key has 32 bytes.
 * @throws ProtocolError `bad-key-agreement` when it is all zero, that is, when the other side contributed nothing.
 */
export function agree(privateKey: Secret, publicKey: PublicKey): Bytes {
  const shared = backend().x25519(exposeKey(privateKey, PRIVATE_KEY_BYTES), publicKey.raw);
  let any = 0;
  for (const byte of shared) any |= byte;
  if (any === 0) throw new ProtocolError("bad-key-agreement");
  return shared;
}
