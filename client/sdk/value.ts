// A live value: holds what is true now and tells those who look at it.

import type { Live } from "../api.ts";

export class Value<T> implements Live<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();
  readonly #onFirst: () => () => void;
  #stop: (() => void) | undefined;

  /** `onFirst` runs when somebody begins to look, and what it returns when nobody does any more. */
  constructor(value: T, onFirst: () => () => void = () => () => undefined) {
    this.#value = value;
    this.#onFirst = onFirst;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }

  subscribe(listener: (value: T) => void): () => void {
    // One function may look twice, and each undo ends one look.
    const look = (value: T): void => listener(value);
    this.#listeners.add(look);
    look(this.#value);
    if (this.#listeners.size === 1) this.#stop = this.#onFirst();
    return () => {
      if (this.#listeners.delete(look) && this.#listeners.size === 0) this.#stop?.();
    };
  }
}
