// The recovery key of an account: which one is in force, and which one waits to be. Knows no log.
//
// A key that is named with the consent of the one in force takes its place at once. Without that consent it waits seven
// days, which is time enough to see it on another device and object. Where no key is in force there is nothing to protect,
// and the first one is in force at once; but it too can be objected to for seven days, or a thief who had a device for a
// minute would leave a key to the account behind. To object is to revoke the device that named the key.

import type { PublicKey } from "#crypto";
import { type DeviceId, ProtocolError, RECOVERY_KEY_DELAY_SECONDS } from "#wire";

export interface RecoveryKey {
  readonly key: PublicKey;
  readonly namedBy: DeviceId;
  /** From this second on nothing takes it back. */
  readonly settledSeconds: number;
}

export interface Recovery {
  readonly inForce: RecoveryKey | undefined;
  /** In force as soon as it is settled. */
  readonly waiting: RecoveryKey | undefined;
}

export const NO_RECOVERY: Recovery = { inForce: undefined, waiting: undefined };

/** How things stand at `seconds`. */
export function recoveryAt(recovery: Recovery, seconds: number): Recovery {
  const { waiting } = recovery;
  return waiting !== undefined && seconds >= waiting.settledSeconds ? { inForce: waiting, waiting: undefined } : recovery;
}

export interface NameRecoveryKey {
  readonly key: PublicKey;
  readonly namedBy: DeviceId;
  readonly atSeconds: number;
  /** Whether the key in force agrees. */
  readonly consented: boolean;
}

/**
 * Naming the key in force withdraws the one that waits.
 * @throws ProtocolError `duplicate` when none waits.
 */
export function nameRecoveryKey({ inForce, waiting }: Recovery, { key, namedBy, atSeconds, consented }: NameRecoveryKey): Recovery {
  if (inForce !== undefined && key.equals(inForce.key)) {
    if (waiting === undefined) throw new ProtocolError("duplicate");
    return { inForce, waiting: undefined };
  }
  if (consented) return { inForce: { key, namedBy, settledSeconds: atSeconds }, waiting: undefined };
  const named = { key, namedBy, settledSeconds: atSeconds + RECOVERY_KEY_DELAY_SECONDS };
  return inForce === undefined ? { inForce: named, waiting: undefined } : { inForce, waiting: named };
}

/** What is left when a device is revoked: no key of its naming that is not settled. */
export function objectTo({ inForce, waiting }: Recovery, deviceId: DeviceId, atSeconds: number): Recovery {
  const stays = waiting?.namedBy === deviceId ? undefined : waiting;
  if (inForce === undefined || inForce.namedBy !== deviceId || atSeconds >= inForce.settledSeconds) return { inForce, waiting: stays };
  // With nothing in force there is nothing to wait for.
  return { inForce: stays, waiting: undefined };
}
