// The persisted form of everything this folder keeps: a version byte, then the fields in order. What is read back
// behaves exactly as what was written. The bytes contain secrets: the store seals them.

import { type KeyPair, parseIdentityKey, PublicKey, Secret } from "#crypto";
import { type Bytes, MAX_ARCHIVED_SESSIONS, MAX_RECEIVER_CHAINS, MAX_SENDER_KEY_STATES, parseRegistrationId, WireError } from "#wire";
import type { ChainKey, ReceivedChain } from "./chain.ts";
import { Reader, Writer } from "./codec.ts";
import { decodeSpqr, encodeSpqr } from "./pq/state.ts";
import type { Ratchet, ReceivingChain } from "./ratchet.ts";
import type { SenderKeyRecord, SenderKeyState } from "./sender-key.ts";
import type { PendingPreKey, Session } from "./session.ts";
import type { SessionRecord } from "./session-record.ts";
import { exposeSkipped, skippedFromBytes } from "./skipped.ts";

const SESSION_RECORD_VERSION = 1;
const SENDER_KEY_RECORD_VERSION = 1;
const KEY_BYTES = 32;

export function encodeSessionRecord(record: SessionRecord): Bytes {
  const writer = new Writer().u8(SESSION_RECORD_VERSION);
  writer.u8(record.current === undefined ? 0 : 1);
  if (record.current !== undefined) writeSession(writer, record.current);
  writer.u32(record.archived.length);
  for (const session of record.archived) writeSession(writer, session);
  return writer.finish();
}

/** @throws WireError, ProtocolError `bad-key` for bytes that are no record. The store authenticates what it keeps: damage that
 * still is a record is not found here. */
export function decodeSessionRecord(bytes: Bytes): SessionRecord {
  const reader = new Reader(bytes);
  reader.version(SESSION_RECORD_VERSION);
  const current = readOptional(reader, readSession);
  const archived = readList(reader, MAX_ARCHIVED_SESSIONS, readSession);
  reader.end();
  return { current, archived };
}

export function encodeSenderKeyRecord(record: SenderKeyRecord): Bytes {
  const writer = new Writer().u8(SENDER_KEY_RECORD_VERSION).u32(record.length);
  for (const state of record) {
    writer.u32(state.chainId).raw(state.signingKey.encode());
    writer.u8(state.signingSeed === undefined ? 0 : 1);
    if (state.signingSeed !== undefined) writer.raw(state.signingSeed.expose());
    writeReceivedChain(writer, state.received);
  }
  return writer.finish();
}

/** @throws WireError, ProtocolError `bad-key`, as `decodeSessionRecord`. */
export function decodeSenderKeyRecord(bytes: Bytes): SenderKeyRecord {
  const reader = new Reader(bytes);
  reader.version(SENDER_KEY_RECORD_VERSION);
  const record = readList(reader, MAX_SENDER_KEY_STATES, readSenderKeyState);
  reader.end();
  return record;
}

function readSenderKeyState(reader: Reader): SenderKeyState {
  return {
    chainId: reader.u32(),
    signingKey: readIdentityKey(reader),
    signingSeed: readOptional(reader, readSecret),
    received: readReceivedChain(reader),
  };
}

function writeSession(writer: Writer, session: Session): void {
  writer.raw(session.localIdentity.encode()).raw(session.remoteIdentity.encode());
  writer.u32(session.localRegistrationId).u32(session.remoteRegistrationId);
  writer.raw(session.baseKey.raw);
  writer.u8(session.pending === undefined ? 0 : 1);
  if (session.pending !== undefined) writePending(writer, session.pending);
  writeRatchet(writer, session.ratchet);
}

function readSession(reader: Reader): Session {
  return {
    localIdentity: readIdentityKey(reader),
    remoteIdentity: readIdentityKey(reader),
    localRegistrationId: parseRegistrationId(reader.u32()),
    remoteRegistrationId: parseRegistrationId(reader.u32()),
    baseKey: readPublicKey(reader),
    pending: readOptional(reader, readPending),
    ratchet: readRatchet(reader),
  };
}

function writePending(writer: Writer, pending: PendingPreKey): void {
  writer.u8(pending.preKeyId === undefined ? 0 : 1);
  if (pending.preKeyId !== undefined) writer.u32(pending.preKeyId);
  writer.u32(pending.signedPreKeyId).u32(pending.kyberPreKeyId);
  writer.bytes(pending.kyberCiphertext).u64(pending.createdAtSeconds);
}

function readPending(reader: Reader): PendingPreKey {
  return {
    preKeyId: readOptional(reader, (from) => from.u32()),
    signedPreKeyId: reader.u32(),
    kyberPreKeyId: reader.u32(),
    kyberCiphertext: reader.bytes(),
    createdAtSeconds: reader.u64(),
  };
}

function writeRatchet(writer: Writer, ratchet: Ratchet): void {
  writer.raw(ratchet.rootKey.expose());
  writer.raw(ratchet.sending.ratchet.privateKey.expose()).raw(ratchet.sending.ratchet.publicKey.raw);
  writeChainKey(writer, ratchet.sending.chain);
  writer.u32(ratchet.previousCounter).u32(ratchet.receiving.length);
  for (const chain of ratchet.receiving) {
    writer.raw(chain.ratchetKey.raw).u8(chain.keyless ? 1 : 0);
    writeReceivedChain(writer, chain);
  }
  encodeSpqr(ratchet.pq, writer);
}

function readRatchet(reader: Reader): Ratchet {
  return {
    rootKey: readSecret(reader),
    sending: { ratchet: readKeyPair(reader), chain: readChainKey(reader) },
    previousCounter: reader.u32(),
    receiving: readList(reader, MAX_RECEIVER_CHAINS, readReceivingChain),
    pq: decodeSpqr(reader),
  };
}

function readReceivingChain(reader: Reader): ReceivingChain {
  const ratchetKey = readPublicKey(reader);
  const keyless = readFlag(reader);
  return { ratchetKey, keyless, ...readReceivedChain(reader) };
}

function writeReceivedChain(writer: Writer, received: ReceivedChain): void {
  writeChainKey(writer, received.chain);
  writer.bytes(exposeSkipped(received.skipped));
}

function readReceivedChain(reader: Reader): ReceivedChain {
  return { chain: readChainKey(reader), skipped: skippedFromBytes(reader.bytes()) };
}

function writeChainKey(writer: Writer, chain: ChainKey): void {
  writer.raw(chain.key.expose()).u32(chain.index);
}

function readChainKey(reader: Reader): ChainKey {
  return { key: readSecret(reader), index: reader.u32() };
}

function readKeyPair(reader: Reader): KeyPair {
  return { privateKey: readSecret(reader), publicKey: readPublicKey(reader) };
}

function readSecret(reader: Reader): Secret {
  return new Secret(reader.raw(KEY_BYTES));
}

function readPublicKey(reader: Reader): PublicKey {
  return PublicKey.fromRaw(reader.raw(KEY_BYTES));
}

function readIdentityKey(reader: Reader): PublicKey {
  return parseIdentityKey(reader.raw(1 + KEY_BYTES));
}

function readOptional<T>(reader: Reader, read: (reader: Reader) => T): T | undefined {
  return readFlag(reader) ? read(reader) : undefined;
}

function readFlag(reader: Reader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new WireError("bad-value");
  return flag === 1;
}

function readList<T>(reader: Reader, maximum: number, read: (reader: Reader) => T): readonly T[] {
  const list: T[] = [];
  for (let left = reader.count(maximum); left > 0; left--) list.push(read(reader));
  return list;
}
