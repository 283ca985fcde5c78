// What a group's object offers by RPC. Everything is plain data that structured clone carries. Keys are those under which
// the gateway has checked a signature for this group; whether they are the group's is decided here. A group that does not
// exist, and one to which the key does not belong, answer `unknown`; nothing is written by that.

import type { Bytes, GroupAppend, SealedGroupEntry } from "#wire";

interface Unknown {
  readonly kind: "unknown";
}

/** An append whose signature is its signer's, without the signature. */
export type CheckedGroupAppend = Pick<GroupAppend, "version" | "entry" | "signer" | "authority">;

/** `appended` is a promise: given when the entry is durable, and again for a repeat. */
export type GroupAppendResult =
  | { readonly kind: "appended"; readonly version: number }
  /** Something else is in this place, or something is missing before it: the last version that the signer may know. */
  | { readonly kind: "conflict"; readonly version: number }
  /** A key that the group had before, in either role. */
  | { readonly kind: "used-key" }
  | { readonly kind: "full" }
  | { readonly kind: "rate-limited"; readonly retryAfterSeconds: number }
  | Unknown;

export type GroupReadResult = { readonly kind: "page"; readonly entries: readonly SealedGroupEntry[]; readonly latest: number } | Unknown;

export interface GroupApi {
  append(append: CheckedGroupAppend): Promise<GroupAppendResult>;
  /** @param key of a member, in force or retired; @param after the version up to which the caller has the log */
  read(key: Bytes, after: number): Promise<GroupReadResult>;
}
