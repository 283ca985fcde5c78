// Everything one device knows of its sessions with another: the current one and those it replaced. Here sessions
// begin, take over from one another and are archived (signal.org/docs/specifications/sesame, one device at a time).
//
// Order of a receive: `preKeysNeeded` tells the shell what to load, `openMessage` decides, the shell commits.

import {
  type KeyPair,
  type KyberKeyPair,
  type KyberPublicKey,
  parseIdentityKey,
  parsePublicKey,
  type PublicKey,
  requireTorsionFree,
  verify,
} from "#crypto";
import type { Random } from "#crypto";
import {
  type Bytes,
  decodePreKeySignalMessage,
  decodeSignalMessage,
  type DeviceAddress,
  EMPTY,
  MAX_ARCHIVED_SESSIONS,
  MAX_FORWARD_JUMP,
  type PreKeySignalMessage,
  ProtocolError,
  type RegistrationId,
  type SignalMessage,
  UNACKNOWLEDGED_SESSION_SECONDS,
  UsageError,
} from "#wire";
import { type Attempt, attempt, type Outcome } from "./attempt.ts";
import { stepsAsked } from "./pq/spqr.ts";
import { answerAgreement, initiateAgreement } from "./pqxdh.ts";
import { ratchetSecrets, startAsInitiator, startAsResponder } from "./ratchet.ts";
import { type Ends, knowsRatchetKey, openInSession, sealInSession, type Session, type SessionMessage } from "./session.ts";

export interface SessionRecord {
  readonly current: Session | undefined;
  /** Newest first, at most 40: still able to open what was under way. */
  readonly archived: readonly Session[];
}

export const EMPTY_RECORD: SessionRecord = { current: undefined, archived: [] };

export interface LocalDevice {
  readonly address: DeviceAddress;
  readonly registrationId: RegistrationId;
  readonly identity: KeyPair;
}

/** The prekeys of another device, as fetched for one session. */
export interface PreKeyBundle {
  readonly registrationId: RegistrationId;
  readonly identityKey: PublicKey;
  readonly signedPreKey: { readonly id: number; readonly publicKey: PublicKey; readonly signature: Bytes };
  readonly kyberPreKey: { readonly id: number; readonly publicKey: KyberPublicKey; readonly signature: Bytes };
  readonly oneTimePreKey: { readonly id: number; readonly publicKey: PublicKey } | undefined;
}

export interface Initiate {
  readonly local: LocalDevice;
  readonly bundle: PreKeyBundle;
  readonly nowSeconds: number;
}

/**
 * Begins a session from a bundle and makes it the current one. Both signatures are verified before anything else.
 * Refuses: `bad-signature`, `bad-key`.
 */
export function initiateSession(record: SessionRecord, input: Initiate, random: Random): Outcome<SessionRecord, undefined> {
  return attempt((attempt) => {
    const { local, bundle } = input;
    if (!Number.isSafeInteger(input.nowSeconds)) throw new UsageError("bad-argument", "a time is in whole seconds");
    requireTorsionFree(bundle.identityKey);
    requireSignature(bundle.identityKey, bundle.signedPreKey.publicKey.encode(), bundle.signedPreKey.signature);
    requireSignature(bundle.identityKey, bundle.kyberPreKey.publicKey.encoded, bundle.kyberPreKey.signature);
    const theirs = {
      identityKey: bundle.identityKey,
      signedPreKey: bundle.signedPreKey.publicKey,
      oneTimePreKey: bundle.oneTimePreKey?.publicKey,
      kyberPreKey: bundle.kyberPreKey.publicKey,
    };
    const { keys, baseKey, kyberCiphertext } = initiateAgreement(local.identity, theirs, attempt, random);
    const session: Session = {
      localIdentity: local.identity.publicKey,
      remoteIdentity: bundle.identityKey,
      localRegistrationId: local.registrationId,
      remoteRegistrationId: bundle.registrationId,
      baseKey,
      pending: {
        preKeyId: bundle.oneTimePreKey?.id,
        signedPreKeyId: bundle.signedPreKey.id,
        kyberPreKeyId: bundle.kyberPreKey.id,
        kyberCiphertext,
        createdAtSeconds: input.nowSeconds,
      },
      ratchet: startAsInitiator(keys, bundle.signedPreKey.publicKey, attempt, random),
    };
    return { state: succeed(record, session, attempt), output: undefined };
  });
}

export interface Seal {
  readonly local: Pick<LocalDevice, "address">;
  readonly remote: DeviceAddress;
  readonly plaintext: Bytes;
  readonly nowSeconds: number;
}

/** Whether a message can be sealed: there is a session, and not one that nobody has answered for 30 days. */
export function canSeal({ current }: SessionRecord, nowSeconds: number): boolean {
  const pending = current?.pending;
  return current !== undefined && (pending === undefined || nowSeconds - pending.createdAtSeconds <= UNACKNOWLEDGED_SESSION_SECONDS);
}

