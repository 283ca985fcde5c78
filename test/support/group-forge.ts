// Entries of a group's log that the real author would not write, signed with real keys and encrypted under the real secret: what
// somebody who has some of both can make.

import { type KeyPair, LABELS, labelled, sign } from "#crypto";
import { sealGroupEntry } from "#protocol";
import {
  type Bytes,
  encodeGroupDetails,
  encodeGroupEntry,
  encodeGroupStatement,
  type GroupOperation,
  type GroupStatement,
  serviceIdOfDevice,
} from "#wire";
import { found } from "./accounts.ts";
import type { Seat, Town } from "./groups.ts";
import { seededRandom } from "./random.ts";

export interface GroupForgery {
  readonly operation?: GroupOperation;
  /** Fields in place of the right ones. */
  readonly statement?: Partial<GroupStatement>;
  readonly signedBy?: KeyPair;
  readonly label?: Bytes;
  readonly snapshot?: Bytes;
}

const random = seededRandom(667);

/** The plaintext of the next entry of the log, by the seat's device, except where the forger says otherwise. */
export function forgeEntry(town: Town, seat: Seat, forgery: GroupForgery): Bytes {
  const { state } = seat.current;
  const { operation = { kind: "rename", title: "Forged" }, signedBy = seat.device.identity, label = LABELS.SIGN_GROUP_OPERATION } = forgery;
  const statement = encodeGroupStatement({
    groupId: town.groupId,
    version: town.log.length + 1,
    previousHead: state.head,
    createdSeconds: seat.owner.now,
    signer: serviceIdOfDevice({ userId: seat.userId, deviceId: seat.device.deviceId }),
    signerHead: seat.owner.account.head,
    ...encodeGroupDetails(operation),
    ...forgery.statement,
  });
  const signature = sign(signedBy.privateKey, labelled(label, statement), random);
  return encodeGroupEntry({ statement, signature, snapshot: forgery.snapshot });
}

/** Encrypted for a place, by default the next, with the secret that the seat has. */
export function sealedFor(town: Town, seat: Seat, entry: Bytes, version = town.log.length + 1): Bytes {
  return sealGroupEntry(entry, { groupId: town.groupId, version }, found(seat.current.secrets).groupSecret, random);
}
