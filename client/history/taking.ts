// What another device of ours tells of messages of before that it gives us. Nothing is fetched here: that is take.ts's, loaded when there
// is something to fetch.

import { activeDevice } from "#identity";
import { copy, type DeviceId, type History, sameBytes } from "#wire";
import { toRecord } from "../media/attachments.ts";
import { COUNTERS, HISTORY_ROOM, NO_COUNTERS, TAKEN_HISTORY, type TakenHistory, type ToldHistory } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { tellOwnDevices } from "../sending/own-devices.ts";
import { archiveTaken, HISTORY_TOPIC } from "./giving.ts";

/** What a device says waits at the server for so long, and a file that it has brought there. */
const LONGEST_WAIT_MILLISECONDS = 30 * 24 * 3600_000;

/** Whether messages of before may still come. */
export async function isHistoryComing(records: Reader): Promise<boolean> {
  const state = (await records.get(TAKEN_HISTORY))?.state;
  return state === "coming" || state === "fetching" || state === "importing";
}

/** An archive whose device is out, or has been silent for so long, does not come: whoever waits for it is told, and may ask another one. */
export async function endAbandoned({ accounts, self, clock }: Sending, records: Writer): Promise<void> {
  const taken = await records.get(TAKEN_HISTORY);
  if (taken?.state !== "coming") return;
  const account = await accounts.find(records, self.local.address.userId);
  const isOut = account !== undefined && activeDevice(account, taken.from) === undefined;
  const isSilent = clock.nowMilliseconds() - (taken.sinceMilliseconds ?? Infinity) > LONGEST_WAIT_MILLISECONDS;
  if (!isOut && !isSilent) return;
  records.put(TAKEN_HISTORY, { ...taken, state: "failed", error: "history-withdrawn" });
  records.touch(HISTORY_TOPIC);
}

/** The device needs nothing of it any more. */
export async function tellTaken(sending: Sending, records: Writer, { from, archiveId, messages }: ToldHistory): Promise<void> {
  const account = await sending.accounts.find(records, sending.self.local.address.userId);
  if (account === undefined || activeDevice(account, from) === undefined) return;
  await tellOwnDevices(sending, records, { kind: "history", archiveId, state: "taken", messages, files: [] }, from);
}

export async function takeTold(sending: Sending, records: Writer, from: DeviceId, history: History): Promise<void> {
  const { archiveId, state, messages, files } = history;
  if (state === "taken") {
    await archiveTaken(sending, records, from, archiveId);
    return;
  }
  const before = await records.get(TAKEN_HISTORY);
  const told = { from, archiveId: copy(archiveId), messages, files: files.map(toRecord) };
  const isSame = before !== undefined && sameBytes(before.archiveId, archiveId);
  // Told again, or before it was told that it would come. What was not waited for any more is taken all the same.
  if (isSame && before.state !== "coming" && (state !== "ready" || before.error !== "history-withdrawn")) return;
  records.touch(HISTORY_TOPIC);
  // In use, or not cleared away yet.
  if (before !== undefined && (before.state === "fetching" || before.fetched > 0)) {
    if (state !== "ready") return;
    if (before.next !== undefined && !sameBytes(before.next.archiveId, archiveId)) await tellTaken(sending, records, before.next);
    records.put(TAKEN_HISTORY, { ...before, next: told });
    return;
  }
  if (state === "withdrawn") {
    if (isSame) records.put(TAKEN_HISTORY, { ...before, state: "failed", error: "history-withdrawn" });
    return;
  }
  const sinceMilliseconds = sending.clock.nowMilliseconds();
  const taken = begun(told, state === "ready" ? "fetching" : "coming", before?.oldest ?? (await roomIn(records)));
  records.put(TAKEN_HISTORY, { ...taken, sinceMilliseconds });
}

export function begun(told: ToldHistory, state: "coming" | "fetching", oldest: number): TakenHistory {
  return { ...told, state, fetched: 0, imported: 0, oldest, error: undefined, next: undefined };
}

/** A store of a version that left none has its own messages from 1 on. */
async function roomIn(records: Reader): Promise<number> {
  const { message } = (await records.get(COUNTERS)) ?? NO_COUNTERS;
  return message >= HISTORY_ROOM ? HISTORY_ROOM + 1 : 1;
}
