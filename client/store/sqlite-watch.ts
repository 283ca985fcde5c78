// Notices what other programs commit to a store, by asking for its version from time to time, and only while somebody wants
// to know. Does not know what has changed.

const POLL_MILLISECONDS = 250;

export class SqliteWatch {
  readonly #version: () => number | undefined;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #seen: number | undefined;

  /** `version` changes with what others commit, and only then; `undefined` when it cannot be told now. */
  constructor(version: () => number | undefined) {
    this.#version = version;
  }

  add(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    if (this.#timer === undefined) {
      this.begin();
      this.#timer = setInterval(() => this.#poll(), POLL_MILLISECONDS).unref();
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** What was committed before now is no news. */
  begin(): void {
    this.#seen = this.#version();
  }

  stop(): void {
    this.#listeners.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const now = this.#version();
    const isNews = now !== undefined && this.#seen !== undefined && now !== this.#seen;
    this.#seen = now ?? this.#seen;
    if (isNews) for (const listener of this.#listeners) listener();
  }
}
