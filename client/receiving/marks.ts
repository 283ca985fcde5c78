// How long a content that was applied stays known: 45 days at least, longer than any queue can hold a copy of it.

import type { Clock } from "../ports.ts";

const PERIOD_MILLISECONDS = 45 * 24 * 3600_000;
/** Those in which a mark is looked for: the present one is unfinished, the one before it is whole. Each look costs every message. */
export const MARK_PERIODS = 2;

/** The period in which a mark of now is filed. */
export function markPeriod(clock: Clock): number {
  return Math.floor(clock.nowMilliseconds() / PERIOD_MILLISECONDS);
}
