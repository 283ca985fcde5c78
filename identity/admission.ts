// What a server asks of a new entry beyond the rules of the log: that it is fresh, and that its device can be written to.
// These are the rules of one moment. An entry that was admitted stays good when they change, so readers do not ask.

import { type Bytes, ProtocolError } from "#wire";
import { extendAccount, readAccountLog, userIdOfGenesis } from "./account-log.ts";
import type { AccountState } from "./account.ts";
import { isCapable } from "./device.ts";
import { requireFresh } from "./freshness.ts";

/**
 * Admits the first entry of a new account, or (with the account as it is) the next one of an existing account. The
 * recovery key's seven days are as good as this check: a stolen device that may sign with any time would not wait.
 * Refuses as `readAccountLog` does, and `expired`, `too-far-ahead` (the signer's clock is wrong), `upgrade-required`.
 */
export function admitEntry(account: AccountState | undefined, entry: Bytes, nowSeconds: number): AccountState {
  const next = account === undefined ? begun(entry, nowSeconds) : extendAccount(account, entry, nowSeconds);
  requireFresh(next.createdSeconds, nowSeconds);
  const added = next.devices.filter((device) => !account?.devices.includes(device));
  if (!added.every(isCapable)) throw new ProtocolError("upgrade-required");
  return next;
}

function begun(entry: Bytes, nowSeconds: number): AccountState {
  return readAccountLog([entry], { userId: userIdOfGenesis(entry), nowSeconds });
}
