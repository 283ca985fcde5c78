// Native handles of keys for the Node backend. Making one costs as much as using it, so they are kept: a public
// key's for as long as the array that holds it, a private key's until the key is wiped or 256 others came.
//
// A private handle is found by the key itself, not by the array: a state that was stored and read back holds its
// keys in new arrays. So it may outlive an array; `Secret.wipe()` forgets it, and what is never wiped is pushed out by
// the keys that come after it.

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type Bytes, copy, sameBytes } from "#wire";

export type KeyType = "x25519" | "ed25519" | "ml-kem-768" | "ml-kem-1024";

interface PrivateEntry {
  readonly type: KeyType;
  readonly key: Bytes;
  readonly handle: KeyObject;
}

const MAX_PRIVATE_HANDLES = 256;
const privateHandles = new Map<number, PrivateEntry>();
/** One map a type: the same 32 bytes are a key of X25519 and of Ed25519. */
const publicHandles: Readonly<Record<KeyType, WeakMap<Bytes, KeyObject>>> = {
  x25519: new WeakMap(),
  ed25519: new WeakMap(),
  "ml-kem-768": new WeakMap(),
  "ml-kem-1024": new WeakMap(),
};

export function privateHandle(raw: Bytes, type: KeyType): KeyObject {
  const known = privateHandles.get(nameOf(raw));
  if (known !== undefined && known.type === type && sameBytes(known.key, raw)) return known.handle;
  const format = type === "x25519" || type === "ed25519" ? "raw-private" : "raw-seed";
  const handle = createPrivateKey({ key: raw, format, asymmetricKeyType: type } as never); // raw formats are newer than the declared types
  rememberPrivate(raw, type, handle);
  return handle;
}

/** Takes in the handle of a key that was generated natively. */
export function rememberPrivate(raw: Bytes, type: KeyType, handle: KeyObject): void {
  if (privateHandles.size >= MAX_PRIVATE_HANDLES) {
    for (const [name, { key }] of privateHandles) {
      key.fill(0);
      privateHandles.delete(name);
      break; // the oldest: a Map keeps the order of insertion
    }
  }
  privateHandles.get(nameOf(raw))?.key.fill(0);
  privateHandles.set(nameOf(raw), { type, key: copy(raw), handle });
}

export function forgetPrivate(raw: Bytes): void {
  const name = nameOf(raw);
  const known = privateHandles.get(name);
  if (known === undefined || !sameBytes(known.key, raw)) return;
  known.key.fill(0);
  privateHandles.delete(name);
}

/** `raw` is never written to after it was given here. */
export function publicHandle(raw: Bytes, type: KeyType): KeyObject {
  let handle = publicHandles[type].get(raw);
  if (handle === undefined) {
    handle = createPublicKey({ key: raw, format: "raw-public", asymmetricKeyType: type } as never); // as above
    publicHandles[type].set(raw, handle);
  }
  return handle;
}

/** Six bytes as a number: a place in the map. Two keys that share it push each other out and cost time, nothing else. */
function nameOf(raw: Bytes): number {
  let name = 0;
  for (let i = 1; i < 7; i++) name = name * 256 + (raw[i] ?? 0);
  return name;
}
