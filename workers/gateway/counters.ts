// How often what was asked and how it ended: an operation of the route table and a code, both from closed lists. There is no
// room for an id, an address or a token, and one answer in a hundred is counted, for the hundred.

import type { Random } from "#crypto";
import type { Operation, ProblemCode } from "#wire";
import type { DeadLetter } from "../fan-out/index.ts";

const SAMPLED_OF_256 = 3;
const WEIGHT: number = 256 / SAMPLED_OF_256;

export class Counters {
  readonly #dataset: AnalyticsEngineDataset | undefined;
  readonly #random: Random;

  /** Without a dataset nothing is counted. */
  constructor(dataset: AnalyticsEngineDataset | undefined, random: Random) {
    this.#dataset = dataset;
    this.#random = random;
  }

  count(operation: Operation, code: ProblemCode | "ok"): void {
    if ((this.#random(1)[0] ?? 255) < SAMPLED_OF_256) this.#write(operation, code, WEIGHT);
  }

  /** Every one: there should be none. */
  countDeadLetter(what: DeadLetter): void {
    this.#write("dead-letter", what, 1);
  }

  #write(index: string, blob: string, double: number): void {
    try {
      this.#dataset?.writeDataPoint({ indexes: [index], blobs: [blob], doubles: [double] });
    } catch {
      // A counter that fails is not a reason to refuse anybody.
    }
  }
}
