// What has happened, as a reader of the SDK gets it: the stored events in order, and in between those of now. An event counts as
// consumed when the one after it is asked for.

import { assertNever, type Content, type DeviceAddress } from "#wire";
import type { ClientEvent, LinkAsked } from "../api.ts";
import { ClientError } from "../errors.ts";
import { givenString } from "../given.ts";
import { findGroup } from "../groups/state.ts";
import { CURSOR, EVENTS, type EventRecord, MESSAGES } from "../records/tables.ts";
import { EVERYTHING, type Reader } from "../records/vault.ts";
import type { Views } from "./views.ts";

const AT_ONCE = 100;

export interface ReadEvents {
  readonly views: Views;
  readonly after: string | undefined;
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
  /** The client was closed. */
  readonly ended: AbortSignal;
  readonly accept: (who: string) => Promise<void>;
  readonly block: (who: string) => Promise<void>;
  readonly ephemerals: Ephemerals;
}

/** Those of now wait here for readers that are there, and for nobody else. */
export class Ephemerals {
  readonly #readers = new Set<(arrived: OfNow) => void>();

  tell(arrived: OfNow): void {
    for (const reader of this.#readers) reader(arrived);
  }

  read(reader: (arrived: OfNow) => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}

export interface Arrived {
  readonly sender: DeviceAddress;
  readonly content: Content;
}

/** A content that is not stored, or a device that asks to be linked. */
export type OfNow = Arrived | LinkAsked;

export async function* readEvents(parts: ReadEvents): AsyncGenerator<ClientEvent, void, undefined> {
  const { views, signal, ended } = parts;
  const now: OfNow[] = [];
  let wake: () => void = () => undefined;
  const undo = [
    views.engine.sending.vault.onChange((topics) => {
      if (topics.has("events") || topics.has(EVERYTHING)) wake();
    }),
    parts.ephemerals.read((arrived) => {
      now.push(arrived);
      wake();
    }),
  ];
  const abort = (): void => wake();
  signal?.addEventListener("abort", abort);
  ended.addEventListener("abort", abort);
  let consumed = await startOf(parts);
  try {
    while (!ended.aborted) {
      signal?.throwIfAborted();
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const rows = await views.read((records) => records.page(EVENTS, [], { after: consumed, limit: AT_ONCE }));
      for (const { ordinal, value } of rows) {
        const event = await views.read((records) => eventOf(parts, records, value, String(ordinal)));
        if (event !== undefined) yield event;
        consumed = ordinal;
        signal?.throwIfAborted();
      }
      if (rows.length > 0) await consume(parts, consumed);
      for (const arrived of now.splice(0)) {
        const event = await views.read((records) => ephemeralOf(views, records, arrived, String(consumed)));
        if (event !== undefined) yield event;
      }
      if (rows.length > 0) continue;
      if (!parts.wait) return;
      await changed;
    }
  } catch (error) {
    // Closed in the middle of an event: what was not consumed comes again.
    if (!ended.aborted) throw error;
  } finally {
    for (const stop of undo) stop();
    signal?.removeEventListener("abort", abort);
    ended.removeEventListener("abort", abort);
    if (!ended.aborted) await consume(parts, consumed);
  }
}

async function startOf({ views, after }: ReadEvents): Promise<number> {
  if (after === undefined) return (await views.read((records) => records.get(CURSOR)))?.consumed ?? 0;
  if (!/^\d{1,15}$/.test(givenString(after, "a cursor"))) throw new ClientError("bad-argument", { detail: "not a cursor of this store" });
  return Number(after);
}

async function consume({ views }: ReadEvents, consumed: number): Promise<void> {
  await views.write(async (records) => {
    const before = (await records.get(CURSOR))?.consumed ?? 0;
    if (consumed > before) records.put(CURSOR, { consumed });
  });
}

async function eventOf(parts: ReadEvents, records: Reader, event: EventRecord, cursor: string): Promise<ClientEvent | undefined> {
  const { views } = parts;
  switch (event.type) {
    case "message": {
      const record = await records.get(MESSAGES, event.conversation, event.ordinal);
      return record === undefined ? undefined : { type: "message", cursor, message: await views.message(records, record) };
    }
    case "receipt": {
      const { kind, messageIds } = event;
      return { type: "receipt", cursor, kind, messageIds, by: await views.peer(records, event.by) };
    }
    case "request": {
      const { from } = event;
      const acts = { accept: () => parts.accept(from), block: () => parts.block(from) };
      return { type: "request", cursor, from: await views.peer(records, from), ...acts };
    }
    case "edit":
    case "delete":
    case "reaction": {
      const record = await records.get(MESSAGES, event.conversation, event.ordinal);
      if (record === undefined) return undefined;
      const message = await views.message(records, record);
      return { type: event.type, cursor, from: await views.peer(records, event.from), message, emoji: event.emoji };
    }
    case "notice": {
      const { kind, deviceId, reason, groupId } = event;
      const isKnown = groupId !== undefined && (await findGroup(records, groupId)) !== undefined;
      const group = isKnown ? await views.group(records, groupId) : undefined;
      return { type: "notice", cursor, kind, deviceId, reason, group, peer: await views.peer(records, event.peer) };
    }
    default:
      return assertNever(event);
  }
}

async function ephemeralOf(views: Views, records: Reader, arrived: OfNow, cursor: string): Promise<ClientEvent | undefined> {
  if ("dismiss" in arrived) return { type: "link-request", cursor, request: arrived };
  const { sender, content } = arrived;
  const by = await views.peer(records, sender.userId);
  const { body } = content;
  if (body.kind === "presence-answer") return { type: "presence", cursor, by, online: body.online };
  if (body.kind !== "typing") return undefined;
  return { type: "typing", cursor, conversation: await views.conversation(records, sender.userId), by, on: body.on };
}
