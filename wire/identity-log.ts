// Entries of account logs as bytes: the frame that every entry has, and the details of each type of change.
// Who may write what, and whether a signature holds, is for identity/.

import type { Bytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import type { DeviceId, RegistrationId, UserId } from "./ids.ts";
import { parseRegistrationId } from "./ids.ts";
import { bool, deviceId, exactly, registrationId, uint32, uint64, upTo, userId } from "./kinds.ts";
import { MAX_LOG_DETAILS_BYTES, MAX_LOG_ENTRY_BYTES, MAX_LOG_PAGE_ENTRIES, MAX_LOG_STATEMENT_BYTES } from "./limits.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { type Extensible, list, message, type MessageKind, optional, required, strictCodec, withDefault } from "./strict.ts";

/** Nothing signs the parts of an entry together, so it takes no extensions: they would change its hash and no meaning. */
export interface SignedLogEntry {
  /** An encoded LogStatement. */
  readonly statement: Bytes;
  readonly signature: Bytes;
  readonly countersignature: Bytes | undefined;
}

export interface LogStatement extends Extensible {
  /** Absent in the first entry, from whose hash it follows. */
  readonly userId: UserId | undefined;
  /** From 1, without gaps. */
  readonly sequence: number;
  /** SHA-256 of the entry before; absent in the first. */
  readonly previousHash: Bytes | undefined;
  readonly createdSeconds: number;
  /** Absent: the recovery key signs. */
  readonly signer: DeviceId | undefined;
  /** One of LOG_TYPES, or a number that only a newer version knows. */
  readonly type: number;
  readonly details: Bytes;
}

export const LOG_TYPES = { genesis: 1, addDevice: 2, revokeDevice: 3, setRecoveryKey: 4, recover: 5, deleteAccount: 6 } as const;

/** What a device can do. */
export interface Capabilities extends Extensible {
  readonly messageVersion: number;
  readonly pqRatchet: boolean;
  /** Writes both addresses into its prekey messages, so that their absence is a refusal. */
  readonly addresses: boolean;
  /** Pads what it seals to the sizes of `PADDING_BUCKETS`. */
  readonly padding: boolean;
}

export interface DeviceDetails extends Extensible {
  readonly deviceId: DeviceId;
  readonly identityKey: Bytes;
  readonly registrationId: RegistrationId;
  readonly capabilities: Capabilities;
}

export interface RevokeDetails extends Extensible {
  readonly deviceId: DeviceId;
}

export interface RecoveryKeyDetails extends Extensible {
  readonly recoveryKey: Bytes;
  /** Whether the key in force until now agrees. */
  readonly countersigned: boolean;
}

/** Says nothing but itself. */
export interface DeletionDetails extends Extensible {
  /** Always true. */
  readonly final: boolean;
}

/** Consecutive entries of one log, each as it was received. */
export interface AccountLog extends Extensible {
  readonly entries: readonly Bytes[];
}

export const LOG_ENTRY: MessageKind<SignedLogEntry & Extensible> = message("edgewise.LogEntry", {
  statement: required(1, upTo(MAX_LOG_STATEMENT_BYTES)),
  signature: required(2, exactly(SIGNATURE_BYTES)),
  countersignature: optional(3, exactly(SIGNATURE_BYTES)),
});

export const LOG_STATEMENT: MessageKind<LogStatement> = message("edgewise.LogStatement", {
  userId: optional(1, userId),
  sequence: required(2, uint32),
  previousHash: optional(3, exactly(32)),
  createdSeconds: required(4, uint64),
  signer: optional(5, deviceId),
  type: required(6, uint32),
  details: required(7, upTo(MAX_LOG_DETAILS_BYTES)),
});

export const CAPABILITIES: MessageKind<Capabilities> = message("edgewise.Capabilities", {
  messageVersion: required(1, uint32),
  pqRatchet: withDefault(2, bool, false),
  addresses: withDefault(3, bool, false),
  padding: withDefault(4, bool, false),
});

export const DEVICE: MessageKind<DeviceDetails> = message("edgewise.Device", {
  deviceId: required(1, deviceId),
  identityKey: required(2, exactly(PUBLIC_KEY_BYTES)),
  registrationId: withDefault(3, registrationId, parseRegistrationId(0)),
  capabilities: required(4, CAPABILITIES),
});

export const REVOKE_DEVICE: MessageKind<RevokeDetails> = message("edgewise.RevokeDevice", { deviceId: required(1, deviceId) });

export const SET_RECOVERY_KEY: MessageKind<RecoveryKeyDetails> = message("edgewise.SetRecoveryKey", {
  recoveryKey: required(1, exactly(PUBLIC_KEY_BYTES)),
  countersigned: withDefault(2, bool, false),
});

export const DELETE_ACCOUNT: MessageKind<DeletionDetails> = message("edgewise.DeleteAccount", { final: required(1, bool) });

export const ACCOUNT_LOG: MessageKind<AccountLog> = message("edgewise.AccountLog", {
  entries: list(1, MAX_LOG_PAGE_ENTRIES, upTo(MAX_LOG_ENTRY_BYTES)),
});

/** A tag and a length of two bytes beside each entry. */
export const MAX_ACCOUNT_LOG_BYTES: number = MAX_LOG_PAGE_ENTRIES * (MAX_LOG_ENTRY_BYTES + 3) + 64;

const logEntry = strictCodec(LOG_ENTRY, MAX_LOG_ENTRY_BYTES);
const logStatement = strictCodec(LOG_STATEMENT, MAX_LOG_STATEMENT_BYTES);
const device = strictCodec(DEVICE, MAX_LOG_DETAILS_BYTES);
const revokeDevice = strictCodec(REVOKE_DEVICE, MAX_LOG_DETAILS_BYTES);
const setRecoveryKey = strictCodec(SET_RECOVERY_KEY, MAX_LOG_DETAILS_BYTES);
const deleteAccount = strictCodec(DELETE_ACCOUNT, MAX_LOG_DETAILS_BYTES);
const accountLog = strictCodec(ACCOUNT_LOG, MAX_ACCOUNT_LOG_BYTES);

export const encodeLogEntry: (value: SignedLogEntry) => Bytes = logEntry.encode;

/** Byte strings in the answer are views of `bytes`. @throws WireError */
export function decodeLogEntry(bytes: Bytes): SignedLogEntry {
  const entry = logEntry.decode(bytes);
  if (entry.extensions !== undefined) throw new WireError("unknown-critical");
  return entry;
}

export const encodeLogStatement: (value: LogStatement) => Bytes = logStatement.encode;

/** @throws WireError */
export function decodeLogStatement(bytes: Bytes): LogStatement {
  const statement = logStatement.decode(bytes);
  const first = statement.sequence === 1;
  if ((statement.userId === undefined) !== first || (statement.previousHash === undefined) !== first) throw new WireError("bad-value");
  return statement;
}

export const encodeDeviceDetails: (value: DeviceDetails) => Bytes = device.encode;
/** @throws WireError */
export const decodeDeviceDetails: (bytes: Bytes) => DeviceDetails = device.decode;
export const encodeRevokeDetails: (value: RevokeDetails) => Bytes = revokeDevice.encode;
/** @throws WireError */
export const decodeRevokeDetails: (bytes: Bytes) => RevokeDetails = revokeDevice.decode;
export const encodeRecoveryKeyDetails: (value: RecoveryKeyDetails) => Bytes = setRecoveryKey.encode;
/** @throws WireError */
export const decodeRecoveryKeyDetails: (bytes: Bytes) => RecoveryKeyDetails = setRecoveryKey.decode;
export const encodeDeletionDetails: (value: DeletionDetails) => Bytes = deleteAccount.encode;
/** @throws WireError */
export const decodeDeletionDetails: (bytes: Bytes) => DeletionDetails = deleteAccount.decode;
export const encodeAccountLog: (value: AccountLog) => Bytes = accountLog.encode;
/** @throws WireError */
export const decodeAccountLog: (bytes: Bytes) => AccountLog = accountLog.decode;
