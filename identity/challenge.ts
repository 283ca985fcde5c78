// How a device proves to a server that it is there: it signs the server's nonce together with everything that says what
// the signature is for. Issuing a nonce once and for a minute only is the server's.

import { LABELS, labelled, type Random, type Secret, sign, verify } from "#crypto";
import { type Bytes, type DeviceAddress, ProtocolError, uuidToBytes, WireError } from "#wire";
import { activeDevice, type Membership } from "./account.ts";
import { originField } from "./origin.ts";

export interface Challenge {
  /** Scheme, host and port as a browser writes them: `https://chat.example.org`. */
  readonly origin: string;
  readonly device: DeviceAddress;
  /** 32 bytes of the server's. */
  readonly nonce: Bytes;
}

/**
 * @param privateKey the device's identity key
 * @throws WireError `bad-length` for a nonce of another length.
 */
export function answerChallenge(challenge: Challenge, privateKey: Secret, random: Random): Bytes {
  return sign(privateKey, statementOf(challenge), random);
}

/**
 * The device that answered. The challenge is what the server knows it has issued, and nothing that the caller sent.
 * @throws ProtocolError `bad-address` the log of another account, `not-authorized` a device that is not active, `bad-signature`.
 */
export function checkAnswer<D extends Membership["devices"][number]>(challenge: Challenge, signature: Bytes, account: Membership<D>): D {
  const statement = statementOf(challenge);
  if (challenge.device.userId !== account.userId) throw new ProtocolError("bad-address");
  const device = activeDevice(account, challenge.device.deviceId);
  if (device === undefined) throw new ProtocolError("not-authorized");
  if (!verify(device.identityKey, statement, signature)) throw new ProtocolError("bad-signature");
  return device;
}

const NONCE_BYTES = 32;

function statementOf({ origin, device, nonce }: Challenge): Bytes {
  if (nonce.length !== NONCE_BYTES) throw new WireError("bad-length");
  const { userId, deviceId } = device;
  return labelled(LABELS.SIGN_AUTH_CHALLENGE, originField(origin), uuidToBytes(userId), new Uint8Array([deviceId]), nonce);
}
