// When a mailbox wakes by itself: rarely. One alarm for everything that waits for a time, set when it fires and not per message.

const DAY_MILLISECONDS = 24 * 3600 * 1000;
const IDLE_DAYS = 7;

const RETRY_MILLISECONDS = 30_000;
const MAX_DOUBLINGS = 9;

/** When an append that a crash or a failure has left is carried on with: in half a minute, in the end every four hours. */
export function retryAfter(failures: number): number {
  return RETRY_MILLISECONDS * 2 ** Math.min(failures, MAX_DOUBLINGS);
}

/** Daily while something is queued, weekly otherwise; spread by chance (0 to 1), so that mailboxes do not wake together. */
export function nextUpkeep(nowMilliseconds: number, isEmpty: boolean, spread: number): number {
  const days = isEmpty ? IDLE_DAYS : 1;
  return nowMilliseconds + days * DAY_MILLISECONDS + Math.floor((spread * DAY_MILLISECONDS) / 4);
}
