// Names of accounts, devices and addresses, and the only places where a string or number becomes one.
// A brand comes from a parser and from nowhere else.

import { type Bytes, copy, fromHex, toHex } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { MAX_DEVICE_ID, MAX_REGISTRATION_ID, MAX_USERNAME_CHARACTERS, MIN_USERNAME_CHARACTERS } from "./limits.ts";

type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** An account: a lower-case UUID (version 8) whose last byte is zero, which commits to the account's genesis entry. */
export type UserId = Brand<string, "UserId">;
/** 1 to 127, unique among the devices that an account ever had until all 127 were used. */
export type DeviceId = Brand<number, "DeviceId">;
/** 14 bits, drawn at random when a device is made; tells a reinstalled device from its predecessor. */
export type RegistrationId = Brand<number, "RegistrationId">;
/** On the Signal wire each device is a ServiceId of its own: the userId with its last byte set to the device id. */
export type ServiceId = Brand<string, "ServiceId">;
/** Names a sender-key chain: a lower-case UUID. */
export type DistributionId = Brand<string, "DistributionId">;

/** Drawn by the sender of a message; every repeat and every copy has the same. A lower-case UUID. */
export type MessageId = Brand<string, "MessageId">;
/** A group: 32 bytes in lower-case hexadecimal. */
export type GroupId = Brand<string, "GroupId">;
/** The secret of the one who uploads a file: 32 random bytes in lower-case hexadecimal. */
export type UploadId = Brand<string, "UploadId">;
/** An encrypted file at the server: a hash of its uploadId, in lower-case hexadecimal. */
export type MediaId = Brand<string, "MediaId">;

/** Where two devices meet to link one of them: 32 random bytes in lower-case hexadecimal, which whoever knows may write to and take from. */
export type RendezvousId = Brand<string, "RendezvousId">;

/** What an account may be found by: 3 to 32 characters of `a-z`, `0-9`, `_` and `.`, of which the first is no dot. */
export type Username = Brand<string, "Username">;

/** One device of one account. `serviceIdOfDevice` gives its name on the Signal wire. */
export interface DeviceAddress {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

const HEX_256 = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The 16 bytes of a UUID in its lower-case text form. @throws WireError `bad-id`. */
export function uuidToBytes(text: string): Bytes {
  if (!UUID.test(text)) throw new WireError("bad-id");
  return fromHex(text.replaceAll("-", ""));
}

/** @throws WireError `bad-id` unless `bytes` is 16 long. */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new WireError("bad-id");
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @throws WireError `bad-id` for anything but a lower-case version-8 UUID that ends in a zero byte. */
export function parseUserId(value: unknown): UserId {
  if (typeof value !== "string" || !UUID.test(value)) throw new WireError("bad-id");
  if (value.charAt(14) !== "8" || !"89ab".includes(value.charAt(19)) || !value.endsWith("00")) throw new WireError("bad-id");
  return value as UserId;
}

/**
 * The userId that commits to a genesis entry: the first 15 bytes of its SHA-256 and a zero byte, as a
 * version-8 UUID (RFC 9562 section 5.8).
 */
export function userIdFromDigest(digest: Uint8Array): UserId {
  if (digest.length !== 32) throw new WireError("bad-length");
  const bytes = new Uint8Array(16);
  bytes.set(digest.subarray(0, 15));
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return parseUserId(uuidFromBytes(bytes));
}

/** @throws WireError `bad-id` unless `value` is an integer from 1 to 127. */
export function parseDeviceId(value: unknown): DeviceId {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > MAX_DEVICE_ID) throw new WireError("bad-id");
  return value as DeviceId;
}

/** @throws WireError `bad-id` unless `value` is an integer of 14 bits. */
export function parseRegistrationId(value: unknown): RegistrationId {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_REGISTRATION_ID) throw new WireError("bad-id");
  return value as RegistrationId;
}

