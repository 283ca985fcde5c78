// ServerCertificate and SenderCertificate as bytes. Each is a signature beside the bytes it covers, and those are
// kept as received: protobuf has many encodings of one message. Whom to believe is for identity/.

import type { Bytes } from "./bytes.ts";
import { type DeviceId, parseDeviceId, parseServiceId, type ServiceId, uuidFromBytes } from "./ids.ts";
import { encodeFields, present, Reader, sized } from "./protobuf.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { toUtf8 } from "./utf8.ts";
import { requireEnvelopeSize } from "./version.ts";

/** What a signature of 64 bytes covers, and the signature. */
export interface Signed {
  readonly certificate: Bytes;
  readonly signature: Bytes;
}

export interface ServerCertificateFields {
  readonly id: number;
  /** 33 bytes. */
  readonly key: Bytes;
}

export interface ServerCertificate extends ServerCertificateFields, Signed {}

/** Who vouches for a sender: a certificate that comes along, or one that the receiver knows by its number. */
export type Signer = { readonly kind: "embedded"; readonly certificate: Bytes } | { readonly kind: "known"; readonly id: number };

export interface SenderCertificateFields {
  readonly sender: ServiceId;
  readonly deviceId: DeviceId;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** 33 bytes. */
  readonly identityKey: Bytes;
  readonly signer: Signer;
}

export interface SenderCertificate extends SenderCertificateFields, Signed {}

/** A whole certificate of either kind. */
export function encodeSigned(signed: Signed): Bytes {
  return encodeFields([
    [1, signed.certificate],
    [2, signed.signature],
  ]);
}

/** The part of a server certificate that is signed. */
export function encodeServerCertificateFields(fields: ServerCertificateFields): Bytes {
  return encodeFields([
    [1, fields.id],
    [2, fields.key],
  ]);
}

/** The part of a sender certificate that is signed. */
export function encodeSenderCertificateFields(fields: SenderCertificateFields): Bytes {
  const { signer } = fields;
  return encodeFields([
    [2, fields.deviceId],
    [3, BigInt(fields.expires)],
    [4, fields.identityKey],
    [5, signer.kind === "embedded" ? signer.certificate : undefined],
    [6, toUtf8(fields.sender)],
    [8, signer.kind === "known" ? signer.id : undefined],
  ]);
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeServerCertificate(bytes: Bytes): ServerCertificate {
  const signed = decodeSigned(bytes);
  let id: number | undefined;
  let key: Bytes | undefined;
  const reader = new Reader(signed.certificate);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) id = reader.uint32();
    else if (field === 2) key = reader.bytes();
    else reader.skip(field);
  }
  return { ...signed, id: present(id), key: sized(key, PUBLIC_KEY_BYTES) };
}

/** The fields are views of `bytes`. A telephone number, which Signal's own service writes, is skipped. @throws WireError */
export function decodeSenderCertificate(bytes: Bytes): SenderCertificate {
  const signed = decodeSigned(bytes);
  let deviceId: number | undefined;
  let expires: number | undefined;
  let identityKey: Bytes | undefined;
  let signer: Signer | undefined;
  let sender: string | undefined;
  const reader = new Reader(signed.certificate);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) deviceId = reader.uint32();
    else if (field === 3) expires = reader.fixed64();
    else if (field === 4) identityKey = reader.bytes();
    else if (field === 5) signer = { kind: "embedded", certificate: reader.bytes() };
    else if (field === 6) sender = reader.text();
    else if (field === 7) sender = uuidFromBytes(reader.bytes());
    else if (field === 8) signer = { kind: "known", id: reader.uint32() };
    else reader.skip(field);
  }
  return {
    ...signed,
    sender: parseServiceId(present(sender)),
    deviceId: parseDeviceId(present(deviceId)),
    expires: present(expires),
    identityKey: sized(identityKey, PUBLIC_KEY_BYTES),
    signer: present(signer),
  };
}

function decodeSigned(bytes: Bytes): Signed {
  requireEnvelopeSize(bytes);
  let certificate: Bytes | undefined;
  let signature: Bytes | undefined;
  const reader = new Reader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) certificate = reader.bytes();
    else if (field === 2) signature = reader.bytes();
    else reader.skip(field);
  }
  return { certificate: present(certificate), signature: sized(signature, SIGNATURE_BYTES) };
}
