// What follows from an uploadId, which only the one who uploads a file has: under which id the server keeps the file, and the
// secret with which others read it. Both are hashes, so whoever may read cannot write, and the server can compute both.

import { LABELS, labelled, type Random, sha256 } from "#crypto";
import { type Bytes, fromHex, type MediaId, parseMediaId, parseUploadId, toHex, type UploadId } from "#wire";

const UPLOAD_ID_BYTES = 32;
const FIRST_BIT = 0x80;

/**
 * An uploadId: the server draws one for an upload that can be resumed, a client for a file that goes in one request. The first
 * bit says who did, and the rest is random: so the two ways to write a file never lead to the same one.
 */
export function drawUploadId(by: "server" | "client", random: Random): UploadId {
  const [first = 0, ...rest] = random(UPLOAD_ID_BYTES);
  const marked = by === "client" ? first | FIRST_BIT : first & ~FIRST_BIT;
  return parseUploadId(toHex(new Uint8Array([marked, ...rest])));
}

export function isDrawnByServer(uploadId: UploadId): boolean {
  return ((fromHex(uploadId)[0] ?? 0) & FIRST_BIT) === 0;
}

/** Under which id the file is kept. */
export function mediaIdOf(uploadId: UploadId): MediaId {
  return parseMediaId(toHex(sha256(labelled(LABELS.MEDIA_ID, fromHex(uploadId)))));
}

/** What a reader of the file shows to the server: 32 bytes. */
export function accessSecretOf(uploadId: UploadId): Bytes {
  return sha256(labelled(LABELS.MEDIA_ACCESS_SECRET, fromHex(uploadId)));
}
