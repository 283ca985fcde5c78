// Sequences: what one device says in one conversation is shown in the order in which it was said. What comes too early is kept
// until its turn, or until it has waited long enough.

import { sha256 } from "#crypto";
import { type Bytes, type Content, decodeContent, type DeviceAddress } from "#wire";
import { type Chain, CHAINS, type ConversationId, HELD } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { applyContent } from "./apply.ts";
import { dueCounter, release, takeTurn } from "./order.ts";

export interface Placed {
  readonly conversation: ConversationId;
  readonly sender: DeviceAddress;
  readonly content: Content;
  /** As it was encoded. */
  readonly bytes: Bytes;
  /** Whether everything that the device says in the conversation is meant for us; or it had begun without us. */
  readonly fromTheStart: boolean;
}

export class Sequences {
  readonly #sending: Sending;
  readonly #releaseLater: () => void;

  constructor(sending: Sending, releaseLater: () => void) {
    this.#sending = sending;
    this.#releaseLater = releaseLater;
  }

  /** A content that was not seen before, and has a position. */
  async take(records: Writer, { conversation, sender, content, bytes, fromTheStart }: Placed): Promise<void> {
    const { position } = content;
    if (position === undefined) return;
    const name = nameOf(sender);
    const known = await records.get(CHAINS, conversation, name);
    const start: Chain = { conversation, ...sender, next: fromTheStart ? 1 : position.counter, hash: undefined, waiting: [] };
    const turn = takeTurn(known ?? start, position, sha256(bytes), this.#sending.clock.nowMilliseconds());
    records.put(CHAINS, turn.chain, conversation, name);
    if (turn.kind === "wait") {
      records.put(HELD, { content: bytes }, conversation, name, position.counter);
      records.afterwards(this.#releaseLater);
      return;
    }
    const gapBefore = turn.kind === "late" || turn.gapBefore;
    await applyContent(this.#sending, records, { content, sender, conversation, gapBefore });
    if (turn.chain.waiting.length > 0) await this.#drain(records, turn.chain);
  }

  /** Shows what has waited for its predecessor for too long. Returns how many wait on. */
  async releaseOverdue(records: Writer): Promise<number> {
    let left = 0;
    for (const chain of await records.all(CHAINS)) {
      if (chain.waiting.length > 0) left += (await this.#drain(records, chain)).waiting.length;
    }
    return left;
  }

  async #drain(records: Writer, start: Chain): Promise<Chain> {
    const { conversation, userId, deviceId } = start;
    const sender = { userId, deviceId };
    let chain = start;
    for (;;) {
      const counter = dueCounter(chain, this.#sending.clock.nowMilliseconds());
      if (counter === undefined) return chain;
      const held = await records.get(HELD, conversation, nameOf(sender), counter);
      const released = release(chain, counter, held === undefined ? new Uint8Array(32) : sha256(held.content));
      chain = released.chain;
      records.put(CHAINS, chain, conversation, nameOf(sender));
      records.delete(HELD, conversation, nameOf(sender), counter);
      if (held === undefined) continue;
      const content = decodeContent(held.content);
      await applyContent(this.#sending, records, { content, sender, conversation, gapBefore: released.gapBefore });
    }
  }
}

function nameOf({ userId, deviceId }: DeviceAddress): string {
  return `${userId}/${deviceId}`;
}
