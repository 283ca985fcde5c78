// UnidentifiedSenderMessageContent ("USMC"): what sealed sender seals, in both of its versions. The outermost
// plaintext, so it is also where length is hidden.

import type { Bytes } from "./bytes.ts";
import { concat } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";
import { encodeFields, present, Reader } from "./protobuf.ts";
import { requireEnvelopeSize } from "./version.ts";

/** What kind of message is inside. */
export type SealedKind = "message" | "prekey" | "sender-key" | "plaintext";

// A prekey message is 1 here and 3 wherever else a type is written.
const NUMBER_OF_KIND: Readonly<Record<SealedKind, number>> = { prekey: 1, message: 2, "sender-key": 7, plaintext: 8 };
const KIND_OF_NUMBER: ReadonlyMap<number, SealedKind> = new Map([
  [1, "prekey"],
  [2, "message"],
  [7, "sender-key"],
  [8, "plaintext"],
]);

export interface SealedContent {
  readonly kind: SealedKind;
  readonly senderCertificate: Bytes;
  readonly content: Bytes;
  /** 0 default, 1 resendable, 2 implicit; other numbers are kept as they are. */
  readonly contentHint: number;
  readonly groupId: Bytes | undefined;
}

export function encodeSealedContent(content: SealedContent): Bytes {
  return encodeFields([
    [1, NUMBER_OF_KIND[content.kind]],
    [2, content.senderCertificate],
    [3, content.content],
    [4, content.contentHint === 0 ? undefined : content.contentHint],
    [5, content.groupId],
  ]);
}

/** The tag of field 15, length-delimited. */
const PADDING_TAG = 0x7a;
/** What padding adds at least: the tag and a length that always takes three bytes, so that every size can be reached. */
export const SEALED_PADDING_OVERHEAD: number = 4;

/**
 * An encoded content brought to exactly `length` bytes by a field that the official library does not know and skips.
 * `length` is at least SEALED_PADDING_OVERHEAD more than there is.
 */
export function padSealedContent(encoded: Bytes, length: number): Bytes {
  const zeros = length - encoded.length - SEALED_PADDING_OVERHEAD;
  if (zeros < 0 || zeros >= 1 << 21) throw new UsageError("bad-argument", "length does not fit a padding field");
  const head = [PADDING_TAG, (zeros & 0x7f) | 0x80, ((zeros >> 7) & 0x7f) | 0x80, zeros >> 14];
  return concat(encoded, new Uint8Array(head), new Uint8Array(zeros));
}

/** The fields are views of `bytes`. @throws WireError */
export function decodeSealedContent(bytes: Bytes): SealedContent {
  requireEnvelopeSize(bytes);
  let type: number | undefined;
  let senderCertificate: Bytes | undefined;
  let content: Bytes | undefined;
  let contentHint = 0;
  let groupId: Bytes | undefined;
  const reader = new Reader(bytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) type = reader.uint32();
    else if (field === 2) senderCertificate = reader.bytes();
    else if (field === 3) content = reader.bytes();
    else if (field === 4) contentHint = reader.uint32();
    else if (field === 5) groupId = reader.bytes();
    else reader.skip(field);
  }
  const kind = KIND_OF_NUMBER.get(present(type));
  if (kind === undefined) throw new WireError("bad-value");
  return { kind, senderCertificate: present(senderCertificate), content: present(content), contentHint, groupId };
}
