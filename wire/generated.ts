// Between generated messages and our own types: byte strings, ids, and extensions. An extension is a field from number
// 128 on, which a newer version may add and an older one keeps without understanding, so that decoding and encoding
// again changes no byte. Knows no message.

import { create, type DescMessage, type Message, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Bytes, fromHex, toHex } from "./bytes.ts";
import {
  type GroupId,
  type MediaId,
  type MessageId,
  parseGroupId,
  parseMediaId,
  parseMessageId,
  parseServiceId,
  parseUserId,
  type ServiceId,
  type UserId,
  uuidFromBytes,
  uuidToBytes,
} from "./ids.ts";

type UnknownFields = NonNullable<Message["$unknown"]>;

export interface Extensible {
  /** Made by a decoder. Nobody else writes or reads it. */
  readonly extensions?: Readonly<UnknownFields>;
}

/** What a message carries beyond what is known, to be spread into our own type. */
export function extensionsOf(message: Message): Extensible {
  return message.$unknown === undefined ? {} : { extensions: message.$unknown };
}

/** A generated message with these fields, and with the extensions of the value that it is made from. */
export function make<Desc extends DescMessage>(schema: Desc, from: Extensible, fields: MessageInitShape<Desc>): MessageShape<Desc> {
  const message = create(schema, fields);
  if (from.extensions !== undefined) message.$unknown = [...from.extensions];
  return message;
}

/** A decoded byte string, which generated types call `Uint8Array`: it is a view of the input, and that is `Bytes`. */
export function bytesOf(field: Uint8Array): Bytes {
  return field as Bytes;
}

export const userIdToField: (id: UserId) => Bytes = uuidToBytes;
export const serviceIdToField: (id: ServiceId) => Bytes = uuidToBytes;
export const messageIdToField: (id: MessageId) => Bytes = uuidToBytes;
export const groupIdToField: (id: GroupId) => Bytes = fromHex;
export const mediaIdToField: (id: MediaId) => Bytes = fromHex;

export function userIdOf(field: Uint8Array): UserId {
  return parseUserId(uuidFromBytes(field));
}

export function serviceIdOf(field: Uint8Array): ServiceId {
  return parseServiceId(uuidFromBytes(field));
}

export function messageIdOf(field: Uint8Array): MessageId {
  return parseMessageId(uuidFromBytes(field));
}

export function groupIdOf(field: Uint8Array): GroupId {
  return parseGroupId(toHex(field));
}

export function mediaIdOf(field: Uint8Array): MediaId {
  return parseMediaId(toHex(field));
}
