// What a mailbox offers by RPC. Everything is plain data that structured clone carries. A mailbox that was never
// registered, or whose account is deleted, writes nothing and answers `unknown`, or `deleted` where its caller may say so.

import type { Bytes, DeviceId, MessageId, RegistrationId, RendezvousId, UserId } from "#wire";
import type { DeviceChanges } from "./core.ts";

export interface Unknown {
  readonly kind: "unknown";
}

/** The account has ended, by the last entry of its log. */
export interface Deleted {
  readonly kind: "deleted";
}

/** A refusal by the rules of identity/ (their code), or by the mailbox's own. */
export interface Denied {
  readonly kind: "denied";
  readonly code: string;
}

export interface Registration {
  readonly userId: UserId;
  /** The first entry of the account log. */
  readonly genesis: Bytes;
  /** An encoded PreKeyUpload with a set for the first device. */
  readonly upload: Bytes;
}

export interface LogAppend {
  readonly entry: Bytes;
  /** An encoded PreKeyUpload for the device that the entry adds. */
  readonly upload: Bytes | undefined;
}

export interface Appended {
  readonly kind: "appended";
  /** The log with this entry. */
  readonly length: number;
  readonly hash: Bytes;
}

export interface LogConflict {
  readonly kind: "conflict";
}

export interface AcceptDevice {
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
  readonly content: Bytes;
}

export interface Accept {
  readonly messageId: MessageId;
  readonly scope: "all" | "some";
  readonly ephemeral: boolean;
  readonly devices: readonly AcceptDevice[];
}

/** `accepted` is a promise: for a message that is not ephemeral it is given after the rows are durable. */
export type AcceptResult =
  | { readonly kind: "accepted" }
  | ({ readonly kind: "devices-changed" } & DeviceChanges)
  | { readonly kind: "mailbox-full" }
  | Deleted
  | Unknown;

export interface DeviceIdentity {
  readonly kind: "device";
  readonly registrationId: RegistrationId;
  /** 33 bytes. */
  readonly identityKey: Bytes;
}

/** One fetch of somebody's keys: how many one-time keys each device may give for it. */
export interface KeyBudget {
  readonly kind: "budget";
  /** Devices whose one-time keys may be consumed; for the others the signed and last-resort keys must do. */
  readonly oneTimeFor: readonly DeviceId[];
}

/** A device that is not the account's yet asks for one that is. */
export interface LinkAsked {
  readonly rendezvousId: RendezvousId;
  /** 32 bytes. */
  readonly commitment: Bytes;
}

export interface MailboxApi {
  register(registration: Registration): Promise<Appended | Denied>;
  appendLog(append: LogAppend): Promise<Appended | LogConflict | Denied | Unknown>;
  accept(request: Accept): Promise<AcceptResult>;
  device(deviceId: DeviceId): Promise<DeviceIdentity | Deleted | Unknown>;
  /** Counts a fetch of this user's keys by `requester` (an opaque name of at most 64 characters). */
  spendKeyBudget(requester: string): Promise<KeyBudget | Deleted | Unknown>;
  /** Counts a fetch that this user makes. False when the day's budget is used up. */
  spendFetchBudget(): Promise<boolean>;
  /** Counts bytes that this user is about to upload. False when they are more than what is left for the day. */
  spendMediaBudget(bytes: number): Promise<boolean>;
  /** Tells the device, if it is connected, that few one-time keys are left. */
  preKeysLow(deviceId: DeviceId, keys: "ec" | "kem", remaining: number): Promise<void>;
  /** Tells the devices that are connected, and those that connect within two minutes. A few times in an hour; nobody learns whether. */
  requestLink(asked: LinkAsked): Promise<void>;
}
