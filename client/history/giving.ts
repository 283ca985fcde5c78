// Messages of before for another device of ours: that it gets an archive, what becomes of the archive's files, and that it is told
// when they are at the server. Each is a part of a transaction; the archive itself is give.ts's, loaded when there is one to make.

import { type AccountDevice, activeDevice } from "#identity";
import { type Bytes, type DeviceId, HISTORY_ARCHIVE_ID_BYTES, type History, sameBytes, type UploadId } from "#wire";
import type { HistoryChoice } from "../api.ts";
import type { ErrorCode } from "../errors.ts";
import { toPointer } from "../media/attachments.ts";
import { keepStoredOf, REMOVALS_TOPIC, storedArchive, unwant, unwantArchive } from "../media/stored-records.ts";
import {
  type AttachmentRecord,
  COUNTERS,
  GIVEN_HISTORIES,
  type GivenHistory,
  NO_COUNTERS,
  STORED_ARCHIVES,
  UPLOADS,
  type Upload,
} from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { tellOwnDevices } from "../sending/own-devices.ts";

/** Touched when something has changed about archives, of either direction. */
export const HISTORY_TOPIC = "history";

const RECENT_MILLISECONDS = 30 * 24 * 3600_000;

/** Begins one, instead of what was begun for the device before. */
export async function giveHistory(sending: Sending, records: Writer, device: AccountDevice, choice: HistoryChoice): Promise<void> {
  const { deviceId, identityKey } = device;
  const before = await records.get(GIVEN_HISTORIES, deviceId);
  if (before !== undefined) await dropArchive(sending, records, before);
  const { message: newest } = (await records.get(COUNTERS)) ?? NO_COUNTERS;
  const given: GivenHistory = {
    deviceId,
    identityKey: identityKey.encode(),
    archiveId: sending.random(HISTORY_ARCHIVE_ID_BYTES),
    sinceMilliseconds: choice === "all" ? 0 : sending.clock.nowMilliseconds() - RECENT_MILLISECONDS,
    state: "writing",
    before: newest + 1,
    messages: 0,
    files: [],
    error: undefined,
  };
  records.put(GIVEN_HISTORIES, given, deviceId);
  records.touch(HISTORY_TOPIC);
  await tell(sending, records, given, "coming");
}

/** What is to be given, if it is still for the device that it was begun for. */
export async function givenTo(sending: Sending, records: Reader, deviceId: DeviceId): Promise<GivenHistory | undefined> {
  const given = await records.get(GIVEN_HISTORIES, deviceId);
  return given !== undefined && (await isActive(sending, records, given)) ? given : undefined;
}

async function isActive(
  { accounts, self }: Sending,
  records: Reader,
  { deviceId, identityKey }: Pick<GivenHistory, "deviceId" | "identityKey">,
): Promise<boolean> {
  const account = await accounts.find(records, self.local.address.userId);
  const device = account === undefined ? undefined : activeDevice(account, deviceId);
  return device !== undefined && sameBytes(device.identityKey.encode(), identityKey);
}

/** Keeps how far it is; with all of its files at the server the device is told, and nothing is left to do. */
export async function keepGiven(sending: Sending, records: Writer, given: GivenHistory): Promise<void> {
  records.touch(HISTORY_TOPIC);
  if (given.state !== "sending" || given.files.some(({ stored }) => stored === undefined)) {
    records.put(GIVEN_HISTORIES, given, given.deviceId);
    return;
  }
  records.delete(GIVEN_HISTORIES, given.deviceId);
  await tell(sending, records, given, "ready");
}

/** The device is told that it does not come; its owner may begin another one. */
export async function failGiven(sending: Sending, records: Writer, given: GivenHistory, error: ErrorCode): Promise<void> {
  records.put(GIVEN_HISTORIES, { ...given, state: "failed", error, files: [] }, given.deviceId);
  records.touch(HISTORY_TOPIC);
  await dropArchive(sending, records, given);
  await tell(sending, records, given, "withdrawn");
}

/** The device is gone. */
export async function forgetGiven(sending: Sending, records: Writer, deviceId: DeviceId): Promise<void> {
  const given = await records.get(GIVEN_HISTORIES, deviceId);
  if (given === undefined) return;
  records.delete(GIVEN_HISTORIES, deviceId);
  records.touch(HISTORY_TOPIC);
  await dropArchive(sending, records, given);
}

/** Its files are brought nowhere any more, and those that are at the server are removed there. */
async function dropArchive(sending: Sending, records: Writer, given: GivenHistory): Promise<void> {
  for (const upload of await records.all(UPLOADS)) {
    if (!isOf(upload, given) || upload.state === "encrypting" || upload.state === "done") continue;
    records.put(UPLOADS, { ...upload, state: "done" }, upload.ordinal);
    if (upload.uploadId !== undefined) unwant(sending, records, upload.uploadId);
    records.touch(REMOVALS_TOPIC);
  }
  await unwantArchive(sending, records, given.archiveId);
}

/** What another device of ours says of the archive that it was given, and of no other. */
export async function archiveTaken(sending: Sending, records: Writer, by: DeviceId, archiveId: Bytes): Promise<void> {
  const stored = await storedArchive(records, archiveId);
  const given = await records.get(GIVEN_HISTORIES, by);
  if (stored?.deviceId !== by || (given !== undefined && sameBytes(given.archiveId, archiveId))) return;
  await unwantArchive(sending, records, archiveId);
}

/** Archives that were told of, for devices that are gone. */
export async function dropOrphans(sending: Sending, records: Writer): Promise<void> {
  for (const { deviceId, identityKey, archiveId } of await records.all(STORED_ARCHIVES)) {
    if (!(await isActive(sending, records, { deviceId, identityKey }))) await unwantArchive(sending, records, archiveId);
  }
}

/** One of its files is at the server. */
export async function archiveArrived(
  sending: Sending,
  records: Writer,
  upload: Upload,
  uploadId: UploadId,
  stored: AttachmentRecord["stored"],
): Promise<void> {
  if (upload.archive === undefined) return;
  const given = await givenFor(sending, records, upload);
  if (given === undefined) {
    unwant(sending, records, uploadId);
    return;
  }
  await keepStoredOf(sending, records, given, uploadId);
  const files = given.files.map((file, at) => (at === upload.index ? { ...file, stored } : file));
  await keepGiven(sending, records, { ...given, files });
}

export async function archiveRefused(sending: Sending, records: Writer, upload: Upload, error: ErrorCode): Promise<void> {
  const given = await givenFor(sending, records, upload);
  if (upload.archive !== undefined) records.put(UPLOADS, { ...upload, state: "done" }, upload.ordinal);
  if (given !== undefined) await failGiven(sending, records, given, error);
}

async function givenFor(sending: Sending, records: Reader, upload: Upload): Promise<GivenHistory | undefined> {
  const given = upload.archive === undefined ? undefined : await givenTo(sending, records, upload.archive.deviceId);
  return given !== undefined && given.state !== "failed" && isOf(upload, given) ? given : undefined;
}

function isOf({ archive }: Upload, { archiveId }: GivenHistory): boolean {
  return archive !== undefined && sameBytes(archive.archiveId, archiveId);
}

async function tell(sending: Sending, records: Writer, given: GivenHistory, state: History["state"]): Promise<void> {
  const { archiveId, messages, deviceId } = given;
  const files = state === "ready" ? given.files.flatMap((file) => toPointer(file) ?? []) : [];
  await tellOwnDevices(sending, records, { kind: "history", archiveId, state, messages, files }, deviceId);
}