/** Seals for the current session. Refuses: `no-session`; `stale-session` when nobody answered it for 30 days. */
export function sealMessage(record: SessionRecord, input: Seal, random: Random): Outcome<SessionRecord, SessionMessage> {
  return attempt((attempt) => {
    const { current } = record;
    if (current === undefined) throw new ProtocolError("no-session");
    if (!canSeal(record, input.nowSeconds)) throw new ProtocolError("stale-session");
    const ends = { sender: input.local.address, recipient: input.remote };
    const sealed = sealInSession(current, input.plaintext, ends, attempt, random);
    return { state: { ...record, current: sealed.session }, output: sealed.message };
  });
}

/** Which private prekeys a first message was made for. Together with the base key it names one use of them. */
export interface PreKeyUse {
  readonly preKeyId: number | undefined;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** The initiator's base key in its one canonical form, 33 bytes. */
  readonly baseKey: Bytes;
}

/** @throws WireError for bytes that are no prekey message, ProtocolError `bad-key` for its base key: refusals, both. */
export function preKeysNeeded(bytes: Bytes): PreKeyUse {
  const message = decodePreKeySignalMessage(bytes);
  return preKeyUse(message, parsePublicKey(message.baseKey));
}

/** What the shell found for a `PreKeyUse`. */
export interface LoadedPreKeys {
  readonly signedPreKey: KeyPair | undefined;
  /** Only when the message names one. */
  readonly oneTimePreKey: KeyPair | undefined;
  readonly kyberPreKey: KyberKeyPair | undefined;
  /** Whether this very use was recorded before: a first message that is played again. */
  readonly usedBefore: boolean;
}

export interface Open {
  readonly local: LocalDevice;
  readonly remote: DeviceAddress;
  /**
   * The identity that the account log gives the sending device: a message under another one is refused. `any` believes
   * whoever comes, and is for programs that compare `Opened.remoteIdentity` themselves.
   */
  readonly remoteIdentity: PublicKey | "any";
  readonly message: SessionMessage;
  /** For prekey messages. */
  readonly preKeys: LoadedPreKeys | undefined;
  /**
   * Set when the sending device's log entry announces that it writes addresses: then a first message without them is
   * refused as `bad-address`, so that nobody between can take them away.
   */
  readonly requireAddresses?: true;
}

export interface Opened {
  readonly plaintext: Bytes;
  readonly remoteIdentity: PublicKey;
  /** What the sender's first message said. No MAC covers it: compare it with the account log before acting on it. */
  readonly remoteRegistrationId: RegistrationId;
  /**
   * Set when a new session began: in the same transaction delete the one-time keys and record the use until the
   * signed prekey is deleted (a last-resort KEM key stays, and only the record refuses a replay).
   */
  readonly used: PreKeyUse | undefined;
}

/**
 * Opens a message of either kind. Refuses with the record as it was: `no-session`, `duplicate`, `bad-tag`,
 * `bad-address`, `too-far-ahead`, `no-prekey`, `replayed`, `identity-changed`, `bad-key`, and the codes of a decoder.
 */
export function openMessage(record: SessionRecord, input: Open, random: Random): Outcome<SessionRecord, Opened> {
  if (input.message.kind === "message") return openWhisper(record, input, random);
  return attempt((attempt) => openPreKey(record, input, attempt, random));
}

/** Archives the current session, if there is one: the next message to this device begins anew. */
export function archiveCurrent(record: SessionRecord): Outcome<SessionRecord, undefined> {
  return attempt((attempt) => ({ state: { current: undefined, archived: archive(record, attempt) }, output: undefined }));
}

/**
 * Tries the sessions that the message can belong to. A session that knows the ratchet key is the only candidate; a new
 * key is tried against each, current first. Steps in vain, of either ratchet's chains, are bounded: the current session may
 * jump as far as any, all archived ones together once more.
 */
function openWhisper(record: SessionRecord, input: Open, random: Random): Outcome<SessionRecord, Opened> {
  const decoded = attempt(() => {
    const message = decodeSignalMessage(input.message.bytes);
    const steps = message.counter + stepsAsked(message.pqRatchet ?? EMPTY);
    return { state: undefined, output: { message, ratchetKey: parsePublicKey(message.ratchetKey), steps } };
  });
  if (decoded.kind === "refused") return decoded;
  const { message, ratchetKey, steps } = decoded.output;
  const sessions = [...(record.current === undefined ? [] : [record.current]), ...record.archived];
  const owner = sessions.find((session) => knowsRatchetKey(session, ratchetKey));
  let refusal: Outcome<SessionRecord, Opened> = { kind: "refused", code: "no-session" };
  let stepped = 0;
  for (const session of owner === undefined ? sessions : [owner]) {
    if (session !== record.current) stepped += steps;
    if (stepped > MAX_FORWARD_JUMP && session !== owner) break;
    const tried = attempt((attempt) => openWith(record, session, message, input, attempt, random));
    if (tried.kind === "done") return tried;
    if (refusal.kind === "refused" && refusal.code === "no-session") refusal = tried;
  }
  return refusal;
}

