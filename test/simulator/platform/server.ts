// The whole server: the product's Worker and Durable Objects on a platform in memory. It crashes as a machine does: what was
// not durable is lost, what was not answered is never answered, and it comes back from its disks.

import { SimulatedDatabase } from "./d1.ts";
import { namespaceFor } from "./namespace.ts";
import { type Instance, type Life, ObjectHost } from "./object-host.ts";
import { whenKnown } from "./outcome.ts";
import { type Batch, SimulatedQueue } from "./queue.ts";
import type { DiskImage } from "./object-storage.ts";
import type { Surroundings } from "./surroundings.ts";

/** The product's server, as the platform knows it. */
export interface Program {
  readonly fetch: (request: Request, environment: object, context: object) => Promise<Response>;
  readonly queue: (batch: Batch, environment: object) => Promise<void>;
  /** By the names under which they are bound. */
  readonly objects: Readonly<Record<Binding, new (state: object, environment: object) => Instance>>;
}

type Binding = "MAILBOX" | "GROUP" | "FAN_OUT";

/** Everything that is durable, at a moment when nothing is under way. */
export interface ServerImage {
  readonly database: Uint8Array;
  readonly objects: ReadonlyMap<string, DiskImage>;
}

export interface ServerOptions {
  readonly program: Program;
  /** The text of schema.sql. */
  readonly schema: string;
  readonly image?: ServerImage;
}

const SERVER_SEED = `1:${"A".repeat(43)}`;

export class SimulatedServer {
  readonly #surroundings: Surroundings;
  readonly #program: Program;
  readonly #database: SimulatedDatabase;
  readonly #objects = new Map<string, ObjectHost>();
  readonly #queue: SimulatedQueue;
  readonly #deadLetters: SimulatedQueue;
  readonly #waiting = new Set<(error: Error) => void>();
  #images: ReadonlyMap<string, DiskImage>;
  #life = 0;
  #environment: object = {};
  #isUp = true;
  #crashes = 0;

  constructor(surroundings: Surroundings, { program, schema, image }: ServerOptions) {
    this.#surroundings = surroundings;
    this.#program = program;
    this.#images = image?.objects ?? new Map();
    this.#database = new SimulatedDatabase(
      surroundings,
      () => this.#crashByChance(),
      image === undefined ? { schema } : { image: image.database },
    );
    const consumer = {
      consume: (batch: Batch) => program.queue(batch, this.#environment),
      crashServer: () => this.#crashByChance(),
    };
    this.#deadLetters = new SimulatedQueue(surroundings, { ...consumer, name: "edgewise-fan-out-dead" });
    this.#queue = new SimulatedQueue(surroundings, { ...consumer, name: "edgewise-fan-out", deadLetters: this.#deadLetters });
    this.#begin();
  }

  /** How often it went down. */
  get crashes(): number {
    return this.#crashes;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Rejects when it is down, or goes down before it has answered. */
  fetch(request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (!this.#isUp) return reject(new Error("nobody is there"));
      this.#waiting.add(reject);
      const context = { waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined) };
      const settle = (act: () => void): void => {
        if (this.#waiting.delete(reject)) act();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      void whenKnown(this.#program.fetch(request, this.#environment, context), (response) => settle(() => resolve(response)), fail);
    });
  }

  crash(): void {
    this.#crashes++;
    this.#life++;
    this.#isUp = false;
    for (const object of this.#objects.values()) object.crash();
    for (const queue of [this.#queue, this.#deadLetters]) queue.crash();
    const error = new Error("the connection was reset");
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  restart(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#begin();
  }

  image(): ServerImage {
    const objects = [...this.#objects].map(([name, object]) => [name, object.image()] as const);
    return { database: this.#database.image(), objects: new Map([...this.#images, ...objects]) };
  }

  close(): void {
    this.#life++;
    for (const object of this.#objects.values()) object.close();
    this.#database.close();
  }

  #begin(): void {
    const life = this.#life;
    // Nothing holds what the Worker itself sends: it has no storage.
    this.#environment = this.#environmentOf({ isAlive: () => life === this.#life, leave: (act) => void (life === this.#life && act()) });
  }

  #environmentOf(life: Life): object {
    return {
      SERVER_SEED,
      KEYS_DB: this.#database.bind(life),
      FANOUT_QUEUE: this.#queue.bind(life),
      MAILBOX: this.#namespace("MAILBOX", life),
      GROUP: this.#namespace("GROUP", life),
      FAN_OUT: this.#namespace("FAN_OUT", life),
    };
  }

  #namespace(binding: Binding, life: Life): object {
    return namespaceFor(this.#surroundings, life, (name) => this.#object(binding, name));
  }

  #object(binding: Binding, name: string): ObjectHost {
    const place = `${binding} ${name}`;
    let object = this.#objects.get(place);
    if (object === undefined) {
      const image = this.#images.get(place);
      object = new ObjectHost(this.#surroundings, {
        name,
        construct: (state, life) => new this.#program.objects[binding](state, this.#environmentOf(life)),
        crashServer: () => this.#crashByChance(),
        ...(image === undefined ? {} : { image }),
      });
      this.#objects.set(place, object);
    }
    return object;
  }

  #crashByChance(): boolean {
    const { clock, dice, faults } = this.#surroundings;
    if (!dice.chance(faults.crashServer)) return false;
    this.crash();
    clock.after(dice.roll(faults.outage + 1), () => this.restart());
    return true;
  }
}
