// Whoever has lost all devices and kept the recovery key: their proof, against the log as it is. A proof that is missing, old,
// wrong or for another account, an account without such a key, and one that is not there, are one refusal.
//
// What anybody may ask for costs one row and one signature, and is counted by where it comes from alone: nobody uses up a limit that the
// owner needs, or has a log read. Behind the proof there is only who holds the key.

import { base64url } from "jose";
import { sha256 } from "#crypto";
import { checkRecoveryProof, checkRecoveryProofBy, readAccountLog } from "#identity";
import { type Bytes, copy, MAX_LOG_PAGE_ENTRIES, ProtocolError, RECOVERY_SCHEME, type UserId, WireError } from "#wire";
import { findRecoveryKey, type KeysEnv, readLog } from "../keys/index.ts";
import { userIdOf } from "./body.ts";
import type { Call } from "./call.ts";
import { Problem } from "./problem.ts";

export interface Recovering {
  readonly userId: UserId;
  /** The whole log. */
  readonly entries: readonly Bytes[];
}

/** @throws Problem `not-found` unless the recovery key in force has signed. */
export async function requireRecoveryKey({ request, origin, parameters, services, nowSeconds }: Call): Promise<Recovering> {
  const userId = userIdOf(parameters);
  const encoded = PROOF.exec(request.headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) throw new Problem("not-found");
  const proof = copy(base64url.decode(encoded));
  const key = await findRecoveryKey(services.keys, userId, nowSeconds);
  orNotFound(() => checkRecoveryProofBy(key, { origin, userId }, proof, nowSeconds));
  await services.limits.countRecovery(userId);
  const entries = await wholeLog(services.keys, userId);
  const last = entries.at(-1);
  if (last === undefined) throw new Problem("not-found");
  orNotFound(() => {
    // What stands there was admitted here, entry by entry: no signature is verified again.
    const verified = { length: entries.length, hash: sha256(last) };
    // The row is what leads here, and the log is what counts.
    checkRecoveryProof({ origin, userId }, proof, readAccountLog(entries, { userId, nowSeconds, verified }), nowSeconds);
  });
  return { userId, entries };
}

function orNotFound(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof WireError) throw new Problem("not-found");
    throw error;
  }
}

/** All entries, oldest first; none when there is no such account. @throws Unavailable */
export async function wholeLog(env: KeysEnv, userId: UserId): Promise<readonly Bytes[]> {
  const entries: Bytes[] = [];
  for (;;) {
    const page = (await readLog(env, userId, entries.length)) ?? [];
    entries.push(...page);
    if (page.length < MAX_LOG_PAGE_ENTRIES) return entries;
  }
}

/** 68 bytes in base64url. */
const PROOF = new RegExp(`^${RECOVERY_SCHEME} ([\\w-]{91})$`, "i");
