// Sealed sender as a whole: what goes into the sealed content, its padding, and what a recipient must check before
// believing who sent it. The two constructions are sealed-v1.ts and sealed-v2.ts; certificates are identity/'s.
// A sealed message says who sent it; whether that device belongs to that person, the account log says.

import { type CertificateTrust, validateSenderCertificate } from "#identity";
import type { KeyPair, PublicKey, Random } from "#crypto";
import {
  type Bytes,
  decodeSealedContent,
  decodeSealedMessage,
  type DeviceAddress,
  encodeMultiRecipient,
  MAX_RECIPIENT_DEVICES,
  ProtocolError,
  type RegistrationId,
  type SealedContent,
  type SealedKind,
  serviceIdOfDevice,
} from "#wire";
import { attempt, type Refused } from "./attempt.ts";
import { encodePadded } from "./padding.ts";
import { openV1, sealV1 } from "./sealed-v1.ts";
import { openV2, sealKeyFor, sealOnce } from "./sealed-v2.ts";

/** What is sealed besides its recipients. */
export interface Sealable {
  readonly sender: KeyPair;
  /** The sender's certificate from the server, whole. */
  readonly senderCertificate: Bytes;
  readonly kind: SealedKind;
  /** A message of that kind. */
  readonly content: Bytes;
  /** 0 default, 1 resendable, 2 implicit. */
  readonly contentHint: 0 | 1 | 2;
  readonly groupId: Bytes | undefined;
}

export interface SealForOne extends Sealable {
  readonly recipient: PublicKey;
}

/** Version 1, for one device. @throws ProtocolError `over-limit` when the content fits no bucket. */
export function sealForOne(input: SealForOne, random: Random): Bytes {
  return sealV1(encodePadded(sealedContent(input)), input.sender, input.recipient, random);
}

export interface SealedRecipient {
  readonly address: DeviceAddress;
  readonly registrationId: RegistrationId;
  readonly identityKey: PublicKey;
}

export interface SealForMany extends Sealable {
  readonly recipients: readonly SealedRecipient[];
}

/** Version 2, encrypted once for up to 600 devices, in the form that a server splits. @throws ProtocolError `over-limit`. */
export function sealForMany(input: SealForMany, random: Random): Bytes {
  if (input.recipients.length > MAX_RECIPIENT_DEVICES) throw new ProtocolError("over-limit");
  const sealed = sealOnce(encodePadded(sealedContent(input)), random);
  const recipients = input.recipients.map(({ address, registrationId, identityKey }) => ({
    serviceId: serviceIdOfDevice(address),
    registrationId,
    ...sealKeyFor(sealed, input.sender, identityKey),
  }));
  sealed.ephemeral.privateKey.wipe();
  sealed.messageKey.wipe();
  return encodeMultiRecipient({ recipients, excluded: [], tail: sealed.tail });
}

export interface OpenSealed extends CertificateTrust {
  readonly identity: KeyPair;
  readonly bytes: Bytes;
}

/** A sealed content with a proven sender. The message inside is still to be opened, by session or sender key. */
export interface OpenedContent {
  readonly kind: "opened";
  readonly sender: DeviceAddress;
  readonly identityKey: PublicKey;
  readonly contentKind: SealedKind;
  readonly content: Bytes;
  readonly contentHint: number;
  readonly groupId: Bytes | undefined;
}

/**
 * Opens either version. Refuses `bad-tag`, `bad-key`, `bad-certificate`, `expired`; `bad-address` when the
 * certificate's two names for the device differ; `self-send` for what our own device sealed.
 */
export function openSealed(input: OpenSealed): OpenedContent | Refused {
  const outcome = attempt(() => ({ state: undefined, output: open(input) }));
  return outcome.kind === "refused" ? outcome : outcome.output;
}

function open({ identity, bytes, ...trust }: OpenSealed): OpenedContent {
  const { content, proveSender } = openLayers(bytes, identity);
  const sealed = decodeSealedContent(content);
  const certificate = validateSenderCertificate(sealed.senderCertificate, trust);
  proveSender(certificate.identityKey);
  if (certificate.identityKey.equals(identity.publicKey)) throw new ProtocolError("self-send");
  return {
    kind: "opened",
    sender: certificate.sender,
    identityKey: certificate.identityKey,
    contentKind: sealed.kind,
    content: sealed.content,
    contentHint: sealed.contentHint,
    groupId: sealed.groupId,
  };
}

/** The padded content, and the check that it was sealed by the key that the certificate inside names. */
function openLayers(bytes: Bytes, identity: KeyPair): { readonly content: Bytes; readonly proveSender: (senderKey: PublicKey) => void } {
  const message = decodeSealedMessage(bytes);
  if (message.kind === "v2") {
    const { content, requireSender } = openV2(message, identity);
    return { content, proveSender: requireSender };
  }
  const { content, senderKey } = openV1(message, identity);
  return {
    content,
    proveSender(named) {
      if (!named.equals(senderKey)) throw new ProtocolError("bad-certificate");
    },
  };
}

function sealedContent(input: Sealable): SealedContent {
  const { kind, senderCertificate, content, contentHint, groupId } = input;
  return { kind, senderCertificate, content, contentHint, groupId };
}
