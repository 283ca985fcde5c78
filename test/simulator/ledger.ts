// What people have said and seen in one run, and the complaints about it. Everything is noted before it is done, so that a
// crash in between leaves at most a line about something that did not happen.

import type { MessageId, UserId } from "#wire";

/** Every kind of complaint that there is. */
export type Complaint =
  | "lost"
  | "duplicated"
  | "reordered"
  | "gap"
  | "different-order"
  | "unexpected"
  | "wrong-conversation"
  | "at-a-removed-member"
  | "undecryptable"
  | "false-receipt"
  | "different"
  | "reused-key"
  | "stuck"
  | "broken-promise"
  | "exception";

/** What comes of a message that comes much too late: by then its key may be gone too. */
const ABOUT_ORDER: ReadonlySet<Complaint> = new Set(["reordered", "gap", "different-order", "undecryptable"]);

/** The same in a group, and an edit that has nothing to edit yet. */
const ABOUT_ORDER_IN_GROUPS: ReadonlySet<Complaint> = new Set([...ABOUT_ORDER, "different"]);

export interface Problem {
  readonly complaint: Complaint;
  readonly detail: string;
}

/** In the place of a name: what is said to the group. */
export const EVERYBODY = "everybody";

export interface Text {
  readonly from: string;
  readonly to: string;
  /** Who has to get it: one, or those who were in the group as its writer knew it. */
  readonly readers: readonly string[];
  readonly number: number;
  /** Known once the sender's client has stored it. */
  id: MessageId | undefined;
  /** The server has promised to keep it. */
  isAcknowledged: boolean;
}

export interface Claim {
  readonly kind: "delivered" | "read";
  readonly by: UserId;
  readonly messageId: MessageId;
  /** Who was told. */
  readonly to: string;
}

export class Ledger {
  readonly problems: Problem[] = [];
  /** What came too late because the server had let others go before it. */
  readonly excused: Problem[] = [];
  /** What came too late to a group because the queue had lost it on its way. */
  readonly excusedInGroups: Problem[] = [];
  readonly claims: Claim[] = [];
  /** Whom somebody has begun to remove from the group: what they get from then on is not promised to them. */
  readonly removed = new Set<string>();
  /** Somebody crashed on one message so often that the server let others go before it, as it must. */
  #isOrderExcused = false;
  /** The queue has lost something on its way to many, or given it up, and readers wait a minute for what is missing. */
  #isGroupOrderExcused = false;
  readonly #texts = new Map<string, Text>();
  readonly #byId = new Map<MessageId, Text>();

  get texts(): readonly Text[] {
    return [...this.#texts.values()];
  }

  complain(complaint: Complaint, detail: string): void {
    const isExcused = this.#isOrderExcused && ABOUT_ORDER.has(complaint);
    (isExcused ? this.excused : this.problems).push({ complaint, detail });
  }

  complainInGroup(complaint: Complaint, detail: string): void {
    if (this.#isGroupOrderExcused && ABOUT_ORDER_IN_GROUPS.has(complaint)) this.excusedInGroups.push({ complaint, detail });
    else this.complain(complaint, detail);
  }

  excuseOrder(): void {
    this.#isOrderExcused = true;
  }

  excuseGroupOrder(): void {
    this.#isGroupOrderExcused = true;
  }

  countTexts(from: string, to: string): number {
    return this.texts.filter((text) => text.from === from && text.to === to).length;
  }

  /** Somebody is about to send a text. Returns what it says. */
  intend(from: string, to: string, readers: readonly string[] = [to]): Text {
    const number = this.texts.length;
    const text: Text = { from, to, readers, number, id: undefined, isAcknowledged: false };
    this.#texts.set(wordsOf(text), text);
    return text;
  }

  stored(text: Text, id: MessageId): void {
    if (text.id !== undefined && text.id !== id) this.complain("broken-promise", `${wordsOf(text)} has two ids`);
    Object.assign(text, { id });
    this.#byId.set(id, text);
  }

  /** What somebody reads, edited or not. */
  find(words: string, id: MessageId): Text | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const text = this.#texts.get(words.split(" edited ", 1)[0] ?? "");
    if (text?.id !== undefined) return undefined;
    if (text !== undefined) this.stored(text, id);
    return text;
  }

  byId(id: MessageId): Text | undefined {
    return this.#byId.get(id);
  }
}

export function wordsOf({ from, to, number }: Text): string {
  return `${from} to ${to}, ${number}`;
}
