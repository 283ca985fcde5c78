// Sessions with other devices: begun where there is none, and used to seal a job's copies, new state and ciphertexts in one
// transaction. A job that was sealed keeps its copies until the server has them: nothing is sealed twice.

import { type AccountState, activeDevice, checkPreKeyBundle } from "#identity";
import { canSeal, EMPTY_RECORD, initiateSession, sealMessage } from "#protocol";
import {
  type AccountKeys,
  type Bytes,
  type DeviceAddress,
  type DeviceId,
  encodeContentCopy,
  ProtocolError,
  type UserId,
  WireError,
} from "#wire";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { ACCOUNTS, JOBS, type Job, type SealedCopy, SESSIONS } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "./compose.ts";

type Device = AccountState["devices"][number];

/** Whom a job goes to, by the account as it is known now: never this device itself. */
function targetsOf({ self }: Sending, account: AccountState, only: DeviceId | undefined): readonly Device[] {
  const { userId, deviceId } = self.local.address;
  return account.devices.filter(
    (device) => (only === undefined || device.deviceId === only) && !(account.userId === userId && device.deviceId === deviceId),
  );
}

/** Fetches keys when a device has no session, or when the server says that devices have changed. */
export async function prepareSessions(sending: Sending, recipient: UserId, changed: boolean, signal: AbortSignal): Promise<void> {
  const { vault, accounts, server } = sending;
  await accounts.catchUp(recipient, signal);
  const state = await vault.read(async (records) => {
    const account = await accounts.require(records, recipient);
    const known = await records.get(ACCOUNTS, recipient);
    return { account, length: known?.entries.length ?? 0, lacking: await lackingSessions(sending, records, account) };
  });
  if (!changed && state.lacking === 0) return;
  const keys = await server.getKeys(recipient, state.length, signal);
  await vault.write((records) => beginSessions(sending, records, { recipient, after: state.length, keys }));
}

async function lackingSessions(sending: Sending, records: Reader, account: AccountState): Promise<number> {
  let lacking = 0;
  for (const { deviceId } of targetsOf(sending, account, undefined)) {
    const session = await records.get(SESSIONS, account.userId, deviceId);
    if (session === undefined || !canSeal(session, seconds(sending.clock))) lacking++;
  }
  return lacking;
}

interface Bundles {
  readonly recipient: UserId;
  readonly after: number;
  readonly keys: AccountKeys;
}

async function beginSessions(sending: Sending, records: Writer, { recipient, after, keys }: Bundles): Promise<void> {
  const account = await sending.accounts.learn(records, recipient, after, keys.log.entries);
  for (const bundle of keys.devices) {
    const device = activeDevice(account, bundle.deviceId);
    if (device === undefined || !targetsOf(sending, account, undefined).includes(device)) continue;
    await begin(sending, records, account, bundle);
  }
}

async function begin(sending: Sending, records: Writer, account: AccountState, bundle: AccountKeys["devices"][number]): Promise<void> {
  const { userId } = account;
  const record = (await records.get(SESSIONS, userId, bundle.deviceId)) ?? EMPTY_RECORD;
  const device = activeDevice(account, bundle.deviceId);
  const nowSeconds = seconds(sending.clock);
  // A session with the device as it is stays; one with what it was before it was set up anew, or that it never answered, does not.
  if (canSeal(record, nowSeconds) && record.current?.remoteRegistrationId === device?.registrationId) return;
  const known = await records.get(ACCOUNTS, userId);
  if (known === undefined) return;
  const checked = trusted(() => checkPreKeyBundle(bundle, { account, nowSeconds, seenSeconds: known.recordSeconds[bundle.deviceId] ?? 0 }));
  const outcome = initiateSession(record, { local: sending.self.local, bundle: checked, nowSeconds }, sending.random);
  if (outcome.kind === "refused") throw new ClientError("untrusted-keys", { detail: outcome.code });
  records.put(SESSIONS, outcome.state, userId, bundle.deviceId);
  records.spend(outcome.spent);
  records.put(ACCOUNTS, { ...known, recordSeconds: { ...known.recordSeconds, [bundle.deviceId]: checked.recordSeconds } }, userId);
}

function trusted<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof ProtocolError || cause instanceof WireError)) throw cause;
    throw new ClientError(cause.code === "upgrade-required" ? "upgrade-required" : "untrusted-keys", { cause });
  }
}

/** The job with a copy for each device that it must reach. @throws ClientError */
export async function sealJob(sending: Sending, records: Writer, job: Job): Promise<Job> {
  const account = await sending.accounts.require(records, job.recipient);
  const copies: SealedCopy[] = [];
  for (const device of targetsOf(sending, account, job.only)) {
    const { deviceId, registrationId } = device;
    const before = job.copies?.find((copy) => copy.deviceId === deviceId && copy.registrationId === registrationId);
    copies.push(before ?? (await sealCopy(sending, records, job, device)));
  }
  const sealed = { ...job, copies };
  records.put(JOBS, sealed, job.recipient, job.ordinal);
  return sealed;
}

async function sealCopy(sending: Sending, records: Writer, job: Job, { deviceId, registrationId }: Device): Promise<SealedCopy> {
  if (job.kind === "report") return { deviceId, registrationId, kind: "plaintext", bytes: job.content };
  const sealed = await sealFor(sending, records, { userId: job.recipient, deviceId }, job.content);
  return { deviceId, registrationId, ...sealed };
}

/** One copy of a content, with the session's new state in the same transaction. @throws ClientError */
export async function sealFor(
  { self, clock, random }: Sending,
  records: Writer,
  remote: DeviceAddress,
  content: Bytes,
): Promise<Pick<SealedCopy, "kind" | "bytes">> {
  const record = (await records.get(SESSIONS, remote.userId, remote.deviceId)) ?? EMPTY_RECORD;
  const plaintext = encodeContentCopy({ recipientDevice: remote.deviceId, content });
  const outcome = sealMessage(record, { local: self.local, remote, plaintext, nowSeconds: seconds(clock) }, random);
  if (outcome.kind === "refused") throw new ClientError("untrusted-keys", { detail: outcome.code });
  records.put(SESSIONS, outcome.state, remote.userId, remote.deviceId);
  records.spend(outcome.spent);
  return outcome.output;
}
