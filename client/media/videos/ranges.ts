// Stretches of a file, in any order and one over the other, and where they are once they are put together.

import { WireError } from "#wire";

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A video of 100 MiB with two tracks has some thousands, and with a chunk for each frame some hundred thousand. */
const MAX_RANGES = 1_000_000;

export class Ranges {
  readonly #size: number;
  // Numbers in two lists, because a million objects would take ten times the room.
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** In a file of this size. */
  constructor(size: number) {
    this.#size = size;
  }

  /** @throws WireError `truncated` past the end of the file */
  add(from: number, length: number): void {
    if (length === 0) return;
    if (from + length > this.#size) throw new WireError("truncated");
    const last = this.#to.length - 1;
    if (this.#to[last] === from) {
      this.#to[last] = from + length;
      return;
    }
    if (this.#from.length === MAX_RANGES) throw new WireError("too-many");
    this.#from.push(from);
    this.#to.push(from + length);
  }

  /** In order, with something between each and the next. Where as many have ended as have begun, one is over. */
  together(): Range[] {
    const [from, to] = [Float64Array.from(this.#from).sort(), Float64Array.from(this.#to).sort()];
    const together: Range[] = [];
    let begin = 0;
    for (let i = 0; i < from.length; i++) {
      const [end, next] = [to[i] ?? 0, from[i + 1] ?? Infinity];
      if (next <= end) continue;
      together.push({ from: from[begin] ?? 0, to: end });
      begin = i + 1;
    }
    return together;
  }
}

/** Of two lists in order. */
export function overlap(one: readonly Range[], other: readonly Range[]): boolean {
  let at = 0;
  for (const { from, to } of one) {
    while ((other[at]?.to ?? Infinity) <= from) at++;
    if ((other[at]?.from ?? Infinity) < to) return true;
  }
  return false;
}
