// One file of the bucket, written in parts or at once. Every step may run twice: a part of the same number replaces the one of
// before, and a file that is there is there.

import type { Bytes, MediaId } from "#wire";
import { mediaKey, mediaMetadata } from "./media-object.ts";
import type { Part } from "./record.ts";

/** The bucket did not do what it was asked for. It may, another time, unless `isFinal`. */
export class BucketFailure extends Error {
  override readonly name = "BucketFailure";
  /** The bucket knows nothing, or something else, of these parts. */
  readonly isFinal: boolean;

  constructor(cause: unknown) {
    super("the bucket failed", { cause });
    this.isFinal = cause instanceof Error && NO_SUCH_PARTS.test(cause.message);
  }
}

/** NoSuchUpload and InvalidPart: the platform says it in the text alone. */
const NO_SUCH_PARTS = /\((10024|10025)\)/;

/** Each method throws BucketFailure. */
export class BucketFile {
  readonly #bucket: R2Bucket;
  readonly #key: string;

  constructor(bucket: R2Bucket, mediaId: MediaId) {
    this.#bucket = bucket;
    this.#key = mediaKey(mediaId);
  }

  /** Returns what the bucket calls the parts together. */
  async begin(accessHash: string): Promise<string> {
    const { uploadId } = await attempt(this.#bucket.createMultipartUpload(this.#key, mediaMetadata(accessHash)));
    return uploadId;
  }

  async putPart(multipart: string, number: number, bytes: Bytes): Promise<Part> {
    const { etag } = await attempt(this.#parts(multipart).uploadPart(number, bytes));
    return { number, bytes: bytes.length, etag };
  }

  /** Makes a file of the parts, if they are not one yet. */
  async join(multipart: string, parts: readonly Part[], length: number): Promise<void> {
    const named = parts.map(({ number, etag }) => ({ partNumber: number, etag }));
    try {
      await attempt(this.#parts(multipart).complete(named));
    } catch (error) {
      // Joined already, when this ran before and nobody came to write it down.
      if ((await attempt(this.#bucket.head(this.#key)))?.size !== length) throw error;
    }
  }

  async putWhole(bytes: Bytes, accessHash: string): Promise<void> {
    await attempt(this.#bucket.put(this.#key, bytes, mediaMetadata(accessHash)));
  }

  /** Forgets parts that never became a file. */
  async abort(multipart: string): Promise<void> {
    try {
      await attempt(this.#parts(multipart).abort());
    } catch (error) {
      if (!(error instanceof BucketFailure) || !error.isFinal) throw error;
    }
  }

  /** Whether there was one. */
  async remove(): Promise<boolean> {
    if ((await attempt(this.#bucket.head(this.#key))) === null) return false;
    await attempt(this.#bucket.delete(this.#key));
    return true;
  }

  #parts(multipart: string): R2MultipartUpload {
    return this.#bucket.resumeMultipartUpload(this.#key, multipart);
  }
}

async function attempt<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new BucketFailure(cause);
  }
}
