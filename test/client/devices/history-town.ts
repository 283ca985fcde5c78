// For tests of the history that a device gives to another: messages by the thousand, written into a store as if they had been said, and
// what somebody sees of them.

import type { Client, HistoryTransfer } from "#client";
import { systemRandom } from "#crypto";
import type { UserId } from "#wire";
import { drawMessageId } from "../../../client/core.ts";
import { storeMessage } from "../../../client/receiving/apply.ts";
import type { ConversationId, MessageRecord } from "../../../client/records/tables.ts";
import { type Person, withStore } from "../groups/people.ts";

const AT_ONCE = 500;
const DAY_MILLISECONDS = 24 * 3600_000;

export interface Seeds {
  readonly own: UserId;
  /** Who has said what, in which conversation: in turns. */
  readonly said: readonly { readonly conversation: ConversationId; readonly author: UserId }[];
  readonly count: number;
  /** From so long ago until now, evenly. */
  readonly days: number;
  readonly text?: (index: number) => string;
}

/** A year of talk, and every tenth message edited, answered to and reacted on. */
export async function seed(person: Pick<Person, "shared">, { own, said, count, days, text = textOf }: Seeds): Promise<void> {
  const begin = Date.now() - days * DAY_MILLISECONDS;
  const last = new Map<ConversationId, MessageRecord>();
  for (let from = 0; from < count; from += AT_ONCE) {
    await withStore(person, (vault) =>
      vault.write(async (records) => {
        for (let index = from; index < Math.min(count, from + AT_ONCE); index++) {
          const turn = said[index % said.length];
          if (turn === undefined) throw new RangeError("nobody speaks");
          const { conversation, author } = turn;
          const sentAt = begin + Math.floor((index * days * DAY_MILLISECONDS) / count);
          const before = last.get(conversation);
          const isTenth = index % 10 === 0;
          const message = await storeMessage(records, conversation, {
            id: drawMessageId(systemRandom),
            author,
            text: text(index),
            sentAt,
            state: author === own ? "read" : "received",
            error: undefined,
            replyTo: isTenth && before !== undefined ? { author: before.author, id: before.id } : undefined,
            history: isTenth ? [{ text: `draft of ${index}`, sentAt }] : [],
            editedAt: isTenth ? sentAt + 1 : undefined,
            deleted: false,
            reactions: isTenth ? { [own]: { emoji: "🌲", sentAt } } : {},
            gapBefore: false,
            announced: true,
            seen: true,
          });
          last.set(conversation, message);
        }
      }),
    );
  }
}

function textOf(index: number): string {
  return `message ${index} about the hut, the hike and the weather`;
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
      queueMicrotask(() => undo());
    });
  });
}

export function ended(client: Client): Promise<HistoryTransfer> {
  return until(client, ({ direction, state }) => direction === "from" && (state === "done" || state === "failed"));
}
