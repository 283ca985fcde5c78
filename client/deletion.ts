// The end of the account, by this device: out of its groups where that can be, then the last entry of its log. What is stored here is
// removed by whoever asked for it, once this is done. Every step may run twice, and any may be the last.

import { deleteAccount } from "#identity";
import { groupMember } from "#protocol";
import type { GroupId } from "#wire";
import { seconds } from "./core.ts";
import { lengthenOwnLog, ownDeviceOf } from "./devices/own-log.ts";
import { ClientError } from "./errors.ts";
import { findGroup, type Group } from "./groups/state.ts";
import { GROUPS } from "./records/tables.ts";
import type { Reader } from "./records/vault.ts";
import type { Engine } from "./sdk/engine.ts";
import type { Sending } from "./sending/compose.ts";

/** For what is still on its way: after that the others read in the logs what was not said. */
const LAST_WORDS_MILLISECONDS = 10_000;

export interface EndAccount {
  readonly force: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws ClientError `last-admin`, before anything is done; `device-removed`, `offline`… */
export async function endAccount(engine: Engine, { force, signal }: EndAccount): Promise<void> {
  const { sending } = engine;
  if (await isEnded(sending, signal)) return;
  if (!force) await sending.vault.read((records) => requireAdmins(sending, records));
  const groups = await sending.vault.read((records) => groupsToLeave(sending, records));
  for (const groupId of groups) await leave(engine, groupId, { force, signal });
  await sayLastWords(engine, signal);
  await writeEnd(sending, signal);
}

/** By an entry of before whose answer was lost, or by another device: the server tells no more to whoever was one. */
async function isEnded({ accounts, self }: Sending, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await accounts.refresh(self.local.address.userId, signal)).deletedSeconds !== undefined;
  } catch (error) {
    if (isDeleted(error)) return true;
    throw error;
  }
}

function isDeleted(error: unknown): boolean {
  return error instanceof ClientError && error.code === "own-account-deleted";
}

async function writeEnd(sending: Sending, signal: AbortSignal | undefined): Promise<void> {
  const { self, clock, random } = sending;
  try {
    await lengthenOwnLog(
      sending,
      (account) =>
        account.deletedSeconds === undefined
          ? deleteAccount(account, { signer: ownDeviceOf(self), nowSeconds: seconds(clock) }, random)
          : undefined,
      signal,
    );
  } catch (error) {
    // Whoever has ended it is told so by the next answer.
    if (!isDeleted(error)) throw error;
  }
}

/** Groups that others are in. Nobody is left behind in one of which all others have deleted their accounts. */
async function groupsToLeave(sending: Sending, records: Reader): Promise<readonly GroupId[]> {
  const groups: GroupId[] = [];
  for (const group of await ownGroups(records)) if ((await livingOthers(sending, records, group)) > 0) groups.push(group.state.groupId);
  return groups;
}

async function ownGroups(records: Reader): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const { groupId, standing, broken } of await records.all(GROUPS)) {
    const group = standing === "member" && broken === undefined ? await findGroup(records, groupId) : undefined;
    if (group !== undefined) groups.push(group);
  }
  return groups;
}

async function livingOthers({ accounts, self }: Sending, records: Reader, { state }: Group): Promise<number> {
  let living = 0;
  for (const { userId } of state.members) {
    if (userId !== self.local.address.userId && !(await accounts.isDeleted(records, userId))) living++;
  }
  return living;
}

/** @throws ClientError `last-admin` */
async function requireAdmins(sending: Sending, records: Reader): Promise<void> {
  const own = sending.self.local.address.userId;
  for (const group of await ownGroups(records)) {
    const hasOther = group.state.members.some(({ userId, role }) => role === "admin" && userId !== own);
    if (!hasOther && (await livingOthers(sending, records, group)) > 0) throw new ClientError("last-admin");
  }
}

/** What cannot be done at all is left undone; what could be later is waited for, unless forced. */
async function leave({ groups, sending }: Engine, groupId: GroupId, { force, signal }: EndAccount): Promise<void> {
  const own = sending.self.local.address.userId;
  try {
    await groups.append(groupId, ({ state }) => (groupMember(state, own) === undefined ? undefined : { kind: "leave" }), signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ClientError) || error.code.startsWith("storage-")) throw error;
    if (!force && (error.retryable || error.code === "last-admin")) throw error;
  }
}

/** What was written before, and the goodbyes to the groups. They may be lost: a log says the same. */
async function sayLastWords(engine: Engine, signal: AbortSignal | undefined): Promise<void> {
  const late = new AbortController();
  const cancel = engine.sending.clock.after(LAST_WORDS_MILLISECONDS, () => late.abort());
  const abort = (): void => late.abort();
  signal?.addEventListener("abort", abort);
  try {
    await engine.settled({ signal: late.signal, pictures: false }).catch(() => undefined);
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
  }
  signal?.throwIfAborted();
}
