// Sets our own picture or a group's, or brings one to the server again that it is about to forget: encrypted under a key of its own and
// kept first, brought there by the uploads, told when it is there. A death in between loses nothing and tells nothing.

import type { MediaId } from "#wire";
import { UPLOADS_TOPIC } from "../core.ts";
import { dropFiles, type KeptFile, keepFile } from "../media/keep-files.ts";
import type { Worker } from "../media/upload-records.ts";
import { AVATAR_BYTES, AVATARS, type ConversationId, UPLOADS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { avatarOf, AVATARS_TOPIC, bytesOf, mediaIdOf, shownOf, withdrawPending } from "./records.ts";
import type { PreparedAvatar } from "./prepare.ts";
import { isRenewalDue } from "./renewal.ts";

export interface KeptAvatar {
  readonly kept: KeptFile;
  readonly picture: PreparedAvatar;
}

/** Encrypted, in our own store. @throws ClientError `storage-…`; the signal's reason */
export async function keepAvatar(sending: Sending, picture: PreparedAvatar, signal: AbortSignal | undefined): Promise<KeptAvatar> {
  const { bytes, digest, ...described } = picture;
  const { upload, attachment } = await keepFile(sending, { name: "", content: new Blob([bytes]), ...described }, 0, signal);
  return { kept: { upload, attachment: { ...attachment, contentDigest: digest } }, picture };
}

export async function dropAvatar(sending: Sending, { kept }: KeptAvatar): Promise<void> {
  await dropFiles(sending, [kept]);
}

/** From here on `worker` brings it to the server, in the place of what was on its way before. */
export async function setPending(
  records: Writer,
  of: ConversationId,
  { kept: { upload, attachment }, picture }: KeptAvatar,
  { worker, renews }: { readonly worker: Worker; readonly renews?: MediaId },
): Promise<void> {
  await withdrawPending(records, of);
  const row = await avatarOf(records, of);
  records.put(AVATARS, { ...row, pending: { ordinal: upload.ordinal, file: attachment, renews, error: undefined } }, of);
  // Of one that goes up again they are here.
  if (renews === undefined) records.put(AVATAR_BYTES, picture.bytes, of, "pending");
  records.put(UPLOADS, { ...upload, state: "waiting", worker, avatarOf: of }, upload.ordinal);
  records.touch(UPLOADS_TOPIC);
  records.touch(AVATARS_TOPIC);
}

/** The same picture under another key, unless it was replaced or another program is at it. */
export async function renew(sending: Sending, of: ConversationId, worker: Worker, signal: AbortSignal): Promise<void> {
  const found = await sending.vault.read(async (records) => {
    const row = await avatarOf(records, of);
    const shown = await shownOf(records, of);
    if (row.told === undefined || shown === undefined || !(await isRenewalDue(sending, records, row))) return undefined;
    const bytes = await bytesOf(records, of, shown.digest);
    return bytes === undefined ? undefined : { bytes, ...shown, thumbhash: row.told.thumbhash, renews: row.told.stored?.mediaId };
  });
  if (found?.renews === undefined) return;
  const { renews, ...picture } = found;
  const kept = await keepAvatar(sending, picture, signal);
  const isTaken = await sending.vault.write(async (records) => {
    const row = await avatarOf(records, of);
    if (mediaIdOf(row.told) !== renews || !(await isRenewalDue(sending, records, row))) return false;
    await setPending(records, of, kept, { worker, renews });
    return true;
  });
  if (!isTaken) await dropAvatar(sending, kept);
}
