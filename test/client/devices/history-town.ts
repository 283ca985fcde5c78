// For tests of the history that a device gives to another: what somebody sees of it, and waiting for it.

import type { Client, HistoryTransfer } from "#client";
import { type Person, withStore } from "../groups/people.ts";
import { seed, type Seeds } from "./seeds.ts";

export async function seedInto(person: Pick<Person, "shared">, seeds: Seeds): Promise<void> {
  await withStore(person, (vault) => seed(vault, seeds));
}

/** Everything that a device shows of its conversations. */
export async function shown(client: Client): Promise<Readonly<Record<string, unknown>>> {
  const all: Record<string, unknown> = {};
  for (const conversation of await client.conversations.list()) {
    const messages = await conversation.history({ limit: 100_000 });
    all[conversation.id] = {
      unread: conversation.unread,
      last: conversation.lastMessage?.id,
      messages: messages.map(({ id, from, own, text, sentAt, state, replyTo, edited, history, deleted, reactions, attachments }) => {
        const files = attachments.map(({ name, mime, size, width, height }) => ({ name, mime, size, width, height }));
        return { id, from: from.userId, own, text, sentAt, state, replyTo, edited, history, deleted, reactions, files };
      }),
    };
  }
  return all;
}

/** Until a device says so of a transfer that is, or was, on its way. */
export function until(client: Client, isSo: (transfer: HistoryTransfer) => boolean): Promise<HistoryTransfer> {
  return new Promise((resolve) => {
    const undo = client.devices.history.subscribe((transfers) => {
      const found = transfers.find(isSo);
      if (found === undefined) return;
      resolve(found);
      // The first call comes before there is anything to undo.
      queueMicrotask(() => undo());
    });
  });
}

export function ended(client: Client): Promise<HistoryTransfer> {
  return until(client, ({ direction, state }) => direction === "from" && (state === "done" || state === "failed"));
}
