// Messages to a group on their way: the sender's key to whoever lacks it, then one message for everybody, then a look at how it
// went, and a copy through the session for each person whose mailbox did not take it. Every step may run twice.

import type { PublicKey } from "#crypto";
import { sealForMany, type SealedRecipient } from "#protocol";
import { type Bytes, decodeContent, encodeContentCopy, type GroupId, type UserId } from "#wire";
import { ClientError } from "../errors.ts";
import { GROUP_JOBS, type GroupJob, type HeldBy, JOBS } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { enqueue, type Sending } from "../sending/compose.ts";
import { certificateOf } from "../sending/certificate.ts";
import { removeGroupJob } from "../sending/queue.ts";
import { sealWithSenderKey, senderKeyFor } from "./sender-keys.ts";
import { isWithheld, requireGroup } from "./state.ts";

const BATCH = 16;

export interface Outgoing {
  readonly sending: Sending;
  /** Whether the last try to reach somebody failed: nobody waits for them. */
  readonly isFailing: (recipient: UserId) => boolean;
  /** Reads what is new in the group's log. */
  readonly follow: (groupId: GroupId, signal: AbortSignal) => Promise<void>;
  /** The server has it for every device, or a copy for each that it was refused for is under way. */
  readonly settled: (records: Writer, job: GroupJob) => Promise<void>;
}

/**
 * One round for a group. `more`: there is work left that can be done at once · `keys-first`: our key is on its way to somebody ·
 * `waiting`: for the server to be done · `empty`.
 */
export async function sendToGroup(
  outgoing: Outgoing,
  groupId: GroupId,
  signal: AbortSignal,
): Promise<"more" | "keys-first" | "waiting" | "empty"> {
  const { sending } = outgoing;
  await requireShown(outgoing, groupId, signal);
  const unknown = await sending.vault.read((records) => membersWithoutLog(sending, records, groupId));
  await Promise.all(unknown.map((userId) => learnAccount(sending, userId, signal)));
  const { jobs, keysUnderWay } = await sending.vault.write((records) => sealBatch(outgoing, records, groupId));
  if (keysUnderWay) return "keys-first";
  await transmit(outgoing, jobs, signal);
  return await collect(outgoing, groupId, signal);
}

/** Nothing is said to those who were members before a change that the server keeps from us. @throws ClientError `group-withheld` */
async function requireShown({ sending, follow }: Outgoing, groupId: GroupId, signal: AbortSignal): Promise<void> {
  const isBehind = (): Promise<boolean> => sending.vault.read(async (records) => isWithheld(await requireGroup(records, groupId)));
  if (!(await isBehind())) return;
  await follow(groupId, signal);
  if (await isBehind()) throw new ClientError("group-withheld");
}

async function membersWithoutLog({ accounts }: Sending, records: Reader, groupId: GroupId): Promise<readonly UserId[]> {
  const { state } = await requireGroup(records, groupId);
  const unknown: UserId[] = [];
  for (const { userId } of state.members) if ((await accounts.find(records, userId)) === undefined) unknown.push(userId);
  return unknown;
}

/** Whose account is gone, or cannot be believed, gets nothing; the others do. */
async function learnAccount({ accounts }: Sending, userId: UserId, signal: AbortSignal): Promise<void> {
  try {
    await accounts.refresh(userId, signal);
  } catch (error) {
    if (!(error instanceof ClientError) || error.retryable) throw error;
  }
}

async function sealBatch(
  { sending, isFailing }: Outgoing,
  records: Writer,
  groupId: GroupId,
): Promise<{ readonly jobs: readonly GroupJob[]; readonly keysUnderWay: boolean }> {
  const all = await records.all(GROUP_JOBS, groupId);
  // What the server is still busy with keeps nothing behind it waiting.
  const jobs = all.filter(({ accepted }) => accepted === undefined).slice(0, BATCH);
  const done: GroupJob[] = [];
  for (const job of jobs) {
    if (job.sealed !== undefined) {
      done.push(job);
      continue;
    }
    const group = await requireGroup(records, groupId);
    const own = await senderKeyFor(sending, records, group);
    // Whoever gets the key first can open the message when it comes. Who cannot be reached now gets both later.
    if (await areKeysUnderWay(records, own.heldBy, groupId, isFailing)) return { jobs, keysUnderWay: true };
    const { own: used, bytes } = sealWithSenderKey(
      records,
      groupId,
      own,
      encodeContentCopy({ recipientDevice: undefined, content: job.content }),
    );
    const sealed = { ...job, sealed: { bytes, to: used.heldBy } };
    records.put(GROUP_JOBS, sealed, groupId, job.ordinal);
    done.push(sealed);
  }
  return { jobs: done, keysUnderWay: false };
}

