// What the object of an upload offers by RPC: plain data that structured clone carries, and the body of a request as it comes.
// An object that no upload was begun in answers `unknown` and writes nothing.

import type { Bytes } from "#wire";

export interface NewUpload {
  /** Of the encrypted file. */
  readonly length: number;
  /** The SHA-256 of the access secret, in hexadecimal: all that is kept beside the file. */
  readonly accessHash: string;
}

/** How far an upload is. `offset` is a promise: what is before it is durable, and all of it is a file that can be read. */
export interface Progress {
  readonly kind: "progress";
  readonly offset: number;
  readonly length: number;
  readonly expiresMilliseconds: number;
}

/** No upload that this object knows of; one that is over, removed or left alone for a day; or the bucket does not answer now. */
export interface NoProgress {
  readonly kind: "unknown" | "gone" | "unavailable";
}

export interface Append {
  /** Where the bytes belong, as far as their sender knows. */
  readonly offset: number;
  /** How many there are, where it was said in advance. */
  readonly declaredLength: number | undefined;
  /** The SHA-256 of them, where it was said. */
  readonly digest: Bytes | undefined;
}

export type AppendResult =
  | Progress
  /** The bytes belong elsewhere, or not all of them came: what is kept ends here. */
  | { readonly kind: "conflict"; readonly offset: number }
  | { readonly kind: "too-large" }
  | { readonly kind: "checksum-mismatch" }
  | NoProgress;

export interface UploadApi {
  /** May be repeated. */
  create(upload: NewUpload): Promise<Progress | NoProgress>;
  progress(): Promise<Progress | NoProgress>;
  /** Takes what comes, and keeps what came when no more does. Whoever calls next, for whatever, ends it. */
  append(append: Append, body: ReadableStream<Uint8Array>): Promise<AppendResult>;
  /** Ends the upload and removes what came of it, also when that is a file. May be repeated. */
  remove(): Promise<{ readonly kind: "removed" } | NoProgress>;
}
