// Somebody with a phone: a program on a client that writes, reads, answers, goes out of reach, is closed and opened, and
// crashes. What it has seen it keeps together with its cursor, as a good program does.

import type { Client, ClientEvent, Conversation, Cursor, DirectConversation, Message, NoticeEvent } from "../../client/api.ts";
import { ClientError } from "../../client/errors.ts";
import { memory, SharedMemory } from "../../client/store/memory.ts";
import type { Bytes, MessageId, UserId } from "#wire";
import type { SimulatedNetwork } from "./platform/network.ts";
import type { Simulation } from "./platform/simulation.ts";
import { GroupTalk, isToEverybody } from "./group-talk.ts";
import { EVERYBODY, type Ledger, type Text, wordsOf } from "./ledger.ts";
import { Life, MortalClock, MortalNetwork, MortalStore } from "./life.ts";
import type { CreateClient, Storm } from "./storm.ts";

/** Of settling: what failed in the storm is tried again in the calm. */
const TRIES = 5;
/** Texts that somebody writes in one go. */
const MOST_AT_ONCE = 12;
/** Less than the hundred texts that a client keeps of somebody who was not accepted. */
const MOST_FROM_STRANGERS = 90;
const SERVER = "http://server.test";

export interface PersonOptions {
  readonly name: string;
  readonly simulation: Simulation;
  readonly ledger: Ledger;
  readonly storm: Storm;
  readonly createClient: CreateClient;
  /** Everybody who is to be in one group, its maker first. Nobody: there is none. */
  readonly group: () => readonly Person[];
  /** A store that somebody registered with before. */
  readonly store?: StoreImage;
}

export interface StoreImage {
  readonly key: Bytes;
  readonly entries: readonly { readonly key: string; readonly value: Bytes }[];
}

/** A message as it was when it was shown. */
interface Shown {
  readonly id: MessageId;
  readonly text: Text;
}

export class Person {
  readonly name: string;
  readonly shown: Shown[] = [];
  /** What was marked as read, before it was. */
  readonly marked = new Set<MessageId>();
  /** Names of those who were accepted for certain. */
  readonly accepted = new Set<string>();
  crashes = 0;
  userId: UserId | undefined;
  readonly #options: PersonOptions;
  readonly #groupTalk: GroupTalk;
  readonly #memory = new SharedMemory();
  #cursor: Cursor | undefined;
  #life: Life | undefined;
  #client: Client | undefined;
  #network: SimulatedNetwork | undefined;
  #isOnline = true;
  #leaving = new AbortController();
  #over = false;

