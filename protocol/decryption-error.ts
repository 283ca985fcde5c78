// What a device says when it cannot open a message: which message, by ratchet key and time, and nothing else. The
// one it reaches checks that the message was of its current session, archives that session and sends anew. It is
// never a reason to send plaintext or to accept another identity.

import { parsePublicKey } from "#crypto";
import {
  type Bytes,
  copy,
  decodeDecryptionErrorMessage,
  decodePlaintextContent,
  decodePreKeySignalMessage,
  decodeSignalMessage,
  type DeviceId,
  encodeDecryptionErrorMessage,
  encodePlaintextContent,
  ProtocolError,
  type SealedKind,
} from "#wire";
import { attempt, type Outcome } from "./attempt.ts";
import { archiveCurrent, type SessionRecord } from "./session-record.ts";

export interface Unopened {
  readonly kind: SealedKind;
  readonly bytes: Bytes;
  readonly sentAtMilliseconds: number;
  /** The device that sent it, and that the error is for. */
  readonly senderDeviceId: DeviceId;
}

/** The plaintext-content message that reports `unopened`. @throws WireError when its bytes have no such form at all. */
export function reportUnopened(unopened: Unopened): Bytes {
  const error = {
    ratchetKey: ratchetKeyOf(unopened),
    timestamp: unopened.sentAtMilliseconds,
    deviceId: unopened.senderDeviceId,
  };
  return encodePlaintextContent(encodeDecryptionErrorMessage(error));
}

/** A group message names no ratchet. */
function ratchetKeyOf({ kind, bytes }: Unopened): Bytes | undefined {
  switch (kind) {
    case "message":
      return copy(decodeSignalMessage(bytes).ratchetKey);
    case "prekey":
      return copy(decodeSignalMessage(decodePreKeySignalMessage(bytes).message).ratchetKey);
    default:
      return undefined;
  }
}

export interface ErrorReport {
  readonly sentAtMilliseconds: number;
  /** Whether a session was archived, so that the resend begins a new one. A group message is resent as it is. */
  readonly sessionArchived: boolean;
}

/**
 * Takes a report about a message of ours. Refuses `not-authorized` when it is for another device; a report about a
 * chain that is no longer sent on changes nothing: the other side was heard since, or the session was replaced.
 */
export function acceptReport(record: SessionRecord, plaintextContent: Bytes, ownDeviceId: DeviceId): Outcome<SessionRecord, ErrorReport> {
  const parsed = attempt(() => {
    const error = decodeDecryptionErrorMessage(decodePlaintextContent(plaintextContent));
    if (error.deviceId !== ownDeviceId) throw new ProtocolError("not-authorized");
    const ratchetKey = error.ratchetKey === undefined ? undefined : parsePublicKey(error.ratchetKey);
    return { state: undefined, output: { timestamp: error.timestamp, ratchetKey } };
  });
  if (parsed.kind === "refused") return parsed;
  const { timestamp, ratchetKey } = parsed.output;
  const sendingKey = record.current?.ratchet.sending.ratchet.publicKey;
  if (ratchetKey === undefined || sendingKey === undefined || !sendingKey.equals(ratchetKey)) {
    return { kind: "done", state: record, output: { sentAtMilliseconds: timestamp, sessionArchived: false }, spent: [] };
  }
  const archived = archiveCurrent(record);
  if (archived.kind === "refused") return archived;
  return { ...archived, output: { sentAtMilliseconds: timestamp, sessionArchived: true } };
}
