// How a file stands in the bucket: under which key, and with what beside it. Neither says whose it is, what it is or what it
// is called.

import type { MediaId } from "#wire";

/** Lifecycle rules of the bucket name it. */
export const MEDIA_PREFIX = "media/";

export function mediaKey(mediaId: MediaId): string {
  return `${MEDIA_PREFIX}${mediaId}`;
}

/** @param accessHash the SHA-256 of the access secret, in hexadecimal */
export function mediaMetadata(accessHash: string): Pick<R2PutOptions, "customMetadata"> {
  return { customMetadata: { access: accessHash } };
}

/** Of a file that was stored with `mediaMetadata`. */
export function accessHashOf({ customMetadata }: Pick<R2Object, "customMetadata">): string | undefined {
  return customMetadata?.["access"];
}
