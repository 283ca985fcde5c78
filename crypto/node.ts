// The Node backend: node:crypto for curves, AES and (from Node 24.7) ML-KEM, the specialised HMAC for short
// inputs, noble for the rest. Seeded runs and Node versions without native ML-KEM fall back to noble, which
// computes the same bytes. A program installs it once at its start: `useBackend(nodeBackend)`.

import { hchacha } from "@noble/ciphers/chacha.js";
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { type Bytes, concat, copy, ProtocolError } from "#wire";
import type { Backend, MlKem } from "./backend.ts";
import { fitsShortHkdf, MAX_SHORT_INPUT, shortHkdf, shortHmac } from "./fast-hmac.ts";
import { nativeSha256Stream } from "./native-hash.ts";
import { nobleBackend } from "./noble.ts";
import { forgetPrivate, type KeyType, privateHandle, publicHandle, rememberPrivate } from "./node-keys.ts";
import { nativeChunkCipher } from "./node-media-cipher.ts";

/**
 * A native cipher object costs more than it saves below this length. Its key is wrapped first: told by its type as
 * bytes, a key costs ten times what the cipher itself does.
 */
const IN_JAVASCRIPT_BYTES = 128;

function exportRaw(handle: KeyObject, format: "raw-public" | "raw-private" | "raw-seed"): Bytes {
  return copy(handle.export({ format } as never) as unknown as Uint8Array); // as above; a Buffer may share a pool, hence the copy
}

const NO_CONTRIBUTION: Bytes = new Uint8Array(32);

function hmacSha256(key: Bytes, data: Bytes): Bytes {
  if (key.length <= 64 && data.length <= MAX_SHORT_INPUT) return shortHmac(key, data);
  return longHmac(key, data);
}

/** RFC 2104 over two one-shot native hashes, which beat a streaming Hmac object at every size. */
function longHmac(key: Bytes, data: Bytes): Bytes {
  const block = key.length > 64 ? sha256(key) : key;
  const inner = new Uint8Array(64 + data.length).fill(0x36, 0, 64);
  const outer = new Uint8Array(96).fill(0x5c, 0, 64);
  for (let i = 0; i < block.length; i++) {
    inner[i] = (inner[i] ?? 0) ^ (block[i] ?? 0);
    outer[i] = (outer[i] ?? 0) ^ (block[i] ?? 0);
  }
  inner.set(data, 64);
  outer.set(sha256(inner), 64);
  const tag = sha256(outer);
  inner.fill(0, 0, 64);
  outer.fill(0);
  return tag;
}

function sha256(data: Bytes): Bytes {
  return copy(hash("sha256", data, "buffer"));
}

const CHACHA = "chacha20-poly1305";
const TAG = { authTagLength: 16 };
/** "expand 32-byte k". */
const CHACHA_CONSTANTS = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

/** What OpenSSL lacks of XChaCha20 (draft-irtf-cfrg-xchacha section 2.3): the key and the nonce for its ChaCha20. */
function xchachaParts(key: Bytes, nonce: Bytes): { readonly key: KeyObject; readonly nonce: Bytes } {
  const subkey = new Uint32Array(8);
  const keyWords = wordsOf(key);
  hchacha(CHACHA_CONSTANTS, keyWords, wordsOf(nonce.subarray(0, 16)), subkey);
  const rest = new Uint8Array(12);
  rest.set(nonce.subarray(16), 4);
  const handle = createSecretKey(new Uint8Array(subkey.buffer));
  keyWords.fill(0);
  subkey.fill(0);
  return { key: handle, nonce: rest };
}

/** Of a copy, which starts at the border of a word. */
function wordsOf(bytes: Bytes): Uint32Array {
  return new Uint32Array(copy(bytes).buffer);
}

const haveNativeKem = typeof encapsulate === "function";

function nativeKem(type: KeyType, fallback: MlKem): MlKem {
  if (!haveNativeKem) return fallback;
  return {
    generate() {
      const { privateKey, publicKey } = generateKeyPairSync(type as never); // as above
      const seed = exportRaw(privateKey, "raw-seed");
      rememberPrivate(seed, type, privateKey);
      return { seed, publicKey: exportRaw(publicKey, "raw-public") };
    },
    publicKey: (seed) => exportRaw(createPublicKey(privateHandle(seed, type)), "raw-public"),
    encapsulate(publicKey, coins) {
      if (coins !== undefined) return fallback.encapsulate(publicKey, coins);
      const { ciphertext, sharedKey } = encapsulate(publicHandle(publicKey, type));
      return { ciphertext: copy(ciphertext), sharedSecret: copy(sharedKey) };
    },
    decapsulate: (seed, ciphertext) => copy(decapsulate(privateHandle(seed, type), ciphertext)),
  };
}

