// Somebody with a program and a store of their own: what they say to one or to a group, what they are shown, and what they learn
// about what they said.

import { type Client, createClient, type Message } from "#client";
import { sqlite } from "#client/sqlite";
import type { Receipt } from "./promises.ts";

interface Told {
  readonly kind: Receipt;
  /** The userId of whoever has got it. */
  readonly by: string;
}

export class Person {
  readonly name: string;
  /** The texts of others to them alone, in the order in which they were shown. */
  readonly shown: string[] = [];
  /** As above, to groups. */
  readonly shownInGroups: string[] = [];
  userId = "";
  readonly #receipts = new Map<string, Told[]>();
  /** What they were told about groups: `joined`, `remove`, and `removed` of themselves. */
  readonly #changes: string[] = [];
  readonly #store: string;
  #running: { readonly client: Client; readonly living: Promise<void> } | undefined;
  #waiting: (() => void)[] = [];

  constructor(name: string, store: string) {
    this.name = name;
    this.#store = store;
  }

  get client(): Client {
    if (this.#running === undefined) throw new Error(`${this.name} is not there`);
    return this.#running.client;
  }

  /** Starts the program, the first time with a new account. Resolves when everything that waited is here. */
  async arrive(server: string): Promise<void> {
    const client = await createClient({ server, store: sqlite(this.#store) });
    if (client.state === "new") await client.register({ username: this.name });
    this.userId = client.account.userId;
    this.#running = { client, living: this.#live(client) };
    await client.connect();
  }

  /** Ends the program; what remains is its file. */
  async leave(): Promise<void> {
    await this.#running?.client.close();
    await this.#running?.living;
    this.#running = undefined;
  }

  async say(to: string, text: string): Promise<Message> {
    return await (await this.client.conversations.direct(to)).send(text);
  }

  async makeGroup(title: string, members: readonly string[]): Promise<void> {
    await this.client.conversations.createGroup(title, members);
  }

  async sayToGroup(title: string, text: string): Promise<Message> {
    return await (await this.client.conversations.group(title)).send(text);
  }

  async removeFromGroup(title: string, member: string): Promise<void> {
    await (await this.client.conversations.group(title)).remove([member]);
  }

  /** Looks at everything that somebody wrote, and tells. */
  async read(from: string): Promise<void> {
    await (await this.client.conversations.direct(from)).markRead();
    await this.client.settled();
  }

  /** Looks at everything in a group, and tells whoever wrote it. */
  async readGroup(title: string): Promise<void> {
    await (await this.client.conversations.group(title)).markRead();
    await this.client.settled();
  }

  receiptsOf({ id }: Message): readonly Receipt[] {
    return (this.#receipts.get(id) ?? []).map(({ kind }) => kind);
  }

  /** The server has everything that they wrote: their program tries again by itself. */
  async hasSent(): Promise<void> {
    const { connection } = this.client;
    await new Promise<void>((resolve) => {
      connection.subscribe(({ queued }) => {
        if (queued === 0) resolve();
      });
    });
  }

  async isTold({ id }: Message, receipt: Receipt, reader: Person): Promise<void> {
    await this.#until(() => this.#receipts.get(id)?.some(({ kind, by }) => kind === receipt && by === reader.userId) === true);
  }

  async isShown({ text }: Message): Promise<void> {
    await this.#until(() => this.shown.includes(text) || this.shownInGroups.includes(text));
  }

  /** They know that they are in a group, or that somebody was removed from it. */
  async knowsOf(change: "joined" | "remove" | "removed"): Promise<void> {
    await this.#until(() => this.#changes.includes(change));
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #live(client: Client): Promise<void> {
    for await (const event of client.events()) {
      if (event.type === "request") await event.accept();
      if (event.type === "message" && !event.message.own) this.#see(event.message);
      if (event.type === "notice" && event.kind === "group-changed") this.#changes.push(event.reason ?? "");
      if (event.type === "receipt") {
        const told = { kind: event.kind, by: event.by.userId };
        for (const id of event.messageIds) this.#receipts.set(id, [...(this.#receipts.get(id) ?? []), told]);
      }
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
  #see({ conversation, text }: Message): void {
    (conversation.kind === "group" ? this.shownInGroups : this.shown).push(text);
  }
}
