// The recovery key: named in the account log by any device, shown to its owner once and kept nowhere; and the way back with it, when no
// device is left, to the same account on a new one.

import { generateKeyPair, type KeyPair } from "#crypto";
import {
  type AccountState,
  nextDeviceId,
  OUR_CAPABILITIES,
  proveRecoveryKey,
  readAccountLog,
  recoverAccount,
  recoveryAt,
  setRecoveryKey,
} from "#identity";
import { type Bytes, ProtocolError, sameBytes, type UserId, WireError } from "#wire";
import type { RecoveryState } from "../api.ts";
import { type Core, pairOf, seconds, selfOf } from "../core.ts";
import { ClientError } from "../errors.ts";
import { makePreKeys } from "../prekeys.ts";
import { ACCOUNTS, OWN, type OwnAccount, RECOVERING, type Recovering } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { drawRegistrationId, makeRoom, newAccount } from "./new-account.ts";
import { lengthenOwnLog, ownDeviceOf } from "./own-log.ts";
import { drawRecoveryKey, parseRecoveryKey } from "./recovery-key.ts";

const MAX_TRIES = 8;

/**
 * Names a new recovery key. With the one in force it takes its place at once, without it after seven days, in which every device shows it.
 * @throws ClientError `wrong-recovery-key` when `current` is not the one in force
 */
export async function createRecoveryKey(sending: Sending, current: string | undefined, signal?: AbortSignal): Promise<string> {
  const { self, clock, random } = sending;
  const { text, keys } = drawRecoveryKey(self.local.address.userId, random);
  const consenting = current === undefined ? undefined : parseRecoveryKey(current).keys;
  try {
    await lengthenOwnLog(
      sending,
      (account) => {
        if (isNamed(account, keys)) return undefined;
        if (consenting !== undefined && !isInForce(account, consenting, seconds(clock))) throw new ClientError("wrong-recovery-key");
        const consent = consenting === undefined ? {} : { consent: consenting.privateKey };
        const input = { recoveryKey: keys.publicKey, signer: ownDeviceOf(self), nowSeconds: seconds(clock), ...consent };
        return setRecoveryKey(account, input, random);
      },
      signal,
    );
    return text;
  } finally {
    keys.privateKey.wipe();
    consenting?.privateKey.wipe();
  }
}

function isNamed({ recovery }: AccountState, { publicKey }: KeyPair): boolean {
  return [recovery.inForce, recovery.waiting].some((named) => named?.key.equals(publicKey) === true);
}

function isInForce({ recovery }: AccountState, { publicKey }: KeyPair, nowSeconds: number): boolean {
  return recoveryAt(recovery, nowSeconds).inForce?.key.equals(publicKey) === true;
}

export async function recoveryState({ accounts, self, clock }: Sending, records: Reader): Promise<RecoveryState> {
  const account = await accounts.requireKnown(records, self.local.address.userId);
  const { inForce, waiting } = recoveryAt(account.recovery, seconds(clock));
  return {
    isSet: inForce !== undefined,
    waiting: waiting === undefined ? undefined : { namedBy: waiting.namedBy, inForceAt: new Date(waiting.settledSeconds * 1000) },
  };
}

export interface Restore {
  readonly core: Core;
  readonly server: string;
  readonly key: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * The account, with this device in the place of all that it had. May be repeated after a failure.
 * @throws ClientError `bad-argument`, `wrong-recovery-key`, `already-registered`, `offline`…
 */
export async function restoreAccount({ core, server, key, signal }: Restore): Promise<OwnAccount> {
  const { userId, keys } = parseRecoveryKey(key);
  try {
    const { trustRoots } = await core.server.getConfig(signal);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const proof = proveRecoveryKey({ origin: server, userId }, keys.privateKey, seconds(core.clock), core.random);
      const entries = await core.server.getRecoveryLog(userId, proof, signal);
      const begun = await core.vault.read((records) => records.get(RECOVERING));
      // The answer to an earlier try was lost.
      if (begun !== undefined && entries.some((entry) => sameBytes(entry, begun.entry))) return await finish(core, entries, begun.account);
      const account = verified(core, userId, entries);
      if (!isInForce(account, keys, seconds(core.clock))) throw new ClientError("wrong-recovery-key");
      const roots = trustRoots.map((root) => root.encode());
      const { recovering, preKeys } = await core.vault.write((records) => begin(core, records, { account, server, keys, roots }));
      const { entry } = recovering;
      if ((await core.server.recoverAccount(userId, proof, { entry, preKeys }, signal)) === "appended")
        return await finish(core, [...entries, entry], recovering.account);
    }
    throw new ClientError("server-failed", { detail: "others kept changing the account" });
  } finally {
    keys.privateKey.wipe();
  }
}

function verified({ clock }: Core, userId: UserId, entries: readonly Bytes[]): AccountState {
  try {
    return readAccountLog(entries, { userId, nowSeconds: seconds(clock) });
  } catch (cause) {
    if (!(cause instanceof ProtocolError || cause instanceof WireError)) throw cause;
    throw new ClientError(cause.code === "upgrade-required" ? "upgrade-required" : "untrusted-keys", { cause });
  }
}

interface Begin {
  readonly account: AccountState;
  readonly server: string;
  readonly keys: KeyPair;
  readonly roots: readonly Bytes[];
}

async function begin(
  core: Core,
  records: Writer,
  { account, server, keys, roots }: Begin,
): Promise<{ readonly recovering: Recovering; readonly preKeys: Awaited<ReturnType<typeof makePreKeys>> }> {
  await makeRoom(records);
  const address = { userId: account.userId, deviceId: nextDeviceId(account) };
  const registrationId = drawRegistrationId(core.random);
  const own = { ...newAccount({ address, registrationId, identity: generateKeyPair(core.random), server }), trustRoots: roots };
  const device = { ...own, identity: pairOf(own.identity), capabilities: OUR_CAPABILITIES };
  const nowSeconds = seconds(core.clock);
  const entry = recoverAccount(account, { device, recoveryKey: keys.privateKey, nowSeconds }, core.random);
  const recovering = { account: own, entry };
  records.put(RECOVERING, recovering);
  return { recovering, preKeys: await makePreKeys(core, records, selfOf(own)) };
}

async function finish({ vault }: Core, entries: readonly Bytes[], account: OwnAccount): Promise<OwnAccount> {
  const own = { ...account, registered: true };
  await vault.write(async (records) => {
    records.put(OWN, own);
    records.put(ACCOUNTS, { entries, recordSeconds: {}, forked: false }, account.userId);
    records.delete(RECOVERING);
  });
  return own;
}
