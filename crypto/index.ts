import * as LABELS from "./labels.ts";

export { LABELS };
export type { KeyPair } from "./agreement.ts";
export { agree, clamp, generateKeyPair, keyPairFromPrivate } from "./agreement.ts";
export type { Backend, MlKem, Sha256Stream } from "./backend.ts";
export { backend, useBackend } from "./backend.ts";
export { cbcDecrypt, cbcEncrypt, ctrOnce, gcmSivOpenOnce, gcmSivSealOnce, xchachaOpen, xchachaSeal } from "./cipher.ts";
export { equal } from "./equal.ts";
export type { HkdfInput } from "./kdf.ts";
export { hkdf, hmac, sha256, sha256Stream, sha512 } from "./kdf.ts";
export type { KyberKeyPair } from "./kyber1024.ts";
export {
  generateKyberKeyPair,
  KYBER_CIPHERTEXT_BYTES,
  KYBER_PUBLIC_KEY_BYTES,
  kyberDecapsulate,
  kyberEncapsulate,
  kyberKeyPairFromSeed,
  KyberPublicKey,
} from "./kyber1024.ts";
export type { FirstHalf, IncrementalKeyPair } from "./mlkem-incremental.ts";
export {
  decapsulateHalves,
  encapsulateFirst,
  encapsulateSecond,
  generateIncremental,
  KEM_CT1_BYTES,
  KEM_CT2_BYTES,
  KEM_HEADER_BYTES,
  KEM_VECTOR_BYTES,
  requireAnnounced,
} from "./mlkem-incremental.ts";
export type { MediaKey } from "./media-cipher.ts";
export { digestChunk, importMediaKey, openChunk, sealChunk } from "./media-cipher.ts";
export { nobleBackend } from "./noble.ts";
export { ENCODED_PUBLIC_KEY_BYTES, parseIdentityKey, parsePublicKey, PublicKey, requireTorsionFree } from "./public-key.ts";
export type { Random } from "./random.ts";
export { systemRandom } from "./random.ts";
export { Secret } from "./secret.ts";
export { labelled } from "./signed.ts";
export type { WrappedSecret } from "./wrapping.ts";
export { unwrapSecret, wrapSecret } from "./wrapping.ts";
export type { SigningKeyPair } from "./xeddsa.ts";
export { generateSigningKeyPair, sign, SIGNATURE_BYTES, signWithSeed, verify, verifyRepeated } from "./xeddsa.ts";
