// Somebody with a store and a wire to the server, whose program is started and killed again and again.

import "edgewise/node";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "#client";
import { sqlite } from "edgewise/store/node-sqlite";
import type { Dice } from "../../support/random.ts";
import { isBefore, type Look, readerOf, sentBy, type Standing, standingOf } from "./standing.ts";
import type { Reader, Traffic } from "./traffic.ts";
import type { Wire } from "./wire.ts";

const LONGEST_LIFE_MILLISECONDS = 900;
const SIDES = ["sending", "receiving"] as const;

export interface Surroundings {
  readonly program: string;
  readonly peer: Person;
  readonly traffic: Traffic;
  readonly dice: Dice;
}

export class Person {
  readonly name: string;
  readonly path: string;
  readonly wire: Wire;
  readonly reader: Reader;
  readonly problems: string[] = [];
  kills = 0;
  /** The last number that the program said was stored. */
  stored = -1;
  #standing: Standing | undefined;

  /** With an account and without a program. */
  static async register(name: string, path: string, wire: Wire): Promise<Person> {
    const client = await createClient({ server: wire.url, store: sqlite(path) });
    await client.register({ username: name });
    await client.close();
    return new Person(name, path, wire, await readerOf(path));
  }

  private constructor(name: string, path: string, wire: Wire, reader: Reader) {
    this.name = name;
    this.path = path;
    this.wire = wire;
    this.reader = reader;
  }

  /** In this process, which nobody kills. */
  async client(): Promise<Client> {
    return await createClient({ server: this.wire.url, store: sqlite(this.path) });
  }

  /** Most lives end some time after the program was first heard, some at any time after its start. */
  async live({ program, peer, traffic, dice }: Surroundings): Promise<void> {
    const self = this.reader.userId;
    const args = [program, this.wire.url, this.path, this.name, peer.reader.userId];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "close");
    const { heard, errors } = this.#listen(child);
    if (dice.chance(0.7)) await Promise.race([heard, ended]);
    await sleep(dice.roll(LONGEST_LIFE_MILLISECONDS));
    child.kill("SIGKILL");
    await ended;
    if (child.signalCode === "SIGKILL") this.kills++;
    else this.#complain(`the program ended by itself: ${errors()}`);
    await this.wire.quiet();
    await this.#look({ path: this.path, self, peer: peer.reader.userId, traffic });
  }

  #listen({ stdout, stderr }: ChildProcess): { readonly heard: Promise<void>; readonly errors: () => string } {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    let errors = "";
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    let rest = "";
    stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(Number(line));
      resolve();
    });
    return { heard, errors: () => errors };
  }

  #hear(number: number): void {
    if (number <= this.stored) this.#complain(`number ${number} comes after ${this.stored}`);
    this.stored = number;
  }

  async #look(look: Look): Promise<void> {
    try {
      const now = await standingOf(look);
      this.#compare(now, look);
      this.#standing = now;
    } catch (error) {
      this.#complain(`the store: ${String(error)}`);
    }
  }

  #compare(now: Standing, { self, traffic }: Look): void {
    const [before, left] = [this.#standing, sentBy(self, traffic)];
    if (isBefore(now.sending, left)) this.#complain(`the session is at ${now.sending.join("/")}, what was sent at ${left.join("/")}`);
    if (before === undefined) return;
    for (const side of SIDES) if (isBefore(now[side], before[side])) this.#complain(`the session went back (${side})`);
    if (now.counters.some((counter, i) => counter < (before.counters[i] ?? 0))) this.#complain("the counters went back");
  }

  #complain(problem: string): void {
    this.problems.push(`${this.name}: ${problem}`);
  }
}
