// Takes in an archive that another device of ours has made: fetched into our own store, piece by piece; then read from one end to the
// other, so that it is whole, ours and well-formed before anything of it counts; then message after message, in transactions that also
// keep how far it is. May end anywhere and goes on from there.

import { planMedia } from "#protocol";
import { type Bytes, ProtocolError, sameBytes, WireError } from "#wire";
import { conversationTopic } from "../core.ts";
import { ClientError } from "../errors.ts";
import { isGroupId } from "../groups/state.ts";
import { decryptMedia } from "../media/cipher.ts";
import type { MediaServer } from "../media/media-server.ts";
import { PART_BYTES, StoredFile } from "../media/stored-file.ts";
import { applyEarly, findMessage } from "../receiving/apply.ts";
import { contactOf } from "../records/contact.ts";
import {
  type AttachmentRecord,
  CONVERSATIONS,
  GROUPS,
  HISTORY_PIECES,
  MESSAGES,
  type MessageRecord,
  PLACES,
  TAKEN_HISTORY,
  type TakenHistory,
} from "../records/tables.ts";
import type { Reader, Vault, Writer } from "../records/vault.ts";
import { conversationOf, type Sending } from "../sending/compose.ts";
import { messagesIn } from "./archive.ts";
import { HISTORY_TOPIC } from "./giving.ts";
import { begun, tellTaken } from "./taking.ts";

/** Messages that are taken in at once. Others write to the store in between. */
const BATCH = 200;

export interface Taking {
  readonly sending: Sending;
  readonly server: MediaServer;
  readonly signal: AbortSignal;
}

/** Resolves when there is nothing more to take. @throws ClientError when it cannot go on for now; the signal's reason */
export async function takeArchive(taking: Taking): Promise<void> {
  const { vault } = taking.sending;
  for (;;) {
    taking.signal.throwIfAborted();
    const taken = await vault.read((records) => records.get(TAKEN_HISTORY));
    if (taken === undefined || taken.state === "coming") return;
    if (taken.state === "fetching" || taken.state === "importing") await goOn(taking, taken);
    else if (taken.fetched > 0) await clear(vault, taken);
    else if (taken.next !== undefined) await change(vault, taken, (now) => begun(now.next ?? now, "fetching", now.oldest));
    else return;
  }
}

async function goOn(taking: Taking, taken: TakenHistory): Promise<void> {
  const { vault } = taking.sending;
  try {
    if (taken.state === "importing") {
      await importAll(taking, taken);
      return;
    }
    await fetchAll(taking, taken);
    await check(taking, taken);
    await change(vault, taken, (now) => ({ ...now, state: "importing" }));
  } catch (error) {
    const failure = damageIn(error);
    if (!(failure instanceof ClientError) || failure.retryable) throw failure;
    await end(taking.sending, taken, (now) => ({ ...now, state: "failed", error: failure.code }));
  }
}

/** What is wrong in the archive itself will not be right the next time. */
function damageIn(error: unknown): unknown {
  const isDamaged = error instanceof WireError || error instanceof ProtocolError;
  if (isDamaged || (error instanceof ClientError && error.code === "file-damaged"))
    return new ClientError("history-damaged", { cause: error });
  return error;
}

type Change = (taken: TakenHistory) => TakenHistory;

async function change(vault: Vault, before: TakenHistory, changed: Change): Promise<void> {
  await vault.write((records) => changeIn(records, before, changed));
}

/** And its files are needed no more: whoever gave them may remove them. */
async function end(sending: Sending, before: TakenHistory, changed: Change): Promise<void> {
  await sending.vault.write(async (records) => {
    if (await changeIn(records, before, changed)) await tellTaken(sending, records, before);
  });
}

/** Unless another program has got further with it. */
async function changeIn(records: Writer, before: TakenHistory, changed: Change): Promise<boolean> {
  const now = await records.get(TAKEN_HISTORY);
  if (now === undefined || !isAt(now, before)) return false;
  const next = changed(now);
  records.put(TAKEN_HISTORY, next);
  records.touch(HISTORY_TOPIC);
  return next.state !== now.state;
}

/** The same archive, at the same step. */
function isAt(now: TakenHistory, { archiveId, state }: TakenHistory): boolean {
  return now.state === state && sameBytes(now.archiveId, archiveId);
}

/** From where it was. */
async function fetchAll({ sending, server, signal }: Taking, taken: TakenHistory): Promise<void> {
  const { clock, random, vault } = sending;
  let begins = 0;
  for (const [file, { size, stored }] of taken.files.entries()) {
    if (stored === undefined) throw new ClientError("history-damaged");
    const { storedBytes: length } = planMedia(size);
    let at = Math.max(0, Math.min(length, taken.fetched - begins));
    const pieces = new StoredFile({ ...stored, length }, { server, clock, random, signal }).bytes(at, length);
    for await (const piece of pieces) {
      signal.throwIfAborted();
      const place = at / PART_BYTES;
      await vault.write(async (records) => {
        const now = await records.get(TAKEN_HISTORY);
        if (now === undefined || !isAt(now, taken)) return;
        records.put(HISTORY_PIECES, piece, file, place);
        records.put(TAKEN_HISTORY, { ...now, fetched: Math.max(now.fetched, begins + at + piece.length) });
        records.touch(HISTORY_TOPIC);
      });
      at += piece.length;
    }
    begins += length;
  }
}

