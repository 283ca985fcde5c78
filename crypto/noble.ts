// The reference backend: audited JavaScript that runs everywhere. Its big-integer arithmetic makes no
// constant-time promise; docs/threat-model.md says so.

import { cbc, ctr } from "@noble/ciphers/aes.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256 } from "@noble/hashes/sha3.js";
import { ml_kem1024, ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Bytes, concat, copy, ProtocolError, sameBytes } from "#wire";
import type { Backend, MlKem } from "./backend.ts";

const { Point } = ed25519;

const LOW_ORDER_RESULT: Bytes = new Uint8Array(32);

function mlKem(kem: typeof ml_kem768): MlKem {
  return {
    publicKey: (seed) => copy(kem.keygen(seed).publicKey),
    encapsulate(publicKey, coins) {
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey, coins);
      return { ciphertext: copy(cipherText), sharedSecret: copy(sharedSecret) };
    },
    decapsulate: (seed, ciphertext) => copy(kem.decapsulate(ciphertext, kem.keygen(seed).secretKey)),
  };
}

/**
 * RFC 8032 section 5.1.7 without the cofactor: R is compared with the encoding of sB - hA. The library's own verifier
 * multiplies by the cofactor, and so accepts an R with a torsion part that no native implementation accepts.
 */
function verifyWithoutCofactor(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  const commitment = copy(signature.subarray(0, 32));
  try {
    const point = Point.fromBytes(publicKey);
    const challenge = Point.Fn.create(bytesToNumberLE(sha512(concat(commitment, publicKey, message))));
    const response = bytesToNumberLE(signature.subarray(32)); // multiplyUnsafe refuses q and above
    return sameBytes(Point.BASE.multiplyUnsafe(response).subtract(point.multiplyUnsafe(challenge)).toBytes(), commitment);
  } catch {
    return false; // not a point on the curve, or s is not reduced
  }
}

export const nobleBackend: Backend = {
  name: "noble",
  sha256: (data) => copy(sha256(data)),
  sha256Stream() {
    const hash = sha256.create();
    return {
      update(data) {
        hash.update(data);
      },
      digest: () => copy(hash.digest()),
    };
  },
  sha3_256: (data) => copy(sha3_256(data)),
  sha512: (...parts) => copy(sha512(concat(...parts))),
  hmacSha256: (key, data) => copy(hmac(sha256, key, data)),
  hkdfSha256: (salt, inputKey, info, length) => copy(hkdf(sha256, inputKey, salt, info, length)),
  x25519(privateKey, publicKey) {
    try {
      return copy(x25519.getSharedSecret(privateKey, publicKey));
    } catch {
      // noble throws where RFC 7748 yields zeros; `agree` refuses those zeros on every backend alike.
      return copy(LOW_ORDER_RESULT);
    }
  },
  x25519PublicKey: (privateKey) => copy(x25519.getPublicKey(privateKey)),
  ed25519Verify: verifyWithoutCofactor,
  ed25519PublicKey: (seed) => copy(ed25519.getPublicKey(seed)),
  ed25519Sign: (seed, message) => copy(ed25519.sign(message, seed)),
  aes256CbcEncrypt: (key, iv, plaintext) => copy(cbc(key, iv).encrypt(plaintext)),
  aes256CbcDecrypt(key, iv, ciphertext) {
    try {
      return copy(cbc(key, iv).decrypt(ciphertext));
    } catch (cause) {
      throw new ProtocolError("bad-padding", { cause });
    }
  },
  aes256Ctr: (key, iv, data) => copy(ctr(key, iv).encrypt(data)),
  xchacha20Poly1305Seal: (key, nonce, associated, plaintext) => copy(xchacha20poly1305(key, nonce, associated).encrypt(plaintext)),
  xchacha20Poly1305Open(key, nonce, associated, sealed) {
    try {
      return copy(xchacha20poly1305(key, nonce, associated).decrypt(sealed));
    } catch (cause) {
      throw new ProtocolError("bad-tag", { cause });
    }
  },
  mlKem768: mlKem(ml_kem768),
  mlKem1024: mlKem(ml_kem1024),
};
