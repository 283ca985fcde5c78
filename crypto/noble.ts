// The reference backend: audited JavaScript that runs everywhere. Its big-integer arithmetic makes no
// constant-time promise, and the threat model says so.

import { cbc, ctr } from "@noble/ciphers/aes.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { ml_kem1024, ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { type Bytes, concat, copy, ProtocolError } from "#wire";
import type { Backend, MlKem } from "./backend.ts";

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

export const nobleBackend: Backend = {
  name: "noble",
  sha256: (data) => copy(sha256(data)),
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
  ed25519Verify(publicKey, message, signature) {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  },
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
  mlKem768: mlKem(ml_kem768),
  mlKem1024: mlKem(ml_kem1024),
};