async function areKeysUnderWay(
  records: Reader,
  heldBy: readonly HeldBy[],
  groupId: GroupId,
  isFailing: (recipient: UserId) => boolean,
): Promise<boolean> {
  for (const userId of new Set(heldBy.map((held) => held.userId))) {
    if (isFailing(userId)) continue;
    for (const job of await records.all(JOBS, userId)) if (isKeyFor(job.content, groupId)) return true;
  }
  return false;
}

function isKeyFor(content: Bytes, groupId: GroupId): boolean {
  const { body } = decodeContent(content);
  return body.kind === "sender-key" && body.groupId === groupId;
}

/** One after the other, as they were written. What was taken once answers the same again. */
async function transmit({ sending }: Outgoing, jobs: readonly GroupJob[], signal: AbortSignal): Promise<void> {
  const { self, server, random, vault } = sending;
  const waiting = jobs.filter(({ accepted }) => accepted === undefined);
  if (waiting.length === 0) return;
  const senderCertificate = await certificateOf(sending);
  for (const job of waiting) {
    const { sealed } = job;
    if (sealed === undefined) return;
    const recipients = await vault.read((records) => recipientsOf(sending, records, sealed.to));
    const users = [...new Set(recipients.map(({ address }) => address.userId))];
    const sealable = { sender: self.local.identity, senderCertificate, kind: "sender-key", contentHint: 1, groupId: undefined } as const;
    // In a group of one there is nobody to send to.
    const handle =
      users.length === 0
        ? ""
        : await server.sendToMany(job.envelopeId, sealForMany({ ...sealable, content: sealed.bytes, recipients }, random), signal);
    await vault.write(async (records) => records.put(GROUP_JOBS, { ...job, accepted: { handle, users } }, job.groupId, job.ordinal));
  }
}

async function recipientsOf({ accounts }: Sending, records: Reader, to: readonly HeldBy[]): Promise<readonly SealedRecipient[]> {
  const recipients: SealedRecipient[] = [];
  for (const { userId, deviceId, registrationId } of to) {
    const identityKey = await identityOf(accounts, records, userId, deviceId);
    if (identityKey !== undefined) recipients.push({ address: { userId, deviceId }, registrationId, identityKey });
  }
  return recipients;
}

async function identityOf(
  accounts: Sending["accounts"],
  records: Reader,
  userId: UserId,
  deviceId: HeldBy["deviceId"],
): Promise<PublicKey | undefined> {
  const account = await accounts.find(records, userId);
  return account?.devices.find((device) => device.deviceId === deviceId)?.identityKey;
}

/** How it went. */
async function collect(outgoing: Outgoing, groupId: GroupId, signal: AbortSignal): Promise<"more" | "waiting" | "empty"> {
  const { sending } = outgoing;
  const jobs = await sending.vault.read((records) => records.all(GROUP_JOBS, groupId));
  let isPending = false;
  for (const job of jobs) {
    if (job.accepted === undefined) continue;
    const refused = await refusedOf(sending, job.accepted, signal);
    if (refused === "pending") isPending = true;
    else await sending.vault.write((records) => settle(outgoing, records, job, refused));
  }
  if (jobs.some(({ accepted }) => accepted === undefined)) return "more";
  return isPending ? "waiting" : "empty";
}

async function refusedOf(
  { server }: Sending,
  { handle, users }: NonNullable<GroupJob["accepted"]>,
  signal: AbortSignal,
): Promise<readonly UserId[] | "pending"> {
  if (users.length === 0) return [];
  try {
    const result = await server.getSendResult(handle, signal);
    if (result.kind === "pending") return "pending";
    return result.refused.flatMap((index) => users[index] ?? []);
  } catch (error) {
    // So long ago that nobody knows any more: whoever did not get it asks for it again.
    if (error instanceof ClientError && error.code === "unknown-message") return [];
    throw error;
  }
}

async function settle({ sending, settled }: Outgoing, records: Writer, job: GroupJob, refused: readonly UserId[]): Promise<void> {
  if (!(await removeGroupJob(records, job))) return;
  // Their devices have changed, or there is no room for them now: the way to one person finds out which, and goes on trying.
  for (const recipient of refused) {
    const { content, message } = job;
    await enqueue(records, sending, { recipient, content, kind: "content", again: true, ...(message === undefined ? {} : { message }) });
  }
  if (refused.length === 0) await settled(records, job);
}
