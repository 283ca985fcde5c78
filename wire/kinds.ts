// The kinds of values that fields of our own formats have, each with its bounds: numbers, texts, byte strings, ids.

import { type Bytes, fromHex, toHex } from "./bytes.ts";
import { DELIMITED, FIXED64, type Sink, type Source, VARINT } from "./canonical.ts";
import { WireError } from "./errors.ts";
import {
  type DeviceId,
  type GroupId,
  type MediaId,
  type MessageId,
  parseDeviceId,
  parseGroupId,
  parseMediaId,
  parseMessageId,
  parseRegistrationId,
  parseRendezvousId,
  parseServiceId,
  parseUserId,
  parseUsername,
  type RegistrationId,
  type RendezvousId,
  type ServiceId,
  type UserId,
  type Username,
  uuidFromBytes,
  uuidToBytes,
} from "./ids.ts";
import { MAX_USERNAME_CHARACTERS } from "./limits.ts";
import { fromUtf8, toUtf8 } from "./utf8.ts";

export interface Kind<T> {
  /** Its name in a .proto file. */
  readonly proto: string;
  readonly wireType: number;
  /** Reads one value; a length-delimited one up to the source's end. @throws WireError */
  read(source: Source): T;
  write(sink: Sink, value: T): void;
  /** Whether this is the value that proto3 does not write. */
  isDefault(value: T): boolean;
}

export const bool: Kind<boolean> = {
  proto: "bool",
  wireType: VARINT,
  read(source) {
    const value = source.varint();
    if (value > 1) throw new WireError("not-canonical");
    return value === 1;
  },
  write: (sink, value) => sink.varint(value ? 1 : 0),
  isDefault: (value) => !value,
};

export const uint32: Kind<number> = {
  proto: "uint32",
  wireType: VARINT,
  read(source) {
    const value = source.varint();
    if (value > 0xffff_ffff) throw new WireError("bad-value");
    return value;
  },
  write: (sink, value) => sink.varint(value),
  isDefault: (value) => value === 0,
};

/** Up to 2^53 - 1: counters, and milliseconds since 1970. */
export const uint64: Kind<number> = {
  proto: "uint64",
  wireType: VARINT,
  read: (source) => source.varint(),
  write: (sink, value) => sink.varint(value),
  isDefault: (value) => value === 0,
};

/** Up to 2^53 - 1, in a fixed eight bytes. */
export const fixed64: Kind<number> = {
  proto: "fixed64",
  wireType: FIXED64,
  read: (source) => source.fixed64(),
  write: (sink, value) => sink.fixed64(value),
  isDefault: (value) => value === 0,
};

/** A byte string of `min` to `max` bytes. */
export function bytes(min: number, max: number): Kind<Bytes> {
  return {
    proto: "bytes",
    wireType: DELIMITED,
    read(source) {
      const value = source.rest();
      if (value.length > max) throw new WireError("too-long");
      if (value.length < min) throw new WireError("bad-length");
      return value;
    },
    write: (sink, value) => sink.raw(value),
    isDefault: (value) => value.length === 0,
  };
}

export function exactly(length: number): Kind<Bytes> {
  return bytes(length, length);
}

export function upTo(max: number): Kind<Bytes> {
  return bytes(0, max);
}

/** A text of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number): Kind<string> {
  return { ...mapped(upTo(maxBytes), fromUtf8, toUtf8), proto: "string", isDefault: (value) => value === "" };
}

export interface EnumKind<Name extends string> extends Kind<Name> {
  readonly names: ReadonlyMap<number, Name>;
}

/** Names for the numbers of an enum. A number without a name is something newer: `unknown-critical`. */
export function enumeration<Name extends string>(proto: string, numbers: Readonly<Record<Name, number>>): EnumKind<Name> {
  // The keys of a record of Name are of type Name; Object.keys does not say so.
  const names = new Map((Object.keys(numbers) as Name[]).map((name) => [numbers[name], name]));
  return {
    proto,
    names,
    wireType: VARINT,
    read(source) {
      const number = source.varint();
      // Zero is proto3's "unspecified": the same as absent, and then it must be absent.
      if (number === 0) throw new WireError("not-canonical");
      const name = names.get(number);
      if (name === undefined) throw new WireError("unknown-critical");
      return name;
    },
    write: (sink, value) => sink.varint(numbers[value]),
    isDefault: () => false,
  };
}

/** A kind that stands for another one on the wire, whose default value it cannot be. */
function mapped<Inner, T>(inner: Kind<Inner>, decode: (value: Inner) => T, encode: (value: T) => Inner): Kind<T> {
  return {
    proto: inner.proto,
    wireType: inner.wireType,
    read: (source) => decode(inner.read(source)),
    write: (sink, value) => inner.write(sink, encode(value)),
    isDefault: () => false,
  };
}

export const userId: Kind<UserId> = mapped(exactly(16), (value) => parseUserId(uuidFromBytes(value)), uuidToBytes);
export const serviceId: Kind<ServiceId> = mapped(exactly(16), (value) => parseServiceId(uuidFromBytes(value)), uuidToBytes);
export const messageId: Kind<MessageId> = mapped(exactly(16), (value) => parseMessageId(uuidFromBytes(value)), uuidToBytes);
export const groupId: Kind<GroupId> = mapped(exactly(32), (value) => parseGroupId(toHex(value)), fromHex);
export const mediaId: Kind<MediaId> = mapped(exactly(32), (value) => parseMediaId(toHex(value)), fromHex);
export const rendezvousId: Kind<RendezvousId> = mapped(exactly(32), (value) => parseRendezvousId(toHex(value)), fromHex);
export const username: Kind<Username> = mapped(text(MAX_USERNAME_CHARACTERS), parseUsername, String);
export const deviceId: Kind<DeviceId> = mapped(uint32, parseDeviceId, Number);
export const registrationId: Kind<RegistrationId> = {
  ...mapped(uint32, parseRegistrationId, Number),
  isDefault: (value) => value === 0,
};
