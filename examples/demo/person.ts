// Somebody with a program and a store of their own: what they say, what they are shown, and what they learn about what they said.

import { type Client, createClient, type Message } from "#client";
import { sqlite } from "#client/sqlite";
import type { Receipt } from "./promises.ts";

export class Person {
  readonly name: string;
  /** The texts of the other, in the order in which they were shown. */
  readonly shown: string[] = [];
  userId = "";
  readonly #receipts = new Map<string, Receipt[]>();
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

  /** Looks at everything, and tells. */
  async read(from: string): Promise<void> {
    await (await this.client.conversations.direct(from)).markRead();
    await this.client.settled();
  }

  receiptsOf({ id }: Message): readonly Receipt[] {
    return this.#receipts.get(id) ?? [];
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

  async isTold(message: Message, receipt: Receipt): Promise<void> {
    await this.#until(() => this.receiptsOf(message).includes(receipt));
  }

  async isShown({ text }: Message): Promise<void> {
    await this.#until(() => this.shown.includes(text));
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #live(client: Client): Promise<void> {
    for await (const event of client.events()) {
      if (event.type === "request") await event.accept();
      if (event.type === "message" && !event.message.own) this.shown.push(event.message.text);
      if (event.type === "receipt")
        for (const id of event.messageIds) this.#receipts.set(id, [...(this.#receipts.get(id) ?? []), event.kind]);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}
