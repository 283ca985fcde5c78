// Linking, as an active device does it: offer a key, read what the new device reveals, compare the digits that a person has typed,
// write the log entry, answer. Nothing of the account leaves before the digits were right. Knows no server; time is an argument.

import {
  equal,
  generateKeyPair,
  type KeyPair,
  parseIdentityKey,
  parsePublicKey,
  type Random,
  requireTorsionFree,
  Secret,
  xchachaOpen,
  xchachaSeal,
} from "#crypto";
import { type AccountState, addDevice, type Device, nextDeviceId, type OwnDevice, proposeDevice } from "#identity";
import {
  type AppendLog,
  type Bytes,
  copy,
  decodeLinkCode,
  decodeLinkDevice,
  decodeLinkReveal,
  type DeviceId,
  EMPTY,
  encodeLinkAnswer,
  encodeLinkOffer,
  LINK_TRIES,
  type LinkAnswer,
  type LinkDevice,
  type LinkWelcome,
  MAX_DEVICES_PER_ACCOUNT,
  ProtocolError,
  sameBytes,
  toUtf8,
} from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { commitmentTo, linkSecrets, type LinkTicket, requireInTime } from "./transcript.ts";

/** Has offered a key and waits for the reveal. */
export interface Approver {
  readonly kind: "offered";
  readonly ticket: LinkTicket;
  readonly ephemeral: KeyPair;
  /** The second blob. */
  readonly offer: Bytes;
  /** As it was offered: an account that has changed since takes another attempt. */
  readonly account: AccountState;
  readonly signer: DeviceId;
  readonly deviceId: DeviceId;
  readonly startedSeconds: number;
}

/** What is known of who asks. */
interface Asking extends Pick<Approver, "account" | "startedSeconds"> {
  readonly device: Device;
  readonly said: LinkDevice;
  /** Of the fourth blob. */
  readonly answerKey: Secret;
}

/** Waits for the digits. */
export interface ApproverMet extends Asking {
  readonly kind: "met";
  readonly digits: Secret;
  readonly triesLeft: number;
}

/** The digits were right. */
export interface ApproverSure extends Asking {
  readonly kind: "sure";
}

/** The ticket in a code. The caller owns its secret. @throws WireError */
export function openLinkCode(code: Bytes): LinkTicket {
  const { rendezvousId, secret, commitment } = decodeLinkCode(copy(code));
  return { rendezvousId, commitment, secret: new Secret(copy(secret)) };
}

export interface OfferLink {
  /** From a code, or from the request that the server has passed on. */
  readonly ticket: LinkTicket;
  /** The first blob: the same as the ticket says. Who has taken it is the only one that answers. */
  readonly commitment: Bytes;
  readonly account: AccountState;
  readonly signer: DeviceId;
  readonly nowSeconds: number;
}

/**
 * The second blob. Only when a person has said that they link a device: whoever could have many offers would choose one whose digits match.
 * Refuses `bad-key` another commitment, `over-limit` no room for one device more.
 */
export function offerLink({ ticket, commitment, account, signer, nowSeconds }: OfferLink, random: Random): Outcome<Approver, Bytes> {
  return attempt((attempt) => {
    if (!sameBytes(commitment, ticket.commitment)) throw new ProtocolError("bad-key");
    if (account.devices.length >= MAX_DEVICES_PER_ACCOUNT) throw new ProtocolError("over-limit");
    const ephemeral = generateKeyPair(random);
    attempt.keep(ephemeral.privateKey);
    const deviceId = nextDeviceId(account);
    const createdSeconds = Math.max(nowSeconds, account.createdSeconds);
    const { userId, head } = account;
    const offer = encodeLinkOffer({ ephemeralKey: ephemeral.publicKey.encode(), userId, signer, head, createdSeconds, deviceId });
    const state: Approver = { kind: "offered", ticket, ephemeral, offer, account, signer, deviceId, startedSeconds: nowSeconds };
    return { state, output: offer };
  });
}

/** Who asks to be let in, by its own word: for the person who is asked for the digits. */
export interface AskingDevice {
  readonly name: string;
  readonly device: Device;
}

/**
 * Reads the third blob. Refuses: `expired` · `bad-key` not what was committed to, or no key · `bad-tag` it saw another offer, or does
 * not know the code's secret · `bad-address` another device id than was offered · `bad-key-agreement` · every WireCode.
 */
