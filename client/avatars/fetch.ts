// Fetches a picture that was told of, and keeps its bytes: what is not the picture that its owner has encrypted, or no picture, is not
// shown, and what was shown before stays.

import { sha256 } from "#crypto";
import { type Bytes, MAX_AVATAR_PIXELS, sameBytes } from "#wire";
import { ClientError } from "../errors.ts";
import { downloadWhole } from "../media/download.ts";
import { preparePicture } from "../media/pictures/index.ts";
import type { Reading } from "../media/stored-file.ts";
import { type AttachmentRecord, AVATARS, type ConversationId, type ShownAvatar } from "../records/tables.ts";
import type { Vault, Writer } from "../records/vault.ts";
import { avatarOf, AVATARS_TOPIC, isAvatarType, mediaIdOf, show, wanted } from "./records.ts";

const FIRST_PAUSE_MILLISECONDS = 6 * 3600_000;
const LONGEST_PAUSE_MILLISECONDS = 7 * 24 * 3600_000;

/** @throws ClientError when nothing could be found out for now; the signal's reason */
export async function fetchAvatar(vault: Vault, of: ConversationId, reading: Reading): Promise<void> {
  const told = await vault.read(async (records) => await wanted(records, await avatarOf(records, of)));
  if (told?.stored === undefined) return;
  const fetched = await readPicture({ ...told, stored: told.stored }, reading);
  const now = reading.clock.nowMilliseconds();
  await vault.write(async (records) => {
    // Another was told meanwhile, or nothing of theirs is to be shown any more.
    const still = await wanted(records, await avatarOf(records, of));
    if (mediaIdOf(still) !== mediaIdOf(told)) return;
    if (fetched === undefined) await noteFailure(records, of, now);
    else await show(records, of, fetched.avatar, fetched.bytes);
    records.touch(AVATARS_TOPIC);
  });
}

interface Fetched {
  readonly avatar: ShownAvatar;
  readonly bytes: Bytes;
}

/** `undefined` for what is gone, or is not what it was said to be. */
async function readPicture(
  file: AttachmentRecord & { readonly stored: NonNullable<AttachmentRecord["stored"]> },
  reading: Reading,
): Promise<Fetched | undefined> {
  try {
    const blob = await downloadWhole({ ...reading, file, onProgress: undefined }, file.mime);
    const bytes: Bytes = new Uint8Array(await blob.arrayBuffer());
    const digest = sha256(bytes);
    const picture = await preparePicture(bytes, { keepMetadata: true });
    if (picture.outcome !== "kept" || file.contentDigest === undefined || !sameBytes(digest, file.contentDigest)) return undefined;
    const { kind, width, height } = picture;
    if (!isAvatarType(`image/${kind}`) || Math.max(width, height) > MAX_AVATAR_PIXELS) return undefined;
    return { avatar: { digest, mime: `image/${kind}`, width, height }, bytes };
  } catch (error) {
    if (error instanceof ClientError && !error.retryable && !error.code.startsWith("storage-")) return undefined;
    throw error;
  }
}

async function noteFailure(records: Writer, of: ConversationId, nowMilliseconds: number): Promise<void> {
  const row = await avatarOf(records, of);
  const pause = Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** row.failures);
  records.put(AVATARS, { ...row, failures: row.failures + 1, retryMilliseconds: nowMilliseconds + pause }, of);
}
