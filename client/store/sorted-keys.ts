// Distinct strings in the order of their UTF-16 code units, for stores that are maps and have no order of their own. A list of
// short sorted runs: one insertion moves a few hundred references at most, and a scan walks arrays. Knows no values.

import type { KeyRange } from "../ports.ts";

/** A run that grows longer is cut in two. */
const MAX_RUN = 512;

export class SortedKeys {
  /** None is empty, and each ends before the next begins. */
  readonly #runs: string[][] = [];

  /** `key` is not here yet. */
  add(key: string): void {
    const at = Math.min(this.#runWith(key), this.#runs.length - 1);
    const run = this.#runs[at];
    if (run === undefined) {
      this.#runs.push([key]);
      return;
    }
    run.splice(lowerBound(run, key), 0, key);
    if (run.length > MAX_RUN) this.#runs.splice(at + 1, 0, run.splice(run.length >>> 1));
  }

  /** `key` is here. */
  delete(key: string): void {
    const at = this.#runWith(key);
    const run = this.#runs[at];
    if (run === undefined) return;
    run.splice(lowerBound(run, key), 1);
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  select({ from, to, limit = Infinity, reverse = false }: KeyRange): readonly string[] {
    const found: string[] = [];
    for (const key of reverse ? this.#backwards(to) : this.#forwards(from)) {
      if (found.length >= limit || (reverse ? key < from : key >= to)) break;
      found.push(key);
    }
    return found;
  }

  *#forwards(from: string): Generator<string> {
    for (let at = this.#runWith(from); at < this.#runs.length; at++) {
      const run = this.#runs[at] ?? [];
      for (let i = lowerBound(run, from); i < run.length; i++) yield run[i] ?? "";
    }
  }

  *#backwards(to: string): Generator<string> {
    for (let at = Math.min(this.#runWith(to), this.#runs.length - 1); at >= 0; at--) {
      const run = this.#runs[at] ?? [];
      for (let i = lowerBound(run, to) - 1; i >= 0; i--) yield run[i] ?? "";
    }
  }

  /** The first run that does not end before `key`. */
  #runWith(key: string): number {
    return firstIndex(this.#runs.length, (at) => (this.#runs[at]?.at(-1) ?? "") >= key);
  }
}

function lowerBound(run: readonly string[], key: string): number {
  return firstIndex(run.length, (at) => (run[at] ?? "") >= key);
}

/** The first index for which `holds`, which never stops holding once it does; `length` when there is none. */
function firstIndex(length: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
