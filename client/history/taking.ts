// What another device of ours tells of messages of before that it gives us. Nothing is fetched here: that is take.ts's, loaded when there
// is something to fetch.

import { copy, type DeviceId, type History, sameBytes } from "#wire";
import { toRecord } from "../media/attachments.ts";
import { COUNTERS, HISTORY_ROOM, NO_COUNTERS, TAKEN_HISTORY, type TakenHistory, type ToldHistory } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { HISTORY_TOPIC } from "./giving.ts";

/** Whether messages of before may still come. */
export async function isHistoryComing(records: Reader): Promise<boolean> {
  const state = (await records.get(TAKEN_HISTORY))?.state;
  return state === "coming" || state === "fetching" || state === "importing";
}

export async function takeTold(records: Writer, from: DeviceId, { archiveId, state, messages, files }: History): Promise<void> {
  const before = await records.get(TAKEN_HISTORY);
  const told = { from, archiveId: copy(archiveId), messages, files: files.map(toRecord) };
  const isSame = before !== undefined && sameBytes(before.archiveId, archiveId);
  // Told again, or before it was told that it would come.
  if (isSame && before.state !== "coming") return;
  records.touch(HISTORY_TOPIC);
  // In use, or not cleared away yet.
  if (before !== undefined && (before.state === "fetching" || before.fetched > 0)) {
    if (state === "ready") records.put(TAKEN_HISTORY, { ...before, next: told });
    return;
  }
  if (state === "withdrawn") {
    if (isSame) records.put(TAKEN_HISTORY, { ...before, state: "failed", error: "history-withdrawn" });
    return;
  }
  records.put(TAKEN_HISTORY, begun(told, state === "ready" ? "fetching" : "coming", before?.oldest ?? (await roomIn(records))));
}

export function begun(told: ToldHistory, state: "coming" | "fetching", oldest: number): TakenHistory {
  return { ...told, state, fetched: 0, imported: 0, oldest, error: undefined, next: undefined };
}

/** A store of a version that left none has its own messages from 1 on. */
async function roomIn(records: Reader): Promise<number> {
  const { message } = (await records.get(COUNTERS)) ?? NO_COUNTERS;
  return message >= HISTORY_ROOM ? HISTORY_ROOM + 1 : 1;
}