async function check(taking: Taking, taken: TakenHistory): Promise<void> {
  let count = 0;
  for await (const _ of messagesOf(taking, taken)) count++;
  if (count !== taken.messages) throw new WireError("truncated");
}

async function* messagesOf(
  { sending, signal }: Taking,
  taken: TakenHistory,
): AsyncGenerator<Omit<MessageRecord, "ordinal">, void, undefined> {
  const { userId } = sending.self.local.address;
  const { archiveId } = taken;
  for (const [file, described] of taken.files.entries()) {
    signal.throwIfAborted();
    const { storedBytes } = planMedia(described.size);
    const plaintext = decryptMedia(piecesOf(sending.vault, file, described), described, storedBytes);
    yield* messagesIn(plaintext, { userId, archiveId, file });
  }
}

async function* piecesOf(vault: Vault, file: number, { size }: AttachmentRecord): AsyncGenerator<Bytes, void, undefined> {
  const { storedBytes } = planMedia(size);
  for (let place = 0; place * PART_BYTES < storedBytes; place++) {
    const piece = await vault.read((records) => records.get(HISTORY_PIECES, file, place));
    if (piece === undefined) throw new WireError("truncated");
    yield piece;
  }
}

async function importAll(taking: Taking, taken: TakenHistory): Promise<void> {
  const { sending, signal } = taking;
  if (taken.oldest <= 1) throw new ClientError("history-no-room");
  let at = 0;
  let batch: Omit<MessageRecord, "ordinal">[] = [];
  const take = async (): Promise<void> => {
    signal.throwIfAborted();
    await sending.vault.write((records) => importSome(sending, records, taken, at - batch.length, batch));
    batch = [];
  };
  for await (const message of messagesOf(taking, taken)) {
    at++;
    if (at <= taken.imported) continue;
    batch.push(message);
    if (batch.length === BATCH) await take();
  }
  if (batch.length > 0) await take();
  await end(sending, taken, (now) => (now.imported === now.messages ? { ...now, state: "done" } : now));
}

/** `from`: how many were before. Another program may have been faster. */
async function importSome(
  sending: Sending,
  records: Writer,
  before: TakenHistory,
  from: number,
  messages: readonly Omit<MessageRecord, "ordinal">[],
): Promise<void> {
  const taken = await records.get(TAKEN_HISTORY);
  if (taken === undefined || !isAt(taken, before) || taken.imported !== from) return;
  let { oldest } = taken;
  for (const message of messages) {
    if (!(await isNew(records, message))) continue;
    oldest--;
    await importMessage(sending, records, { ...message, ordinal: oldest });
  }
  records.put(TAKEN_HISTORY, { ...taken, oldest, imported: from + messages.length });
  records.touch(HISTORY_TOPIC);
  records.touch("contacts");
}

/** What is here already is known better; of a group that is not here there is nobody to show it to. */
async function isNew(records: Writer, { id, author, conversation }: Omit<MessageRecord, "ordinal">): Promise<boolean> {
  if (isGroupId(conversation) && (await records.get(GROUPS, conversation))?.record === undefined) return false;
  return (await findMessage(records, id, author)) === undefined;
}

/** In front of all that is there. Nobody is told of it: it happened before. */
async function importMessage(sending: Sending, records: Writer, given: MessageRecord): Promise<void> {
  const { id, author, conversation, ordinal } = given;
  const message = { ...given, announced: given.announced || (await isAnnounced(records, given)) };
  records.put(MESSAGES, message, conversation, ordinal);
  records.put(PLACES, { conversation, ordinal, author }, id, author);
  const before = await conversationOf(records, conversation);
  const unread = before.unread + (message.seen ? 0 : 1);
  records.put(CONVERSATIONS, { ...before, lastOrdinal: Math.max(before.lastOrdinal, ordinal), unread }, conversation);
  records.touch(conversationTopic(conversation));
  await applyEarly(sending, records, message);
}

/** Who was a request on the other device may have been accepted meanwhile. */
async function isAnnounced(records: Reader, { conversation }: MessageRecord): Promise<boolean> {
  if (isGroupId(conversation)) return (await records.get(GROUPS, conversation))?.standing !== "invited";
  return (await contactOf(records, conversation)).state === "accepted";
}

/** A piece at a time: what is deleted is overwritten. */
async function clear(vault: Vault, taken: TakenHistory): Promise<void> {
  for (const [file, { size }] of taken.files.entries()) {
    const pieces = Math.ceil(planMedia(size).storedBytes / PART_BYTES);
    for (let place = 1; place <= pieces; place++) {
      await vault.write(async (records) => void (await records.deleteBefore(HISTORY_PIECES, [file], place)));
    }
  }
  await change(vault, taken, (now) => ({ ...now, fetched: 0 }));
}