export function openReveal(approver: Approver, blob: Bytes, nowSeconds: number): Outcome<ApproverMet, AskingDevice> {
  const { ticket, ephemeral, offer, account, deviceId, startedSeconds } = approver;
  return attempt((attempt) => {
    requireInTime(startedSeconds, nowSeconds);
    const { ephemeralKey: encoded, nonce, sealed } = decodeLinkReveal(copy(blob));
    const ephemeralKey = requireTorsionFree(parsePublicKey(encoded));
    // Before anything else: a key that is chosen after it has seen ours could be chosen for its digits.
    if (!sameBytes(commitmentTo(ephemeralKey, nonce), ticket.commitment)) throw new ProtocolError("bad-key");
    const secrets = linkSecrets(attempt, ephemeral.privateKey, ephemeralKey, { ticket, offer, ephemeralKey, nonce });
    const { deviceKey, answerKey, digits } = secrets;
    const said = decodeLinkDevice(xchachaOpen(deviceKey.expose(), sealed, EMPTY));
    if (said.device.deviceId !== deviceId) throw new ProtocolError("bad-address");
    const device: Device = { ...said.device, identityKey: parseIdentityKey(said.device.identityKey) };
    attempt.spend(ephemeral.privateKey, deviceKey, ...(ticket.secret === undefined ? [] : [ticket.secret]));
    const asking = { account, startedSeconds, device, said, answerKey };
    return { state: { kind: "met", ...asking, digits, triesLeft: LINK_TRIES }, output: { name: said.name, device } };
  });
}

export type Typed =
  | { readonly kind: "right"; readonly state: ApproverSure; readonly spent: readonly Secret[] }
  | { readonly kind: "wrong"; readonly state: ApproverMet }
  /** Wrong too often: this is the fourth blob, and nothing else can be done. */
  | { readonly kind: "ended"; readonly blob: Bytes; readonly spent: readonly Secret[] };

/** What the person has typed, without spaces. */
export function typeDigits(met: ApproverMet, typed: string, random: Random): Typed {
  const { digits, answerKey, account, startedSeconds, device, said } = met;
  if (equal(toUtf8(typed), digits.expose())) {
    return { kind: "right", state: { kind: "sure", account, startedSeconds, device, said, answerKey }, spent: [digits] };
  }
  const triesLeft = met.triesLeft - 1;
  if (triesLeft > 0) return { kind: "wrong", state: { ...met, triesLeft } };
  return { kind: "ended", blob: refuseLink(met, random), spent: [digits, answerKey] };
}

/** The fourth blob for who is not wanted. */
export function refuseLink({ answerKey }: ApproverMet | ApproverSure, random: Random): Bytes {
  return sealAnswer(answerKey, { kind: "refused" }, random);
}

export interface AddLinkedDevice {
  readonly signer: OwnDevice;
  readonly nowSeconds: number;
}

/**
 * The entry that lets the new device in, and its prekeys: for the server to take, or to refuse because the log has grown.
 * Refuses: `expired` · `bad-signature` the new device did not agree to this · as `readAccountLog` does.
 */
export function addLinkedDevice(
  sure: ApproverSure,
  { signer, nowSeconds }: AddLinkedDevice,
  random: Random,
): Outcome<ApproverSure, AppendLog> {
  const { account, startedSeconds, device, said } = sure;
  return attempt(() => {
    requireInTime(startedSeconds, nowSeconds);
    const proposal = proposeDevice(account, { device, signer: signer.deviceId, nowSeconds: startedSeconds });
    const input = { proposal, device, countersignature: said.countersignature, signer, nowSeconds };
    return { state: sure, output: { entry: addDevice(account, input, random), preKeys: said.preKeys } };
  });
}

export interface Welcomed {
  /** The fourth blob. */
  readonly blob: Bytes;
  readonly spent: readonly Secret[];
}

/** When the server has the entry. @throws UsageError `bad-argument` for what does not fit a blob. */
export function welcomeDevice({ answerKey }: ApproverSure, welcome: Omit<LinkWelcome, "kind">, random: Random): Welcomed {
  return { blob: sealAnswer(answerKey, { kind: "welcome", ...welcome }, random), spent: [answerKey] };
}

function sealAnswer(answerKey: Secret, answer: LinkAnswer["answer"], random: Random): Bytes {
  return xchachaSeal(answerKey.expose(), encodeLinkAnswer({ answer }), EMPTY, random);
}
