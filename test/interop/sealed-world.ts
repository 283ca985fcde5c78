// The scene of the tests of sealed sender: Alice's device is ours, Bob's the library's, and one server certifies both.
// Bob's identity is known to our implementation too, so both can be asked to open the very same bytes.

import { type KeyPair, keyPairFromPrivate, type Random, Secret } from "../../crypto/index.ts";
import { validateSenderCertificate } from "../../identity/index.ts";
import { type OpenedContent, openSealed, type SealForOne } from "../../protocol/index.ts";
import { type Bytes, copy, type DeviceAddress } from "../../wire/index.ts";
import { addressOf } from "../support/devices.ts";
import { Authority, type CertificateRequest, NOW_MILLISECONDS } from "./authority.ts";
import { chooseBackend } from "./backends.ts";
import type { Library } from "./library.ts";
import { Ours } from "./ours.ts";
import { Peer } from "./peer.ts";
import { theirsBelieve, theirsOpenSealed, type TheirOpened } from "./sealed-peer.ts";

export const ALICE: DeviceAddress = addressOf(1);
export const BOB: DeviceAddress = addressOf(2, 2);

export class SealedWorld {
  readonly library: Library;
  readonly random: Random;
  readonly authority: Authority;
  readonly ours: Ours;
  readonly theirs: Peer;
  readonly bobsIdentity: KeyPair;

  constructor(library: Library, seed: number) {
    this.library = library;
    this.random = chooseBackend(seed);
    this.authority = new Authority(this.random);
    this.ours = new Ours(ALICE, this.random);
    this.theirs = new Peer(library, BOB);
    this.bobsIdentity = keyPairFromPrivate(new Secret(copy(this.theirs.identity.serialize())));
  }

  /** Alice's, made by our implementation. */
  oursCertificate(request: Partial<CertificateRequest> = {}): Bytes {
    return this.authority.byOurs({ device: ALICE, identityKey: this.ours.identity.publicKey, ...request });
  }

  /** Bob's, made by the library. */
  theirsCertificate(request: Partial<CertificateRequest> = {}): Bytes {
    return this.authority.byTheirs({ device: BOB, identityKey: this.bobsIdentity.publicKey, ...request }, this.library);
  }

  /** From Alice to Bob, with nothing special about it. */
  sealable(content: Bytes): SealForOne {
    return {
      sender: this.ours.identity,
      senderCertificate: this.oursCertificate(),
      recipient: this.bobsIdentity.publicKey,
      kind: "message",
      content,
      contentHint: 0,
      groupId: undefined,
    };
  }

  /** @throws Error with the code of a refusal. */
  oursOpen(identity: KeyPair, bytes: Bytes): OpenedContent {
    const trustRoots = [this.authority.trustRoot.publicKey];
    const opened = openSealed({ identity, bytes, trustRoots, nowMilliseconds: NOW_MILLISECONDS });
    if (opened.kind === "refused") throw new Error(`refused: ${opened.code}`);
    return opened;
  }

  async theirsOpen(peer: Peer, bytes: Bytes): Promise<TheirOpened> {
    return theirsOpenSealed(peer, bytes, this.authority.trustRoot.publicKey, NOW_MILLISECONDS);
  }

  /** Which implementations believe a certificate. */
  believers(certificate: Bytes, nowMilliseconds: number = NOW_MILLISECONDS): readonly ("ours" | "theirs")[] {
    const root = this.authority.trustRoot.publicKey;
    const ours = this.#oursBelieve(certificate, nowMilliseconds);
    const theirs = theirsBelieve(this.theirs, certificate, root, nowMilliseconds);
    return [...(ours ? ["ours" as const] : []), ...(theirs ? ["theirs" as const] : [])];
  }

  #oursBelieve(certificate: Bytes, nowMilliseconds: number): boolean {
    try {
      validateSenderCertificate(certificate, { trustRoots: [this.authority.trustRoot.publicKey], nowMilliseconds });
      return true;
    } catch {
      return false;
    }
  }
}

/** With one bit of one byte changed; `at` wraps around. */
export function flipped(bytes: Bytes, at: number): Bytes {
  const altered = copy(bytes);
  const position = at % bytes.length;
  altered[position] = (altered[position] ?? 0) ^ (1 << (at % 8));
  return altered;
}
