// Symmetric ciphers. A nonce never comes from a caller's invention: each is derived together with its key
// (messages), fixed because the key is used once (sealed sender), or drawn at random here (records at rest).

import { gcmsiv } from "@noble/ciphers/aes.js";
import { type Bytes, concat, copy, ProtocolError, UsageError } from "#wire";
import { backend } from "./backend.ts";
import type { Random } from "./random.ts";

const KEY_BYTES = 32;
const IV_BYTES = 16;

/** A shorter key would quietly select AES-128: here a key has 256 bits. @throws UsageError `bad-argument`. */
function requireKey(key: Bytes): void {
  if (key.length !== KEY_BYTES) throw new UsageError("bad-argument", "a cipher key has 32 bytes");
}

function requireKeyAndIv(key: Bytes, iv: Bytes): void {
  requireKey(key);
  if (iv.length !== IV_BYTES) throw new UsageError("bad-argument", "an initialisation vector has 16 bytes");
}

/** AES-256-CBC with PKCS#7 padding. */
export function cbcEncrypt(key: Bytes, iv: Bytes, plaintext: Bytes): Bytes {
  requireKeyAndIv(key, iv);
  return backend().aes256CbcEncrypt(key, iv, plaintext);
}

/** Call only after the MAC over the ciphertext was checked. @throws ProtocolError `bad-padding`. */
export function cbcDecrypt(key: Bytes, iv: Bytes, ciphertext: Bytes): Bytes {
  requireKeyAndIv(key, iv);
  return backend().aes256CbcDecrypt(key, iv, ciphertext);
}

const ZERO_IV: Bytes = new Uint8Array(IV_BYTES);

/** AES-256-CTR from a zero counter block, for a key that is used once. Encrypts and decrypts. */
export function ctrOnce(key: Bytes, data: Bytes): Bytes {
  requireKey(key);
  return backend().aes256Ctr(key, ZERO_IV, data);
}

const ZERO_NONCE: Bytes = new Uint8Array(12);

/** AES-256-GCM-SIV (RFC 8452) under a zero nonce, for a key that is used once; the 16-byte tag is appended. */
export function gcmSivSealOnce(key: Bytes, plaintext: Bytes): Bytes {
  requireKey(key);
  return copy(gcmsiv(key, ZERO_NONCE).encrypt(plaintext));
}

/** @throws ProtocolError `bad-tag`. */
export function gcmSivOpenOnce(key: Bytes, sealed: Bytes): Bytes {
  requireKey(key);
  try {
    return copy(gcmsiv(key, ZERO_NONCE).decrypt(sealed));
  } catch (cause) {
    throw new ProtocolError("bad-tag", { cause });
  }
}

const XCHACHA_NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** XChaCha20-Poly1305 with a random nonce in front, for records at rest. */
export function xchachaSeal(key: Bytes, plaintext: Bytes, associated: Bytes, random: Random): Bytes {
  requireKey(key);
  const nonce = random(XCHACHA_NONCE_BYTES);
  return concat(nonce, backend().xchacha20Poly1305Seal(key, nonce, associated, plaintext));
}

/** @throws ProtocolError `bad-tag`. */
export function xchachaOpen(key: Bytes, sealed: Bytes, associated: Bytes): Bytes {
  requireKey(key);
  if (sealed.length < XCHACHA_NONCE_BYTES + TAG_BYTES) throw new ProtocolError("bad-tag");
  const nonce = sealed.subarray(0, XCHACHA_NONCE_BYTES);
  return backend().xchacha20Poly1305Open(key, nonce, associated, sealed.subarray(XCHACHA_NONCE_BYTES));
}