/** @throws WireError `bad-id` for anything but a lower-case UUID. */
export function parseDistributionId(value: unknown): DistributionId {
  if (typeof value !== "string" || !UUID.test(value)) throw new WireError("bad-id");
  return value as DistributionId;
}

/** @throws WireError `bad-id` for anything but a lower-case UUID. */
export function parseMessageId(value: unknown): MessageId {
  if (typeof value !== "string" || !UUID.test(value)) throw new WireError("bad-id");
  return value as MessageId;
}

/** @throws WireError `bad-id` for anything but 64 lower-case hexadecimal digits. */
export function parseGroupId(value: unknown): GroupId {
  if (typeof value !== "string" || !HEX_256.test(value)) throw new WireError("bad-id");
  return value as GroupId;
}

/** @throws WireError `bad-id` for anything but 64 lower-case hexadecimal digits. */
export function parseUploadId(value: unknown): UploadId {
  if (typeof value !== "string" || !HEX_256.test(value)) throw new WireError("bad-id");
  return value as UploadId;
}

/** @throws WireError `bad-id` for anything but 64 lower-case hexadecimal digits. */
export function parseMediaId(value: unknown): MediaId {
  if (typeof value !== "string" || !HEX_256.test(value)) throw new WireError("bad-id");
  return value as MediaId;
}

/** @throws WireError `bad-id` for anything but 64 lower-case hexadecimal digits. */
export function parseRendezvousId(value: unknown): RendezvousId {
  if (typeof value !== "string" || !HEX_256.test(value)) throw new WireError("bad-id");
  return value as RendezvousId;
}

/** @throws WireError `bad-id`. One spelling: upper case is refused and never folded. */
export function parseUsername(value: unknown): Username {
  if (typeof value !== "string" || value.length < MIN_USERNAME_CHARACTERS || value.length > MAX_USERNAME_CHARACTERS) {
    throw new WireError("bad-id");
  }
  if (!/^[a-z0-9_][a-z0-9_.]*$/.test(value)) throw new WireError("bad-id");
  return value as Username;
}

/** The ServiceId by which the Signal wire knows one device. The inverse of `deviceOfServiceId`. */
export function serviceIdOfDevice(device: DeviceAddress): ServiceId {
  const bytes = uuidToBytes(device.userId);
  bytes[15] = device.deviceId;
  return uuidFromBytes(bytes) as ServiceId;
}

/**
 * The device that a ServiceId names; the same id stands beside it on the wire, and the two must agree.
 * @throws WireError `bad-id` when the last byte is no device id or the rest no userId.
 */
export function deviceOfServiceId(serviceId: string): DeviceAddress {
  const bytes = uuidToBytes(serviceId);
  const deviceId = parseDeviceId(bytes[15]);
  bytes[15] = 0;
  return { userId: parseUserId(uuidFromBytes(bytes)), deviceId };
}

/** @throws WireError `bad-id` for anything but the lower-case ServiceId of a device. */
export function parseServiceId(value: unknown): ServiceId {
  if (typeof value !== "string") throw new WireError("bad-id");
  deviceOfServiceId(value);
  return value as ServiceId;
}

const ACI = 0x00;
const FIXED_WIDTH_LENGTH = 17;

/** The fixed-width binary form: a kind byte (ACI, 0x00) and the 16 bytes of the UUID. */
export function serviceIdToFixedWidth(serviceId: ServiceId): Bytes {
  const bytes = new Uint8Array(FIXED_WIDTH_LENGTH);
  bytes[0] = ACI;
  bytes.set(uuidToBytes(serviceId), 1);
  return bytes;
}

/** @throws WireError `bad-id` unless `bytes` is an ACI in fixed-width form that names a device of ours. */
export function serviceIdFromFixedWidth(bytes: Uint8Array): ServiceId {
  if (bytes.length !== FIXED_WIDTH_LENGTH || bytes[0] !== ACI) throw new WireError("bad-id");
  const text = uuidFromBytes(copy(bytes.subarray(1)));
  deviceOfServiceId(text);
  return text as ServiceId;
}
