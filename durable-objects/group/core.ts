// The decisions of a group's object, as functions of values: whose keys may append what, how far a key reads, what fits
// into a page. Knows no storage, no clock and no signature, and of an entry only that it equals another.

import {
  type Bytes,
  GROUP_PLACES_FOR_ADMINS,
  type GroupAppend,
  type GroupKeys,
  MAX_GROUP_LEAVES,
  MAX_GROUP_LOG_PLACES,
  MAX_GROUP_PAGE_BYTES,
  MAX_GROUP_PAGE_ENTRIES,
  sameBytes,
} from "#wire";
import type { CheckedGroupAppend } from "./api.ts";

/** The keys of a time. They hold behind the entry that brought them, and are retired by the one that brings others. */
export interface Epoch extends Pick<GroupKeys, "memberKey" | "adminKey"> {
  /** The version of the entry that brought them. */
  readonly since: number;
}

/** What the object knows of a log without reading an entry. */
export interface LogOutline {
  readonly latest: number;
  /** Oldest first, and never empty. */
  readonly epochs: readonly Epoch[];
  /** Entries by members under the newest keys. */
  readonly leaves: number;
}

type Authority = GroupAppend["authority"]["kind"];

export interface StoredEntry {
  readonly entry: Bytes;
  readonly authority: Authority;
}

export type Decision =
  | { readonly kind: "append" }
  | { readonly kind: "repeat" }
  | { readonly kind: "conflict"; readonly version: number }
  | { readonly kind: "used-key" }
  | { readonly kind: "full" }
  | { readonly kind: "unknown" };

/**
 * Whether the append is the next entry. A retired key is told of nothing behind its retirement.
 * @param outline `undefined` when there is no group; @param storedAt an entry of the log
 */
export function decideAppend(
  outline: LogOutline | undefined,
  append: CheckedGroupAppend,
  storedAt: (version: number) => StoredEntry | undefined,
): Decision {
  const { version, signer, authority } = append;
  if (outline === undefined) return isBeginning(append) ? { kind: "append" } : { kind: "unknown" };
  const { latest, epochs } = outline;
  const signed = epochs.findIndex((epoch) => sameBytes(keyOf(epoch, authority.kind), signer));
  if (signed === -1) return { kind: "unknown" };
  const end = endOf(outline, signed);
  if (version <= end && isRepeat(outline, signed, append, storedAt(version))) return { kind: "repeat" };
  if (signed < epochs.length - 1 || version !== latest + 1) return { kind: "conflict", version: end };
  if (!isRoom(outline, authority.kind)) return { kind: "full" };
  return { kind: isUsedKey(epochs, newKeysOf(append)) ? "used-key" : "append" };
}

/** The outline of the log with this entry, which may be its first. */
export function withEntry(outline: LogOutline | undefined, append: CheckedGroupAppend): LogOutline {
  const { version, authority } = append;
  const keys = newKeysOf(append);
  const epochs = outline?.epochs ?? [];
  if (keys !== undefined) return { latest: version, epochs: [...epochs, { ...keys, since: version }], leaves: 0 };
  return { latest: version, epochs, leaves: (outline?.leaves ?? 0) + (authority.kind === "member" ? 1 : 0) };
}

/** The last version that a member's key may read: all while it is in force, then up to the entry that retired it. */
export function readableBy(outline: LogOutline, key: Bytes): number | undefined {
  const at = outline.epochs.findIndex(({ memberKey }) => sameBytes(memberKey, key));
  return at === -1 ? undefined : endOf(outline, at);
}

/** Whether another entry fits into a page; the first always does. */
export function fitsPage(page: readonly { readonly entry: Bytes }[], entry: Bytes): boolean {
  const bytes = page.reduce((sum, before) => sum + before.entry.length, entry.length);
  return page.length < MAX_GROUP_PAGE_ENTRIES && bytes <= MAX_GROUP_PAGE_BYTES;
}

/** Appends of the last while. */
export interface Pace {
  readonly sinceMilliseconds: number;
  readonly appends: number;
}

const APPENDS_PER_MINUTE = 60;
const MINUTE_MILLISECONDS = 60_000;

export type Paced = { readonly kind: "counted"; readonly pace: Pace } | { readonly kind: "too-many"; readonly retryAfterSeconds: number };

/** Counts an append. A clock that steps back refills nothing. */
export function countAppend(before: Pace | undefined, nowMilliseconds: number): Paced {
  const end = (before?.sinceMilliseconds ?? 0) + MINUTE_MILLISECONDS;
  if (before === undefined || nowMilliseconds >= end) return { kind: "counted", pace: { sinceMilliseconds: nowMilliseconds, appends: 1 } };
  if (before.appends < APPENDS_PER_MINUTE) return { kind: "counted", pace: { ...before, appends: before.appends + 1 } };
  const waitMilliseconds = Math.min(end - nowMilliseconds, MINUTE_MILLISECONDS);
  return { kind: "too-many", retryAfterSeconds: Math.ceil(waitMilliseconds / 1000) };
}

function isBeginning(append: CheckedGroupAppend): boolean {
  const keys = newKeysOf(append);
  return append.version === 1 && keys !== undefined && sameBytes(keys.adminKey, append.signer);
}

/** The same entry under the same authority, and with the same keys, from whom it came the first time. */
function isRepeat({ epochs }: LogOutline, signed: number, append: CheckedGroupAppend, stored: StoredEntry | undefined): boolean {
  const { version, entry, authority } = append;
  if (stored === undefined || stored.authority !== authority.kind || !sameBytes(stored.entry, entry)) return false;
  // Keys sign what is behind the entry that brought them; the first ones sign that entry.
  const since = epochs[signed]?.since ?? version;
  if (version === 1 ? since !== 1 : since >= version) return false;
  const brought = epochs.find((epoch) => epoch.since === version);
  const keys = newKeysOf(append);
  if (brought === undefined || keys === undefined) return brought === keys;
  return sameBytes(brought.memberKey, keys.memberKey) && sameBytes(brought.adminKey, keys.adminKey);
}

function isRoom({ latest, leaves }: LogOutline, authority: Authority): boolean {
  if (authority === "admin") return latest < MAX_GROUP_LOG_PLACES;
  return latest < MAX_GROUP_LOG_PLACES - GROUP_PLACES_FOR_ADMINS && leaves < MAX_GROUP_LEAVES;
}

/** Keys come back never: whoever was removed has those of before. */
function isUsedKey(epochs: readonly Epoch[], keys: GroupKeys | undefined): boolean {
  if (keys === undefined) return false;
  const used = epochs.flatMap(({ memberKey, adminKey }) => [memberKey, adminKey]);
  return used.some((key) => sameBytes(key, keys.memberKey) || sameBytes(key, keys.adminKey));
}

function endOf({ latest, epochs }: LogOutline, at: number): number {
  return epochs[at + 1]?.since ?? latest;
}

function keyOf({ memberKey, adminKey }: Epoch, authority: Authority): Bytes {
  return authority === "admin" ? adminKey : memberKey;
}

function newKeysOf({ authority }: CheckedGroupAppend): GroupKeys | undefined {
  return authority.kind === "admin" ? authority.keys : undefined;
}
