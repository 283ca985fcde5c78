// A real server, and people whose clients reach it through a liar of their own, all in this process but the server.

import "edgewise/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Client, createClient, type Message, type NoticeEvent } from "#client";
import { memory, SharedMemory } from "edgewise/store/memory";
import type { UserId } from "#wire";
import { RunningServer } from "../../server/running-server.ts";
import { HandClock } from "./hand-clock.ts";
import { Liar } from "./liar.ts";

/** Long, because a shared machine is slow at times. */
export const PATIENCE = { timeout: 30_000, interval: 10 } as const;

export const START_TIMEOUT = 60_000;

export class Town {
  readonly #server: RunningServer;
  readonly #folder: string;
  readonly #people: Person[] = [];

  private constructor(server: RunningServer, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<Town> {
    const folder = mkdtempSync(join(tmpdir(), "edgewise-liar-"));
    return new Town(await RunningServer.start(join(folder, "state"), `1:${"L".repeat(43)}`, 0, env), folder);
  }

  /** Somebody with an account. Their username is `name` and a number. */
  async newcomer(name: string): Promise<Person> {
    const person = await this.stranger();
    await person.client.register({ username: `${name}${this.#people.length}`, name });
    return person;
  }

  /** Somebody who has no account yet. */
  async stranger(): Promise<Person> {
    const person = await Person.open(this.#server.url);
    this.#people.push(person);
    return person;
  }

  /** Two people who are contacts, have heard from each other, and receive. */
  async friends(): Promise<readonly [Person, Person]> {
    const [alice, bob] = [await this.newcomer("alice"), await this.newcomer("bob")];
    await introduce(alice, bob);
    return [alice, bob];
  }

  async close(): Promise<void> {
    for (const { client } of this.#people) await client.close();
    await this.#server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
    const mistakes = this.#people.flatMap(({ liar }) => liar.mistakes);
    if (mistakes.length > 0) throw new AggregateError(mistakes, "a lie that could not be told");
  }
}

/** After this both have sessions that the other has answered. */
export async function introduce(alice: Person, bob: Person): Promise<void> {
  await alice.send(bob, "hello");
  await alice.client.settled();
  await bob.client.connect();
  await expect.poll(async () => (await bob.client.contacts.listRequests()).map(({ userId }) => userId), PATIENCE).toContain(alice.userId);
  await bob.client.contacts.accept(alice.userId);
  await bob.send(alice, "hello yourself");
  await bob.client.settled();
  await alice.client.connect();
  await expect.poll(() => alice.read(bob), PATIENCE).toEqual(["hello", "hello yourself"]);
  await alice.client.settled();
  await expect.poll(async () => (await bob.messages(alice)).at(-1)?.state, PATIENCE).toBe("delivered");
  for (const { liar } of [alice, bob]) liar.acknowledged.splice(0);
}

/** Waits until the server was told to forget so many messages, since the last wait. */
export async function settles({ liar }: Person, count: number): Promise<void> {
  await expect.poll(() => liar.acknowledged.length, PATIENCE).toBe(count);
  liar.acknowledged.splice(0);
}

function start({ server, liar, clock, shared }: Parts): Promise<Client> {
  return createClient({ server, store: memory({ shared }), network: liar, clock });
}

interface Parts {
  readonly liar: Liar;
  readonly clock: HandClock;
  readonly shared: SharedMemory;
  readonly server: string;
}

export class Person {
  readonly liar: Liar;
  readonly clock: HandClock;
  readonly shared: SharedMemory;
  readonly #parts: Parts;
  #client: Client;

  private constructor(parts: Parts, client: Client) {
    this.#parts = parts;
    this.#client = client;
    ({ liar: this.liar, clock: this.clock, shared: this.shared } = parts);
  }

  static async open(server: string): Promise<Person> {
    const parts = { server, liar: new Liar(), clock: new HandClock(), shared: new SharedMemory() };
    return new Person(parts, await start(parts));
  }

  get client(): Client {
    return this.#client;
  }

  get userId(): UserId {
    return this.#client.account.userId;
  }

  /** The program ends, and another begins with what was stored. */
  async restart(): Promise<void> {
    await this.#client.close();
    this.#client = await start(this.#parts);
  }

  async send(to: Person, text: string): Promise<Message> {
    return await (await this.#client.conversations.direct(to.userId)).send(text);
  }

  /** Oldest first. */
  async messages(other: Person): Promise<readonly Message[]> {
    return (await (await this.#client.conversations.direct(other.userId)).history()).toReversed();
  }

  /** The texts, with ~ before those before which something never came. */
  async read(other: Person): Promise<readonly string[]> {
    return (await this.messages(other)).map(({ text, gapBefore }) => (gapBefore ? `~${text}` : text));
  }

  /** Without what two friends begin with. */
  async readNew(other: Person): Promise<readonly string[]> {
    return (await this.read(other)).slice(2);
  }

  async state(message: Message): Promise<string> {
    const { state, error } = await this.#client.message(message.id);
    return error === undefined ? state : `${state}: ${error}`;
  }

  /** What this person was told besides messages, from the beginning. */
  async notices(): Promise<readonly string[]> {
    const found: NoticeEvent[] = [];
    for await (const event of this.#client.events({ after: "0", wait: false })) if (event.type === "notice") found.push(event);
    return found.map(({ kind, reason }) => (reason === undefined ? kind : `${kind}: ${reason}`));
  }
}
