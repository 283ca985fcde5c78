// Sealed sender, version 1: one recipient, two layers. The outer one is opened with the recipient's identity key
// and hides the sender's; the inner one is keyed by both identities and so proves the sender's. Knows bytes only.

import {
  agree,
  ctrOnce,
  equal,
  generateKeyPair,
  hkdf,
  hmac,
  type KeyPair,
  LABELS,
  parseIdentityKey,
  parsePublicKey,
  type PublicKey,
  type Random,
} from "#crypto";
import { type Bytes, concat, copy, EMPTY, encodeSealedV1, ProtocolError, type SealedV1 } from "#wire";

const MAC_BYTES = 10;

export function sealV1(content: Bytes, sender: KeyPair, recipient: PublicKey, random: Random): Bytes {
  const ephemeral = generateKeyPair(random);
  const ephemeralPublic = ephemeral.publicKey.encode();
  const outer = layerKeys(outerSalt(recipient, ephemeralPublic), agree(ephemeral.privateKey, recipient));
  ephemeral.privateKey.wipe();
  const encryptedStatic = sealLayer(outer, sender.publicKey.encode());
  const inner = layerKeys(concat(outer.chain, encryptedStatic), agree(sender.privateKey, recipient));
  return encodeSealedV1({ ephemeralPublic, encryptedStatic, encryptedMessage: sealLayer(inner, content) });
}

/**
 * The content and the identity key that provably sealed it; whose key that is, the certificate inside must say.
 * @throws ProtocolError `bad-tag`, `bad-key`.
 */
export function openV1(message: SealedV1, recipient: KeyPair): { readonly content: Bytes; readonly senderKey: PublicKey } {
  const ephemeral = parsePublicKey(message.ephemeralPublic);
  const outer = layerKeys(outerSalt(recipient.publicKey, ephemeral.encode()), agree(recipient.privateKey, ephemeral));
  const senderKey = parseIdentityKey(openLayer(outer, message.encryptedStatic));
  const inner = layerKeys(concat(outer.chain, message.encryptedStatic), agree(recipient.privateKey, senderKey));
  return { content: openLayer(inner, message.encryptedMessage), senderKey };
}

interface LayerKeys {
  readonly chain: Bytes;
  readonly cipher: Bytes;
  readonly mac: Bytes;
}

function outerSalt(recipient: PublicKey, ephemeralPublic: Bytes): Bytes {
  return concat(LABELS.SEALED_V1_SALT, recipient.encode(), ephemeralPublic);
}

/** Overwrites the shared secret. The inner layer's chain part is not used by anyone. */
function layerKeys(salt: Bytes, shared: Bytes): LayerKeys {
  const okm = hkdf({ salt, inputKey: shared, info: EMPTY, length: 96 });
  shared.fill(0);
  return { chain: okm.subarray(0, 32), cipher: okm.subarray(32, 64), mac: okm.subarray(64) };
}

function sealLayer(keys: LayerKeys, plaintext: Bytes): Bytes {
  const ciphertext = ctrOnce(keys.cipher, plaintext);
  return concat(ciphertext, hmac(keys.mac, ciphertext).subarray(0, MAC_BYTES));
}

function openLayer(keys: LayerKeys, sealed: Bytes): Bytes {
  const split = sealed.length - MAC_BYTES;
  if (split < 0) throw new ProtocolError("bad-tag");
  const ciphertext = copy(sealed.subarray(0, split));
  const expected = copy(hmac(keys.mac, ciphertext).subarray(0, MAC_BYTES));
  if (!equal(expected, copy(sealed.subarray(split)))) throw new ProtocolError("bad-tag");
  return ctrOnce(keys.cipher, ciphertext);
}
