// Two devices for tests of linking: an account with a device that may let others in, and a device that asks. Nothing between them:
// a test carries the blobs, or does worse.

import { generateKeyPair, generateKyberKeyPair, type Random } from "#crypto";
import { createPreKeySet, OUR_CAPABILITIES, type OwnDevice } from "#identity";
import {
  addLinkedDevice,
  type Approver,
  type ApproverMet,
  type ApproverSure,
  beginLink,
  type LinkBy,
  linkCodeOf,
  type LinkTicket,
  type Newcomer,
  type NewcomerMet,
  type NewcomerRevealed,
  offerLink,
  openLinkCode,
  openOffer,
  openReveal,
  type Outcome,
  revealDevice,
  typeDigits,
} from "#protocol";
import { type AppendLog, type Bytes, type DeviceAddress, type LinkWelcome, parseRegistrationId, type PreKeyUpload } from "#wire";
import { Owner } from "../../support/accounts.ts";
import { seededRandom } from "../../support/random.ts";

export const NAME = "Laptop";

export const WELCOME: Omit<LinkWelcome, "kind" | "head"> = {
  username: undefined,
  profileName: "Alice",
  readReceipts: true,
  typing: false,
  presence: true,
  trustRoots: [],
};

/** The output of a transition that must succeed. Secrets that it spent are wiped, as a client does. */
export function done<State, Output>(outcome: Outcome<State, Output>): { readonly state: State; readonly output: Output } {
  if (outcome.kind === "refused") throw new Error(`refused: ${outcome.code}`);
  for (const secret of outcome.spent) secret.wipe();
  return outcome;
}

/** Both sides, up to where the digits are shown and asked for. */
export interface Met {
  readonly newcomer: Newcomer;
  readonly approver: Approver;
  readonly offer: Bytes;
  readonly reveal: Bytes;
  readonly digits: string;
  readonly waiting: NewcomerRevealed;
  readonly asking: ApproverMet;
}

export class Pair {
  readonly owner: Owner;
  readonly random: Random;
  readonly by: LinkBy;

  constructor(seed: number, kind: LinkBy["kind"] = "code") {
    this.owner = new Owner(seed);
    this.random = seededRandom(seed + 1);
    this.by = kind === "code" ? { kind } : { kind, userId: this.owner.userId };
  }

  begin(): Newcomer {
    return beginLink(this.by, this.owner.now, this.random);
  }

  /** What the active device knows of it: read from the code, or told by the server. */
  ticketOf(newcomer: Newcomer): LinkTicket {
    return newcomer.ticket.secret === undefined ? newcomer.ticket : openLinkCode(linkCodeOf(newcomer));
  }

  offer(ticket: LinkTicket, commitment: Bytes = ticket.commitment): { readonly state: Approver; readonly output: Bytes } {
    const { account, first, now } = this.owner;
    return done(offerLink({ ticket, commitment, account, signer: first.deviceId, nowSeconds: now }, this.random));
  }

  meet(newcomer: Newcomer, offer: Bytes): { readonly state: NewcomerMet; readonly output: DeviceAddress } {
    return done(openOffer(newcomer, offer, this.owner.now));
  }

  /** Makes the new device's keys, and reveals. */
  reveal(met: NewcomerMet): { readonly state: NewcomerRevealed; readonly blob: Bytes; readonly digits: string } {
    const device = this.newDevice(met.offer.deviceId);
    const preKeys = this.preKeys(device, met.offer);
    const { state, output } = done(revealDevice(met, { device, name: NAME, preKeys, nowSeconds: this.owner.now }, this.random));
    return { state, ...output };
  }

  newDevice(deviceId: OwnDevice["deviceId"]): OwnDevice {
    const identity = generateKeyPair(this.random);
    return { deviceId, identity, registrationId: parseRegistrationId(4711), capabilities: OUR_CAPABILITIES };
  }

  /** As a device that is not in yet uploads them: signed keys alone. */
  preKeys({ deviceId, identity }: OwnDevice, { userId }: Pick<DeviceAddress, "userId">): PreKeyUpload {
    const signed = generateKeyPair(this.random).publicKey;
    const set = createPreKeySet(
      {
        owner: { userId, deviceId },
        privateKey: identity.privateKey,
        signedPreKey: { id: 1, publicKey: signed },
        lastResort: { id: 2, publicKey: generateKyberKeyPair(this.random).publicKey },
        oneTime: [],
        nowSeconds: this.owner.now,
      },
      this.random,
    );
    return { set, oneTimePreKeys: [] };
  }

  upToDigits(): Met {
    const newcomer = this.begin();
    const offered = this.offer(this.ticketOf(newcomer), newcomer.ticket.commitment);
    const { state: waiting, blob: reveal, digits } = this.reveal(this.meet(newcomer, offered.output).state);
    const asking = this.asked(offered.state, reveal).state;
    return { newcomer, approver: offered.state, offer: offered.output, reveal, digits, waiting, asking };
  }

  asked(approver: Approver, blob: Bytes): { readonly state: ApproverMet; readonly output: { readonly name: string } } {
    return done(openReveal(approver, blob, this.owner.now));
  }

  sure(met: ApproverMet, digits: string): ApproverSure {
    const typed = typeDigits(met, digits, this.random);
    if (typed.kind !== "right") throw new Error("the digits were wrong");
    return typed.state;
  }

  add(sure: ApproverSure): AppendLog {
    return done(addLinkedDevice(sure, { signer: this.owner.first, nowSeconds: this.owner.now }, this.random)).output;
  }
}
