// What happens in the demo, in order. Prints it as it happens, and keeps what was observed for the judgement.

import { join } from "node:path";
import type { Message } from "#client";
import { Person } from "./person.ts";
import type { Observed } from "./promises.ts";
import { line, scene, type Tick } from "./screen.ts";
import { type GroupSearch, type Search, search, searchGroups } from "./search.ts";
import type { DemoServer } from "./server.ts";

interface Written {
  readonly from: Person;
  readonly to: Person;
  readonly message: Message;
  readonly whileAway: boolean;
}

interface WrittenToGroup {
  readonly from: Person;
  /** Who else was in. */
  readonly to: readonly Person[];
  readonly message: Message;
}

const TITLE = "Seagulls and sandwiches";

export class Story {
  readonly #server: DemoServer;
  readonly #alice: Person;
  readonly #bob: Person;
  readonly #carol: Person;
  readonly #written: Written[] = [];
  readonly #writtenToGroup: WrittenToGroup[] = [];
  #removed: Person | undefined;
  readonly #searches: Search[] = [];
  readonly #groupSearches: GroupSearch[] = [];
  readonly #safetyNumbers: string[] = [];
  /** Those of which the server has said that it has them, while the reader was away. */
  readonly #taken: Written[] = [];
  #held: readonly Written[] = [];
  #killed = false;

  constructor(server: DemoServer, folder: string) {
    this.#server = server;
    this.#alice = new Person("alice", join(folder, "alice.db"));
    this.#bob = new Person("bob", join(folder, "bob.db"));
    this.#carol = new Person("carol", join(folder, "carol.db"));
  }

  get #people(): readonly Person[] {
    return [this.#alice, this.#bob, this.#carol];
  }

  async tell(): Promise<void> {
    await this.#bothAreThere();
    await this.#bobIsAway();
    await this.#serverDies();
    await this.#bobIsBack();
    await this.#threeMeet();
    await this.#twoRemain();
    await this.#compare();
  }

