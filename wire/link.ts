// What two devices tell each other while one of them links the other, as bytes, and what a link code carries.
// The order of the blobs, the keys and the six digits are for protocol/link/; the server sees byte strings.

import type { Bytes } from "./bytes.ts";
import { LOG_HEAD, type LogHead } from "./content.ts";
import { DEVICE, type DeviceDetails } from "./identity-log.ts";
import { PREKEY_UPLOAD, type PreKeyUpload } from "./identity-prekeys.ts";
import type { DeviceId, RendezvousId, UserId, Username } from "./ids.ts";
import { bool, deviceId, exactly, rendezvousId, text, uint64, upTo, userId, username } from "./kinds.ts";
import { MAX_LINK_BLOB_BYTES, MAX_NAME_BYTES, MAX_TRUST_ROOTS } from "./limits.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { type Extensible, list, message, type MessageKind, oneof, optional, required, strictCodec, withDefault } from "./strict.ts";

/** What the new device shows, for an active one to scan. */
export interface LinkCode extends Extensible {
  readonly rendezvousId: RendezvousId;
  /** 16 bytes that the server never sees. */
  readonly secret: Bytes;
  /** The same as blob 1: 32 bytes. */
  readonly commitment: Bytes;
}

/** What the new device asks of an account's devices when nobody scans anything. */
export interface LinkRequest extends Extensible {
  readonly rendezvousId: RendezvousId;
  readonly commitment: Bytes;
}

/** Blob 2, of the active device. */
export interface LinkOffer extends Extensible {
  /** 33 bytes. */
  readonly ephemeralKey: Bytes;
  readonly userId: UserId;
  /** The device that is going to sign. */
  readonly signer: DeviceId;
  /** Of the account log, before the new device is in it. */
  readonly head: LogHead;
  /** Of the entry that adds the new device. */
  readonly createdSeconds: number;
  /** What the new device will be called. */
  readonly deviceId: DeviceId;
}

/** Blob 3, of the new device: what the commitment was to, and a sealed LinkDevice. */
export interface LinkReveal extends Extensible {
  readonly ephemeralKey: Bytes;
  /** 32 bytes. */
  readonly nonce: Bytes;
  readonly sealed: Bytes;
}

/** All that the active device needs in order to add the new one. */
export interface LinkDevice extends Extensible {
  /** What the new device calls itself. */
  readonly name: string;
  readonly device: DeviceDetails;
  readonly countersignature: Bytes;
  readonly preKeys: PreKeyUpload;
}

/** The digits were wrong three times, or the owner does not want this device. */
export interface LinkRefused extends Extensible {
  readonly kind: "refused";
}

/** The new device is in the log. */
export interface LinkWelcome extends Extensible {
  readonly kind: "welcome";
  /** Of the account log with the new device in it: what the server shows must agree. */
  readonly head: LogHead;
  readonly username: Username | undefined;
  readonly profileName: string;
  readonly readReceipts: boolean;
  readonly typing: boolean;
  readonly presence: boolean;
  /** Whom sender certificates must lead to, 33 bytes each. */
  readonly trustRoots: readonly Bytes[];
}

/** What is sealed in blob 4, of the active device: how it ended. */
export interface LinkAnswer extends Extensible {
  readonly answer: LinkRefused | LinkWelcome;
}

export const LINK_SECRET_BYTES: number = 16;
export const LINK_COMMITMENT_BYTES: number = 32;

const commitment = exactly(LINK_COMMITMENT_BYTES);
const publicKey = exactly(PUBLIC_KEY_BYTES);

export const LINK_CODE: MessageKind<LinkCode> = message("edgewise.LinkCode", {
  rendezvousId: required(1, rendezvousId),
  secret: required(2, exactly(LINK_SECRET_BYTES)),
  commitment: required(3, commitment),
});

export const LINK_REQUEST: MessageKind<LinkRequest> = message("edgewise.LinkRequest", {
  rendezvousId: required(1, rendezvousId),
  commitment: required(2, commitment),
});

