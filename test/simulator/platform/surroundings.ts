// What decides in a simulation: one clock, one pair of dice, and how bad the weather is. Every part asks here, so that a
// seed alone says what happens.

import type { HttpRequest, HttpResponse } from "../../../client/ports.ts";
import type { Dice } from "../../support/random.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** As below, of messages to many. */
export interface QueueFaults {
  /** Of one message in it. */
  readonly loseQueued: number;
  readonly repeatQueued: number;
  readonly delayQueued: number;
  /** Of a batch that is put into it. */
  readonly failQueue: number;
}

/** Probabilities from 0 to 1, and times in milliseconds. */
export interface Faults extends QueueFaults {
  // The network
  readonly loseRequest: number;
  readonly loseAnswer: number;
  readonly repeatRequest: number;
  /** Of one way of a request or a frame. */
  readonly delay: number;
  /** Now and then one takes this long. */
  readonly longDelay: number;
  /** A socket breaks as a frame is put on it. */
  readonly breakSocket: number;
  /** As above, and nobody is told. */
  readonly silenceSocket: number;
  // The server
  /** At each of its steps. */
  readonly crashServer: number;
  readonly crashObject: number;
  /** An object that has nothing to do loses its memory. */
  readonly evict: number;
  /** Until a write is durable. */
  readonly flush: number;
  readonly failDatabase: number;
  readonly slowDatabase: number;
  /** How long it stays away. */
  readonly outage: number;
}

export const CALM: Faults = {
  loseRequest: 0,
  loseAnswer: 0,
  repeatRequest: 0,
  delay: 5,
  longDelay: 5,
  breakSocket: 0,
  silenceSocket: 0,
  crashServer: 0,
  crashObject: 0,
  evict: 0,
  flush: 2,
  failDatabase: 0,
  slowDatabase: 0,
  outage: 0,
  loseQueued: 0,
  repeatQueued: 0,
  delayQueued: 5,
  failQueue: 0,
};

export const STORM: Omit<Faults, keyof QueueFaults> = {
  loseRequest: 0.03,
  loseAnswer: 0.03,
  repeatRequest: 0.03,
  delay: 60,
  longDelay: 5000,
  breakSocket: 0.01,
  silenceSocket: 0.002,
  crashServer: 0.0015,
  crashObject: 0.001,
  evict: 0.05,
  flush: 15,
  failDatabase: 0.03,
  slowDatabase: 0.01,
  outage: 20_000,
};

export const QUEUE_STORM: QueueFaults = {
  loseQueued: 0.1,
  repeatQueued: 0.1,
  delayQueued: 500,
  failQueue: 0.05,
};

/** Sees what comes to the server and what it answers, before anything of it is lost. */
export interface Watch {
  request(request: HttpRequest): void;
  answer(request: HttpRequest, response: HttpResponse): void;
  /** A statement that an object runs. */
  statement(sql: string, values: readonly unknown[]): void;
}

export interface Surroundings {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  faults: Faults;
  watch?: Watch;
}

/** How long one way takes: mostly short, seldom long, so that what left first does not always come first. */
export function journey({ dice, faults }: Surroundings): number {
  return dice.chance(0.02) ? dice.roll(faults.longDelay + 1) : dice.roll(faults.delay + 1);
}
