// One entry of an account log, opened: what it says, what was signed and its hash. Knows no log, so it cannot tell
// whether the signer was allowed to say it; account-log.ts can.

import { parseIdentityKey, type PublicKey, sha256 } from "#crypto";
import {
  assertNever,
  type Bytes,
  copy,
  decodeDeletionDetails,
  decodeLogEntry,
  decodeLogStatement,
  decodeRecoveryKeyDetails,
  decodeRevokeDetails,
  type DeviceId,
  encodeDeletionDetails,
  encodeRecoveryKeyDetails,
  encodeRevokeDetails,
  LOG_TYPES,
  type LogStatement,
  ProtocolError,
  WireError,
} from "#wire";
import { decodeDevice, type Device, encodeDevice } from "./device.ts";

export interface LogEntry {
  /** SHA-256 of the entry as it was received. */
  readonly hash: Bytes;
  readonly statement: LogStatement;
  /** The statement as it was received: what the signatures cover. */
  readonly signed: Bytes;
  readonly signature: Bytes;
  readonly countersignature: Bytes | undefined;
}

/** What an entry does to its account. */
export type Change =
  | { readonly kind: "genesis"; readonly device: Device }
  /** The new device countersigns. */
  | { readonly kind: "add-device"; readonly device: Device }
  | { readonly kind: "revoke-device"; readonly deviceId: DeviceId }
  /**
   * The key in force countersigns, and then the new one is in force at once; or the new one waits seven days. Naming the
   * key in force withdraws what waits.
   */
  | { readonly kind: "set-recovery-key"; readonly recoveryKey: PublicKey; readonly countersigned: boolean }
  /** Signed by the recovery key, countersigned by the device, which takes the place of all others. */
  | { readonly kind: "recover"; readonly device: Device }
  /** The last entry: nobody is active behind it, and nothing follows. */
  | { readonly kind: "delete-account" };

/** @throws WireError */
export function openLogEntry(received: Bytes): LogEntry {
  const bytes = copy(received);
  const { statement: signed, signature, countersignature } = decodeLogEntry(bytes);
  return { hash: sha256(bytes), statement: decodeLogStatement(signed), signed, signature, countersignature };
}

/**
 * What the statement does. Ask after its signature was verified: then `upgrade-required` is the word of the account's
 * owner, and not of whoever would like people to install something.
 * @throws WireError; ProtocolError `upgrade-required`, `bad-key`.
 */
export function changeOf(statement: LogStatement): Change {
  try {
    return decodeChange(statement);
  } catch (error) {
    if (error instanceof WireError && error.code === "unknown-critical") throw new ProtocolError("upgrade-required", { cause: error });
    throw error;
  }
}

function decodeChange({ type, details }: LogStatement): Change {
  switch (type) {
    case LOG_TYPES.genesis:
      return { kind: "genesis", device: decodeDevice(details) };
    case LOG_TYPES.addDevice:
      return { kind: "add-device", device: decodeDevice(details) };
    case LOG_TYPES.revokeDevice:
      return { kind: "revoke-device", deviceId: decodeRevokeDetails(details).deviceId };
    case LOG_TYPES.setRecoveryKey: {
      const { recoveryKey, countersigned } = decodeRecoveryKeyDetails(details);
      return { kind: "set-recovery-key", recoveryKey: parseIdentityKey(recoveryKey), countersigned };
    }
    case LOG_TYPES.recover:
      return { kind: "recover", device: decodeDevice(details) };
    case LOG_TYPES.deleteAccount:
      decodeDeletionDetails(details);
      return { kind: "delete-account" };
    default:
      throw new ProtocolError("upgrade-required");
  }
}

/** The inverse of `changeOf`. */
export function encodeChange(change: Change): Pick<LogStatement, "type" | "details"> {
  switch (change.kind) {
    case "genesis":
      return { type: LOG_TYPES.genesis, details: encodeDevice(change.device) };
    case "add-device":
      return { type: LOG_TYPES.addDevice, details: encodeDevice(change.device) };
    case "revoke-device":
      return { type: LOG_TYPES.revokeDevice, details: encodeRevokeDetails({ deviceId: change.deviceId }) };
    case "set-recovery-key": {
      const { recoveryKey, countersigned } = change;
      return { type: LOG_TYPES.setRecoveryKey, details: encodeRecoveryKeyDetails({ recoveryKey: recoveryKey.encode(), countersigned }) };
    }
    case "recover":
      return { type: LOG_TYPES.recover, details: encodeDevice(change.device) };
    case "delete-account":
      return { type: LOG_TYPES.deleteAccount, details: encodeDeletionDetails({ final: true }) };
    default:
      return assertNever(change);
  }
}
