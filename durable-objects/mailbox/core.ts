// The decisions of a mailbox, as functions of values: who a send must address, what may be delivered next, what has
// expired. Knows no storage, no socket and no clock.

import {
  type DeviceId,
  MAILBOX_QUOTA_BYTES,
  MAILBOX_QUOTA_MESSAGES,
  MAILBOX_TTL_SECONDS,
  MAILBOX_WINDOW_BYTES,
  MAILBOX_WINDOW_MESSAGES,
  type RegistrationId,
} from "#wire";

export interface RegisteredDevice {
  readonly deviceId: DeviceId;
  readonly registrationId: RegistrationId;
}

/** How the devices that a sender named differ from those that there are. */
export interface DeviceChanges {
  /** Active, and not named. */
  readonly missing: readonly DeviceId[];
  /** Named, and not active. */
  readonly extra: readonly DeviceId[];
  /** Named by a registration id of before. */
  readonly stale: readonly DeviceId[];
}

/** With `some` the sender repairs a part, so nobody is missing. `undefined` when the send addresses whom it must. */
export function compareDevices(
  active: readonly RegisteredDevice[],
  named: readonly RegisteredDevice[],
  scope: "all" | "some",
): DeviceChanges | undefined {
  const byId = new Map(active.map((device) => [device.deviceId, device]));
  const names = new Set(named.map(({ deviceId }) => deviceId));
  const missing = scope === "all" ? active.map(({ deviceId }) => deviceId).filter((id) => !names.has(id)) : [];
  const extra = [...names].filter((id) => !byId.has(id));
  const stale = named.filter((copy) => isStale(byId.get(copy.deviceId), copy)).map(({ deviceId }) => deviceId);
  if (missing.length + extra.length + stale.length === 0) return undefined;
  return { missing, extra, stale };
}

function isStale(device: RegisteredDevice | undefined, named: RegisteredDevice): boolean {
  return device !== undefined && device.registrationId !== named.registrationId;
}

/** What a device's queue holds. */
export interface QueueSize {
  readonly messages: number;
  readonly bytes: number;
}

export function fitsQuota(size: QueueSize, addedBytes: number): boolean {
  return size.messages < MAILBOX_QUOTA_MESSAGES && size.bytes + addedBytes <= MAILBOX_QUOTA_BYTES;
}

/** Whether another message of `bytes` may be on its way to a device that has not acknowledged `unacknowledged`. */
export function fitsWindow(unacknowledged: QueueSize, bytes: number): boolean {
  if (unacknowledged.messages === 0) return true;
  return unacknowledged.messages < MAILBOX_WINDOW_MESSAGES && unacknowledged.bytes + bytes <= MAILBOX_WINDOW_BYTES;
}

const UNITS_PER_MILLISECOND = 1000;

/**
 * The number of the next message: grows always, is never used twice even when the queue was empty in between, and
 * tells when the message came. At most 2^53 - 1 for the next 280 years.
 */
export function nextSequence(last: number, nowMilliseconds: number): number {
  return Math.max(last + 1, nowMilliseconds * UNITS_PER_MILLISECOND);
}

export function acceptedAt(sequence: number): number {
  return Math.floor(sequence / UNITS_PER_MILLISECOND);
}

/** Messages numbered below this have expired. */
export function expiryBound(nowMilliseconds: number): number {
  return (nowMilliseconds - MAILBOX_TTL_SECONDS * 1000) * UNITS_PER_MILLISECOND;
}

const MILLISECONDS_PER_DAY = 24 * 3600 * 1000;
const FORGOTTEN_AFTER_DAYS = 45;
const MAX_BLUR_DAYS = 3;

export function dayOf(nowMilliseconds: number): number {
  return Math.floor(nowMilliseconds / MILLISECONDS_PER_DAY);
}

/**
 * The mark of a device that shows itself today: up to two days ahead by chance (`blur`, from 0 to 1), and left alone until
 * it has passed. So it costs a row in some days, and nobody can read from it which day it was.
 */
export function seenMark(mark: number, today: number, blur: number): number {
  return today > mark ? today + Math.floor(blur * MAX_BLUR_DAYS) : mark;
}

export function isForgotten(mark: number, today: number): boolean {
  return today - mark >= FORGOTTEN_AFTER_DAYS;
}

const STALE_AFTER_MILLISECONDS = 75_000;

/** Whether nobody is behind a socket any more: no ping for two and a half periods. */
export function isStaleSocket(lastSignMilliseconds: number, nowMilliseconds: number): boolean {
  return nowMilliseconds - lastSignMilliseconds > STALE_AFTER_MILLISECONDS;
}

/** How often the oldest message of a queue was delivered in vain, and those that were too often. */
export interface Attempts {
  readonly oldest: number;
  readonly count: number;
  /** They wait behind the others and take no room in the window. */
  readonly parked: readonly number[];
}

export const NO_ATTEMPTS: Attempts = { oldest: 0, count: 0, parked: [] };
const MAX_ATTEMPTS = 5;

/** As a socket opens on a queue: its oldest message was delivered before, and is still there. */
export function countAttempt(attempts: Attempts, queued: readonly number[]): Attempts {
  const parked = attempts.parked.filter((seq) => queued.includes(seq));
  const [oldest, next] = queued.filter((seq) => !parked.includes(seq));
  if (oldest === undefined) return { oldest: 0, count: 0, parked };
  if (oldest !== attempts.oldest) return { oldest, count: 1, parked };
  if (attempts.count < MAX_ATTEMPTS) return { oldest, count: attempts.count + 1, parked };
  return { oldest: next ?? 0, count: next === undefined ? 0 : 1, parked: [...parked, oldest] };
}

/** What a socket may still ask for that leads nowhere. */
export interface Patience {
  readonly left: number;
  readonly atMilliseconds: number;
}

const PATIENCE = 100;
const PATIENCE_PER_MILLISECOND = 10 / 1000;

/** Counts a frame that brought nothing on. `undefined` when there were too many. */
export function spendPatience(before: Patience | undefined, nowMilliseconds: number): Patience | undefined {
  const earned = before === undefined ? PATIENCE : (nowMilliseconds - before.atMilliseconds) * PATIENCE_PER_MILLISECOND;
  const left = Math.min(PATIENCE, (before?.left ?? 0) + Math.max(0, earned)) - 1;
  return left < 0 ? undefined : { left, atMilliseconds: nowMilliseconds };
}
