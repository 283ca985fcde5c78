// What one device keeps of a group: the state that its members agree about, and the secrets of the epoch. Made by author.ts and
// join.ts, carried on by read.ts. Knows nothing of messages: sender keys are kept beside it.

import { Secret } from "#crypto";
import { type Bytes, decodeGroupState, encodeGroupState, type GroupState, ProtocolError } from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { Reader, Writer } from "../codec.ts";
import { type EpochSecrets, requireCommitted, SECRET_BYTES } from "./keys.ts";

export interface GroupRecord {
  readonly state: GroupState;
  /**
   * Absent when the log cannot be read on: this account is no member any more (`groupMember` says so), or a rotation was made for
   * devices of which this one was none yet. Then another device of the account has them, and `adoptGroupSecrets` takes them.
   */
  readonly secrets: EpochSecrets | undefined;
}

/**
 * Takes the secrets of the record's epoch from another device of the same account. Takes ownership of them. A device that is epochs
 * ahead has no more than its own: then its whole record takes this one's place.
 * Refuses: `bad-key` when they are not what the log commits to; wipe them then.
 */
export function adoptGroupSecrets(record: GroupRecord, secrets: EpochSecrets): Outcome<GroupRecord, undefined> {
  return attempt((attempt) => {
    requireCommitted(secrets, record.state);
    attempt.spend(...secretsOfEpoch(record.secrets));
    return { state: { ...record, secrets }, output: undefined };
  });
}

export function secretsOfEpoch(secrets: EpochSecrets | undefined): readonly Secret[] {
  return [secrets?.groupSecret, secrets?.adminSecret].filter((secret) => secret !== undefined);
}

const GROUP_RECORD_VERSION = 1;

/** The stored form. It holds the secrets in the clear: the store seals it. */
export function encodeGroupRecord({ state, secrets }: GroupRecord): Bytes {
  const held = secretsOfEpoch(secrets);
  const writer = new Writer().u8(GROUP_RECORD_VERSION).bytes(encodeGroupState(state)).u8(held.length);
  for (const secret of held) writer.raw(secret.expose());
  return writer.finish();
}

/** @throws WireError, ProtocolError `bad-key`, `bad-state` for bytes that are no record. */
export function decodeGroupRecord(bytes: Bytes): GroupRecord {
  const reader = new Reader(bytes);
  reader.version(GROUP_RECORD_VERSION);
  const state = decodeGroupState(reader.bytes());
  const held = reader.u8();
  if (held > 2) throw new ProtocolError("bad-state");
  const [groupSecret, adminSecret] = Array.from({ length: held }, () => new Secret(reader.raw(SECRET_BYTES)));
  reader.end();
  if (groupSecret === undefined) return { state, secrets: undefined };
  const secrets = { groupSecret, adminSecret };
  requireCommitted(secrets, state);
  return { state, secrets };
}
