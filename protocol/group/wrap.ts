// Secrets of an epoch, sealed to the identity key of each device that is to have them: X25519 with one ephemeral key for
// all, and a key of its own for each device. Knows neither roles nor who is meant to have what.
//
// The wraps are classical and hold no signature: the entry that they stand in has one.

import { agree, gcmSivOpenOnce, gcmSivSealOnce, hkdf, type KeyPair, LABELS, labelled, parsePublicKey, type PublicKey } from "#crypto";
import type { Membership } from "#identity";
import {
  be32,
  type Bytes,
  concat,
  type DeviceAddress,
  type DeviceWrap,
  EMPTY,
  fromHex,
  type GroupId,
  type LogHead,
  type MemberWraps,
  serviceIdOfDevice,
  uuidToBytes,
} from "#wire";

const KEY_BYTES = 32;

/** A member's account, as its log says at one head: an AccountState is one. */
export interface GroupAccount extends Membership {
  readonly head: LogHead;
}

/** What a wrap is for. */
export interface WrapPurpose {
  readonly kind: "rotation" | "promotion";
  readonly groupId: GroupId;
  /** Of the secrets that are wrapped. */
  readonly epoch: number;
}

/** One wrap for each device of the account. */
export function wrapFor(account: GroupAccount, secrets: Bytes, ephemeral: KeyPair, purpose: WrapPurpose): MemberWraps {
  const devices = account.devices.map(({ deviceId, identityKey }): DeviceWrap => {
    const shared = agree(ephemeral.privateKey, identityKey);
    const key = wrapKey(shared, ephemeral.publicKey, identityKey, { userId: account.userId, deviceId }, purpose);
    const wrapped = gcmSivSealOnce(key, secrets);
    key.fill(0);
    return { deviceId, wrapped };
  });
  devices.sort((a, b) => a.deviceId - b.deviceId);
  return { userId: account.userId, logLength: account.head.length, devices };
}

/** A device of our own, for opening what was wrapped for it. */
export interface GroupDevice {
  readonly address: DeviceAddress;
  readonly identity: KeyPair;
}

/**
 * What was wrapped for this device; absent when nothing was. The caller owns it.
 * @throws ProtocolError `bad-tag`, `bad-key`, `bad-key-agreement`.
 */
export function unwrap(wraps: MemberWraps, ephemeralKey: Bytes, device: GroupDevice, purpose: WrapPurpose): Bytes | undefined {
  const own = wraps.devices.find(({ deviceId }) => deviceId === device.address.deviceId);
  if (own === undefined) return undefined;
  const ephemeral = parsePublicKey(ephemeralKey);
  const shared = agree(device.identity.privateKey, ephemeral);
  const key = wrapKey(shared, ephemeral, device.identity.publicKey, device.address, purpose);
  try {
    return gcmSivOpenOnce(key, own.wrapped);
  } finally {
    key.fill(0);
  }
}

/** Overwrites the shared secret. */
function wrapKey(shared: Bytes, ephemeral: PublicKey, device: PublicKey, address: DeviceAddress, purpose: WrapPurpose): Bytes {
  const inputKey = concat(shared, ephemeral.encode(), device.encode());
  shared.fill(0);
  const label = purpose.kind === "rotation" ? LABELS.GROUP_ROTATION_WRAP : LABELS.GROUP_PROMOTION_WRAP;
  const info = labelled(label, fromHex(purpose.groupId), be32(purpose.epoch), uuidToBytes(serviceIdOfDevice(address)));
  const key = hkdf({ salt: EMPTY, inputKey, info, length: KEY_BYTES });
  inputKey.fill(0);
  return key;
}
