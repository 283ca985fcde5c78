// SERVER_SEED: the one secret of a server, as a list of versions ("1:…,2:…", 32 bytes each in base64url). Every server
// key is derived from it under a label of its own. Keys that expire use the newest version and accept the older; names
// always use version 1, which is therefore never removed.

import { hkdf, hmac, LABELS } from "#crypto";
import {
  ascii,
  type Bytes,
  concat,
  EMPTY,
  fromHex,
  type GroupId,
  type MessageId,
  type RendezvousId,
  type UserId,
  toHex,
  UsageError,
  uuidToBytes,
} from "#wire";

export interface SeedVersion {
  readonly version: number;
  readonly seed: Bytes;
}

const SEED_BYTES = 32;

/** Newest first. @throws UsageError `bad-argument` for a text that is no list of seeds: the server must not start. */
export function parseServerSeed(text: string): readonly SeedVersion[] {
  const versions = text.split(",").map(parseVersion);
  const numbers = new Set(versions.map(({ version }) => version));
  if (numbers.size !== versions.length || !numbers.has(1))
    throw new UsageError("bad-argument", "SERVER_SEED has no version 1, or one twice");
  return versions.toSorted((a, b) => b.version - a.version);
}

function parseVersion(text: string): SeedVersion {
  const match = /^\s*([1-9][0-9]{0,5}):([A-Za-z0-9_-]{43})\s*$/.exec(text);
  if (match === null) throw new UsageError("bad-argument", "SERVER_SEED is a list of version:seed");
  const [, version = "", encoded = ""] = match;
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  const seed = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (seed.length !== SEED_BYTES) throw new UsageError("bad-argument", "a seed has 32 bytes");
  return { version: Number(version), seed };
}

/** A 32-byte key of one purpose. */
export function deriveServerKey(seed: SeedVersion, label: Bytes): Bytes {
  return hkdf({ salt: EMPTY, inputKey: seed.seed, info: label, length: 32 });
}

/** Makes the names that no table or log holds beside a user id. */
export class ServerNames {
  readonly #mailboxKey: Bytes;
  readonly #groupKey: Bytes;
  readonly #rendezvousKey: Bytes;
  readonly #fanOutKey: Bytes;
  readonly #handleKey: Bytes;
  readonly #slotKey: Bytes;
  readonly #usernameKey: Bytes;

  constructor(seeds: readonly SeedVersion[]) {
    const first = seeds.find(({ version }) => version === 1);
    if (first === undefined) throw new UsageError("bad-argument", "SERVER_SEED has no version 1");
    this.#mailboxKey = deriveServerKey(first, LABELS.SERVER_MAILBOX_NAME);
    this.#groupKey = deriveServerKey(first, LABELS.SERVER_GROUP_NAME);
    this.#rendezvousKey = deriveServerKey(first, LABELS.SERVER_RENDEZVOUS_NAME);
    this.#fanOutKey = deriveServerKey(first, LABELS.SERVER_FAN_OUT_NAME);
    this.#handleKey = deriveServerKey(first, LABELS.SERVER_SEND_HANDLE);
    this.#slotKey = deriveServerKey(first, LABELS.SERVER_SLOT);
    this.#usernameKey = deriveServerKey(first, LABELS.SERVER_USERNAME_TAG);
  }

  /** The name of a user's mailbox object. */
  mailbox(userId: UserId): string {
    return toHex(hmac(this.#mailboxKey, uuidToBytes(userId)));
  }

  /** The name of a group's object. */
  group(groupId: GroupId): string {
    return toHex(hmac(this.#groupKey, fromHex(groupId)));
  }

  /** The name of the object where two devices meet: whoever knows the id itself may take what lies there. */
  rendezvous(rendezvousId: RendezvousId): string {
    return toHex(hmac(this.#rendezvousKey, fromHex(rendezvousId)));
  }

  /** What a message to many is called: the same for every repeat, and nothing that others could guess or read back. */
  sendHandle(sender: UserId, messageId: MessageId): string {
    return toHex(hmac(this.#handleKey, concat(uuidToBytes(sender), uuidToBytes(messageId))));
  }

  /** The name of one of the 4,096 objects that have messages to many under way: by the first 12 bits of the handle. */
  fanOut(handle: string): string {
    return toHex(hmac(this.#fanOutKey, ascii(handle.slice(0, 3))));
  }

  /** Under what a username is stored: equal names, equal tags, and nothing to read back. */
  usernameTag(name: Bytes): Bytes {
    return hmac(this.#usernameKey, name);
  }

  /** One of 4,096 slots, which are mapped to databases. */
  slot(of: Bytes): number {
    const [high = 0, low = 0] = hmac(this.#slotKey, of);
    return ((high << 8) | low) & 0xfff;
  }
}
