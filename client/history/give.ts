// Makes the archive for another device of ours: message after message, the newest first, a file at a time. What is in a file is fixed in
// the transaction that keeps it, so whoever goes on after an end of the program begins behind it.

import { HISTORY_FILE_BYTES, type Bytes, type DeviceId, MAX_HISTORY_FILES, sameBytes } from "#wire";
import { UPLOADS_TOPIC } from "../core.ts";
import { isGroupId } from "../groups/state.ts";
import { dropFiles, keepBytes } from "../media/keep-files.ts";
import { type ConversationId, CONVERSATIONS, type GivenHistory, GROUPS, MESSAGES, type MessageRecord, UPLOADS } from "../records/tables.ts";
import type { Reader, Vault } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { frameHeader, frameMessage } from "./archive.ts";
import { forgetGiven, givenTo, keepGiven } from "./giving.ts";

/** Of one conversation at once. */
const PAGE = 64;

/** Resolves when nothing is left to be written. What was written is taken to the server meanwhile. */
export async function writeArchive(sending: Sending, deviceId: DeviceId, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const given = await sending.vault.read((records) => givenTo(sending, records, deviceId));
    if (given === undefined) await sending.vault.write((records) => forgetGiven(sending, records, deviceId));
    if (given?.state !== "writing") return;
    await writeFile(sending, given, signal);
  }
}

interface Written {
  readonly records: readonly Bytes[];
  readonly before: number;
  /** There is nothing behind it. */
  readonly isLast: boolean;
}

async function writeFile(sending: Sending, given: GivenHistory, signal: AbortSignal): Promise<void> {
  const { deviceId, archiveId, files } = given;
  const { records: written, before, isLast } = await collect(sending.vault, given);
  const header = frameHeader({ userId: sending.self.local.address.userId, archiveId, file: files.length });
  const kept = written.length === 0 ? [] : [await keepBytes(sending, new Blob([header, ...written]), files.length, signal)];
  const isKept = await sending.vault.write(async (records) => {
    const current = await givenTo(sending, records, deviceId);
    // Another program was faster, or a file of before was refused.
    if (current?.state !== "writing" || current.before !== given.before || !sameBytes(current.archiveId, archiveId)) return false;
    for (const { upload } of kept) {
      records.put(UPLOADS, { ...upload, state: "waiting", archive: { deviceId, archiveId } }, upload.ordinal);
      records.touch(UPLOADS_TOPIC);
    }
    const state = isLast || files.length + 1 >= MAX_HISTORY_FILES ? "sending" : "writing";
    const all = [...current.files, ...kept.map(({ attachment }) => attachment)];
    await keepGiven(sending, records, { ...current, before, state, files: all, messages: current.messages + written.length });
    return true;
  });
  if (!isKept) await dropFiles(sending, kept);
}

/** As much as one file holds. */
async function collect(vault: Vault, { before: from, sinceMilliseconds }: GivenHistory): Promise<Written> {
  const records: Bytes[] = [];
  let bytes = 0;
  let before = from;
  for await (const message of newestFirst(vault, from)) {
    if (bytes >= HISTORY_FILE_BYTES) return { records, before, isLast: false };
    before = message.ordinal;
    const record = message.sentAt < sinceMilliseconds ? undefined : frameMessage(message);
    if (record === undefined) continue;
    records.push(record);
    bytes += record.length;
  }
  return { records, before, isLast: true };
}

interface Source {
  readonly id: ConversationId;
  /** The newest last; with nothing in it the conversation has no more. */
  rows: MessageRecord[];
}

/** Of all conversations together, by pages: of each a few messages are held. */
async function* newestFirst(vault: Vault, before: number): AsyncGenerator<MessageRecord, void, undefined> {
  const sources = await vault.read(async (records) => {
    const found: Source[] = [];
    for (const { id } of await records.all(CONVERSATIONS)) {
      if (await isTold(records, id)) found.push({ id, rows: await pageOf(records, id, before) });
    }
    return found;
  });
  for (;;) {
    const source = sources.reduce<Source | undefined>((newest, one) => (headOf(one) > headOf(newest) ? one : newest), undefined);
    const message = source?.rows.pop();
    if (source === undefined || message === undefined) return;
    if (source.rows.length === 0) source.rows = await vault.read((records) => pageOf(records, source.id, message.ordinal));
    yield message;
  }
}

function headOf(source: Source | undefined): number {
  return source?.rows.at(-1)?.ordinal ?? 0;
}

async function pageOf(records: Reader, id: ConversationId, before: number): Promise<MessageRecord[]> {
  const rows = await records.page(MESSAGES, [id], { before, limit: PAGE, reverse: true });
  return rows.map(({ value }) => value).reverse();
}

/** Groups that we have left are none that the other device gets to know. */
async function isTold(records: Reader, id: ConversationId): Promise<boolean> {
  return !isGroupId(id) || (await records.get(GROUPS, id))?.standing === "member";
}
