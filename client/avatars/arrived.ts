// What becomes of a picture that we have set, or bring to the server again: told when the server has it, and not before. Each is part of
// one transaction. A group's is told by an entry of its log, which is the worker's.

import { isGroupId } from "../groups/state.ts";
import type { ErrorCode } from "../errors.ts";
import { toPointer } from "../media/attachments.ts";
import { type AttachmentRecord, AVATARS, type Upload, UPLOADS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { after, tellOwnDevices } from "../sending/own-devices.ts";
import { ownProfile, tellProfile } from "../sending/profile.ts";
import { avatarOf, AVATARS_TOPIC, endPending, mediaIdOf, showPending, takeAvatar, withdrawPending } from "./records.ts";

/** The server has it. */
export async function avatarArrived(sending: Sending, records: Writer, upload: Upload, stored: AttachmentRecord["stored"]): Promise<void> {
  const { avatarOf: of, ordinal } = upload;
  if (of === undefined) return;
  const row = await avatarOf(records, of);
  // Another was set meanwhile.
  if (row.pending?.ordinal !== ordinal) return;
  const pending = { ...row.pending, file: { ...row.pending.file, stored } };
  if (isGroupId(of)) {
    records.put(AVATARS, { ...row, pending }, of);
    records.touch(AVATARS_TOPIC);
    return;
  }
  if (pending.renews !== undefined && mediaIdOf(row.told) !== pending.renews) {
    await endPending(records, of);
    return;
  }
  const changedMilliseconds = after(sending, row.changedMilliseconds);
  await takeAvatar(records, { of, pointer: toPointer(pending.file), changedMilliseconds, isOurs: true });
  await showPending(records, of);
  await tellProfile(sending, records);
  await tellOwnDevices(sending, records, await ownProfile(sending, records));
}

/** The server does not take it: what is shown stays. */
export async function avatarRefused(records: Writer, upload: Upload, error: ErrorCode): Promise<void> {
  const { avatarOf: of, ordinal } = upload;
  if (of === undefined) return;
  records.put(UPLOADS, { ...upload, state: "done" }, ordinal);
  if ((await avatarOf(records, of)).pending?.ordinal === ordinal) await endPending(records, of, error);
}

/** Ours is shown no more. False when there was none. */
export async function removeOwnAvatar(sending: Sending, records: Writer): Promise<boolean> {
  const of = sending.self.local.address.userId;
  await withdrawPending(records, of);
  const row = await avatarOf(records, of);
  if (row.told === undefined) return false;
  const changedMilliseconds = after(sending, row.changedMilliseconds);
  await takeAvatar(records, { of, pointer: undefined, changedMilliseconds, isOurs: true });
  return true;
}
