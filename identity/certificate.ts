// Server and sender certificates of sealed sender: the trust root signs a server key, the server key signs who a
// sender is. Both sides use these functions: the server to issue, the recipient to believe. A certificate proves
// only what the server says; whether the account's own log agrees is `matchesAccount`.

import { parseIdentityKey, type PublicKey, type Random, type Secret, sign, verifyRepeated } from "#crypto";
import {
  type Bytes,
  decodeSenderCertificate,
  decodeServerCertificate,
  type DeviceAddress,
  deviceOfServiceId,
  encodeSenderCertificateFields,
  encodeServerCertificateFields,
  encodeSigned,
  ProtocolError,
  UsageError,
  type ServerCertificate,
  serviceIdOfDevice,
} from "#wire";
import { type AccountState, activeDevice, nameOfKey } from "./account.ts";

/** In 1973: no clock is before, and any time in seconds is. */
const EARLIEST_MILLISECONDS = 1e11;

/** Server key ids that are never believed: the one the official library reserves to test revocation. */
const REVOKED_SERVER_KEYS: ReadonlySet<number> = new Set([0xdeadc357]);

export interface ServerCertificateRequest {
  readonly id: number;
  readonly serverKey: PublicKey;
  readonly trustRoot: Secret;
}

/** A server certificate, signed by the trust root. */
export function issueServerCertificate(request: ServerCertificateRequest, random: Random): Bytes {
  const certificate = encodeServerCertificateFields({ id: request.id, key: request.serverKey.encode() });
  return encodeSigned({ certificate, signature: sign(request.trustRoot, certificate, random) });
}

export interface SenderCertificateRequest {
  readonly device: DeviceAddress;
  readonly identityKey: PublicKey;
  readonly expiresMilliseconds: number;
  /** Whole, as `issueServerCertificate` made it; it travels inside. */
  readonly serverCertificate: Bytes;
  readonly serverKey: Secret;
}

/** A sender certificate, signed by the server key. */
export function issueSenderCertificate(request: SenderCertificateRequest, random: Random): Bytes {
  const certificate = encodeSenderCertificateFields({
    sender: serviceIdOfDevice(request.device),
    deviceId: request.device.deviceId,
    expires: request.expiresMilliseconds,
    identityKey: request.identityKey.encode(),
    signer: { kind: "embedded", certificate: request.serverCertificate },
  });
  return encodeSigned({ certificate, signature: sign(request.serverKey, certificate, random) });
}

export interface CertificateTrust {
  /** Any one of them may have signed the server key: roots rotate. */
  readonly trustRoots: readonly PublicKey[];
  readonly nowMilliseconds: number;
  /** Ids of server keys that are no longer believed, besides those that never are. */
  readonly revokedServerKeys?: ReadonlySet<number>;
}

/** What a believed certificate says. */
export interface CertifiedSender {
  readonly sender: DeviceAddress;
  readonly identityKey: PublicKey;
  readonly expiresMilliseconds: number;
}

/**
 * Checks the whole chain.
 * @throws WireError for bytes that are no certificate; ProtocolError `bad-certificate` for a broken chain, a revoked
 * or unknown server key; `expired`; `bad-address` when its two names for the device differ; `bad-key`.
 */
export function validateSenderCertificate(bytes: Bytes, trust: CertificateTrust): CertifiedSender {
  // Seconds in the place of milliseconds would make everything valid for ever.
  if (!(trust.nowMilliseconds > EARLIEST_MILLISECONDS)) throw new UsageError("bad-argument", "a time is in milliseconds");
  const certificate = decodeSenderCertificate(bytes);
  // A certificate that the receiver would have to know by number is none of ours: no such list exists.
  if (certificate.signer.kind !== "embedded") throw new ProtocolError("bad-certificate");
  const serverKey = validateServerCertificate(decodeServerCertificate(certificate.signer.certificate), trust);
  if (!verifyRepeated(serverKey, certificate.certificate, certificate.signature)) throw new ProtocolError("bad-certificate");
  if (trust.nowMilliseconds > certificate.expires) throw new ProtocolError("expired");
  const sender = deviceOfServiceId(certificate.sender);
  if (sender.deviceId !== certificate.deviceId) throw new ProtocolError("bad-address");
  return {
    sender,
    identityKey: parseIdentityKey(certificate.identityKey),
    expiresMilliseconds: certificate.expires,
  };
}

/**
 * Whether the account's log says the same as its server: that this is one of its active devices, with this key. Takes
 * what `validateSenderCertificate` or `openSealed` said.
 */
export function matchesAccount(certified: Pick<CertifiedSender, "sender" | "identityKey">, account: AccountState): boolean {
  const { userId, deviceId } = certified.sender;
  const device = userId === account.userId ? activeDevice(account, deviceId) : undefined;
  return device?.identityKey.equals(certified.identityKey) === true;
}

/** Whether its key stands in the account's log. When it does not match all the same, the device was put out, and never comes back. */
export function standsInAccount({ sender, identityKey }: Pick<CertifiedSender, "sender" | "identityKey">, account: AccountState): boolean {
  return sender.userId === account.userId && account.usedKeys.has(nameOfKey(identityKey));
}

function validateServerCertificate(certificate: ServerCertificate, trust: CertificateTrust): PublicKey {
  const revoked = REVOKED_SERVER_KEYS.has(certificate.id) || trust.revokedServerKeys?.has(certificate.id) === true;
  if (revoked) throw new ProtocolError("bad-certificate");
  const signed = trust.trustRoots.some((root) => verifyRepeated(root, certificate.certificate, certificate.signature));
  if (!signed) throw new ProtocolError("bad-certificate");
  return parseIdentityKey(certificate.key);
}
