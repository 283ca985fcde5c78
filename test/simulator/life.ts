// One life of a program: from its start to its crash. A crash comes at a call of a port, before it or after it took effect;
// from then on no call ever returns, nobody calls back, and what was not committed never was.

import type {
  Clock,
  HttpRequest,
  HttpResponse,
  KeyRange,
  Network,
  Socket,
  SocketEvents,
  SocketRequest,
  Store,
  StoredEntry,
  StoreReader,
  StoreWriter,
} from "../../client/ports.ts";
import type { Bytes } from "#wire";
import type { Secret } from "#crypto";
import type { Dice } from "../support/random.ts";
import { whenKnown } from "./platform/outcome.ts";

class Gone extends Error {
  override readonly name = "Gone";
}

export interface LifeOptions {
  readonly dice: Dice;
  /** How probable a crash is now, at each call of a port. */
  readonly risk: () => number;
}

export class Life {
  /** Rejects at the end, for work that must be undone. */
  readonly ended: Promise<never>;
  readonly #options: LifeOptions;
  #reject: (reason: Gone) => void = () => undefined;
  #isOver = false;
  readonly #atEnd: (() => void)[] = [];

  constructor(options: LifeOptions) {
    this.#options = options;
    this.ended = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    this.ended.catch(() => undefined);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  onEnd(act: () => void): void {
    this.#atEnd.push(act);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reject(new Gone());
    for (const act of this.#atEnd) act();
  }

  /** Never settles once this life is over. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      if (this.#dies()) return;
      const settle = (act: () => void): void => {
        if (!this.#dies()) act();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      void whenKnown(work(), (value) => settle(() => resolve(value)), fail);
    });
  }

  callback<A extends readonly unknown[]>(act: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      if (!this.#dies()) act(...args);
    };
  }

  /** For what returns nothing that could fail to come. */
  tell(act: () => void): void {
    if (!this.#dies()) act();
  }

  #dies(): boolean {
    if (!this.#isOver && this.#options.dice.chance(this.#options.risk())) this.end();
    return this.#isOver;
  }
}

export class MortalStore implements Store {
  readonly #store: Store;
  readonly #life: Life;

  constructor(store: Store, life: Life) {
    this.#store = store;
    this.#life = life;
    life.onEnd(() => void store.close());
  }

  unlock(): Promise<Secret> {
    return this.#life.call(() => this.#store.unlock());
  }

  read<T>(work: (transaction: StoreReader) => Promise<T>): Promise<T> {
    return this.#life.call(() => this.#store.read((inner) => this.#whileAlive(work(new MortalReader(inner, this.#life)))));
  }

  write<T>(work: (transaction: StoreWriter) => Promise<T>): Promise<T> {
    return this.#life.call(() => this.#store.write((inner) => this.#whileAlive(work(new MortalWriter(inner, this.#life)))));
  }

  onForeignWrite(listener: () => void): () => void {
    return this.#life.isOver ? () => undefined : this.#store.onForeignWrite(this.#life.callback(listener));
  }

  close(): Promise<void> {
    return this.#life.call(() => this.#store.close());
  }

  /** A transaction is undone by a crash in its middle. */
  async #whileAlive<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#life.ended]);
  }
}

class MortalReader<T extends StoreReader> implements StoreReader {
  protected readonly inner: T;
  protected readonly life: Life;

  constructor(inner: T, life: Life) {
    this.inner = inner;
    this.life = life;
  }

  get(key: string): Promise<Bytes | undefined> {
    return this.life.call(() => this.inner.get(key));
  }

  scan(range: KeyRange): Promise<readonly StoredEntry[]> {
    return this.life.call(() => this.inner.scan(range));
  }
}

class MortalWriter extends MortalReader<StoreWriter> implements StoreWriter {
  put(key: string, value: Bytes): void {
    this.life.tell(() => this.inner.put(key, value));
  }

  delete(key: string): void {
    this.life.tell(() => this.inner.delete(key));
  }
}

/** A network that only this life uses. */
export class MortalNetwork implements Network {
  readonly #network: Network;
  readonly #life: Life;

  constructor(network: Network & { drop(): void }, life: Life) {
    this.#network = network;
    this.#life = life;
    life.onEnd(() => network.drop());
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return this.#life.call(() => this.#network.request(request));
  }

  openSocket(request: SocketRequest, events: SocketEvents): Socket {
    const life = this.#life;
    if (life.isOver) return { send: () => undefined, close: () => undefined };
    const socket = this.#network.openSocket(request, {
      opened: life.callback(() => events.opened()),
      text: life.callback((data) => events.text(data)),
      binary: life.callback((data) => events.binary(data)),
      closed: life.callback((code) => events.closed(code)),
    });
    return { send: (data) => life.tell(() => socket.send(data)), close: () => life.tell(() => socket.close()) };
  }

  onWake(listener: () => void): () => void {
    return this.#life.isOver ? () => undefined : this.#network.onWake(this.#life.callback(listener));
  }
}

export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #life: Life;

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  nowMilliseconds(): number {
    return this.#clock.nowMilliseconds();
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.#clock.after(milliseconds, this.#life.callback(callback));
  }
}
