// How long a content that was applied stays known: 45 days at least, longer than any queue can hold a copy of it.

import type { Clock } from "../ports.ts";

const PERIOD_MILLISECONDS = 15 * 24 * 3600_000;
/** Those in which a mark is looked for; with the present one of them unfinished, three whole ones are covered. */
export const MARK_PERIODS = 4;

/** The half month in which a mark of now is filed. */
export function markPeriod(clock: Clock): number {
  return Math.floor(clock.nowMilliseconds() / PERIOD_MILLISECONDS);
}
