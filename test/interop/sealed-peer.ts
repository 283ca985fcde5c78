// Sealed sender as the official library does it, for one of its devices. Plain bytes in and out.

import type { CiphertextMessage, SealedSenderDecryptionResult, UnidentifiedSenderMessageContent } from "libsignal-0103";
import type { PublicKey } from "../../crypto/index.ts";
import { type Bytes, copy, type DeviceAddress, type SealedKind, serviceIdOfDevice } from "../../wire/index.ts";
import { withTimeout } from "./party.ts";
import type { Peer } from "./peer.ts";

const KINDS: ReadonlyMap<number, SealedKind> = new Map([
  [2, "message"],
  [3, "prekey"],
  [7, "sender-key"],
  [8, "plaintext"],
]);

export interface TheirContent {
  readonly certificate: Bytes;
  readonly message: CiphertextMessage;
  readonly contentHint: number;
  readonly groupId: Bytes | undefined;
}

export async function theirsSealForOne(peer: Peer, remote: DeviceAddress, content: TheirContent): Promise<Bytes> {
  const sealed = peer.library.api.sealedSenderEncrypt(wrap(peer, content), peer.named(remote), peer.stores.identities);
  return copy(await withTimeout(sealed, "sealedSenderEncrypt"));
}

/** Needs a session with each recipient; `excluded` are named in the message and get nothing. */
export async function theirsSealForMany(
  peer: Peer,
  recipients: readonly DeviceAddress[],
  content: TheirContent,
  excluded: readonly DeviceAddress[] = [],
): Promise<Bytes> {
  const { api } = peer.library;
  const sealed = api.sealedSenderMultiRecipientEncrypt({
    content: wrap(peer, content),
    recipients: recipients.map((recipient) => peer.named(recipient)),
    excludedRecipients: excluded.map((device) => api.Aci.parseFromServiceIdString(serviceIdOfDevice(device))),
    identityStore: peer.stores.identities,
    sessionStore: peer.stores.sessions,
  });
  return copy(await withTimeout(sealed, "sealedSenderMultiRecipientEncrypt"));
}

function wrap(peer: Peer, { certificate, message, contentHint, groupId }: TheirContent): UnidentifiedSenderMessageContent {
  const { SenderCertificate, UnidentifiedSenderMessageContent } = peer.library.api;
  return UnidentifiedSenderMessageContent.new(message, SenderCertificate.deserialize(certificate), contentHint, groupId ?? null);
}

export interface TheirOpened {
  readonly sender: string;
  readonly deviceId: number;
  readonly senderKey: Bytes;
  readonly contentKind: SealedKind | undefined;
  readonly content: Bytes;
  readonly contentHint: number;
  readonly groupId: Bytes | undefined;
}

/** Opens the seal and believes the certificate, or rejects; the message inside stays closed. */
export async function theirsOpenSealed(peer: Peer, sealed: Bytes, trustRoot: PublicKey, now: number): Promise<TheirOpened> {
  const { api } = peer.library;
  const content = await withTimeout(api.sealedSenderDecryptToUsmc(sealed, peer.stores.identities), "sealedSenderDecryptToUsmc");
  const certificate = content.senderCertificate();
  if (!certificate.validate(api.PublicKey.deserialize(trustRoot.encode()), now)) throw new Error("the certificate is not valid");
  const groupId = content.groupId();
  return {
    sender: certificate.senderUuid(),
    deviceId: certificate.senderDeviceId(),
    senderKey: copy(certificate.key().serialize()),
    contentKind: KINDS.get(content.msgType()),
    content: copy(content.contents()),
    contentHint: content.contentHint(),
    groupId: groupId === null ? undefined : copy(groupId),
  };
}

/** From seal to plaintext in the library's one call for it, which also refuses what the device sealed for itself. */
export async function theirsOpenWhole(peer: Peer, sealed: Bytes, trustRoot: PublicKey, now: number): Promise<SealedSenderDecryptionResult> {
  const { library, address, stores } = peer;
  const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = stores;
  const root = library.api.PublicKey.deserialize(trustRoot.encode());
  const name = serviceIdOfDevice(address);
  const opening = library.sealedSenderDecryptMessage(
    sealed,
    root,
    now,
    null,
    name,
    address.deviceId,
    sessions,
    identities,
    preKeys,
    signedPreKeys,
    kyberPreKeys,
  );
  return withTimeout(opening, "sealedSenderDecryptMessage");
}

/** Whether the library believes a certificate; bytes that it cannot read it does not believe. */
export function theirsBelieve(peer: Peer, certificate: Bytes, trustRoot: PublicKey, now: number): boolean {
  const { PublicKey, SenderCertificate } = peer.library.api;
  try {
    return SenderCertificate.deserialize(certificate).validate(PublicKey.deserialize(trustRoot.encode()), now);
  } catch {
    return false;
  }
}

export interface TheirSplit {
  /** What each device receives, by ServiceId. */
  readonly received: ReadonlyMap<string, Bytes>;
  readonly devices: ReadonlyMap<string, { readonly deviceIds: readonly number[]; readonly registrationIds: readonly number[] }>;
  readonly excluded: readonly string[];
}

/** Splits a multi-recipient message as the official server would. */
export function theirsSplit({ library }: Peer, sent: Bytes): TheirSplit {
  const message = new library.SentMessage(sent);
  const recipients = Object.entries(message.recipientsByServiceIdString());
  return {
    received: new Map(recipients.map(([serviceId, recipient]) => [serviceId, copy(message.messageForRecipient(recipient))])),
    devices: new Map(recipients.map(([serviceId, { deviceIds, registrationIds }]) => [serviceId, { deviceIds, registrationIds }])),
    excluded: message.excludedRecipientServiceIdStrings(),
  };
}
