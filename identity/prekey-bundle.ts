// The prekeys of one device as a sender gets them from a server, and what is checked before anything is done with them.

import { KyberPublicKey, parsePublicKey, type PublicKey } from "#crypto";
import { type Bytes, type DeviceAddress, type DevicePreKeys, ProtocolError, type RegistrationId, sameBytes } from "#wire";
import { type AccountState, activeDevice } from "./account.ts";
import { isCapable } from "./device.ts";
import { openPreKeyRecord, requireIds } from "./prekey-record.ts";
import { requireNamed, requireSignedPreKey } from "./prekey-upload.ts";

/** Keys that the device itself has signed for this purpose: what a session begins with. */
export interface CheckedPreKeys {
  readonly address: DeviceAddress;
  readonly registrationId: RegistrationId;
  readonly identityKey: PublicKey;
  readonly signedPreKey: { readonly id: number; readonly publicKey: PublicKey; readonly signature: Bytes };
  readonly kyberPreKey: { readonly id: number; readonly publicKey: KyberPublicKey; readonly signature: Bytes };
  readonly oneTimePreKey: { readonly id: number; readonly publicKey: PublicKey } | undefined;
  /** When the device made its record: remember it, and refuse older ones. */
  readonly recordSeconds: number;
}

export interface CheckPreKeyBundle {
  /** The owner's log at the highest head that the sender knows. */
  readonly account: AccountState;
  readonly nowSeconds: number;
  /** `recordSeconds` of the newest record that the sender has seen of this device. */
  readonly seenSeconds?: number;
}

/**
 * The bare signatures of the Signal wire are not verified here: the record's covers the same keys and says more, and
 * whoever begins a session verifies them anyway. Refuses as `openPreKeyRecord` does, and: `not-authorized` the device is not
 * active, or a key is not the record's · `upgrade-required` the device can do less than it must · `replayed` · `bad-key` ·
 * `duplicate` one key in two roles.
 */
export function checkPreKeyBundle(keys: DevicePreKeys, { account, nowSeconds, seenSeconds = 0 }: CheckPreKeyBundle): CheckedPreKeys {
  const device = activeDevice(account, keys.deviceId);
  if (device === undefined) throw new ProtocolError("not-authorized");
  if (!isCapable(device)) throw new ProtocolError("upgrade-required");
  const { identityKey, registrationId } = device;
  const address = { userId: account.userId, deviceId: keys.deviceId };
  const record = openPreKeyRecord(keys.record, { owner: address, identityKey, nowSeconds });
  if (record.createdSeconds < seenSeconds) throw new ProtocolError("replayed");
  const { signedPreKey, kemPreKey } = keys;
  const publicKey = requireSignedPreKey(signedPreKey, record);
  const kemPublicKey = KyberPublicKey.parse(kemPreKey.publicKey);
  requireNamed(kemPreKey, [record.lastResort, ...record.oneTime]);
  return {
    address,
    registrationId,
    identityKey,
    signedPreKey: { id: signedPreKey.id, publicKey, signature: signedPreKey.signature },
    kyberPreKey: { id: kemPreKey.id, publicKey: kemPublicKey, signature: kemPreKey.signature },
    oneTimePreKey: checkOneTime(keys, identityKey),
    recordSeconds: record.createdSeconds,
  };
}

function checkOneTime({ oneTimePreKey, signedPreKey }: DevicePreKeys, identityKey: PublicKey): CheckedPreKeys["oneTimePreKey"] {
  if (oneTimePreKey === undefined) return undefined;
  const { id } = oneTimePreKey;
  requireIds([id]);
  const publicKey = parsePublicKey(oneTimePreKey.publicKey);
  if (publicKey.equals(identityKey) || sameBytes(oneTimePreKey.publicKey, signedPreKey.publicKey)) throw new ProtocolError("duplicate");
  return { id, publicKey };
}
