// Lengthening our own account log: read what is there, write an entry behind it, and again when another device was faster.

import { type AccountState, OUR_CAPABILITIES, type OwnDevice } from "#identity";
import type { Bytes } from "#wire";
import type { Self } from "../core.ts";
import { ClientError } from "../errors.ts";
import type { Sending } from "../sending/compose.ts";

const MAX_TRIES = 8;

/** The device that this is, as the author of entries. */
export function ownDeviceOf({ local }: Self): OwnDevice {
  const { address, identity, registrationId } = local;
  return { deviceId: address.deviceId, identity, registrationId, capabilities: OUR_CAPABILITIES };
}

/**
 * `write` makes the entry for the log as it is, again after everyone who was faster, or nothing when it is done already: so whoever
 * got no answer may ask again.
 */
export async function lengthenOwnLog(
  { accounts, server, self }: Sending,
  write: (account: AccountState) => Bytes | undefined,
  signal?: AbortSignal,
): Promise<AccountState> {
  const { userId } = self.local.address;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const account = await accounts.refresh(userId, signal);
    const entry = write(account);
    if (entry === undefined) return account;
    const answer = await server.appendLog(userId, { entry, preKeys: undefined }, signal).catch(orUnknown);
    if (answer === "appended") return await accounts.refresh(userId, signal);
  }
  throw new ClientError("server-failed", { detail: "others kept changing the account" });
}

/** The entry may be there although no answer came: the log tells. */
function orUnknown(error: unknown): "unknown" {
  if (error instanceof ClientError && error.code === "offline") return "unknown";
  throw error;
}
