// The bytes of one request on their way into a file. Parts go to the bucket as they fill up; what is behind the last is the
// tail. Memory holds one part. What is kept counts from `keep` on, and from each full part where nobody has to wait for a checksum.

import { type Bytes, EMPTY, MEDIA_PART_BYTES } from "#wire";
import type { BucketFile } from "./file.ts";
import type { Part, UploadRecord, UploadRows } from "./record.ts";

export interface Arriving {
  readonly rows: UploadRows;
  readonly file: BucketFile;
  readonly record: UploadRecord;
  /** Nothing is kept before all of it has come. */
  readonly allOrNothing: boolean;
}

export class Arrival {
  readonly #rows: UploadRows;
  readonly #file: BucketFile;
  readonly #record: UploadRecord;
  readonly #allOrNothing: boolean;
  #multipart: string | undefined;
  /** The part that is being filled. It begins with the tail of before. */
  readonly #part: Bytes;
  #filled: number;
  /** So much of it is in the tail already. */
  #kept: number;
  /** Full parts that the bucket has and no row says so. */
  #ahead: Part[] = [];
  #parts: number;
  /** Bytes of the file up to here. */
  #offset: number;

  constructor({ rows, file, record, allOrNothing }: Arriving) {
    this.#rows = rows;
    this.#file = file;
    this.#record = record;
    this.#allOrNothing = allOrNothing;
    this.#multipart = record.multipart;
    const tail = rows.tail();
    this.#part = new Uint8Array(Math.min(MEDIA_PART_BYTES, record.length - record.offset + tail.length));
    this.#part.set(tail);
    this.#filled = tail.length;
    this.#kept = tail.length;
    this.#parts = record.parts.length;
    this.#offset = record.offset;
  }

  /** Takes bytes that fit into the file. @throws BucketFailure */
  async take(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      const piece = bytes.subarray(taken, taken + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#offset += piece.length;
      taken += piece.length;
      // The last part, however long, waits for `keep`.
      if (this.#filled === MEDIA_PART_BYTES && this.#offset < this.#record.length) await this.#putPart();
    }
  }

  /** Makes durable what was taken; of a whole file, the last part too. @throws BucketFailure */
  async keep(): Promise<void> {
    const isWhole = this.#offset === this.#record.length;
    if (isWhole && this.#parts === 0) {
      await this.#file.putWhole(this.#part, this.#record.accessHash);
      this.#rows.finish();
      return;
    }
    if (isWhole && this.#filled > 0) await this.#putPart();
    this.#rows.lengthen(this.#ahead, this.#part.slice(this.#kept, this.#filled));
    this.#ahead = [];
    this.#kept = this.#filled;
  }

  async #putPart(): Promise<void> {
    this.#multipart ??= await this.#begin();
    this.#ahead.push(await this.#file.putPart(this.#multipart, this.#parts + 1, this.#part.subarray(0, this.#filled)));
    this.#parts++;
    this.#filled = 0;
    this.#kept = 0;
    if (this.#allOrNothing) return;
    this.#rows.lengthen(this.#ahead, EMPTY);
    this.#ahead = [];
  }

  async #begin(): Promise<string> {
    const multipart = await this.#file.begin(this.#record.accessHash);
    this.#rows.begin(multipart);
    return multipart;
  }
}
