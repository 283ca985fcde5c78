// How long to wait before the next try of what has failed: longer each time, with chance in it, so that a thousand clients that
// lost the same server do not come back at once; never shorter than the server has said.

import type { Random } from "#crypto";
import type { ClientError } from "../errors.ts";

export const FIRST_PAUSE_MILLISECONDS = 1000;
const LONGEST_PAUSE_MILLISECONDS = 60_000;

/** @param attempts that have failed, from one on */
export function pauseMilliseconds(attempts: number, failure: ClientError, random: Random): number {
  const bound = Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** Math.min(attempts, 10));
  const [byte = 0] = random(1);
  return Math.max((failure.retryAfter ?? 0) * 1000, (bound * (128 + byte / 2)) / 256);
}
