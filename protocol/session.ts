// One session with one device: a ratchet, the identities it is bound to, and the first message's key agreement for
// as long as the other side has not answered. Seals and opens single messages. Which of several sessions is meant,
// and what becomes of it, is decided in session-record.ts.

import { cbcDecrypt, cbcEncrypt, equal, hmac, parsePublicKey, type PublicKey, type Random } from "#crypto";
import {
  type Bytes,
  concat,
  type DeviceAddress,
  encodeAddresses,
  encodePreKeySignalMessage,
  encodeSignalMessage,
  ProtocolError,
  type RegistrationId,
  sameBytes,
  SIGNAL_MAC_BYTES,
  type SignalMessage,
} from "#wire";
import type { Attempt } from "./attempt.ts";
import { type MessageKeys, wipeKeys } from "./chain.ts";
import { confirmReceive, type Ratchet, ratchetReceive, ratchetSend } from "./ratchet.ts";

/** What the other side needs to make the same keys; sent along until it has answered. */
export interface PendingPreKey {
  readonly preKeyId: number | undefined;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** With its type byte, 1,569 bytes. */
  readonly kyberCiphertext: Bytes;
  readonly createdAtSeconds: number;
}

export interface Session {
  readonly localIdentity: PublicKey;
  readonly remoteIdentity: PublicKey;
  readonly localRegistrationId: RegistrationId;
  readonly remoteRegistrationId: RegistrationId;
  /** The initiator's base key: names the session, so that a repeated first message finds it. */
  readonly baseKey: PublicKey;
  readonly pending: PendingPreKey | undefined;
  readonly ratchet: Ratchet;
}

/** The two kinds of message that a session makes. A first message is a `prekey` one until the other side answered. */
export interface SessionMessage {
  readonly kind: "message" | "prekey";
  readonly bytes: Bytes;
}

/** Who a message is from and for. */
export interface Ends {
  readonly sender: DeviceAddress;
  readonly recipient: DeviceAddress;
}

/** The addresses go into prekey messages only: that is where the official library writes and reads them. */
export function sealInSession(
  session: Session,
  plaintext: Bytes,
  ends: Ends,
  attempt: Attempt,
  random: Random,
): { readonly session: Session; readonly message: SessionMessage } {
  const step = ratchetSend(session.ratchet, attempt, random);
  const { pending } = session;
  const authenticated = encodeSignalMessage({
    ratchetKey: step.extra.ratchetKey.encode(),
    counter: step.extra.counter,
    previousCounter: step.extra.previousCounter,
    ciphertext: cbcEncrypt(step.keys.cipherKey, step.keys.iv, plaintext),
    pqRatchet: step.extra.pqMessage,
    addresses: pending === undefined ? undefined : encodeAddresses(ends.sender, ends.recipient),
  });
  const bytes = concat(authenticated, mac(step.keys, session.localIdentity, session.remoteIdentity, authenticated));
  wipeKeys(step.keys);
  const next: Session = { ...session, ratchet: step.ratchet };
  if (pending === undefined) return { session: next, message: { kind: "message", bytes } };
  const wrapped = encodePreKeySignalMessage({
    preKeyId: pending.preKeyId,
    baseKey: session.baseKey.encode(),
    identityKey: session.localIdentity.encode(),
    message: bytes,
    registrationId: session.localRegistrationId,
    signedPreKeyId: pending.signedPreKeyId,
    kyberPreKeyId: pending.kyberPreKeyId,
    kyberCiphertext: pending.kyberCiphertext,
  });
  return { session: next, message: { kind: "prekey", bytes: wrapped } };
}

/**
 * Opens one message. The session returned has heard from the other side, so it stops sending prekey messages.
 * @throws ProtocolError `bad-tag`, `bad-address`, `bad-key`, `duplicate`, `too-far-ahead`, …
 */
export function openInSession(
  session: Session,
  message: SignalMessage,
  ends: Ends,
  attempt: Attempt,
  random: Random,
): { readonly session: Session; readonly plaintext: Bytes } {
  if (message.addresses !== undefined && !sameBytes(message.addresses, encodeAddresses(ends.sender, ends.recipient))) {
    throw new ProtocolError("bad-address");
  }
  const header = {
    ratchetKey: parsePublicKey(message.ratchetKey),
    counter: message.counter,
    previousCounter: message.previousCounter,
    pqMessage: message.pqRatchet ?? new Uint8Array(0),
  };
  const step = ratchetReceive(session.ratchet, header, attempt);
  const plaintext = decrypt(session, message, step.keys);
  const ratchet = confirmReceive(step.ratchet, step.extra, attempt, random);
  return { session: { ...session, ratchet, pending: undefined }, plaintext };
}

/** The MAC first; padding is looked at only when the message is authentic. Overwrites the keys either way. */
function decrypt(session: Session, message: SignalMessage, keys: MessageKeys): Bytes {
  try {
    const expected = mac(keys, session.remoteIdentity, session.localIdentity, message.authenticated);
    if (!equal(expected, message.mac)) throw new ProtocolError("bad-tag");
    return cbcDecrypt(keys.cipherKey, keys.iv, message.ciphertext);
  } finally {
    wipeKeys(keys);
  }
}

/** Whether a message under this ratchet key continues a chain of this session. */
export function knowsRatchetKey(session: Session, ratchetKey: PublicKey): boolean {
  return session.ratchet.receiving.some((chain) => chain.ratchetKey.equals(ratchetKey));
}

/** Both identities stand under every MAC, sender first: this is what binds a session to two people. */
function mac(keys: MessageKeys, sender: PublicKey, receiver: PublicKey, authenticated: Bytes): Bytes {
  return hmac(keys.macKey, concat(sender.encode(), receiver.encode(), authenticated)).slice(0, SIGNAL_MAC_BYTES);
}
