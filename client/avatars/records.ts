// What the records say of pictures of people and groups, and how that changes: each function is part of one transaction. What is told
// is the word of whoever told it; what is shown has been fetched and found to be it. Knows no server.

import { type Bytes, type DeviceAddress, type GroupState, MAX_AVATAR_BYTES, MAX_AVATAR_PIXELS, type MediaPointer, sameBytes } from "#wire";
import { OWN_TOPIC, UPLOADS_TOPIC } from "../core.ts";
import { isGroupId } from "../groups/state.ts";
import { toRecord } from "../media/attachments.ts";
import { contactOf } from "../records/contact.ts";
import {
  type AttachmentRecord,
  AVATAR_BYTES,
  type AvatarRecord,
  AVATARS,
  CONTACTS,
  type ConversationId,
  GROUPS,
  OWN,
  type PendingAvatar,
  type ShownAvatar,
  UPLOADS,
} from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";

/** Touched when there may be something to fetch, to bring or to tell, and when something was. */
export const AVATARS_TOPIC = "avatars";

/** What every platform shows. */
const KINDS: readonly string[] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

export function isAvatarType(mime: string): boolean {
  return KINDS.includes(mime);
}

/** Failures of fetching one picture, each with a longer pause behind it. */
const MAX_FAILURES = 8;

export async function avatarOf(records: Reader, of: ConversationId): Promise<AvatarRecord> {
  const known = await records.get(AVATARS, of);
  if (known !== undefined) return known;
  const nothing = { told: undefined, changedMilliseconds: 0, isOurs: false, toldBy: undefined, pending: undefined };
  return { of, ...nothing, failures: 0, retryMilliseconds: 0 };
}

/** What is here, and may be shown. */
export async function shownOf(records: Reader, of: ConversationId): Promise<ShownAvatar | undefined> {
  if (isGroupId(of)) return (await records.get(GROUPS, of))?.avatar;
  const own = await records.get(OWN);
  return own?.userId === of ? own.avatar : (await records.get(CONTACTS, of))?.avatar;
}

/** The bytes of a picture, unless it was replaced or removed meanwhile. */
export async function bytesOf(records: Reader, of: ConversationId, digest: Bytes): Promise<Bytes | undefined> {
  const shown = await shownOf(records, of);
  return shown !== undefined && sameBytes(shown.digest, digest) ? await records.get(AVATAR_BYTES, of, "shown") : undefined;
}

export interface ToldAvatar extends Pick<AvatarRecord, "of" | "changedMilliseconds"> {
  readonly pointer: MediaPointer | undefined;
  readonly isOurs?: boolean;
  readonly toldBy?: AvatarRecord["toldBy"];
}

/** From now on it is this one. What is shown stays until that is here, unless there is none any more. */
export async function takeAvatar(records: Writer, { of, pointer, changedMilliseconds, isOurs = false, toldBy }: ToldAvatar): Promise<void> {
  const before = await avatarOf(records, of);
  const told = pointer === undefined ? undefined : toRecord(pointer);
  const isSame = mediaIdOf(told) === mediaIdOf(before.told);
  const fresh = isSame ? {} : { failures: 0, retryMilliseconds: 0 };
  records.put(AVATARS, { ...before, ...fresh, told, changedMilliseconds, isOurs, toldBy }, of);
  if (told === undefined) await hide(records, of);
  records.touch(AVATARS_TOPIC);
}

/** A person's, by their own word. The same device's word of before may come behind it, by way of a group. */
export async function takeFromPerson(
  records: Writer,
  { userId, deviceId }: DeviceAddress,
  { pointer, sentAt }: { readonly pointer: MediaPointer | undefined; readonly sentAt: number },
): Promise<void> {
  const { toldBy } = await avatarOf(records, userId);
  if (toldBy?.deviceId === deviceId && toldBy.sentAt > sentAt) return;
  await takeAvatar(records, { of: userId, pointer, changedMilliseconds: 0, toldBy: { deviceId, sentAt } });
}

/** A group's, as its log says. Of one that this device has set the bytes are here. */
export async function takeFromGroup(
  records: Writer,
  { groupId, avatar }: Pick<GroupState, "groupId" | "avatar">,
  { changedMilliseconds, isOurs }: Pick<AvatarRecord, "changedMilliseconds" | "isOurs">,
): Promise<void> {
  const { told, pending } = await avatarOf(records, groupId);
  if (mediaIdOf(told) === avatar?.mediaId) return;
  await takeAvatar(records, { of: groupId, pointer: avatar, changedMilliseconds, isOurs });
  if (avatar !== undefined && mediaIdOf(pending?.file) === avatar.mediaId) await showPending(records, groupId);
}

