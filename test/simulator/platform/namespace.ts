// The binding through which a program reaches Durable Objects: by name, over RPC. Arguments and results are copied; what one
// stub sends arrives in order; stubs overtake each other.

import type { Life, ObjectHost } from "./object-host.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Namespace {
  idFromName(name: string): { readonly name: string };
  get(id: { readonly name: string }): object;
  getByName(name: string): object;
}

/** @param find makes the object when there is none: an object is there as soon as it is named */
export function namespaceFor(surroundings: Surroundings, life: Life, find: (name: string) => ObjectHost): Namespace {
  const getByName = (name: string): object => stub(surroundings, life, () => find(name));
  return { idFromName: (name) => ({ name }), get: ({ name }) => getByName(name), getByName };
}

function stub(surroundings: Surroundings, life: Life, find: () => ObjectHost): object {
  const lane = new Lane(surroundings);
  return new Proxy(
    {},
    {
      get(_, method) {
        // A stub is no promise.
        if (typeof method !== "string" || method === "then") return undefined;
        return (...args: readonly unknown[]) => call({ life, lane, find, method, args });
      },
    },
  );
}

interface Call {
  readonly life: Life;
  readonly lane: Lane;
  readonly find: () => ObjectHost;
  readonly method: string;
  readonly args: readonly unknown[];
}

function call({ life, lane, find, method, args }: Call): Promise<unknown> {
  // A request is passed on as it is: it has no copy.
  const carried = method === "fetch" ? args : structuredClone(args);
  return new Promise((resolve, reject) => {
    const back = (act: () => void): void =>
      lane.goes(() => {
        if (life.isAlive()) act();
      });
    const arrive = (): void => {
      find()
        .call(method, carried)
        .then(
          (value) => back(() => resolve(method === "fetch" ? value : structuredClone(value))),
          (error: unknown) => back(() => reject(error)),
        );
    };
    life.leave(() => lane.goes(arrive));
  });
}

/** Mostly at once; now and then it takes a moment. */
class Lane {
  readonly #surroundings: Surroundings;
  #last = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  goes(act: () => void): void {
    const { clock, dice } = this.#surroundings;
    const now = clock.nowMilliseconds();
    this.#last = Math.max(this.#last, dice.chance(0.2) ? now + dice.roll(4) : now);
    if (this.#last === now) act();
    else clock.after(this.#last - now, act);
  }
}
