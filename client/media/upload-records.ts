// What the records say of files on their way, and how that changes: each function is part of one transaction. Knows no server and no
// time but what it is told.

import { accessSecretOf, mediaIdOf } from "#identity";
import type { UploadId } from "#wire";
import { avatarArrived, avatarRefused } from "../avatars/arrived.ts";
import { conversationTopic, UPLOADS_TOPIC } from "../core.ts";
import type { ClientError } from "../errors.ts";
import { archiveArrived, archiveRefused } from "../history/giving.ts";
import { putMessage } from "../receiving/apply.ts";
import { CONVERSATIONS, type MessagePlace, MESSAGES, type MessageRecord, PLACES, type Upload, UPLOADS } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { say } from "../sending/say.ts";
import { toPointers } from "./attachments.ts";
import { isStored, keepStored, unwant, unwantFilesOf } from "./stored-records.ts";

export type Worker = NonNullable<Upload["worker"]>;

/** Whether another program is at it. */
export function isTaken({ worker }: Upload, own: string | undefined, nowMilliseconds: number): boolean {
  return worker !== undefined && worker.id !== own && worker.untilMilliseconds > nowMilliseconds;
}

/** Keeps other programs of ours away: the server takes from one at a time, and what the others send is lost. */
export async function claim(records: Writer, { ordinal }: Upload, worker: Worker, nowMilliseconds: number): Promise<boolean> {
  const upload = await records.get(UPLOADS, ordinal);
  if (upload?.state !== "waiting" || isTaken(upload, worker.id, nowMilliseconds)) return false;
  records.put(UPLOADS, { ...upload, worker }, ordinal);
  return true;
}

export async function release(records: Writer, { ordinal }: Upload, own: string | undefined): Promise<void> {
  const upload = await records.get(UPLOADS, ordinal);
  if (upload?.worker !== undefined && upload.worker.id === own) records.put(UPLOADS, { ...upload, worker: undefined }, ordinal);
}

/** Messages of ours whose files are not at the server yet, and are still brought there. */
export async function countUploads(records: Reader): Promise<number> {
  const waiting = (await records.all(UPLOADS)).filter(({ state }) => state === "waiting");
  return new Set(waiting.flatMap(({ message }) => message?.id ?? [])).size;
}

/** Whether a message waits for its files, so that nobody but this device has heard of it. */
export function waitsForFiles({ attachments = [] }: MessageRecord): boolean {
  return attachments.some(({ stored }) => stored === undefined);
}

/** Tries again what was refused. */
export async function bringAgain(records: Writer, { conversation, ordinal }: MessagePlace): Promise<void> {
  for (const upload of await uploadsOf(records, { conversation, ordinal })) {
    if (upload.state === "refused") records.put(UPLOADS, { ...upload, state: "waiting" }, upload.ordinal);
  }
  records.touch(UPLOADS_TOPIC);
}

async function uploadsOf(
  records: Reader,
  { conversation, ordinal }: Pick<MessagePlace, "conversation" | "ordinal">,
): Promise<readonly Upload[]> {
  const uploads = await records.all(UPLOADS);
  return uploads.filter(({ message }) => message?.conversation === conversation && message.ordinal === ordinal);
}

/** The server has a file. With the last one its message is composed, in the same transaction: it is sent once. */
export async function arrived(sending: Sending, records: Writer, brought: Upload, uploadId: UploadId): Promise<void> {
  const { ordinal } = brought;
  const upload = await records.get(UPLOADS, ordinal);
  // Taken back meanwhile, or another program was faster.
  if (upload?.state !== "waiting") {
    if (!(await isStored(records, brought, uploadId))) unwant(sending, records, uploadId);
    return;
  }
  records.put(UPLOADS, { ...upload, state: "done" }, ordinal);
  records.touch(UPLOADS_TOPIC);
  const stored = { mediaId: mediaIdOf(uploadId), accessSecret: accessSecretOf(uploadId) };
  await archiveArrived(sending, records, upload, uploadId, stored);
  await avatarArrived(sending, records, upload, stored);
  const { message: place, index } = upload;
  if (place !== undefined) keepStored(sending, records, { id: place.id, index, uploadId });
  const before = place === undefined ? undefined : await records.get(MESSAGES, place.conversation, place.ordinal);
  if (before?.attachments === undefined) return;
  const attachments = before.attachments.map((file, at) => (at === index ? { ...file, stored } : file));
  const message = { ...before, attachments };
  putMessage(records, message);
  await sayWithFiles(sending, records, message);
}

/** Unless a file is still missing. */
export async function sayWithFiles(sending: Sending, records: Writer, message: MessageRecord): Promise<void> {
  const { conversation, text, replyTo } = message;
  const attachments = toPointers(message.attachments);
  if (attachments === undefined) return;
  const reference = replyTo === undefined ? undefined : { author: replyTo.author, messageId: replyTo.id };
  await say(sending, records, { to: conversation, body: { kind: "text", text, replyTo: reference, attachments }, message });
}

export async function refuse(sending: Sending, records: Writer, { ordinal }: Upload, { code }: ClientError): Promise<void> {
  const upload = await records.get(UPLOADS, ordinal);
  if (upload?.state !== "waiting") return;
  await archiveRefused(sending, records, upload, code);
  await avatarRefused(records, upload, code);
  if (upload.message === undefined) return;
  records.put(UPLOADS, { ...upload, state: "refused" }, ordinal);
  records.touch(UPLOADS_TOPIC);
  const message = await records.get(MESSAGES, upload.message.conversation, upload.message.ordinal);
  if (message !== undefined) putMessage(records, { ...message, state: "failed", error: code });
}

/** `undefined` when all of its files are there: it may have been said. */
export async function withdraw(sending: Sending, records: Writer, place: MessagePlace): Promise<readonly Upload[] | undefined> {
  const message = await records.get(MESSAGES, place.conversation, place.ordinal);
  if (message === undefined || !waitsForFiles(message)) return undefined;
  const uploads = await uploadsOf(records, place);
  for (const upload of uploads) {
    records.put(UPLOADS, { ...upload, state: "done" }, upload.ordinal);
    if (upload.uploadId !== undefined) unwant(sending, records, upload.uploadId);
  }
  await unwantFilesOf(sending, records, message.id);
  records.touch(UPLOADS_TOPIC);
  const { conversation, ordinal } = message;
  records.delete(MESSAGES, conversation, ordinal);
  records.delete(PLACES, message.id, message.author);
  const record = await records.get(CONVERSATIONS, conversation);
  if (record?.lastOrdinal === ordinal) {
    const [previous] = await records.page(MESSAGES, [conversation], { before: ordinal, limit: 1, reverse: true });
    records.put(CONVERSATIONS, { ...record, lastOrdinal: previous?.ordinal ?? 0 }, conversation);
  }
  records.touch(conversationTopic(conversation));
  return uploads;
}
