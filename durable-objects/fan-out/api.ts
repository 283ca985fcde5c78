// What the objects offer by RPC that have messages to many under way. Plain data. Recipients are names of mailboxes: no
// userId comes here.

import type { Bytes, DeviceId, MessageId, RegistrationId } from "#wire";
import type { DeviceChanges } from "../mailbox/core.ts";

/** One device's part of the message. */
export interface JobDevice {
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
  /** C, 32 bytes. */
  readonly maskedKey: Bytes;
  /** AT, 16 bytes. */
  readonly senderTag: Bytes;
}

export interface JobRecipient {
  /** The name of a mailbox object. */
  readonly mailbox: string;
  /** `some` for the sender's own account, whose sending device is not named. */
  readonly scope: "all" | "some";
  readonly devices: readonly JobDevice[];
}

export interface Payload {
  readonly messageId: MessageId;
  /** Recipients are known by their place in this list. */
  readonly recipients: readonly JobRecipient[];
  /** e ‖ ciphertext: what all devices share. */
  readonly tail: Bytes;
}

/** What a message of the queue says: up to 25 recipients of a job. It names nobody, and what it stands for is in the job. */
export interface ChunkReference {
  readonly handle: string;
  /** From 0. */
  readonly chunk: number;
}

/** The recipients of a chunk that have not got the message. */
export interface OpenChunk {
  readonly messageId: MessageId;
  readonly tail: Bytes;
  readonly recipients: readonly (JobRecipient & { readonly index: number })[];
}

/** How it ended for one recipient. */
export type Outcome =
  | { readonly kind: "delivered" }
  | ({ readonly kind: "devices-changed" } & DeviceChanges)
  | { readonly kind: "mailbox-full" };

export interface Settled {
  readonly index: number;
  readonly outcome: Outcome;
}

export interface SendResult {
  /** `done`: every recipient has an outcome. */
  readonly state: "pending" | "done";
  /** Recipients whose mailbox has taken the message. */
  readonly delivered: number;
  /** The others that have an outcome. */
  readonly refused: readonly Settled[];
}

export interface FanOutApi {
  /** Takes a message on. The answer is a promise: it is given after the job is durable. A repeat of a handle changes nothing. */
  submit(handle: string, payload: Payload): Promise<void>;
  /** What is left of a chunk; `undefined` when nothing is. */
  open(reference: ChunkReference): Promise<OpenChunk | undefined>;
  /** Says how it ended for recipients of a job. The first word counts; about a job that is done there is nothing to say. */
  settle(handle: string, settled: readonly Settled[]): Promise<void>;
  /** The queue has given a chunk up. The job has not. */
  recordFailure(reference: ChunkReference): Promise<void>;
  /** `undefined` for a job that is not there, or that was done more than a day ago. */
  result(handle: string): Promise<SendResult | undefined>;
}
