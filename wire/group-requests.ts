// What a member sends to the server of a group, and what the server answers, as bytes. Entries are ciphertexts here;
// who may sign what is for identity/group-proof.ts and the group's object.

import type { Bytes } from "./bytes.ts";
import { exactly, uint32, upTo } from "./kinds.ts";
import { MAX_GROUP_PAGE_BYTES, MAX_GROUP_PAGE_ENTRIES, MAX_SEALED_GROUP_ENTRY_BYTES } from "./limits.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { type Extensible, list, message, type MessageKind, oneof, optional, required, strictCodec } from "./strict.ts";

/** The keys that are in force behind an entry, 33 bytes each. */
export interface GroupKeys extends Extensible {
  readonly memberKey: Bytes;
  readonly adminKey: Bytes;
}

export interface AdminAuthority extends Extensible {
  readonly kind: "admin";
  /** With the first entry, and with one that retires the keys of before. */
  readonly keys: GroupKeys | undefined;
}

/** A member's own leave: it changes no keys. */
export interface MemberAuthority extends Extensible {
  readonly kind: "member";
}

export interface GroupAppend extends Extensible {
  /** From 1: which place the entry takes. */
  readonly version: number;
  readonly entry: Bytes;
  /** The public key that signs, 33 bytes. */
  readonly signer: Bytes;
  readonly signature: Bytes;
  readonly authority: AdminAuthority | MemberAuthority;
}

export interface SealedGroupEntry extends Extensible {
  readonly version: number;
  readonly entry: Bytes;
}

export interface GroupEntries extends Extensible {
  readonly entries: readonly SealedGroupEntry[];
  /** The last entry that the key which asks may read: of a retired key, the one that retired it. */
  readonly latest: number;
}

const publicKey = exactly(PUBLIC_KEY_BYTES);
const sealedEntry = upTo(MAX_SEALED_GROUP_ENTRY_BYTES);

const GROUP_KEYS: MessageKind<GroupKeys> = message("edgewise.GroupKeys", {
  memberKey: required(1, publicKey),
  adminKey: required(2, publicKey),
});

const ADMIN_AUTHORITY: MessageKind<AdminAuthority> = message("edgewise.AdminAuthority", {
  kind: "admin",
  keys: optional(1, GROUP_KEYS),
});

const MEMBER_AUTHORITY: MessageKind<MemberAuthority> = message("edgewise.MemberAuthority", { kind: "member" });

export const GROUP_APPEND: MessageKind<GroupAppend> = message("edgewise.GroupAppend", {
  version: required(1, uint32),
  entry: required(2, sealedEntry),
  signer: required(3, publicKey),
  signature: required(4, exactly(SIGNATURE_BYTES)),
  authority: oneof<AdminAuthority | MemberAuthority>({ admin: [5, ADMIN_AUTHORITY], member: [6, MEMBER_AUTHORITY] }),
});

const SEALED_GROUP_ENTRY: MessageKind<SealedGroupEntry> = message("edgewise.SealedGroupEntry", {
  version: required(1, uint32),
  entry: required(2, sealedEntry),
});

export const GROUP_ENTRIES: MessageKind<GroupEntries> = message("edgewise.GroupEntries", {
  entries: list(1, MAX_GROUP_PAGE_ENTRIES, SEALED_GROUP_ENTRY),
  latest: required(2, uint32),
});

/** Tags, lengths, keys and signature around an entry. */
export const MAX_GROUP_APPEND_BYTES: number = MAX_SEALED_GROUP_ENTRY_BYTES + 256;
const MAX_GROUP_ENTRIES_BYTES = MAX_GROUP_PAGE_BYTES + MAX_GROUP_PAGE_ENTRIES * 16 + 16;

const append = strictCodec(GROUP_APPEND, MAX_GROUP_APPEND_BYTES);
const entries = strictCodec(GROUP_ENTRIES, MAX_GROUP_ENTRIES_BYTES);

export const encodeGroupAppend: (value: GroupAppend) => Bytes = append.encode;
/** @throws WireError */
export const decodeGroupAppend: (bytes: Bytes) => GroupAppend = append.decode;
export const encodeGroupEntries: (value: GroupEntries) => Bytes = entries.encode;
/** @throws WireError */
export const decodeGroupEntries: (bytes: Bytes) => GroupEntries = entries.decode;
