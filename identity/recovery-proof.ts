// How the holder of an account's recovery key proves it to a server, which shows them the account's log for it: whoever has lost
// all devices has no token, and has to know the head to write behind it. What the key may write is account-log.ts's.

import { LABELS, labelled, type PublicKey, type Random, type Secret, sign, SIGNATURE_BYTES, verify } from "#crypto";
import { be32, type Bytes, concat, copy, ProtocolError, type UserId, uuidToBytes, WireError } from "#wire";
import type { AccountState } from "./account.ts";
import { requireFresh } from "./freshness.ts";
import { originField } from "./origin.ts";
import { recoveryAt } from "./recovery.ts";

/** An account at a server. */
export interface AccountAt {
  /** Scheme, host and port as a browser writes them: `https://chat.example.org`. */
  readonly origin: string;
  readonly userId: UserId;
}

/** The time and the signature: good for ten minutes, for this account at this server. */
export const RECOVERY_PROOF_BYTES: number = 4 + SIGNATURE_BYTES;

export function proveRecoveryKey(at: AccountAt, privateKey: Secret, nowSeconds: number, random: Random): Bytes {
  return concat(be32(nowSeconds), sign(privateKey, statementOf(at, nowSeconds), random));
}

/**
 * @param account what the log of `at` says: the key in force now is the one that has to have signed
 * @throws WireError `bad-length`; ProtocolError `expired`, `too-far-ahead`, `not-authorized` no key is in force, `bad-signature`.
 */
export function checkRecoveryProof(at: AccountAt, proof: Bytes, account: AccountState, nowSeconds: number): void {
  const { inForce } = recoveryAt(account.recovery, nowSeconds);
  if (account.userId !== at.userId) throw new ProtocolError("not-authorized");
  checkRecoveryProofBy(inForce?.key, at, proof, nowSeconds);
}

/** The same where somebody else has said which key is in force. @throws as `checkRecoveryProof` */
export function checkRecoveryProofBy(key: PublicKey | undefined, at: AccountAt, proof: Bytes, nowSeconds: number): void {
  if (proof.length !== RECOVERY_PROOF_BYTES) throw new WireError("bad-length");
  const madeSeconds = new DataView(proof.buffer, proof.byteOffset).getUint32(0);
  requireFresh(madeSeconds, nowSeconds);
  if (key === undefined) throw new ProtocolError("not-authorized");
  if (!verify(key, statementOf(at, madeSeconds), copy(proof.subarray(4)))) throw new ProtocolError("bad-signature");
}

function statementOf({ origin, userId }: AccountAt, madeSeconds: number): Bytes {
  return labelled(LABELS.SIGN_RECOVERY_READ, originField(origin), uuidToBytes(userId), be32(madeSeconds));
}
