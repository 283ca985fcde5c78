// What both devices know when the third blob has been read, and what follows from it: the keys of the two sealed blobs, and six
// digits that a person carries from the new device to the active one.
//
// The digits cover what was fixed before either side could compute them: the commitment, the offer, and what the commitment is to.
// Not the sealed part of the third blob: its sender writes it when the digits are known, and would try contents until they match.
// The key that it is sealed under follows from the same keys as the digits do, and that is what makes it the new device's.

import { agree, hkdf, LABELS, labelled, type PublicKey, type Secret, sha256 } from "#crypto";
import { ascii, type Bytes, concat, EMPTY, fromHex, LINK_TICKET_LIFETIME_SECONDS, ProtocolError, type RendezvousId } from "#wire";
import type { Attempt } from "../attempt.ts";

export const NONCE_BYTES = 32;
const KEY_BYTES = 32;
const DIGITS = 6;

/** How the new device is found: told by a code, with a secret, or by a request through the server, without one. */
export interface LinkTicket {
  readonly rendezvousId: RendezvousId;
  /** 32 bytes, also the first blob. */
  readonly commitment: Bytes;
  readonly secret: Secret | undefined;
}

/** What a new device commits to before it sees the other's key. */
export function commitmentTo(ephemeralKey: PublicKey, nonce: Bytes): Bytes {
  return sha256(labelled(LABELS.LINK_COMMITMENT, ephemeralKey.encode(), nonce));
}

/** A ticket is good for two minutes, whatever the server does with it. @throws ProtocolError `expired`. */
export function requireInTime(startedSeconds: number, nowSeconds: number): void {
  if (Math.abs(nowSeconds - startedSeconds) > LINK_TICKET_LIFETIME_SECONDS) throw new ProtocolError("expired");
}

export interface Transcript {
  readonly ticket: LinkTicket;
  /** The second blob, as it was sent. */
  readonly offer: Bytes;
  /** What the commitment is to. */
  readonly ephemeralKey: PublicKey;
  readonly nonce: Bytes;
}

export interface LinkSecrets {
  /** Of the LinkDevice in the third blob. */
  readonly deviceKey: Secret;
  /** Of the fourth blob. */
  readonly answerKey: Secret;
  /** Six ASCII digits. */
  readonly digits: Secret;
}

/** @param own the private half of our ephemeral key. Refuses `bad-key-agreement`. */
export function linkSecrets(attempt: Attempt, own: Secret, their: PublicKey, transcript: Transcript): LinkSecrets {
  const { ticket, offer, ephemeralKey, nonce } = transcript;
  const secret = ticket.secret?.expose() ?? EMPTY;
  const rendezvousId = fromHex(ticket.rendezvousId);
  const salt = sha256(labelled(LABELS.LINK_TRANSCRIPT, rendezvousId, ticket.commitment, offer, ephemeralKey.encode(), nonce));
  const shared = agree(own, their);
  const inputKey = concat(shared, secret);
  shared.fill(0);
  const derive = (info: Bytes): Bytes => hkdf({ salt, inputKey, info, length: KEY_BYTES });
  const deviceKey = attempt.make(derive(LABELS.LINK_DEVICE_KEY));
  const answerKey = attempt.make(derive(LABELS.LINK_ANSWER_KEY));
  const digits = attempt.make(digitsOf(derive(LABELS.LINK_DIGITS)));
  inputKey.fill(0);
  return { deviceKey, answerKey, digits };
}

/** 256 random bits modulo a million: no number is likelier than another by more than one in 2^236. Overwrites them. */
function digitsOf(bytes: Bytes): Bytes {
  let number = 0;
  for (const byte of bytes) number = (number * 256 + byte) % 10 ** DIGITS;
  bytes.fill(0);
  return ascii(String(number).padStart(DIGITS, "0"));
}
