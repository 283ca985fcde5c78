// Linking, as the new device does it: commit, read the offer, reveal and show six digits, read the answer. Each blob has one place
// in the order, and each step one state, so that nothing is said twice. Knows no server; time is an argument.
//
// What the digits prove, they prove to the active device. This side knows whom it talks to by the code's secret, or else by the
// account that its owner named: an offer of any other is refused.

import {
  generateKeyPair,
  type KeyPair,
  parsePublicKey,
  type PublicKey,
  type Random,
  requireTorsionFree,
  Secret,
  xchachaOpen,
  xchachaSeal,
} from "#crypto";
import { acceptDevice, describeDevice, type OwnDevice, proposeDevice } from "#identity";
import {
  type Bytes,
  copy,
  decodeLinkAnswer,
  decodeLinkOffer,
  type DeviceAddress,
  EMPTY,
  encodeLinkCode,
  encodeLinkDevice,
  encodeLinkReveal,
  LINK_SECRET_BYTES,
  type LinkAnswer,
  type LinkOffer,
  parseRendezvousId,
  type PreKeyUpload,
  ProtocolError,
  toHex,
  UsageError,
  type UserId,
} from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { commitmentTo, linkSecrets, type LinkTicket, NONCE_BYTES, requireInTime } from "./transcript.ts";

const RENDEZVOUS_ID_BYTES = 32;

/** Waits for an offer. */
export interface Newcomer {
  readonly kind: "waiting";
  readonly ticket: LinkTicket;
  readonly ephemeral: KeyPair;
  readonly nonce: Bytes;
  /** The account that the owner named; absent where a code says where to go. */
  readonly userId: UserId | undefined;
  readonly startedSeconds: number;
}

/** Has read the offer, and has said nothing yet. */
export interface NewcomerMet {
  readonly kind: "met";
  readonly before: Newcomer;
  /** As it was received, and what it says. */
  readonly received: Bytes;
  readonly offer: LinkOffer;
  readonly theirKey: PublicKey;
}

/** Shows the digits and waits for the answer. */
export interface NewcomerRevealed {
  readonly kind: "revealed";
  readonly answerKey: Secret;
  readonly startedSeconds: number;
}

/** How the active device will hear of this one. */
export type LinkBy = { readonly kind: "code" } | { readonly kind: "request"; readonly userId: UserId };

/** The ticket's commitment is the first blob; `linkCodeOf` makes the code. */
export function beginLink(by: LinkBy, nowSeconds: number, random: Random): Newcomer {
  const ephemeral = generateKeyPair(random);
  const nonce = random(NONCE_BYTES);
  const ticket: LinkTicket = {
    rendezvousId: parseRendezvousId(toHex(random(RENDEZVOUS_ID_BYTES))),
    commitment: commitmentTo(ephemeral.publicKey, nonce),
    secret: by.kind === "code" ? new Secret(random(LINK_SECRET_BYTES)) : undefined,
  };
  return { kind: "waiting", ticket, ephemeral, nonce, userId: by.kind === "request" ? by.userId : undefined, startedSeconds: nowSeconds };
}

/** The code to show, encoded: whoever sees it may answer. @throws UsageError `wrong-order` for who asks by request. */
export function linkCodeOf({ ticket }: Newcomer): Bytes {
  const { rendezvousId, commitment, secret } = ticket;
  if (secret === undefined) throw new UsageError("wrong-order", "a request has no code");
  return encodeLinkCode({ rendezvousId, secret: secret.expose(), commitment });
}

/**
 * Reads the second blob. The output is what this device will be called, for its keys to be made.
 * Refuses: `expired` · `bad-address` another account than the one that was named · `bad-key` · every WireCode.
 */
export function openOffer(newcomer: Newcomer, blob: Bytes, nowSeconds: number): Outcome<NewcomerMet, DeviceAddress> {
  return attempt(() => {
    requireInTime(newcomer.startedSeconds, nowSeconds);
    const received = copy(blob);
    const offer = decodeLinkOffer(received);
    const { userId, deviceId } = offer;
    if (newcomer.userId !== undefined && userId !== newcomer.userId) throw new ProtocolError("bad-address");
    const theirKey = requireTorsionFree(parsePublicKey(offer.ephemeralKey));
    return { state: { kind: "met", before: newcomer, received, offer, theirKey }, output: { userId, deviceId } };
  });
}

export interface RevealDevice {
  /** With the device id of the offer. */
  readonly device: OwnDevice;
  /** What the active device's owner is asked about. */
  readonly name: string;
  /** Signed keys and a last resort: the rest is uploaded when the device is in. */
  readonly preKeys: PreKeyUpload;
  readonly nowSeconds: number;
}

export interface Revealed {
  /** The third blob. */
  readonly blob: Bytes;
  /** For the person to type on the active device. */
  readonly digits: string;
}

/**
 * Says who this device is. Refuses `expired`, `bad-key-agreement`.
 * @throws UsageError `bad-argument` for another device id than was offered, or for what does not fit a blob.
 */
export function revealDevice(met: NewcomerMet, input: RevealDevice, random: Random): Outcome<NewcomerRevealed, Revealed> {
  const { before, offer, theirKey, received } = met;
  const { device, name, preKeys, nowSeconds } = input;
  if (device.deviceId !== offer.deviceId) throw new UsageError("bad-argument", "the device has another id than was offered");
  return attempt((attempt) => {
    requireInTime(before.startedSeconds, nowSeconds);
    const { ticket, ephemeral, nonce, startedSeconds } = before;
    const transcript = { ticket, offer: received, ephemeralKey: ephemeral.publicKey, nonce };
    const { deviceKey, answerKey, digits } = linkSecrets(attempt, ephemeral.privateKey, theirKey, transcript);
    const countersignature = countersign(offer, device, random);
    const { deviceId, identity, registrationId, capabilities } = device;
    const details = { deviceId, identityKey: identity.publicKey.encode(), registrationId, capabilities };
    const sealed = xchachaSeal(deviceKey.expose(), encodeLinkDevice({ name, device: details, countersignature, preKeys }), EMPTY, random);
    const blob = encodeLinkReveal({ ephemeralKey: ephemeral.publicKey.encode(), nonce, sealed });
    attempt.spend(ephemeral.privateKey, deviceKey, digits, ...(ticket.secret === undefined ? [] : [ticket.secret]));
    const state: NewcomerRevealed = { kind: "revealed", answerKey, startedSeconds };
    return { state, output: { blob, digits: String.fromCharCode(...digits.expose()) } };
  });
}

/**
 * Reads the fourth blob. A welcome is worth what the account log then says: that this device is in it, at the head that it names.
 * Refuses: `expired` · `bad-tag` · every WireCode.
 */
export function openAnswer(revealed: NewcomerRevealed, blob: Bytes, nowSeconds: number): Outcome<undefined, LinkAnswer["answer"]> {
  return attempt((attempt) => {
    requireInTime(revealed.startedSeconds, nowSeconds);
    const { answer } = decodeLinkAnswer(xchachaOpen(revealed.answerKey.expose(), blob, EMPTY));
    attempt.spend(revealed.answerKey);
    return { state: undefined, output: answer };
  });
}

/** The statement is not sent: the active device writes the same one, from what it offered. */
function countersign({ userId, head, createdSeconds, signer }: LinkOffer, device: OwnDevice, random: Random): Bytes {
  const proposed = { device: describeDevice(device), signer, nowSeconds: createdSeconds };
  const proposal = proposeDevice({ userId, head, createdSeconds }, proposed);
  return acceptDevice({ proposal, userId, device }, random);
}
