// A recovery key as its owner keeps it: fourteen groups of four letters and digits, which say whose account it is, the key, and whether
// they were copied right. In base32 without I, L, O and U (Crockford's), so that nobody takes one letter for another.
//
// 15 bytes of the userId (its last one is zero), 16 random bytes from which the key pair follows, 4 bytes of checksum.

import { clamp, equal, hkdf, type KeyPair, keyPairFromPrivate, LABELS, labelled, type Random, Secret, sha256 } from "#crypto";
import { type Bytes, concat, EMPTY, parseUserId, type UserId, uuidFromBytes, uuidToBytes, WireError } from "#wire";
import { ClientError } from "../errors.ts";
import { givenString } from "../given.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const USER_BYTES = 15;
const SEED_BYTES = 16;
const CHECKSUM_BYTES = 4;
/** 35 bytes are 56 letters. */
const LETTERS = new RegExp(`^[${ALPHABET}]{${((USER_BYTES + SEED_BYTES + CHECKSUM_BYTES) * 8) / 5}}$`);

export interface RecoveryKeyText {
  readonly userId: UserId;
  readonly keys: KeyPair;
}

/** A new key. The text is the only form in which it is ever kept, and not by us. */
export function drawRecoveryKey(userId: UserId, random: Random): { readonly text: string; readonly keys: KeyPair } {
  const seed = random(SEED_BYTES);
  const named = concat(uuidToBytes(userId).subarray(0, USER_BYTES), seed);
  const text = inGroups(toBase32(concat(named, checksumOf(named))));
  const keys = keysOf(userId, seed);
  seed.fill(0);
  named.fill(0);
  return { text, keys };
}

/** However it was typed: in small letters, with spaces, hyphens or nothing between the groups. @throws ClientError `bad-argument` */
export function parseRecoveryKey(text: string): RecoveryKeyText {
  const letters = givenString(text, "a recovery key").toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (!LETTERS.test(letters)) throw notAKey();
  const bytes = fromBase32(letters);
  const named = bytes.slice(0, USER_BYTES + SEED_BYTES);
  if (!equal(checksumOf(named), bytes.slice(named.length))) throw notAKey();
  try {
    const userId = parseUserId(uuidFromBytes(concat(named.subarray(0, USER_BYTES), new Uint8Array(1))));
    return { userId, keys: keysOf(userId, named.slice(USER_BYTES)) };
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw notAKey();
  } finally {
    bytes.fill(0);
    named.fill(0);
  }
}

function notAKey(): ClientError {
  return new ClientError("bad-argument", {
    detail: "a recovery key has fourteen groups of four letters and digits; one of them is not right",
  });
}

function keysOf(userId: UserId, seed: Bytes): KeyPair {
  const info = labelled(LABELS.RECOVERY_KEY_SEED, uuidToBytes(userId));
  return keyPairFromPrivate(new Secret(clamp(hkdf({ inputKey: seed, salt: EMPTY, info, length: 32 }))));
}

function checksumOf(named: Bytes): Bytes {
  return sha256(labelled(LABELS.RECOVERY_KEY_CHECKSUM, named)).slice(0, CHECKSUM_BYTES);
}

function inGroups(letters: string): string {
  return (letters.match(/.{4}/g) ?? []).join("-");
}

function toBase32(bytes: Bytes): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31);
    held &= (1 << bits) - 1;
  }
  return text;
}

function fromBase32(text: string): Bytes {
  const bytes = new Uint8Array((text.length * 5) / 8);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    held = (held << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes;
}
