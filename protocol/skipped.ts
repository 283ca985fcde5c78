// Seeds of messages that were jumped over and may still arrive: one packed byte string per chain, oldest first,
// so that a state with thousands of them is stored and loaded by one copy. Used by both kinds of chain.

import { Secret } from "#crypto";
import { type Bytes, MAX_SKIPPED_KEYS, UsageError, WireError } from "#wire";
import type { Attempt } from "./attempt.ts";

const INDEX_BYTES = 4;
const SEED_BYTES = 32;
const ENTRY_BYTES = INDEX_BYTES + SEED_BYTES;

/** `undefined` when there are none; otherwise at most 2,000 entries of (index, seed), indexes ascending. */
export type SkippedSeeds = Secret | undefined;

/** The seed for `index` and the rest without it, or `undefined` if it is not there. */
export function takeSkipped(
  skipped: SkippedSeeds,
  index: number,
  attempt: Attempt,
): { readonly seed: Secret; readonly rest: SkippedSeeds } | undefined {
  if (skipped === undefined) return undefined;
  const packed = skipped.expose();
  const at = find(packed, index);
  if (at === undefined) return undefined;
  const seed = attempt.make(packed.slice(at + INDEX_BYTES, at + ENTRY_BYTES));
  attempt.spend(skipped);
  if (packed.length === ENTRY_BYTES) return { seed, rest: undefined };
  const rest = new Uint8Array(packed.length - ENTRY_BYTES);
  rest.set(packed.subarray(0, at));
  rest.set(packed.subarray(at + ENTRY_BYTES), at);
  return { seed, rest: attempt.make(rest) };
}

/** Appends the seeds of consecutive indexes from `firstIndex`; the oldest fall out beyond the limit. */
export function addSkipped(skipped: SkippedSeeds, firstIndex: number, seeds: readonly Bytes[], attempt: Attempt): SkippedSeeds {
  if (seeds.length === 0) return skipped;
  const before = skipped?.expose() ?? new Uint8Array(0);
  const drop = Math.max(0, before.length / ENTRY_BYTES + seeds.length - MAX_SKIPPED_KEYS);
  const kept = before.subarray(Math.min(drop * ENTRY_BYTES, before.length));
  const fresh = seeds.slice(Math.max(0, seeds.length - MAX_SKIPPED_KEYS));
  const packed = new Uint8Array(kept.length + fresh.length * ENTRY_BYTES);
  packed.set(kept);
  const view = new DataView(packed.buffer);
  let at = kept.length;
  let index = firstIndex + seeds.length - fresh.length;
  for (const seed of fresh) {
    view.setUint32(at, index++);
    packed.set(seed, at + INDEX_BYTES);
    at += ENTRY_BYTES;
  }
  if (skipped !== undefined) attempt.spend(skipped);
  return attempt.make(packed);
}

/** Drops the seeds of all indexes before `index`. */
export function dropSkippedBefore(skipped: SkippedSeeds, index: number, attempt: Attempt): SkippedSeeds {
  if (skipped === undefined) return undefined;
  const packed = skipped.expose();
  let at = 0;
  while (at < packed.length && indexAt(packed, at) < index) at += ENTRY_BYTES;
  if (at === 0) return skipped;
  attempt.spend(skipped);
  return at === packed.length ? undefined : attempt.make(packed.slice(at));
}

function indexAt(packed: Bytes, at: number): number {
  return new DataView(packed.buffer, packed.byteOffset + at).getUint32(0);
}

/** The packed bytes, for storing; empty when there are none. */
export function exposeSkipped(skipped: SkippedSeeds): Bytes {
  return skipped?.expose() ?? new Uint8Array(0);
}

/** Takes ownership of `packed`. @throws WireError `bad-length` or `too-many` for bytes that are no list of seeds. */
export function skippedFromBytes(packed: Bytes): SkippedSeeds {
  if (packed.length === 0) return undefined;
  if (packed.length % ENTRY_BYTES !== 0) throw new WireError("bad-length");
  if (packed.length > MAX_SKIPPED_KEYS * ENTRY_BYTES) throw new WireError("too-many");
  return new Secret(packed);
}

function find(packed: Bytes, index: number): number | undefined {
  if (index < 0) throw new UsageError("bad-argument", "an index is not negative");
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let low = 0;
  let high = packed.length / ENTRY_BYTES - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = view.getUint32(middle * ENTRY_BYTES);
    if (found === index) return middle * ENTRY_BYTES;
    if (found < index) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