  observed(): Observed {
    return {
      letters: this.#written.map(({ from, to, message, whileAway }) => ({
        from: from.name,
        to: to.name,
        text: message.text,
        whileAway,
        heldAtKill: this.#held.some((held) => held.message === message),
        receipts: from.receiptsOf(message),
      })),
      shown: new Map(this.#people.map(({ name, shown }) => [name, shown])),
      groupLetters: this.#writtenToGroup.map(({ from, to, message }) => ({
        from: from.name,
        to: to.map(({ name }) => name),
        text: message.text,
      })),
      shownInGroup: new Map(this.#people.map(({ name, shownInGroups }) => [name, shownInGroups])),
      removed: this.#removed?.name,
      killed: this.#killed,
      searches: this.#searches,
      groupSearches: this.#groupSearches,
      safetyNumbers: this.#safetyNumbers,
    };
  }

  async #bothAreThere(): Promise<void> {
    await this.#server.start();
    console.log(scene(`the server is up on ${this.#server.url}; alice and bob make their keys`));
    await Promise.all([this.#alice.arrive(this.#server.url), this.#bob.arrive(this.#server.url)]);
    console.log(scene("alice writes to bob for the first time, and he accepts"));
    await this.#talk(this.#alice, this.#bob, "Tuesday, at the lighthouse?");
    await this.#talk(this.#bob, this.#alice, "Gladly! Who brings the lantern?");
    await this.#talk(this.#alice, this.#bob, "You do. I bring blueberry cake.");
  }

  async #bobIsAway(): Promise<void> {
    await this.#bob.leave();
    console.log(scene("bob goes offline"));
    await this.#leaveWord("Change of plan: the ferry leaves at seven.");
    await this.#leaveWord("Pier four, behind the fishmonger.");
  }

  async #serverDies(): Promise<void> {
    this.#held = [...this.#taken];
    await this.#server.kill();
    this.#killed = !(await this.#server.answers());
    console.log(scene("the server is killed with SIGKILL"));
    this.#search();
    const late = await this.#leaveWord("Take an umbrella.");
    await this.#server.start();
    console.log(scene("the server is back, on the same files"));
    await this.#alice.hasSent();
    await late.message.sent();
    show(late, "sent");
  }

  async #bobIsBack(): Promise<void> {
    console.log(scene("bob is back"));
    await this.#bob.arrive(this.#server.url);
    const missed = this.#written.filter(({ whileAway }) => whileAway);
    for (const { message } of missed) await this.#bob.isShown(message);
    await this.#bob.client.settled();
    for (const written of missed) {
      await this.#alice.isTold(written.message, "delivered", this.#bob);
      show(written, "delivered");
    }
    console.log(scene("bob reads, and answers"));
    await this.#bob.read(this.#alice.name);
    for (const { message } of missed) await this.#alice.isTold(message, "read", this.#bob);
    await this.#talk(this.#bob, this.#alice, "Seven, pier four, umbrella. Understood.");
  }

  async #threeMeet(): Promise<void> {
    await this.#carol.arrive(this.#server.url);
    console.log(scene("alice makes a group with bob and carol, who is new"));
    await this.#alice.makeGroup(TITLE, [this.#bob.name, this.#carol.name]);
    await Promise.all([this.#bob.knowsOf("joined"), this.#carol.knowsOf("joined")]);
    await this.#talkToGroup(this.#alice, [this.#bob, this.#carol], "Three tickets for the ferry?");
    await this.#talkToGroup(this.#carol, [this.#alice, this.#bob], "Mine is paid. Shall I bring binoculars?");
    await this.#talkToGroup(this.#bob, [this.#alice, this.#carol], "Yes, and gloves!");
  }

  async #twoRemain(): Promise<void> {
    console.log(scene("alice removes carol, and the two go on"));
    await this.#alice.removeFromGroup(TITLE, this.#carol.name);
    await Promise.all([this.#bob.knowsOf("remove"), this.#carol.knowsOf("removed")]);
    this.#removed = this.#carol;
    await this.#talkToGroup(this.#alice, [this.#bob], "A surprise: carol's birthday is on board.");
    // It comes to her behind whatever else came: what she has not been shown by then she is not shown.
    await this.#talk(this.#alice, this.#carol, "Forget the group. See you on Tuesday!");
  }

  async #compare(): Promise<void> {
    this.#search();
    for (const [one, other] of [[this.#alice, this.#bob] as const, [this.#bob, this.#alice] as const]) {
      const peer = await one.client.contacts.find(other.name);
      this.#safetyNumbers.push((await peer.verification()).safetyNumber);
    }
    await Promise.all(this.#people.map((person) => person.leave()));
  }

  /** Both are there: it is delivered and read at once. */
  async #talk(from: Person, to: Person, text: string): Promise<void> {
    const written = await this.#write({ from, to, text, whileAway: false });
    await to.isShown(written.message);
    // Receipts of their own accord come a little later, so that their time says little.
    await to.read(from.name);
    await from.isTold(written.message, "read", to);
    show(written, "read");
  }

  /** Everybody who is in is there. */
  async #talkToGroup(from: Person, to: readonly Person[], text: string): Promise<void> {
    const written = { from, to, message: await from.sayToGroup(TITLE, text) };
    this.#writtenToGroup.push(written);
    const isRead = async (reader: Person): Promise<void> => {
      await reader.isShown(written.message);
      await reader.readGroup(TITLE);
      await from.isTold(written.message, "read", reader);
    };
    await Promise.all(to.map(isRead));
    show(written, "read");
  }

  /** Of alice, to bob who is away. */
  async #leaveWord(text: string): Promise<Written> {
    const written = await this.#write({ from: this.#alice, to: this.#bob, text, whileAway: true });
    const tick = await written.message.sent().then(
      () => "sent" as const,
      () => "waiting" as const,
    );
    if (tick === "sent") this.#taken.push(written);
    show(written, tick);
    return written;
  }

  async #write({ text, ...rest }: Omit<Written, "message"> & { readonly text: string }): Promise<Written> {
    const written = { ...rest, message: await rest.from.say(rest.to.name, text) };
    this.#written.push(written);
    return written;
  }

  #search(): void {
    const userIds = this.#people.map(({ userId }) => userId).filter((userId) => userId !== "");
    const texts = [...this.#written, ...this.#writtenToGroup].map(({ message }) => message.text);
    this.#searches.push(search(this.#server.state, { texts: [...texts, TITLE], userIds }));
    this.#groupSearches.push(searchGroups(this.#server.state, { title: TITLE, userIds }));
  }
}

function show({ from, message }: Pick<Written, "from" | "message">, tick: Tick): void {
  console.log(line({ at: message.sentAt, name: from.name, text: message.text, tick }));
}
