// A queue with its consumer, as little as anybody may count on: it keeps nothing over a crash of the server, and before that it
// loses, repeats, shuffles and delays. What its consumer does not acknowledge it brings again, a few times, and then it gives
// the message to the queue of its dead letters.

import type { Life } from "./object-host.ts";
import { whenKnown } from "./outcome.ts";
import type { Surroundings } from "./surroundings.ts";

const MAX_BATCH = 10;
const MAX_RETRIES = 5;

export interface Batch {
  readonly queue: string;
  readonly messages: readonly object[];
}

export interface QueueOptions {
  readonly name: string;
  readonly consume: (batch: Batch) => Promise<void>;
  /** Lets the whole server crash, by chance. */
  readonly crashServer: () => boolean;
  /** Without one, what was tried too often is gone. */
  readonly deadLetters?: SimulatedQueue;
}

interface Queued {
  readonly body: unknown;
  readonly attempts: number;
}

export class SimulatedQueue {
  readonly #surroundings: Surroundings;
  readonly #options: QueueOptions;
  #ready: Queued[] = [];
  #epoch = 0;

  constructor(surroundings: Surroundings, options: QueueOptions) {
    this.#surroundings = surroundings;
    this.#options = options;
  }

  /** What is bound for one life of an object. */
  bind(life: Life): object {
    return {
      sendBatch: (messages: readonly { readonly body: unknown }[]) => {
        const bodies = messages.map(({ body }) => structuredClone(body));
        return new Promise<void>((resolve, reject) => life.leave(() => this.#take(bodies, life, { resolve, reject })));
      },
    };
  }

  put(body: unknown, attempts: number, delayMilliseconds: number): void {
    const { clock, dice, faults } = this.#surroundings;
    if (dice.chance(faults.loseQueued)) return;
    const epoch = this.#epoch;
    const arrive = (): void => {
      if (epoch !== this.#epoch) return;
      this.#ready.push({ body, attempts });
      if (this.#ready.length === 1) clock.after(dice.roll(20), () => this.#deliver(epoch));
    };
    const copies = dice.chance(faults.repeatQueued) ? 2 : 1;
    for (let i = 0; i < copies; i++) clock.after(delayMilliseconds + dice.roll(faults.delayQueued + 1), arrive);
  }

  /** Everything in it is gone. */
  crash(): void {
    this.#epoch++;
    this.#ready = [];
  }

  #take(bodies: readonly unknown[], life: Life, { resolve, reject }: { resolve: () => void; reject: (error: Error) => void }): void {
    const { clock, dice, faults } = this.#surroundings;
    const epoch = this.#epoch;
    clock.after(dice.roll(3), () => {
      if (epoch !== this.#epoch || this.#options.crashServer()) return;
      const isRefused = dice.chance(faults.failQueue);
      // Refused, or taken and nobody was told.
      if (!isRefused || dice.chance(0.5)) for (const body of bodies) this.put(body, 1, 0);
      clock.after(dice.roll(3), () => {
        if (!life.isAlive()) return;
        if (isRefused) reject(new Error("the queue did not answer"));
        else resolve();
      });
    });
  }

  #deliver(epoch: number): void {
    if (epoch !== this.#epoch || this.#options.crashServer()) return;
    const { clock, dice } = this.#surroundings;
    const deliveries: Delivery[] = [];
    while (this.#ready.length > 0 && deliveries.length < MAX_BATCH) {
      const [queued] = this.#ready.splice(dice.roll(this.#ready.length), 1);
      if (queued !== undefined) deliveries.push(new Delivery(queued));
    }
    if (this.#ready.length > 0) clock.after(dice.roll(20), () => this.#deliver(epoch));
    const end = (isOver: boolean): void => {
      if (epoch === this.#epoch) for (const delivery of deliveries) this.#finish(delivery, isOver);
    };
    const { name, consume } = this.#options;
    void whenKnown(
      consume({ queue: name, messages: deliveries }),
      () => end(true),
      () => end(false),
    );
  }

  /** What a consumer says nothing about is acknowledged when it ends well. */
  #finish({ body, attempts, standing, delaySeconds }: Delivery, isOver: boolean): void {
    if (standing === "acknowledged" || (standing === "open" && isOver)) return;
    if (attempts > MAX_RETRIES) this.#options.deadLetters?.put(body, 1, 0);
    else this.put(body, attempts + 1, delaySeconds * 1000);
  }
}

/** A message as its consumer sees it. */
class Delivery {
  readonly body: unknown;
  readonly attempts: number;
  standing: "open" | "acknowledged" | "again" = "open";
  delaySeconds = 0;

  constructor({ body, attempts }: Queued) {
    this.body = structuredClone(body);
    this.attempts = attempts;
  }

  ack(): void {
    this.standing = "acknowledged";
  }

  retry({ delaySeconds = 0 }: { readonly delaySeconds?: number } = {}): void {
    this.standing = "again";
    this.delaySeconds = delaySeconds;
  }
}
