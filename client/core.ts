// What the parts of a client share: the records, the server, time and chance, and who we are. Decides nothing.

import { type KeyPair, keyPairFromPrivate, type Random, Secret } from "#crypto";
import type { LocalDevice } from "#protocol";
import { type MessageId, parseMessageId, uuidFromBytes } from "#wire";
import { ClientError } from "./errors.ts";
import type { Clock } from "./ports.ts";
import { type ConversationId, COUNTERS, type Counters, type EventRecord, EVENTS, NO_COUNTERS, type OwnAccount } from "./records/tables.ts";
import type { Vault, Writer } from "./records/vault.ts";
import type { ServerApi } from "./server-api.ts";

export interface Core {
  readonly vault: Vault;
  readonly server: ServerApi;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Self {
  readonly account: OwnAccount;
  readonly local: LocalDevice;
}

/** @throws ClientError `not-registered` */
export function selfOf(account: OwnAccount | undefined): Self {
  if (account === undefined) throw new ClientError("not-registered");
  const { userId, deviceId, registrationId, identity } = account;
  return { account, local: { address: { userId, deviceId }, registrationId, identity: pairOf(identity) } };
}

export function pairOf(privateKey: Uint8Array<ArrayBuffer>): KeyPair {
  return keyPairFromPrivate(new Secret(privateKey.slice()));
}

export function seconds(clock: Clock): number {
  return Math.floor(clock.nowMilliseconds() / 1000);
}

/** A version-4 UUID (RFC 9562 section 5.4): it tells nothing. */
export function drawMessageId(random: Random): MessageId {
  const bytes = random(16);
  bytes[6] = 0x40 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return parseMessageId(uuidFromBytes(bytes));
}

/** The next number of a kind: never given twice. */
export async function next(records: Writer, kind: keyof Counters): Promise<number> {
  const counters = (await records.get(COUNTERS)) ?? NO_COUNTERS;
  const number = counters[kind] + 1;
  records.put(COUNTERS, { ...counters, [kind]: number });
  return number;
}

export async function recordEvent(records: Writer, event: EventRecord): Promise<void> {
  records.put(EVENTS, event, await next(records, "event"));
  records.touch("events");
}

/** Touched when there is a file to bring to the server, or one less. */
export const UPLOADS_TOPIC = "uploads";

/** Touched when what the account says of itself has changed. */
export const OWN_TOPIC = "own";

export function conversationTopic(id: ConversationId): string {
  return `conversation ${id}`;
}
