// The decisions about a message on its way to many, as functions of values: which chunks there are, what is left of them,
// when they are tried again. Knows no storage, no queue and no clock.

import { MAILBOX_TTL_SECONDS, MAX_CHUNK_MAILBOXES } from "#wire";
import type { Outcome, SendResult, Settled } from "./api.ts";

/** Of one recipient. */
export type Standing = Outcome | { readonly kind: "open" };
/** Of all recipients of a job, in their order. */
export type Progress = readonly Standing[];

export function begin(recipients: number): Progress {
  return Array.from({ length: recipients }, () => ({ kind: "open" }));
}

/** The places of a chunk's recipients that have no outcome. */
export function openIn(progress: Progress, chunk: number): readonly number[] {
  return openPlaces(progress).filter((index) => chunkOf(index) === chunk);
}

/** Chunks in which somebody has no outcome. */
export function openChunks(progress: Progress): readonly number[] {
  return [...new Set(openPlaces(progress).map(chunkOf))];
}

/** The first outcome of a recipient stays: whoever asked may have acted on it. */
export function settle(progress: Progress, settled: readonly Settled[]): Progress {
  const byIndex = new Map(settled.map(({ index, outcome }) => [index, outcome]));
  return progress.map((standing, index) => (standing.kind === "open" ? (byIndex.get(index) ?? standing) : standing));
}

export function resultOf(progress: Progress): SendResult {
  const settled = progress.flatMap((outcome, index) => (outcome.kind === "open" ? [] : [{ index, outcome }]));
  const refused = settled.filter(({ outcome }) => outcome.kind !== "delivered");
  return {
    state: settled.length === progress.length ? "done" : "pending",
    delivered: settled.length - refused.length,
    refused,
  };
}

const MAX_DOUBLINGS = 9;
const MAX_PAUSE_MILLISECONDS = 6 * 3600 * 1000;

/**
 * How long a job waits for its outcomes before its open chunks go into the queue again: twice as long each time, up to six
 * hours. Spread by chance (0 to 1), so that what failed together does not come back together.
 */
export function pauseAfter(failures: number, firstMilliseconds: number, spread: number): number {
  const pause = Math.min(firstMilliseconds * 2 ** Math.min(failures, MAX_DOUBLINGS), MAX_PAUSE_MILLISECONDS);
  return Math.floor(pause * (0.75 + spread / 2));
}

/** A mailbox would not keep the message any longer either. */
export function isExpired(submittedMilliseconds: number, nowMilliseconds: number): boolean {
  return nowMilliseconds - submittedMilliseconds >= MAILBOX_TTL_SECONDS * 1000;
}

function openPlaces(progress: Progress): readonly number[] {
  return progress.flatMap(({ kind }, index) => (kind === "open" ? [index] : []));
}

function chunkOf(index: number): number {
  return Math.floor(index / MAX_CHUNK_MAILBOXES);
}
