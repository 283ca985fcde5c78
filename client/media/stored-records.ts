// What the records say of files of ours that the server has: by which name it gives them up, and which of them nobody needs any more. Each
// function is a part of a transaction. Only we know these names; whoever reads a file has another one.

import { type MessageId, toHex, type UploadId } from "#wire";
import type { Core } from "../core.ts";
import {
  type GivenHistory,
  REMOVALS,
  STORED_ARCHIVES,
  STORED_FILES,
  type StoredArchive,
  type StoredFile,
  type Upload,
} from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";

/** Touched when there is something to remove. */
export const REMOVALS_TOPIC = "removals";

/** The server forgets a file after thirty days by itself. */
const KEPT_MILLISECONDS = 31 * 24 * 3600_000;

export type Clocked = Pick<Core, "clock">;

export function keepStored({ clock }: Clocked, records: Writer, file: Omit<StoredFile, "storedMilliseconds">): void {
  records.put(STORED_FILES, { ...file, storedMilliseconds: clock.nowMilliseconds() }, file.id, file.index);
}

/** Of a message of ours that was deleted for everyone. */
export async function unwantFilesOf(core: Clocked, records: Writer, id: MessageId): Promise<void> {
  for (const { index, uploadId } of await records.all(STORED_FILES, id)) {
    unwant(core, records, uploadId);
    records.delete(STORED_FILES, id, index);
  }
}

export async function keepStoredOf(
  { clock }: Clocked,
  records: Writer,
  { deviceId, identityKey, archiveId }: GivenHistory,
  uploadId: UploadId,
): Promise<void> {
  const before = await storedArchive(records, archiveId);
  const uploadIds = [...(before?.uploadIds ?? []), uploadId];
  const stored = { deviceId, identityKey, archiveId, uploadIds, storedMilliseconds: clock.nowMilliseconds() };
  records.put(STORED_ARCHIVES, stored, toHex(archiveId));
}

export async function storedArchive(records: Reader, archiveId: StoredArchive["archiveId"]): Promise<StoredArchive | undefined> {
  return await records.get(STORED_ARCHIVES, toHex(archiveId));
}

export async function unwantArchive(core: Clocked, records: Writer, archiveId: StoredArchive["archiveId"]): Promise<void> {
  const stored = await storedArchive(records, archiveId);
  for (const uploadId of stored?.uploadIds ?? []) unwant(core, records, uploadId);
  records.delete(STORED_ARCHIVES, toHex(archiveId));
}

/** Whether it is at the server for something that is still there. */
export async function isStored(records: Reader, { message, archive, index }: Upload, uploadId: UploadId): Promise<boolean> {
  if (archive !== undefined) return (await storedArchive(records, archive.archiveId))?.uploadIds.includes(uploadId) === true;
  return message !== undefined && (await records.get(STORED_FILES, message.id, index))?.uploadId === uploadId;
}

/** May be said twice. */
export function unwant({ clock }: Clocked, records: Writer, uploadId: UploadId): void {
  records.put(REMOVALS, { uploadId, sinceMilliseconds: clock.nowMilliseconds() }, uploadId);
  records.touch(REMOVALS_TOPIC);
}

/** What the server does not have any more. */
export async function sweepStored(records: Writer, nowMilliseconds: number): Promise<void> {
  const isOld = (milliseconds: number): boolean => nowMilliseconds - milliseconds > KEPT_MILLISECONDS;
  for (const { id, index, storedMilliseconds } of await records.all(STORED_FILES))
    if (isOld(storedMilliseconds)) records.delete(STORED_FILES, id, index);
  for (const { archiveId, storedMilliseconds } of await records.all(STORED_ARCHIVES))
    if (isOld(storedMilliseconds)) records.delete(STORED_ARCHIVES, toHex(archiveId));
  for (const { uploadId, sinceMilliseconds } of await records.all(REMOVALS))
    if (isOld(sinceMilliseconds)) records.delete(REMOVALS, uploadId);
}
