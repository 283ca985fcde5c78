// Receipts that are owed: gathered, and sent together after a pause that chance has a part in, so that their times say little.

import { MAX_RECEIPT_IDS } from "#wire";
import { findGroup, isGroupId, toGroup } from "../groups/state.ts";
import { OWED, type Owed, OWN } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { canCompose, compose, composeToMember, type Sending } from "../sending/compose.ts";

const SHORTEST_PAUSE_MILLISECONDS = 500;
const RANDOM_PAUSE_MILLISECONDS = 2000;

export class Receipts {
  readonly #sending: Sending;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  /** Somebody is owed one. */
  schedule(): void {
    if (this.#closed || this.#cancel !== undefined) return;
    const [byte = 0] = this.#sending.random(1);
    this.#cancel = this.#sending.clock.after(SHORTEST_PAUSE_MILLISECONDS + (RANDOM_PAUSE_MILLISECONDS * byte) / 256, () => {
      this.#cancel = undefined;
      this.flush().catch(() => this.schedule());
    });
  }

  /** Makes them messages now. */
  async flush(): Promise<void> {
    await this.#sending.vault.write(async (records) => {
      for (const owed of await records.all(OWED)) await this.#pay(records, owed);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  async #pay(records: Writer, owed: Owed): Promise<void> {
    const { conversation, userId: recipient } = owed;
    const telling = (await records.get(OWN))?.settings.readReceipts === true;
    records.delete(OWED, conversation, recipient);
    const group = isGroupId(conversation) ? await findGroup(records, conversation) : undefined;
    // Who is out of a group owes nothing there any more, nor anybody to who may be another person by now.
    if (isGroupId(conversation) && group?.known.standing !== "member") return;
    if (!(await canCompose(this.#sending, records, recipient))) return;
    for (const receipt of ["delivered", "read"] as const) {
      const ids = receipt === "read" && !telling ? [] : owed[receipt];
      for (let from = 0; from < ids.length; from += MAX_RECEIPT_IDS) {
        const body = { kind: "receipt", receipt, messageIds: ids.slice(from, from + MAX_RECEIPT_IDS) } as const;
        if (group === undefined) await compose(this.#sending, records, { recipient, body });
        else await composeToMember(this.#sending, records, { group: toGroup(group), recipient, body });
      }
    }
  }
}
