// Sealed sender, version 2: one ciphertext for many recipients, and 48 bytes for each: the message key masked for
// them (C) and the sender's tag on it (AT). Knows bytes only.

import {
  agree,
  clamp,
  equal,
  gcmSivOpenOnce,
  gcmSivSealOnce,
  hkdf,
  type KeyPair,
  keyPairFromPrivate,
  LABELS,
  PublicKey,
  type Random,
  Secret,
} from "#crypto";
import { type Bytes, concat, EMPTY, ProtocolError, type SealedV2 } from "#wire";

const KEY_BYTES = 32;
const TAG_BYTES = 16;

/** What all recipients share. */
export interface SealedOnce {
  /** e ‖ ciphertext, as it stands at the end of a message. */
  readonly tail: Bytes;
  readonly ephemeral: KeyPair;
  readonly messageKey: Secret;
}

/** Encrypts the content, once for everyone. Wipe `ephemeral.privateKey` and `messageKey` after the last recipient. */
export function sealOnce(content: Bytes, random: Random): SealedOnce {
  const messageKey = new Secret(random(KEY_BYTES));
  const { ephemeral, cipherKey } = deriveFrom(messageKey.expose());
  const tail = concat(ephemeral.publicKey.raw, gcmSivSealOnce(cipherKey, content));
  cipherKey.fill(0);
  return { tail, ephemeral, messageKey };
}

/** The 48 bytes of one recipient. */
export function sealKeyFor(
  sealed: SealedOnce,
  sender: KeyPair,
  recipient: PublicKey,
): { readonly maskedKey: Bytes; readonly senderTag: Bytes } {
  const shared = agree(sealed.ephemeral.privateKey, recipient);
  const maskedKey = xor(sealed.messageKey.expose(), maskOf(shared, sealed.ephemeral.publicKey, recipient));
  const senderTag = tagOf(agree(sender.privateKey, recipient), sealed.ephemeral.publicKey, maskedKey, sender.publicKey, recipient);
  return { maskedKey, senderTag };
}

export interface OpenedV2 {
  readonly content: Bytes;
  /** The content names its sender; only this check, with that sender's key, proves it. @throws ProtocolError `bad-tag`. */
  readonly requireSender: (senderKey: PublicKey) => void;
}

/** @throws ProtocolError `bad-tag`, `bad-key`, `bad-key-agreement`. */
export function openV2(message: SealedV2, recipient: KeyPair): OpenedV2 {
  const ephemeralKey = PublicKey.fromRaw(message.ephemeralPublic);
  const messageKey = xor(message.maskedKey, maskOf(agree(recipient.privateKey, ephemeralKey), ephemeralKey, recipient.publicKey));
  const { ephemeral, cipherKey } = deriveFrom(messageKey);
  ephemeral.privateKey.wipe();
  if (!ephemeral.publicKey.equals(ephemeralKey)) throw new ProtocolError("bad-tag");
  const content = gcmSivOpenOnce(cipherKey, message.ciphertext);
  messageKey.fill(0);
  cipherKey.fill(0);
  const requireSender = (senderKey: PublicKey): void => {
    const shared = agree(recipient.privateKey, senderKey);
    const expected = tagOf(shared, ephemeralKey, message.maskedKey, senderKey, recipient.publicKey);
    if (!equal(expected, message.senderTag)) throw new ProtocolError("bad-tag");
  };
  return { content, requireSender };
}

/** The ephemeral pair and the cipher key follow from the message key, so a recipient can check the former. */
function deriveFrom(messageKey: Bytes): { readonly ephemeral: KeyPair; readonly cipherKey: Bytes } {
  const scalar = clamp(hkdf({ salt: EMPTY, inputKey: messageKey, info: LABELS.SEALED_V2_R, length: KEY_BYTES }));
  const cipherKey = hkdf({ salt: EMPTY, inputKey: messageKey, info: LABELS.SEALED_V2_K, length: KEY_BYTES });
  return { ephemeral: keyPairFromPrivate(new Secret(scalar)), cipherKey };
}

/** Overwrites the shared secret. */
function maskOf(shared: Bytes, ephemeral: PublicKey, recipient: PublicKey): Bytes {
  const inputKey = concat(shared, ephemeral.encode(), recipient.encode());
  shared.fill(0);
  return hkdf({ salt: EMPTY, inputKey, info: LABELS.SEALED_V2_DH, length: KEY_BYTES });
}

/** Overwrites the shared secret. */
function tagOf(shared: Bytes, ephemeral: PublicKey, maskedKey: Bytes, sender: PublicKey, recipient: PublicKey): Bytes {
  const inputKey = concat(shared, ephemeral.encode(), maskedKey, sender.encode(), recipient.encode());
  shared.fill(0);
  return hkdf({ salt: EMPTY, inputKey, info: LABELS.SEALED_V2_DH_SENDER, length: TAG_BYTES });
}

function xor(a: Bytes, b: Bytes): Bytes {
  const result = new Uint8Array(KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) result[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return result;
}
