// The decisions of an upload, as functions of values. Knows no storage, no bucket and no clock.

import { MAX_MEDIA_REQUEST_BYTES } from "#wire";
import type { Append, NoProgress, Progress } from "./api.ts";
import type { UploadRecord } from "./record.ts";

/** What there is to say of an upload to whoever asks for it. One that has expired is gone before anybody has removed it. */
export function progressOf(record: UploadRecord | undefined, nowMilliseconds: number): Progress | NoProgress {
  if (record === undefined) return { kind: "unknown" };
  const { state, offset, length, expiresMilliseconds } = record;
  if (state === "gone" || (state === "open" && nowMilliseconds >= expiresMilliseconds)) return { kind: "gone" };
  return { kind: "progress", offset, length, expiresMilliseconds };
}

export type Decision =
  /** At most `room` bytes may come. */
  | { readonly kind: "take"; readonly room: number }
  | { readonly kind: "conflict"; readonly offset: number }
  | { readonly kind: "too-large" }
  /** Nothing is missing, and nothing more may be written. */
  | Progress;

export function decideAppend(progress: Progress, append: Omit<Append, "digest">): Decision {
  const { offset, length } = progress;
  if (append.offset !== offset) return { kind: "conflict", offset };
  const room = Math.min(length - offset, MAX_MEDIA_REQUEST_BYTES);
  if ((append.declaredLength ?? 0) > room) return { kind: "too-large" };
  return offset === length ? progress : { kind: "take", room };
}
