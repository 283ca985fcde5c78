// Log entries that the real authors would not write, signed with real keys: what an attacker who has some of them can make.

import { type KeyPair, LABELS, labelled, sign } from "#crypto";
import { describeDevice, type Device, type OwnDevice } from "#identity";
import { type Bytes, encodeDeviceDetails, encodeLogEntry, encodeLogStatement, LOG_TYPES, type LogStatement } from "#wire";
import type { Owner } from "./accounts.ts";
import { seededRandom } from "./random.ts";

export interface Forgery {
  readonly statement: Partial<LogStatement>;
  readonly signedBy: KeyPair;
  readonly countersignedBy?: KeyPair;
  /** Labels in place of the right ones. */
  readonly label?: Bytes;
  readonly counterLabel?: Bytes;
}

const random = seededRandom(666);

/** The next entry of the account, except where the forger says otherwise; everything is signed as the forgery stands. */
export function forge(owner: Owner, forgery: Forgery): Bytes {
  const { account } = owner;
  const statement = encodeLogStatement({
    userId: account.userId,
    sequence: account.head.length + 1,
    previousHash: account.head.hash,
    createdSeconds: owner.now,
    signer: owner.first.deviceId,
    type: LOG_TYPES.revokeDevice,
    details: new Uint8Array([8, 1]),
    ...forgery.statement,
  });
  const { signedBy, countersignedBy, label = LABELS.SIGN_LOG_ENTRY, counterLabel = LABELS.SIGN_LOG_COUNTERSIGN } = forgery;
  return encodeLogEntry({
    statement,
    signature: sign(signedBy.privateKey, labelled(label, statement), random),
    countersignature:
      countersignedBy === undefined ? undefined : sign(countersignedBy.privateKey, labelled(counterLabel, statement), random),
  });
}

/** What an `add-device`, `recover` or `genesis` statement says. */
export function deviceDetails(device: OwnDevice | Device): Bytes {
  const { deviceId, identityKey, registrationId, capabilities } = "identity" in device ? describeDevice(device) : device;
  return encodeDeviceDetails({ deviceId, identityKey: identityKey.encode(), registrationId, capabilities });
}
