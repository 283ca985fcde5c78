// Messages by the thousand, written into a store as if they had been said. Knows no test.

import { systemRandom } from "#crypto";
import type { UserId } from "#wire";
import { drawMessageId } from "../../../client/core.ts";
import { storeMessage } from "../../../client/receiving/apply.ts";
import type { ConversationId, MessageRecord } from "../../../client/records/tables.ts";
import type { Vault } from "../../../client/records/vault.ts";

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
export async function seed(vault: Vault, { own, said, count, days, text = textOf }: Seeds): Promise<void> {
  const begin = Date.now() - days * DAY_MILLISECONDS;
  const last = new Map<ConversationId, MessageRecord>();
  for (let from = 0; from < count; from += AT_ONCE) {
    await vault.write(async (records) => {
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
    });
  }
}

function textOf(index: number): string {
  return `message ${index} about the hut, the hike and the weather`;
}
