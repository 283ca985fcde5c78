// The headers of tus 1.0 (tus.io/protocols/resumable-upload) in both directions: what requests say of an upload, and what they
// are told. Names, types and whatever else stands in `Upload-Metadata` are not read: the server is not to know them.

import { base64url } from "jose";
import type { AppendResult, NoProgress, Progress } from "#durable-objects";
import { type Bytes, copy, isMediaLength, MAX_ENCRYPTED_MEDIA_BYTES, TUS_CONTENT_TYPE, TUS_VERSION } from "#wire";
import { requireType } from "./body.ts";
import { Problem } from "./problem.ts";

/** What this server can do, for whoever asks. */
export const TUS_OPTIONS: Readonly<Record<string, string>> = {
  "tus-version": TUS_VERSION,
  "tus-extension": "creation,creation-with-upload,expiration,termination,checksum",
  "tus-checksum-algorithm": "sha256",
  "tus-max-size": String(MAX_ENCRYPTED_MEDIA_BYTES),
};

/** @throws Problem `unsupported-version` */
export function requireTus(headers: Headers): void {
  if (headers.get("tus-resumable") !== TUS_VERSION) throw new Problem("unsupported-version", { headers: { "tus-version": TUS_VERSION } });
}

/** How long the file will be: one of the few lengths that padding makes. */
export function uploadLengthOf(headers: Headers): number {
  return mediaLength(wholeNumber(headers.get("upload-length")));
}

/** @throws Problem `too-large`; `malformed` for a length that would tell one file from others */
export function mediaLength(length: number): number {
  if (length > MAX_ENCRYPTED_MEDIA_BYTES) throw new Problem("too-large");
  if (!isMediaLength(length)) throw new Problem("malformed", { reason: "bad-length" });
  return length;
}

export function uploadOffsetOf(headers: Headers): number {
  return wholeNumber(headers.get("upload-offset"));
}

/** What the body of a request that lengthens a file is said to be. */
export interface Announced {
  readonly declaredLength: number | undefined;
  /** A SHA-256. */
  readonly digest: Bytes | undefined;
}

/** @throws Problem `unsupported-media-type`, `malformed` */
export function announcedIn(request: Request): Announced {
  requireType(request, TUS_CONTENT_TYPE);
  const { headers } = request;
  const length = headers.get("content-length");
  return { declaredLength: length === null ? undefined : wholeNumber(length), digest: digestOf(headers.get("upload-checksum")) };
}

/** How far the upload is. */
export function progressHeaders({ offset, length, expiresMilliseconds }: Progress): Record<string, string> {
  const expires = { "upload-expires": new Date(expiresMilliseconds).toUTCString() };
  return { "upload-offset": String(offset), ...(offset < length ? expires : {}) };
}

/** What an upload that was not advanced answers. */
export function refusalOf(result: Exclude<AppendResult, Progress> | NoProgress): Problem {
  switch (result.kind) {
    case "unknown":
      return new Problem("not-found");
    case "conflict":
      return new Problem("offset-conflict", { headers: { "upload-offset": String(result.offset) } });
    case "gone":
    case "too-large":
    case "checksum-mismatch":
      return new Problem(result.kind);
    case "unavailable":
      return new Problem("unavailable", { retryAfterSeconds: RETRY_SECONDS });
  }
}

const RETRY_SECONDS = 2;

function wholeNumber(text: string | null): number {
  if (text === null || !/^(0|[1-9][0-9]{0,14})$/.test(text)) throw new Problem("malformed", { reason: "bad-value" });
  return Number(text);
}

function digestOf(header: string | null): Bytes | undefined {
  if (header === null) return undefined;
  const encoded = /^sha256 ([A-Za-z0-9+/]{43})=$/.exec(header)?.[1];
  if (encoded === undefined) throw new Problem("malformed", { reason: "bad-value" });
  return copy(base64url.decode(encoded.replaceAll("+", "-").replaceAll("/", "_")));
}
