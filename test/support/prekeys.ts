// Prekeys for tests: an upload with its private halves forgotten, and what a server hands out of it.

import { generateKeyPair, generateKyberKeyPair, type Random } from "#crypto";
import { type CreatePreKeySet, createPreKeySet, type NewKemPreKey, type OwnDevice } from "#identity";
import type { DevicePreKeys, PreKeySet, PreKeyUpload, UserId } from "#wire";
import { START } from "./accounts.ts";

export function kemKey(id: number, random: Random): NewKemPreKey {
  return { id, publicKey: generateKyberKeyPair(random).publicKey };
}

export function preKeyInput(userId: UserId, device: OwnDevice, random: Random): CreatePreKeySet {
  return {
    owner: { userId, deviceId: device.deviceId },
    privateKey: device.identity.privateKey,
    signedPreKey: { id: 1, publicKey: generateKeyPair(random).publicKey },
    lastResort: kemKey(1, random),
    oneTime: [kemKey(2, random), kemKey(3, random)],
    nowSeconds: START,
  };
}

export function preKeySet(userId: UserId, device: OwnDevice, random: Random): PreKeySet {
  return createPreKeySet(preKeyInput(userId, device, random), random);
}

export function oneTimeKeys(ids: readonly number[], random: Random): PreKeyUpload["oneTimePreKeys"] {
  return ids.map((id) => ({ id, publicKey: generateKeyPair(random).publicKey.encode() }));
}

/** What a sender gets while one-time keys are left. */
export function handedOut(set: PreKeySet, device: OwnDevice, random: Random): DevicePreKeys {
  const [kemPreKey = set.lastResort] = set.oneTime;
  const [oneTimePreKey] = oneTimeKeys([7], random);
  return { deviceId: device.deviceId, record: set.record, signedPreKey: set.signedPreKey, kemPreKey, oneTimePreKey };
}