  constructor(options: PersonOptions) {
    this.#options = options;
    this.name = options.name;
    const { simulation, ledger, storm, group: people } = options;
    this.#groupTalk = new GroupTalk({
      self: this,
      dice: simulation.dice,
      ledger,
      people,
      removal: storm.removal,
      send: (conversation, readers) => this.#say(conversation, () => ledger.intend(this.name, EVERYBODY, readers)),
      answer: (message, conversation, readers) => this.#answer(message, conversation, () => ledger.intend(this.name, EVERYBODY, readers)),
    });
  }

  /** `undefined` between two lives. */
  get client(): Client | undefined {
    return this.#life?.isOver === true ? undefined : this.#client;
  }

  /** One life after another. */
  async live(): Promise<void> {
    const { clock, dice } = this.#options.simulation;
    await this.#load();
    while (!this.#over) {
      const life = new Life({ dice, risk: () => this.#options.storm.crashClient });
      this.#life = life;
      this.#leaving = new AbortController();
      try {
        await Promise.race([life.ended, this.#run(life)]);
      } catch (error) {
        if (life.isOver) this.crashes++;
        else this.#failed("running", error);
      }
      life.end();
      this.#client = undefined;
      if (!this.#over) await clock.sleep(dice.roll(this.#options.storm.absence + 1));
    }
  }

  /** Nothing new is written any more, and everybody is in reach. */
  calmDown(): void {
    this.#isOnline = true;
    this.#network?.goOnline();
  }

  end(): void {
    this.#over = true;
    this.#life?.end();
  }

  /** Does so many things, one after another, over as many lives as it takes. */
  async busy(others: readonly Person[], actions: number): Promise<void> {
    const { clock, dice } = this.#options.simulation;
    for (let left = actions; left > 0; left--) {
      await clock.sleep(dice.chance(0.1) ? dice.roll(60_000) : dice.roll(3000));
      const life = this.#life;
      if (life === undefined || life.isOver) continue;
      try {
        await Promise.race([life.ended, this.#act(others)]);
      } catch {
        // This life ended in the middle of it.
      }
    }
  }

  /** In peace; the others accept it when they settle. */
  async makeGroup(): Promise<void> {
    if (this.client !== undefined) await this.#groupTalk.act(this.client);
  }

  /** Whether what waited is here. */
  get isLive(): boolean {
    return this.client?.state === "registered" && this.client.connection.value.status === "live";
  }

  /** In words, for a complaint. */
  get status(): string {
    const { client } = this;
    if (client === undefined) return `${this.name} is not there`;
    const { status, error } = client.connection.value;
    return `${this.name} is ${client.state}, ${status}${error === undefined ? "" : `, ${error}`}`;
  }

  /** Whoever asks is accepted, and everything owed is out. */
  async settle(): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    await this.#trying("accepting", this.#accept(client));
    for (let tries = 1; ; tries++) {
      try {
        return await client.settled();
      } catch (error) {
        if (tries < TRIES) continue;
        return this.#options.ledger.complain(
          "stuck",
          `${this.name} cannot settle: ${error instanceof ClientError ? error.code : String(error)}`,
        );
      }
    }
  }

  /** Does one thing, or tries to. */
  async #act(others: readonly Person[]): Promise<void> {
    const { dice } = this.#options.simulation;
    const { client } = this;
    if (client === undefined || client.state === "new") return;
    try {
      if (this.#options.group().length > 0 && dice.chance(0.5)) await this.#groupTalk.act(client);
      else await this.#something(client, dice.pick(others));
    } catch (error) {
      this.#failed("acting", error);
    }
  }

  async image(): Promise<StoreImage> {
    const store = memory({ shared: this.#memory });
    const key = (await store.unlock()).expose().slice();
    const entries = await store.read((transaction) => transaction.scan({ from: "", to: "\uffff" }));
    await store.close();
    return { key, entries };
  }

  async #load(): Promise<void> {
    const { store: image } = this.#options;
    if (image === undefined) return;
    const store = memory({ shared: this.#memory, random: () => image.key.slice() });
    await store.unlock();
    await store.write(async (transaction) => {
      for (const { key, value } of image.entries) transaction.put(key, value);
      await Promise.resolve();
    });
    await store.close();
  }

  async #run(life: Life): Promise<void> {
    const network = this.#newNetwork();
    this.#network = network;
    const client = await this.#open(life, network);
    this.#client = client;
    await this.#register(client);
    if (client.state === "new") return;
    this.userId = client.account.userId;
    void this.#connect(client);
    await this.#read(client);
    await client.close();
  }

  #newNetwork(): SimulatedNetwork {
    const network = this.#options.simulation.network();
    if (!this.#isOnline) network.goOffline();
    return network;
  }

  async #open(life: Life, network: SimulatedNetwork): Promise<Client> {
    const { simulation, createClient } = this.#options;
    return await createClient({
      server: SERVER,
      store: new MortalStore(memory({ shared: this.#memory }), life),
      network: new MortalNetwork(network, life),
      clock: new MortalClock(simulation.clock, life),
    });
  }

  /** A second program on the same store, for one text: it does not receive. */
  async #sendBeside(other: Person): Promise<void> {
    const { dice } = this.#options.simulation;
    const life = new Life({ dice, risk: () => this.#options.storm.crashClient });
    const work = async (): Promise<void> => {
      const client = await this.#open(life, this.#newNetwork());
      await this.#send(await client.conversations.direct(other.name), other);
      await client.settled();
      await client.close();
    };
    try {
      await Promise.race([life.ended, work()]);
    } catch (error) {
      if (!life.isOver) this.#failed("sending beside", error);
    }
    life.end();
  }

  async #register(client: Client): Promise<void> {
    const { clock } = this.#options.simulation;
    while (client.state === "new") {
      try {
        await client.register({ username: this.name });
      } catch (error) {
        this.#failed("registering", error);
        if (error instanceof ClientError && !error.retryable) return this.#giveUp(error);
        await clock.sleep(1000);
      }
    }
  }

  /** Names are everybody's own, and this server takes anybody: nothing that stays may be in the way. */
  #giveUp({ code }: ClientError): void {
    this.#options.ledger.complain("broken-promise", `${this.name} cannot register: ${code}`);
    this.end();
  }

  /** When it says that everything that waited is here, it has to be. */
  async #connect(client: Client): Promise<void> {
    const { ledger, simulation } = this.#options;
    const waited = ledger.texts.filter(({ to, isAcknowledged }) => to === this.name && isAcknowledged);
    try {
      await client.connect();
      for (const { id } of waited) if (id !== undefined) await client.message(id);
    } catch (error) {
      if (error instanceof ClientError && error.code === "unknown-message") {
        ledger.complain("broken-promise", `${this.name} does not have everything that waited`);
      }
      this.#failed("connecting", error);
    }
    // A request of a life before may come after ours. Nobody but us knows that there is no other program.
    client.connection.subscribe(({ error }) => {
      if (error === "replaced-elsewhere") simulation.clock.after(1000, () => void this.#trying("connecting", client.connect()));
    });
  }

  /** Until it is closed. */
  async #read(client: Client): Promise<void> {
    const { signal } = this.#leaving;
    try {
      for await (const event of client.events({ signal, ...(this.#cursor === undefined ? {} : { after: this.#cursor }) })) {
        if (this.#life?.isOver === true) return;
        this.#see(event);
        this.#cursor = event.cursor;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #see(event: ClientEvent): void {
    const { ledger, simulation, storm } = this.#options;
    switch (event.type) {
      case "message":
        return this.#seeMessage(event.message);
      case "receipt":
        for (const messageId of event.messageIds) ledger.claims.push({ kind: event.kind, by: event.by.userId, messageId, to: this.name });
        return;
      case "request":
        if (simulation.dice.chance(storm.acceptAtOnce)) void this.#trying("accepting", event.accept());
        return;
      case "notice":
        if (!this.#isExpected(event))
          ledger.complain(
            event.kind === "unreadable" ? "undecryptable" : "broken-promise",
            `${this.name} was told: ${event.kind} ${event.reason ?? ""}`,
          );
        return;
      case "edit":
      case "delete":
      case "reaction":
      case "typing":
      case "presence":
      case "link-request":
    }
  }

  #isExpected({ kind, reason }: NoticeEvent): boolean {
    const { ledger } = this.#options;
    // What is said to a group may come before its key, and is asked for again then.
    if (kind === "unreadable") return reason === "no-sender-key";
    // Whoever is removed is told about what had not gone out.
    if (kind === "not-sent") return reason === "not-a-member" && ledger.removed.has(this.name);
    return kind === "device-added" || kind === "group-changed";
  }

  #seeMessage(message: Message): void {
    const { ledger } = this.#options;
    const { id } = message;
    const text = ledger.find(message.text, id);
    if (text === undefined || (!message.own && !text.readers.includes(this.name))) {
      ledger.complain(
        ledger.removed.has(this.name) ? "at-a-removed-member" : "unexpected",
        `${this.name} was shown ${JSON.stringify(message.text)}`,
      );
      return;
    }
    if (message.own) return;
    const words = wordsOf(text);
    const { conversation } = message;
    if (isToEverybody(text) ? conversation.kind !== "group" : conversation.id !== message.from.userId)
      ledger.complain("wrong-conversation", `${this.name} was shown ${words} elsewhere`);
    if (this.shown.some((one) => one.id === id)) ledger.complain("duplicated", `${this.name} was shown ${words} twice`);
    const last = this.shown.findLast((one) => one.text.from === text.from && one.text.to === text.to);
    if (last !== undefined && last.text.number > text.number) {
      const detail = `${this.name} was shown ${words} after ${wordsOf(last.text)}`;
      if (isToEverybody(text)) ledger.complainInGroup("reordered", detail);
      else ledger.complain("reordered", detail);
    }
    this.shown.push({ id, text });
  }

  async #something(client: Client, other: Person): Promise<void> {
    const { dice, clock } = this.#options.simulation;
    const what = dice.roll(100);
    if (what < 3) return this.#goOut();
    if (what < 6) {
      this.#leaving.abort();
      return;
    }
    if (what < 9) return this.#sendBeside(other);
    const conversation = await client.conversations.direct(other.name);
    if (what < 50) return this.#send(conversation, other);
    if (what < 70) {
      for (let left = dice.roll(MOST_AT_ONCE); left > 0; left--) {
        await this.#send(conversation, other);
        if (dice.chance(0.3)) await clock.sleep(dice.roll(300));
      }
      return;
    }
    if (what < 73) return conversation.setTyping(dice.chance(0.5));
    if (what < 75) return this.#accept(client);
    const page = await conversation.history({ limit: 10 });
    if (page.length === 0) return;
    const message = dice.pick(page);
    await this.#answer(message, conversation, () => this.#intend(conversation, other));
  }

  async #answer(message: Message, conversation: Conversation, intend: () => Text | undefined): Promise<void> {
    const { dice } = this.#options.simulation;
    const what = dice.roll(10);
    if (message.own) {
      // Perhaps it was stored in a life that did not get to hear of it.
      if (!message.deleted) this.#options.ledger.find(message.text, message.id);
      if (what < 5) await message.edit(`${message.text.split(" edited ", 1)[0] ?? ""} edited ${dice.roll(1000)}`);
      else if (what < 6) await message.delete();
      return;
    }
    if (what < 5) {
      const all = await conversation.history({ limit: 1000 });
      for (const earlier of all) if (!earlier.own) this.marked.add(earlier.id);
      await conversation.markRead(all[0]);
    } else if (what < 8) await message.react(dice.pick(["👍", "👎", ""]));
    else await this.#say(conversation, intend, message);
  }

  async #send(conversation: DirectConversation, other: Person): Promise<void> {
    await this.#say(conversation, () => this.#intend(conversation, other));
  }

  /** Nothing, when a stranger has said enough. */
  #intend({ peer }: DirectConversation, other: Person): Text | undefined {
    const { ledger } = this.#options;
    const isKnown = peer.contact === "accepted" && other.accepted.has(this.name);
    if (!isKnown && ledger.countTexts(this.name, other.name) >= MOST_FROM_STRANGERS) return undefined;
    return ledger.intend(this.name, other.name);
  }

  async #say(conversation: Conversation, intend: () => Text | undefined, replyTo?: Message): Promise<void> {
    const { ledger } = this.#options;
    const text = intend();
    if (text === undefined) return;
    const message = await conversation.send(wordsOf(text), replyTo === undefined ? {} : { replyTo });
    ledger.stored(text, message.id);
    void this.#trying(
      "waiting",
      message.sent().then(() => {
        text.isAcknowledged = true;
        return undefined;
      }),
    );
  }

  /** Everybody who asks. */
  async #accept(client: Client): Promise<void> {
    const undo = client.contacts.requests.subscribe(() => undefined);
    await this.#options.simulation.clock.sleep(10);
    for (const peer of client.contacts.requests.value) {
      await client.contacts.accept(peer);
      this.accepted.add(peer.name);
    }
    undo();
  }

  #goOut(): void {
    const { dice, clock } = this.#options.simulation;
    this.#isOnline = false;
    this.#network?.goOffline();
    clock.after(dice.roll(this.#options.storm.absence + 1), () => {
      this.#isOnline = true;
      this.#network?.goOnline();
    });
  }

  async #trying(what: string, work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failed(what, error);
    }
  }

  /** A client may refuse, and may not break. */
  #failed(what: string, error: unknown): void {
    if (this.#life?.isOver === true || error instanceof ClientError) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.ledger.complain("exception", `${this.name} ${what}: ${text}`);
  }
}