function openPreKey(record: SessionRecord, input: Open, attempt: Attempt, random: Random): { state: SessionRecord; output: Opened } {
  const message = decodePreKeySignalMessage(input.message.bytes);
  const inner = decodeSignalMessage(message.message);
  const identityKey = parseIdentityKey(message.identityKey);
  requireIdentity(input.remoteIdentity, identityKey);
  if (input.requireAddresses === true && inner.addresses === undefined) throw new ProtocolError("bad-address");
  const baseKey = requireTorsionFree(parsePublicKey(message.baseKey));
  const known = [record.current, ...record.archived].find((session) => session?.baseKey.equals(baseKey) ?? false);
  if (known !== undefined) {
    if (!known.remoteIdentity.equals(identityKey)) throw new ProtocolError("identity-changed");
    return openWith(record, known, inner, input, attempt, random);
  }
  const use = preKeyUse(message, baseKey);
  const begun = answer(message, { identityKey, baseKey }, input, attempt);
  const opened = openInSession(begun, inner, expectedEnds(input), attempt, random);
  return {
    state: succeed(record, opened.session, attempt),
    output: { ...describe(opened.session, opened.plaintext), used: use },
  };
}

/** The responder's half of a new session (PQXDH section 3.4). */
function answer(
  message: PreKeySignalMessage,
  theirs: { readonly identityKey: PublicKey; readonly baseKey: PublicKey },
  input: Open,
  attempt: Attempt,
): Session {
  const { signedPreKey, oneTimePreKey, kyberPreKey, usedBefore } = input.preKeys ?? NO_PREKEYS;
  if (usedBefore) throw new ProtocolError("replayed");
  if (signedPreKey === undefined || kyberPreKey === undefined) throw new ProtocolError("no-prekey");
  if (message.preKeyId !== undefined && oneTimePreKey === undefined) throw new ProtocolError("no-prekey");
  const { local } = input;
  const ours = { signedPreKey, kyberPreKey, oneTimePreKey: message.preKeyId === undefined ? undefined : oneTimePreKey };
  const keys = answerAgreement(local.identity, ours, { ...theirs, kyberCiphertext: message.kyberCiphertext }, attempt);
  return {
    localIdentity: local.identity.publicKey,
    remoteIdentity: theirs.identityKey,
    localRegistrationId: local.registrationId,
    remoteRegistrationId: message.registrationId,
    baseKey: theirs.baseKey,
    pending: undefined,
    ratchet: startAsResponder(keys, signedPreKey, attempt),
  };
}

const NO_PREKEYS: LoadedPreKeys = { signedPreKey: undefined, oneTimePreKey: undefined, kyberPreKey: undefined, usedBefore: false };

/** Opens in a session of the record and makes that session the current one: both sides settle on the last one heard. */
function openWith(
  record: SessionRecord,
  session: Session,
  message: SignalMessage,
  input: Open,
  attempt: Attempt,
  random: Random,
): { state: SessionRecord; output: Opened } {
  requireIdentity(input.remoteIdentity, session.remoteIdentity);
  const opened = openInSession(session, message, expectedEnds(input), attempt, random);
  const others: SessionRecord = { ...record, archived: record.archived.filter((other) => other !== session) };
  const state = session === record.current ? { ...record, current: opened.session } : succeed(others, opened.session, attempt);
  return { state, output: { ...describe(opened.session, opened.plaintext), used: undefined } };
}

function describe(session: Session, plaintext: Bytes): Omit<Opened, "used"> {
  return { plaintext, remoteIdentity: session.remoteIdentity, remoteRegistrationId: session.remoteRegistrationId };
}

function expectedEnds(input: Open): Ends {
  return { sender: input.remote, recipient: input.local.address };
}

/** Makes `session` current; the one before is archived. */
function succeed(record: SessionRecord, session: Session, attempt: Attempt): SessionRecord {
  return { current: session, archived: archive(record, attempt) };
}

function archive(record: SessionRecord, attempt: Attempt): readonly Session[] {
  if (record.current === undefined) return record.archived;
  for (const dropped of record.archived.slice(MAX_ARCHIVED_SESSIONS - 1)) attempt.spend(...ratchetSecrets(dropped.ratchet));
  // An archived session only receives: what would make it send first messages again is dropped.
  return [{ ...record.current, pending: undefined }, ...record.archived.slice(0, MAX_ARCHIVED_SESSIONS - 1)];
}

function preKeyUse(message: PreKeySignalMessage, baseKey: PublicKey): PreKeyUse {
  const { preKeyId, signedPreKeyId, kyberPreKeyId } = message;
  return { preKeyId, signedPreKeyId, kyberPreKeyId, baseKey: baseKey.encode() };
}

function requireIdentity(expected: PublicKey | "any", actual: PublicKey): void {
  if (expected !== "any" && !expected.equals(actual)) throw new ProtocolError("identity-changed");
}

function requireSignature(identityKey: PublicKey, message: Bytes, signature: Bytes): void {
  if (!verify(identityKey, message, signature)) throw new ProtocolError("bad-signature");
}
