// The bucket of files as this module asks it: by mediaId, in time, and without the files that are too old.

import { accessHashOf, mediaKey, mediaMetadata } from "#durable-objects";
import { type Bytes, fromHex, MEDIA_TTL_SECONDS, type MediaId } from "#wire";
import { equal, sha256 } from "#crypto";
import { Unavailable, within } from "../deadline.ts";

/** For an answer without a body, or until the body begins. */
const BUCKET_MILLISECONDS = 5000;

/** A file that its readers may have, whether or not the sweep was here. @throws Unavailable */
export async function findFile(bucket: R2Bucket, mediaId: MediaId, nowSeconds: number): Promise<R2Object | undefined> {
  const found = await asked(bucket.head(mediaKey(mediaId)));
  return found === null || isExpired(found, nowSeconds) ? undefined : found;
}

export function isExpired({ uploaded }: Pick<R2Object, "uploaded">, nowSeconds: number): boolean {
  return uploaded.getTime() / 1000 + MEDIA_TTL_SECONDS <= nowSeconds;
}

/** Whether the secret is the one that came with the file's pointer. */
export function opens(file: R2Object, accessSecret: Bytes): boolean {
  const hash = accessHashOf(file);
  return hash !== undefined && equal(fromHex(hash), sha256(accessSecret));
}

/** Stores the file unless there is one. @throws Unavailable, also when the body breaks off; nothing is stored then */
export async function storeOnce(
  bucket: R2Bucket,
  mediaId: MediaId,
  { body, accessHash }: { readonly body: ReadableStream; readonly accessHash: string },
): Promise<"stored" | "there"> {
  try {
    const options = { ...mediaMetadata(accessHash), onlyIf: { etagDoesNotMatch: "*" } };
    return (await bucket.put(mediaKey(mediaId), body, options)) === null ? "there" : "stored";
  } catch (cause) {
    throw new Unavailable({ cause });
  }
}

/** What the bucket answers. @throws Unavailable */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await within(BUCKET_MILLISECONDS, answer);
  } catch (cause) {
    throw cause instanceof Unavailable ? cause : new Unavailable({ cause });
  }
}
