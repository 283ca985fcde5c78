// The primitives that a platform may do faster than JavaScript does, and which implementation is in use.
// Every backend computes the same bytes (test/conformance proves it), so which one is installed shows only in speed.

import type { Bytes } from "#wire";
import { nobleBackend } from "./noble.ts";

/** A key-encapsulation mechanism of FIPS 203 in raw encodings: public keys, 64-byte seeds, ciphertexts. */
export interface MlKem {
  /** A pair drawn by the platform itself, where it can; otherwise the caller draws a seed. */
  generate?(): { readonly seed: Bytes; readonly publicKey: Bytes };
  /** The public key of a 64-byte seed (d ‖ z). */
  publicKey(seed: Bytes): Bytes;
  /** `coins` is the 32-byte m of FIPS 203; without it the platform draws its own. */
  encapsulate(publicKey: Bytes, coins: Bytes | undefined): { readonly ciphertext: Bytes; readonly sharedSecret: Bytes };
  decapsulate(seed: Bytes, ciphertext: Bytes): Bytes;
}

/** SHA-256 of what comes in pieces. */
export interface Sha256Stream {
  update(data: Bytes): void;
  /** Of everything so far. Afterwards the stream takes nothing more. */
  digest(): Bytes;
}

/** AES-256-GCM under one key, without associated data; the 16-byte tag comes last. */
export interface ChunkCipher {
  seal(nonce: Bytes, plaintext: Bytes): Bytes;
  /** @throws ProtocolError `bad-tag`. */
  open(nonce: Bytes, sealed: Bytes): Bytes;
}

export interface Backend {
  readonly name: string;
  /** Drops whatever is kept for a private key. Called when a secret is wiped. */
  forget?(privateKey: Bytes): void;
  sha256(data: Bytes): Bytes;
  sha256Stream(): Sha256Stream;
  /** FIPS 202. */
  sha3_256(data: Bytes): Bytes;
  sha512(...parts: readonly Bytes[]): Bytes;
  hmacSha256(key: Bytes, data: Bytes): Bytes;
  /** RFC 5869. An empty salt is 32 zero bytes. */
  hkdfSha256(salt: Bytes, inputKey: Bytes, info: Bytes, length: number): Bytes;
  /** RFC 7748, without the check for an all-zero result (`agree` makes it). */
  x25519(privateKey: Bytes, publicKey: Bytes): Bytes;
  x25519PublicKey(privateKey: Bytes): Bytes;
  /** A pair drawn by the platform itself, where that is faster than importing a drawn private key. */
  generateX25519?(): { readonly privateKey: Bytes; readonly publicKey: Bytes };
  /** RFC 8032, cofactorless, R compared as bytes. Only `verify` of xeddsa.ts calls it, after its own checks. */
  ed25519Verify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  ed25519PublicKey(seed: Bytes): Bytes;
  ed25519Sign(seed: Bytes, message: Bytes): Bytes;
  aes256CbcEncrypt(key: Bytes, iv: Bytes, plaintext: Bytes): Bytes;
  /** @throws ProtocolError `bad-padding`. */
  aes256CbcDecrypt(key: Bytes, iv: Bytes, ciphertext: Bytes): Bytes;
  aes256Ctr(key: Bytes, iv: Bytes, data: Bytes): Bytes;
  /** draft-irtf-cfrg-xchacha, with a 24-byte nonce. The 16-byte tag comes last. */
  xchacha20Poly1305Seal(key: Bytes, nonce: Bytes, associated: Bytes, plaintext: Bytes): Bytes;
  /** @throws ProtocolError `bad-tag`. */
  xchacha20Poly1305Open(key: Bytes, nonce: Bytes, associated: Bytes, sealed: Bytes): Bytes;
  /** Where the platform has it to call. Elsewhere Web Crypto does it, asynchronously (media-cipher.ts). */
  chunkCipher?(key: Bytes): ChunkCipher;
  readonly mlKem768: MlKem;
  readonly mlKem1024: MlKem;
}

let installed: Backend = nobleBackend;

export function backend(): Backend {
  return installed;
}

/** Makes `next` the implementation for this program; returns the one before, for tests that put it back. */
export function useBackend(next: Backend): Backend {
  const before = installed;
  installed = next;
  return before;
}
