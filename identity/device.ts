// A device as an account log describes it. Knows no log.

import { parseIdentityKey, type PublicKey } from "#crypto";
import { type Capabilities, type DeviceDetails, type DeviceId, decodeDeviceDetails, encodeDeviceDetails, type RegistrationId } from "#wire";
import type { Bytes } from "#wire";

export interface Device {
  readonly deviceId: DeviceId;
  readonly identityKey: PublicKey;
  readonly registrationId: RegistrationId;
  readonly capabilities: Capabilities;
}

/** What this program can do. */
export const OUR_CAPABILITIES: Capabilities = { messageVersion: 4, pqRatchet: true, addresses: true, padding: true };

const MIN_MESSAGE_VERSION = 4;

/** Whether a device can be written to at all: PQXDH and the post-quantum ratchet. Less is refused and never negotiated. */
export function isCapable(device: Device): boolean {
  return device.capabilities.messageVersion >= MIN_MESSAGE_VERSION && device.capabilities.pqRatchet;
}

export function encodeDevice(device: Device): Bytes {
  const { deviceId, identityKey, registrationId, capabilities } = device;
  return encodeDeviceDetails({ deviceId, identityKey: identityKey.encode(), registrationId, capabilities });
}

/** @throws WireError; ProtocolError `bad-key`. */
export function decodeDevice(bytes: Bytes): Device {
  const details: DeviceDetails = decodeDeviceDetails(bytes);
  const { deviceId, registrationId, capabilities } = details;
  return { deviceId, identityKey: parseIdentityKey(details.identityKey), registrationId, capabilities };
}
