// What is too old to be of use goes once a day: marks that no queue can contradict any more, copies that nobody may ask for
// again, events that were read long ago.

import type { Core } from "./core.ts";
import { sweepStored } from "./media/stored-records.ts";
import { sweepEarly } from "./receiving/early.ts";
import { MARK_PERIODS, markPeriod } from "./receiving/marks.ts";
import { RESEND_WITHIN_MILLISECONDS } from "./receiving/repair.ts";
import { CONVERSATIONS, COUNTERS, CURSOR, EVENTS, MARKS, SENT, SWEPT } from "./records/tables.ts";
import type { Writer } from "./records/vault.ts";

const ONCE_PER_MILLISECONDS = 24 * 3600_000;
/** Events that were read stay until so many newer ones are there: a reader with a cursor of its own may come back. */
export const KEPT_EVENTS = 10_000;
const AT_ONCE = 256;

export async function sweep({ vault, clock }: Core): Promise<void> {
  const now = clock.nowMilliseconds();
  await vault.write(async (records) => {
    const last = (await records.get(SWEPT))?.atMilliseconds ?? 0;
    if (now - last < ONCE_PER_MILLISECONDS) return;
    records.put(SWEPT, { atMilliseconds: now });
    await records.deleteBefore(MARKS, [], markPeriod(clock) - MARK_PERIODS + 1);
    await sweepEarly(records, now);
    await sweepStored(records, now);
    const newest = (await records.get(COUNTERS))?.event ?? 0;
    const consumed = (await records.get(CURSOR))?.consumed ?? 0;
    await records.deleteBefore(EVENTS, [], Math.max(0, Math.min(consumed, newest - KEPT_EVENTS)));
    for (const { id } of await records.all(CONVERSATIONS)) await sweepSent(records, id, now - RESEND_WITHIN_MILLISECONDS);
  });
}

async function sweepSent(records: Writer, recipient: string, beforeMilliseconds: number): Promise<void> {
  for (;;) {
    const oldest = await records.page(SENT, [recipient], { limit: AT_ONCE });
    const old = oldest.filter(({ value }) => value.sentMilliseconds < beforeMilliseconds);
    for (const { ordinal } of old) records.delete(SENT, recipient, ordinal);
    if (old.length < AT_ONCE) return;
  }
}
