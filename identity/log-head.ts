// What one side last saw of a log against what it is shown now. Looks at hashes only: who wrote the entries, and whether
// they hold together, is account-log.ts's.

import { sha256 } from "#crypto";
import { type Bytes, type LogHead, sameBytes, WireError } from "#wire";

export type HeadComparison =
  /** Nothing new. */
  | { readonly kind: "same" }
  /** Everything that was seen is still there, and these are new. */
  | { readonly kind: "extension"; readonly added: readonly Bytes[] }
  /** Fewer entries than were seen before: an old log, or a forgotten one. */
  | { readonly kind: "rollback" }
  /** Another entry in a place where one was seen: two histories of one account exist. */
  | { readonly kind: "fork" };

/**
 * Compares a head that was seen before, or that somebody claims to have seen, with the whole log as it is now. The hash
 * at the head's place settles everything before it only for entries that `readAccountLog` accepts.
 */
export function compareHeads(seen: LogHead, entries: readonly Bytes[]): HeadComparison {
  if (!Number.isSafeInteger(seen.length) || seen.length < 1) throw new WireError("bad-value");
  const entry = entries[seen.length - 1];
  if (entry === undefined) return { kind: "rollback" };
  if (!sameBytes(sha256(entry), seen.hash)) return { kind: "fork" };
  const added = entries.slice(seen.length);
  return added.length === 0 ? { kind: "same" } : { kind: "extension", added };
}
