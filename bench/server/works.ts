// The works: each runs once a round against each server and says what it saw. A message counts when it has arrived.

import { setTimeout as sleep } from "node:timers/promises";
import type { User } from "../floor-user.ts";
import { type Figure, percentiles } from "../rounds.ts";
import { runtimeUsage } from "./process-tree.ts";
import { newText, type Subject } from "./subjects.ts";

/** Users 0 to 7 write to users 8 to 15. */
export const PAIRS = 8;
const PERCENTS = [50, 95, 99];

/** One socket and whoever waits for a message on it. */
class Reader {
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #stop = new AbortController();
  readonly empty: Promise<void>;
  received = 0;

  constructor(user: User) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.empty = promise;
    const take = (text: string): void => {
      this.received++;
      this.#waiting.get(text)?.(performance.now());
      this.#waiting.delete(text);
    };
    void user.listen(take, this.#stop.signal, resolve);
  }

  /** When it came. */
  arrival(text: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(text, resolve);
    });
  }

  /** Says good-bye; the server's own farewell is nobody's time. */
  end(): void {
    this.#stop.abort();
  }
}

async function withReaders<T>(users: readonly User[], use: (readers: readonly Reader[]) => Promise<T>): Promise<T> {
  const readers = users.map((user) => new Reader(user));
  try {
    await Promise.all(readers.map(async ({ empty }) => await empty));
    return await use(readers);
  } finally {
    for (const reader of readers) reader.end();
  }
}

/** Sends one message and returns how many milliseconds it took to arrive. */
async function deliver(subject: Subject, pair: number, reader: Reader): Promise<number> {
  const text = newText();
  const start = performance.now();
  const [at] = await Promise.all([reader.arrival(text), subject.users[pair]?.sendTo(PAIRS + pair, text)]);
  return at - start;
}

/** Every pair keeps `window` messages under way. */
export async function pairs(subject: Subject, window: number, milliseconds: number): Promise<readonly Figure[]> {
  const work = `online pairs, window ${window}`;
  return await withReaders(subject.users.slice(PAIRS, 2 * PAIRS), async (readers) => {
    const delays: number[] = [];
    const start = performance.now();
    const cpu = runtimeUsage(subject.pid).cpuSeconds;
    const lanes = readers.flatMap((reader, pair) =>
      Array.from({ length: window }, async () => {
        while (performance.now() - start < milliseconds) delays.push(await deliver(subject, pair, reader));
      }),
    );
    await Promise.all(lanes);
    const seconds = (performance.now() - start) / 1000;
    const used = runtimeUsage(subject.pid).cpuSeconds - cpu;
    return [
      { work, unit: "messages/s", value: delays.length / seconds },
      ...percentiles(work, delays, PERCENTS),
      { work, unit: "CPU s per 1,000 messages (cost)", value: (1000 * used) / delays.length },
    ];
  });
}

/** Messages leave by the clock, whether or not earlier ones have arrived. */
export async function paced(subject: Subject, rate: number, milliseconds: number): Promise<readonly Figure[]> {
  return await withReaders(subject.users.slice(PAIRS, 2 * PAIRS), async (readers) => {
    const start = performance.now();
    const sent = Array.from({ length: (rate * milliseconds) / 1000 }, async (_, number) => {
      const due = start + (1000 * number) / rate;
      await sleep(Math.max(0, due - performance.now()));
      const reader = readers[number % PAIRS];
      if (reader === undefined) throw new RangeError("no such reader");
      const late = performance.now() - due;
      return late + (await deliver(subject, number % PAIRS, reader));
    });
    return percentiles(`paced, ${rate} messages/s`, await Promise.all(sent), PERCENTS);
  });
}

/** Nobody listens while `each` messages a pair are sent; then everybody comes. */
export async function offline(subject: Subject, each: number): Promise<readonly Figure[]> {
  await sleep(300); // until the server knows that everybody has left
  const accepted = performance.now();
  const lanes = Array.from({ length: 2 * PAIRS }, async (_, lane) => {
    const pair = lane % PAIRS;
    for (let i = 0; i < each / 2; i++) await subject.users[pair]?.sendTo(PAIRS + pair, newText());
  });
  await Promise.all(lanes);
  const drained = performance.now();
  const count = await withReaders(subject.users.slice(PAIRS, 2 * PAIRS), (readers) =>
    Promise.resolve(readers.reduce((sum, { received }) => sum + received, 0)),
  );
  const end = performance.now();
  if (count !== PAIRS * each) throw new Error(`${subject.name} kept ${count} of ${PAIRS * each} messages`);
  return [
    { work: "offline, accept", unit: "messages/s", value: (1000 * count) / (drained - accepted) },
    { work: "offline, drain", unit: "messages/s", value: (1000 * count) / (end - drained) },
  ];
}

/** Sockets opened until all that was queued has come, and closed. */
export async function connects(subject: Subject, each: number): Promise<readonly Figure[]> {
  const users = subject.users.slice(0, 2 * PAIRS);
  const start = performance.now();
  const lanes = users.map(async (user) => {
    for (let i = 0; i < each; i++) await withReaders([user], () => Promise.resolve());
  });
  await Promise.all(lanes);
  return [{ work: "connect", unit: "sockets/s", value: (1000 * each * users.length) / (performance.now() - start) }];
}

/** What a socket on which nothing happens keeps in memory, its mailbox still awake. */
export async function idle(subject: Subject): Promise<readonly Figure[]> {
  const before = runtimeUsage(subject.pid).residentBytes;
  return await withReaders(subject.users, async () => {
    await sleep(1000);
    const grown = runtimeUsage(subject.pid).residentBytes - before;
    return [{ work: "idle sockets", unit: "kB a socket (cost)", value: grown / 1000 / subject.users.length }];
  });
}
