// When a message cannot be opened: one authenticated report to the device that sent it, and on the other side a fresh session
// and everything again that was not confirmed. Bounded on both sides: once an hour for each device.

import { acceptReport, EMPTY_RECORD, reportUnopened } from "#protocol";
import {
  type Bytes,
  type Content,
  decodeContent,
  type DeviceAddress,
  type MessageId,
  type SealedKind,
  type UserId,
  uuidToBytes,
  WireError,
} from "#wire";
import { recordEvent } from "../core.ts";
import { groupsWith } from "../groups/state.ts";
import { type ConversationId, GROUPS, OWN_SENDER_KEYS, type Repair, REPAIRS, SENT, type SentRecord, SESSIONS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { canCompose, composeUnplaced, enqueue, type Sending } from "../sending/compose.ts";
import { findMessage } from "./apply.ts";

const ONCE_PER_MILLISECONDS = 3600_000;
const MAX_RESENDS = 3;
const MAX_RESENT_AT_ONCE = 256;
export const RESEND_WITHIN_MILLISECONDS: number = 7 * 24 * 3600_000;
const NEVER: Repair = { reportedMilliseconds: 0, resentMilliseconds: 0 };

export interface Unreadable {
  readonly sender: DeviceAddress;
  readonly kind: SealedKind;
  readonly bytes: Bytes;
  readonly envelopeId: MessageId;
  readonly reason: string;
}

/** Tells the reader why, and the sender that. */
export async function reportUnreadable(sending: Sending, records: Writer, unreadable: Unreadable): Promise<void> {
  const { sender, reason, kind, bytes, envelopeId } = unreadable;
  await recordEvent(records, { type: "notice", kind: "unreadable", peer: sender.userId, deviceId: sender.deviceId, reason });
  const repair = (await records.get(REPAIRS, sender.userId, sender.deviceId)) ?? NEVER;
  const now = sending.clock.nowMilliseconds();
  records.put(REPAIRS, { ...repair, broken: true }, sender.userId, sender.deviceId);
  if (now - repair.reportedMilliseconds < ONCE_PER_MILLISECONDS) return;
  const content = reportOf({ kind, bytes, sentAtMilliseconds: numberOf(envelopeId), senderDeviceId: sender.deviceId });
  if (content === undefined) return;
  records.put(REPAIRS, { ...repair, broken: true, reportedMilliseconds: now }, sender.userId, sender.deviceId);
  await enqueue(records, sending, { recipient: sender.userId, content, kind: "report", only: sender.deviceId });
}

/** A fresh session works: the reader, who was told of the trouble, learns that it is over. */
export async function noteRepaired(records: Writer, { userId, deviceId }: DeviceAddress): Promise<void> {
  const repair = await records.get(REPAIRS, userId, deviceId);
  if (repair?.broken !== true) return;
  records.put(REPAIRS, { ...repair, broken: false }, userId, deviceId);
  await recordEvent(records, { type: "notice", kind: "repaired", peer: userId, deviceId, reason: undefined });
}

/** Nothing, when the bytes have no form that could be named. */
function reportOf(unopened: Parameters<typeof reportUnopened>[0]): Bytes | undefined {
  try {
    return reportUnopened(unopened);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Names the message by the first 48 bits of its envelope's id: random, so it says nothing about when it was written. */
function numberOf(envelopeId: MessageId): number {
  return uuidToBytes(envelopeId)
    .subarray(0, 6)
    .reduce((number, byte) => number * 256 + byte, 0);
}

/** A device says that it could not open something of ours. */
export async function answerReport(sending: Sending, records: Writer, sender: DeviceAddress, report: Bytes): Promise<void> {
  const record = (await records.get(SESSIONS, sender.userId, sender.deviceId)) ?? EMPTY_RECORD;
  const repair = (await records.get(REPAIRS, sender.userId, sender.deviceId)) ?? NEVER;
  const now = sending.clock.nowMilliseconds();
  if (now - repair.resentMilliseconds < ONCE_PER_MILLISECONDS) return;
  const outcome = acceptReport(record, report, sending.self.local.address.deviceId);
  if (outcome.kind === "refused") return;
  records.put(REPAIRS, { ...repair, resentMilliseconds: now }, sender.userId, sender.deviceId);
  records.put(SESSIONS, outcome.state, sender.userId, sender.deviceId);
  records.spend(outcome.spent);
  await resendAll(sending, records, sender, sender.userId);
  for (const groupId of await groupsWith(records, sender.userId)) {
    // Perhaps it lacks our key: the next message makes one anew, for all.
    const own = await records.get(OWN_SENDER_KEYS, groupId);
    if (own !== undefined) records.put(OWN_SENDER_KEYS, { ...own, heldBy: own.heldBy.filter((held) => !isSame(held, sender)) }, groupId);
    await resendAll(sending, records, sender, groupId);
  }
  // Also when there is nothing to say: the other side waits for a session that works.
  const nothing = { recipient: sender.userId, body: { kind: "nothing" }, only: sender.deviceId } as const;
  const mayAnswer = outcome.output.sessionArchived && (await canCompose(sending, records, sender.userId));
  if (mayAnswer) await composeUnplaced(sending, records, nothing);
}

function isSame(a: DeviceAddress, b: DeviceAddress): boolean {
  return a.userId === b.userId && a.deviceId === b.deviceId;
}

type SaidInGroup = Extract<Content["conversation"], { readonly kind: "group" }>;

/** What was said in one conversation, as far as this device may lack it. */
async function resendAll(sending: Sending, records: Writer, device: DeviceAddress, conversation: ConversationId): Promise<void> {
  const now = sending.clock.nowMilliseconds();
  const rows = await records.page(SENT, [conversation], { reverse: true, limit: MAX_RESENT_AT_ONCE });
  for (const { value: sent } of rows.toReversed()) {
    if (now - sent.sentMilliseconds < RESEND_WITHIN_MILLISECONDS) await resend(sending, records, device, sent, conversation);
  }
}

/** Whoever came into a group later does not get what was said before, whatever they report. */
async function wasThere(records: Writer, { groupId, version }: SaidInGroup, userId: UserId): Promise<boolean> {
  const arrived = (await records.get(GROUPS, groupId))?.arrived.find((member) => member.userId === userId);
  return arrived === undefined || arrived.version <= version;
}

async function resend(
  sending: Sending,
  records: Writer,
  { userId, deviceId }: DeviceAddress,
  sent: SentRecord,
  conversation: ConversationId,
): Promise<void> {
  const { messageId, conversation: said } = decodeContent(sent.content);
  if (said.kind === "group" && !(await wasThere(records, said, userId))) return;
  const message = await findMessage(records, messageId, sending.self.local.address.userId);
  const isConfirmed = message?.state === "delivered" || message?.state === "read" || message?.receipts?.[userId] !== undefined;
  if (isConfirmed || sent.resends >= MAX_RESENDS) return;
  records.put(SENT, { ...sent, resends: sent.resends + 1 }, conversation, sent.ordinal);
  await enqueue(records, sending, { recipient: userId, content: sent.content, kind: "content", only: deviceId, again: true });
}
