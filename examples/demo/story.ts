// What happens in the demo, in order. Prints it as it happens, and keeps what was observed for the judgement.

import { join } from "node:path";
import type { Message } from "#client";
import { Person } from "./person.ts";
import type { Observed } from "./promises.ts";
import { line, scene, type Tick } from "./screen.ts";
import { type Search, search } from "./search.ts";
import type { DemoServer } from "./server.ts";

interface Written {
  readonly from: Person;
  readonly to: Person;
  readonly message: Message;
  readonly whileAway: boolean;
}

export class Story {
  readonly #server: DemoServer;
  readonly #alice: Person;
  readonly #bob: Person;
  readonly #written: Written[] = [];
  readonly #searches: Search[] = [];
  readonly #safetyNumbers: string[] = [];
  /** Those of which the server has said that it has them, while the reader was away. */
  readonly #taken: Written[] = [];
  #held: readonly Written[] = [];
  #killed = false;

  constructor(server: DemoServer, folder: string) {
    this.#server = server;
    this.#alice = new Person("alice", join(folder, "alice.db"));
    this.#bob = new Person("bob", join(folder, "bob.db"));
  }

  async tell(): Promise<void> {
    await this.#bothAreThere();
    await this.#bobIsAway();
    await this.#serverDies();
    await this.#bobIsBack();
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
      shown: new Map([this.#alice, this.#bob].map(({ name, shown }) => [name, shown])),
      killed: this.#killed,
      searches: this.#searches,
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
      await this.#alice.isTold(written.message, "delivered");
      show(written, "delivered");
    }
    console.log(scene("bob reads, and answers"));
    await this.#bob.read(this.#alice.name);
    for (const { message } of missed) await this.#alice.isTold(message, "read");
    await this.#talk(this.#bob, this.#alice, "Seven, pier four, umbrella. Understood.");
    await this.#talk(this.#alice, this.#bob, "Until Tuesday, then.");
  }

  async #compare(): Promise<void> {
    this.#search();
    for (const [one, other] of [[this.#alice, this.#bob] as const, [this.#bob, this.#alice] as const]) {
      const peer = await one.client.contacts.find(other.name);
      this.#safetyNumbers.push((await peer.verification()).safetyNumber);
    }
    await Promise.all([this.#alice.leave(), this.#bob.leave()]);
  }

  /** Both are there: it is delivered and read at once. */
  async #talk(from: Person, to: Person, text: string): Promise<void> {
    const written = await this.#write({ from, to, text, whileAway: false });
    await to.isShown(written.message);
    // Receipts of their own accord come a little later, so that their time says little.
    await to.read(from.name);
    await from.isTold(written.message, "read");
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
    const userIds = [this.#alice, this.#bob].map(({ userId }) => userId);
    const texts = this.#written.map(({ message }) => message.text);
    this.#searches.push(search(this.#server.state, { texts, userIds }));
  }
}

function show({ from, message }: Written, tick: Tick): void {
  console.log(line({ at: message.sentAt, name: from.name, text: message.text, tick }));
}
