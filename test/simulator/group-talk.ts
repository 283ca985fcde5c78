// What somebody does in the one group of a run: its maker lets the others in and may remove one of them, and whoever is in
// writes, marks, answers. Each step may fail and is done again with a later one.

import type { Client, GroupConversation, Message } from "../../client/api.ts";
import type { Dice } from "../support/random.ts";
import { type Ledger, EVERYBODY } from "./ledger.ts";

const TITLE = "hikers";
const MOST_AT_ONCE = 6;

/** From this seed on three people have a group, which was made in peace. */
export const FIRST_GROUP_SEED = 1_000_001;

export function hasGroup(seed: number): boolean {
  return seed >= FIRST_GROUP_SEED;
}

export interface Member {
  readonly name: string;
  readonly userId: string | undefined;
}

export interface GroupTalkOptions {
  readonly self: Member;
  readonly dice: Dice;
  readonly ledger: Ledger;
  /** Everybody who is to be in, the maker first. */
  readonly people: () => readonly Member[];
  /** Of one step of the maker's: the last of the people is removed. */
  readonly removal: number;
  readonly send: (conversation: GroupConversation, readers: readonly string[]) => Promise<void>;
  readonly answer: (message: Message, conversation: GroupConversation, readers: readonly string[]) => Promise<void>;
}

/** The group as a client has it; several would be a mistake of the product's. */
export async function groupsOf(client: Client): Promise<readonly GroupConversation[]> {
  return (await client.conversations.groups()).filter(({ title }) => title === TITLE);
}

export class GroupTalk {
  readonly #options: GroupTalkOptions;

  constructor(options: GroupTalkOptions) {
    this.#options = options;
  }

  /** One step. */
  async act(client: Client): Promise<void> {
    const { dice, people, self, removal, send, answer } = this.#options;
    const [group] = await groupsOf(client);
    const isMaker = people()[0]?.name === self.name;
    if (isMaker && !(await this.#isComplete(client, group))) return;
    if (group?.standing !== "member") return;
    if (isMaker && dice.chance(removal)) return this.#remove(group);
    const readers = this.#readersOf(group);
    const what = dice.roll(10);
    if (what < 7) {
      for (let left = what < 5 ? 1 : dice.roll(MOST_AT_ONCE); left > 0; left--) await send(group, readers);
      return;
    }
    const page = await group.history({ limit: 10 });
    if (page.length > 0) await answer(dice.pick(page), group, readers);
  }

  /** Whether the others are in already; otherwise they are let in, for the next time. */
  async #isComplete(client: Client, group: GroupConversation | undefined): Promise<boolean> {
    const { ledger, people, self } = this.#options;
    const others = people().filter(({ name }) => name !== self.name && !ledger.removed.has(name));
    if (group === undefined) {
      await client.conversations.createGroup(
        TITLE,
        others.map(({ name }) => name),
      );
      return false;
    }
    const missing = others.filter(({ userId }) => !group.members.some(({ peer }) => peer.userId === userId));
    if (missing.length === 0) return true;
    await group.add(missing.map(({ name }) => name));
    return false;
  }

  async #remove(group: GroupConversation): Promise<void> {
    const { ledger, people } = this.#options;
    const last = people().at(-1);
    if (last === undefined) return;
    ledger.removed.add(last.name);
    await group.remove([last.name]);
  }

  /** As the one who writes knows it. */
  #readersOf(group: GroupConversation): readonly string[] {
    const { people, self } = this.#options;
    const isIn = ({ name, userId }: Member): boolean => name !== self.name && group.members.some(({ peer }) => peer.userId === userId);
    return people()
      .filter(isIn)
      .map(({ name }) => name);
  }
}

export function isToEverybody({ to }: { readonly to: string }): boolean {
  return to === EVERYBODY;
}
