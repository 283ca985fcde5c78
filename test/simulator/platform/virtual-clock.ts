// Time that moves only when everything that can happen now has happened. What happens is an event: a callback at a time;
// events of one time come in the order in which they were asked for. So one seed is one history. Knows nothing of what the
// events are about.

import type { Clock } from "../../../client/ports.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  /** `undefined` when it was called off. */
  callback: (() => void) | undefined;
}

// The runtime's own, whatever stands under this name during a run.
const realSetImmediate = setImmediate;

export class VirtualClock implements Clock {
  #now: number;
  #asked = 0;
  #heap: Event[] = [];
  #working = 0;

  constructor(startMilliseconds: number) {
    this.#now = startMilliseconds;
  }

  nowMilliseconds(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, Math.ceil(milliseconds)), order: this.#asked++, callback };
    push(this.#heap, event);
    return () => {
      event.callback = undefined;
    };
  }

  async sleep(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.after(milliseconds, resolve);
    });
  }

  /** Work outside of JavaScript, such as WebCrypto's: time stands still until it is done. */
  async native<T>(work: Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work;
    } finally {
      this.#working--;
    }
  }

  /** Everything that can happen at this time, short of the next event. */
  async settle(): Promise<void> {
    do await turn();
    while (this.#working > 0);
  }

  /** The next event and all that follows from it at once. False when there is none. */
  async step(): Promise<boolean> {
    for (let event = pop(this.#heap); event !== undefined; event = pop(this.#heap)) {
      const { callback } = event;
      if (callback === undefined) continue;
      this.#now = event.at;
      callback();
      await this.settle();
      return true;
    }
    return false;
  }

  /** Lets time pass until `done`, or for `milliseconds`. Says whether it was done. */
  async runUntil(done: () => boolean, milliseconds: number): Promise<boolean> {
    const end = this.#now + milliseconds;
    await this.settle();
    while (!done()) {
      const next = this.#next();
      if (next === undefined || next > end) {
        this.#now = Math.max(this.#now, end);
        return done();
      }
      await this.step();
    }
    return true;
  }

  /** Lets time pass until `promise` has settled. @throws Error when it takes longer than `milliseconds` */
  async runFor<T>(promise: Promise<T>, milliseconds = 24 * 3_600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    if (!(await this.runUntil(() => settled, milliseconds))) throw new Error(`nothing came of it in ${milliseconds} ms`);
    return await promise;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.runUntil(() => false, milliseconds);
  }

  #next(): number | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) pop(this.#heap);
    return this.#heap[0]?.at;
  }
}

/** All promise jobs run before it resolves. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || isBefore(above, event)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (child === undefined || isBefore(last, child)) break;
    heap[at] = child;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
  return first;
}