export const nodeBackend: Backend = {
  name: "node",
  forget: forgetPrivate,
  sha256,
  sha256Stream: nativeSha256Stream,
  sha3_256: (data) => copy(hash("sha3-256", data, "buffer")),
  sha512: (...parts) => copy(hash("sha512", concat(...parts), "buffer")),
  hmacSha256,
  hkdfSha256(salt, inputKey, info, length) {
    if (fitsShortHkdf(salt, inputKey, info)) return shortHkdf(salt, inputKey, info, length);
    return nobleBackend.hkdfSha256(salt, inputKey, info, length);
  },
  x25519(privateKey, publicKey) {
    try {
      return copy(diffieHellman({ privateKey: privateHandle(privateKey, "x25519"), publicKey: publicHandle(publicKey, "x25519") }));
    } catch {
      // OpenSSL refuses an all-zero result; `agree` refuses those zeros on every backend alike.
      return copy(NO_CONTRIBUTION);
    }
  },
  x25519PublicKey: (privateKey) => exportRaw(createPublicKey(privateHandle(privateKey, "x25519")), "raw-public"),
  generateX25519() {
    const { privateKey, publicKey } = generateKeyPairSync("x25519");
    const raw = exportRaw(privateKey, "raw-private");
    rememberPrivate(raw, "x25519", privateKey);
    return { privateKey: raw, publicKey: exportRaw(publicKey, "raw-public") };
  },
  ed25519Verify(publicKey, message, signature) {
    try {
      return verify(null, message, publicHandle(publicKey, "ed25519"), signature);
    } catch {
      return false; // not a point on the curve
    }
  },
  ed25519PublicKey: (seed) => exportRaw(createPublicKey(privateHandle(seed, "ed25519")), "raw-public"),
  ed25519Sign: (seed, message) => copy(sign(null, message, privateHandle(seed, "ed25519"))),
  aes256CbcEncrypt(key, iv, plaintext) {
    if (plaintext.length < IN_JAVASCRIPT_BYTES) return nobleBackend.aes256CbcEncrypt(key, iv, plaintext);
    const cipher = createCipheriv("aes-256-cbc", createSecretKey(key), iv);
    return concat(cipher.update(plaintext), cipher.final());
  },
  aes256CbcDecrypt(key, iv, ciphertext) {
    if (ciphertext.length < IN_JAVASCRIPT_BYTES) return nobleBackend.aes256CbcDecrypt(key, iv, ciphertext);
    try {
      const decipher = createDecipheriv("aes-256-cbc", createSecretKey(key), iv);
      return concat(decipher.update(ciphertext), decipher.final());
    } catch (cause) {
      throw new ProtocolError("bad-padding", { cause });
    }
  },
  aes256Ctr(key, iv, data) {
    if (data.length < IN_JAVASCRIPT_BYTES) return nobleBackend.aes256Ctr(key, iv, data);
    return copy(createCipheriv("aes-256-ctr", createSecretKey(key), iv).update(data));
  },
  xchacha20Poly1305Seal(key, nonce, associated, plaintext) {
    const parts = xchachaParts(key, nonce);
    const cipher = createCipheriv(CHACHA, parts.key, parts.nonce, TAG);
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  xchacha20Poly1305Open(key, nonce, associated, sealed) {
    const parts = xchachaParts(key, nonce);
    const length = sealed.length - TAG.authTagLength;
    try {
      const decipher = createDecipheriv(CHACHA, parts.key, parts.nonce, TAG);
      decipher.setAAD(associated, { plaintextLength: length });
      decipher.setAuthTag(sealed.subarray(length));
      return concat(decipher.update(sealed.subarray(0, length)), decipher.final());
    } catch (cause) {
      throw new ProtocolError("bad-tag", { cause });
    }
  },
  chunkCipher: nativeChunkCipher,
  mlKem768: nativeKem("ml-kem-768", nobleBackend.mlKem768),
  mlKem1024: nativeKem("ml-kem-1024", nobleBackend.mlKem1024),
};