export function mediaIdOf(file: AttachmentRecord | undefined): string | undefined {
  return file?.stored?.mediaId;
}

/** Whether both are the same picture, though it may have been brought to the server twice. */
export function isSamePicture(one: MediaPointer | undefined, other: MediaPointer | undefined): boolean {
  if (one?.contentDigest === undefined || other?.contentDigest === undefined) return false;
  return sameBytes(one.contentDigest, other.contentDigest);
}

/** What was told and is not here, if it may be fetched now: nothing of strangers, nor of whoever is blocked. */
export async function wanted(records: Reader, { of, told, failures }: AvatarRecord): Promise<AttachmentRecord | undefined> {
  if (told?.contentDigest === undefined || failures >= MAX_FAILURES || !isPlausible(told)) return undefined;
  const shown = await shownOf(records, of);
  if (shown !== undefined && sameBytes(shown.digest, told.contentDigest)) return undefined;
  return (await isHeard(records, of)) ? told : undefined;
}

async function isHeard(records: Reader, of: ConversationId): Promise<boolean> {
  if (isGroupId(of)) return (await records.get(GROUPS, of))?.standing === "member";
  return (await records.get(OWN))?.userId === of || (await contactOf(records, of)).state === "accepted";
}

/** By what is said of it. Whatever else it is, it is not fetched. */
function isPlausible({ size, mime, width, height }: AttachmentRecord): boolean {
  const isWithin = (side: number): boolean => side >= 1 && side <= MAX_AVATAR_PIXELS;
  return size >= 1 && size <= MAX_AVATAR_BYTES && isAvatarType(mime) && isWithin(width) && isWithin(height);
}

export async function show(records: Writer, of: ConversationId, avatar: ShownAvatar, bytes: Bytes): Promise<void> {
  records.put(AVATAR_BYTES, bytes, of, "shown");
  await putShown(records, of, avatar);
}

async function hide(records: Writer, of: ConversationId): Promise<void> {
  if ((await shownOf(records, of)) === undefined) return;
  records.delete(AVATAR_BYTES, of, "shown");
  await putShown(records, of, undefined);
}

/** What we have set is what is shown now. A renewed one is here already. */
export async function showPending(records: Writer, of: ConversationId): Promise<void> {
  const { pending } = await avatarOf(records, of);
  const bytes = await records.get(AVATAR_BYTES, of, "pending");
  if (pending?.file.contentDigest !== undefined && bytes !== undefined) {
    const { contentDigest: digest, mime, width, height } = pending.file;
    await show(records, of, { digest, mime, width, height }, bytes);
  }
  await endPending(records, of);
}

/** It was told, or nobody wants it any more; or it came to nothing, and `error` says why. */
export async function endPending(records: Writer, of: ConversationId, error?: PendingAvatar["error"]): Promise<void> {
  const row = await avatarOf(records, of);
  if (row.pending === undefined) return;
  records.put(AVATARS, { ...row, pending: error === undefined ? undefined : { ...row.pending, error } }, of);
  records.delete(AVATAR_BYTES, of, "pending");
  records.touch(AVATARS_TOPIC);
}

/** What was on its way is not wanted any more. */
export async function withdrawPending(records: Writer, of: ConversationId): Promise<void> {
  const row = await avatarOf(records, of);
  if (row.pending === undefined) return;
  const upload = await records.get(UPLOADS, row.pending.ordinal);
  if (upload?.state === "waiting") records.put(UPLOADS, { ...upload, state: "done" }, upload.ordinal);
  records.put(AVATARS, { ...row, pending: undefined }, of);
  records.delete(AVATAR_BYTES, of, "pending");
  records.touch(UPLOADS_TOPIC);
  records.touch(AVATARS_TOPIC);
}

async function putShown(records: Writer, of: ConversationId, avatar: ShownAvatar | undefined): Promise<void> {
  records.touch("contacts");
  if (isGroupId(of)) {
    const known = await records.get(GROUPS, of);
    if (known !== undefined) records.put(GROUPS, withAvatar(known, avatar), of);
    return;
  }
  const own = await records.get(OWN);
  if (own?.userId === of) {
    records.put(OWN, withAvatar(own, avatar));
    records.touch(OWN_TOPIC);
  } else {
    records.put(CONTACTS, withAvatar(await contactOf(records, of), avatar), of);
  }
}

function withAvatar<T extends { readonly avatar?: ShownAvatar }>(
  { avatar: _, ...others }: T,
  avatar: ShownAvatar | undefined,
): Omit<T, "avatar"> & { readonly avatar?: ShownAvatar } {
  return avatar === undefined ? others : { ...others, avatar };
}