export const LINK_OFFER: MessageKind<LinkOffer> = message("edgewise.LinkOffer", {
  ephemeralKey: required(1, publicKey),
  userId: required(2, userId),
  signer: required(3, deviceId),
  head: required(4, LOG_HEAD),
  createdSeconds: required(5, uint64),
  deviceId: required(6, deviceId),
});

export const LINK_REVEAL: MessageKind<LinkReveal> = message("edgewise.LinkReveal", {
  ephemeralKey: required(1, publicKey),
  nonce: required(2, exactly(32)),
  sealed: required(3, upTo(MAX_LINK_BLOB_BYTES)),
});

export const LINK_DEVICE: MessageKind<LinkDevice> = message("edgewise.LinkDevice", {
  name: withDefault(1, text(MAX_NAME_BYTES), ""),
  device: required(2, DEVICE),
  countersignature: required(3, exactly(SIGNATURE_BYTES)),
  preKeys: required(4, PREKEY_UPLOAD),
});

export const LINK_REFUSED: MessageKind<LinkRefused> = message("edgewise.LinkRefused", { kind: "refused" });

export const LINK_WELCOME: MessageKind<LinkWelcome> = message("edgewise.LinkWelcome", {
  kind: "welcome",
  head: required(1, LOG_HEAD),
  username: optional(2, username),
  profileName: withDefault(3, text(MAX_NAME_BYTES), ""),
  readReceipts: withDefault(4, bool, false),
  typing: withDefault(5, bool, false),
  presence: withDefault(6, bool, false),
  trustRoots: list(7, MAX_TRUST_ROOTS, publicKey),
});

export const LINK_ANSWER: MessageKind<LinkAnswer> = message("edgewise.LinkAnswer", {
  answer: oneof<LinkAnswer["answer"]>({ refused: [1, LINK_REFUSED], welcome: [2, LINK_WELCOME] }),
});

export const MAX_LINK_REQUEST_BYTES: number = 1024;

const code = strictCodec(LINK_CODE, MAX_LINK_REQUEST_BYTES);
const request = strictCodec(LINK_REQUEST, MAX_LINK_REQUEST_BYTES);
const offer = strictCodec(LINK_OFFER, MAX_LINK_BLOB_BYTES);
const reveal = strictCodec(LINK_REVEAL, MAX_LINK_BLOB_BYTES);
const device = strictCodec(LINK_DEVICE, MAX_LINK_BLOB_BYTES);
const answer = strictCodec(LINK_ANSWER, MAX_LINK_BLOB_BYTES);

/** What a link to link a device has behind its `#link/`, before base64url. */
export const encodeLinkCode: (value: LinkCode) => Bytes = code.encode;
/** Byte strings in the answer are views of `bytes`, here and below. @throws WireError */
export const decodeLinkCode: (bytes: Bytes) => LinkCode = code.decode;
export const encodeLinkRequest: (value: LinkRequest) => Bytes = request.encode;
/** @throws WireError */
export const decodeLinkRequest: (bytes: Bytes) => LinkRequest = request.decode;
export const encodeLinkOffer: (value: LinkOffer) => Bytes = offer.encode;
/** @throws WireError */
export const decodeLinkOffer: (bytes: Bytes) => LinkOffer = offer.decode;
export const encodeLinkReveal: (value: LinkReveal) => Bytes = reveal.encode;
/** @throws WireError */
export const decodeLinkReveal: (bytes: Bytes) => LinkReveal = reveal.decode;
export const encodeLinkDevice: (value: LinkDevice) => Bytes = device.encode;
/** @throws WireError */
export const decodeLinkDevice: (bytes: Bytes) => LinkDevice = device.decode;
export const encodeLinkAnswer: (value: LinkAnswer) => Bytes = answer.encode;
/** @throws WireError */
export const decodeLinkAnswer: (bytes: Bytes) => LinkAnswer = answer.decode;
