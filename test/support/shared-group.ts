// A group as its server sees it: key pairs that members and admins share, and what is said with them.

import { generateSigningKeyPair, type Random, type SigningKeyPair } from "#crypto";
import { type GroupAt, proveGroupRead, signGroupAppend } from "#identity";
import { type Bytes, type GroupAppend, type GroupKeys, parseGroupId, toHex } from "#wire";
import { seededRandom } from "./random.ts";

/** The keys of one epoch. */
export interface GroupPairs {
  readonly member: SigningKeyPair;
  readonly admin: SigningKeyPair;
}

export class SharedGroup {
  readonly random: Random;
  readonly at: GroupAt;
  /** In force. */
  pairs: GroupPairs;

  constructor(seed: number, origin = "https://edgewise.test") {
    this.random = seededRandom(seed);
    this.at = { origin, groupId: parseGroupId(toHex(this.random(32))) };
    this.pairs = this.makePairs();
  }

  makePairs(): GroupPairs {
    return { member: generateSigningKeyPair(this.random), admin: generateSigningKeyPair(this.random) };
  }

  begin(entry: Bytes = this.random(60)): GroupAppend {
    return signGroupAppend(this.at, { version: 1, entry, authority: { kind: "admin", keys: keysOf(this.pairs) } }, this.pairs.admin);
  }

  /** An admin's entry, whose keys stay as they are unless there are `next` ones. */
  change(version: number, { entry = this.random(60), next, pairs = this.pairs, at = this.at }: Change = {}): GroupAppend {
    const keys = next === undefined ? undefined : keysOf(next);
    return signGroupAppend(at, { version, entry, authority: { kind: "admin", keys } }, pairs.admin);
  }

  leave(version: number, { entry = this.random(60), pairs = this.pairs, at = this.at }: Change = {}): GroupAppend {
    return signGroupAppend(at, { version, entry, authority: { kind: "member" } }, pairs.member);
  }

  readProof(nowSeconds: number, { pairs = this.pairs, at = this.at }: Change = {}): Bytes {
    return proveGroupRead(at, pairs.member, nowSeconds);
  }
}

export interface Change {
  readonly entry?: Bytes;
  readonly next?: GroupPairs;
  readonly pairs?: GroupPairs;
  readonly at?: GroupAt;
}

export function keysOf({ member, admin }: GroupPairs): GroupKeys {
  return { memberKey: member.publicKey.encode(), adminKey: admin.publicKey.encode() };
}
