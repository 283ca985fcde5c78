// What an unfriendly network does to a conversation of two, decided by a seed before anything is sent: who writes when,
// what is lost, comes out of order, comes very late, or comes twice. Knows nothing of messages or keys, so two pairs of
// implementations can live through exactly the same.

import { type Dice, seededDice } from "../support/random.ts";

/** The two sides by number: 0 is the one that begins. */
export type Side = 0 | 1;

export type Step =
  | { readonly kind: "send"; readonly from: Side; readonly id: number }
  | { readonly kind: "deliver"; readonly id: number }
  /** A side begins a new session, though there may be one. */
  | { readonly kind: "begin"; readonly side: Side };

export interface Weather {
  readonly messages: number;
  readonly loss: number;
  /** The part that comes after many others, and how many steps later at most. */
  readonly late: number;
  readonly lateBy: number;
  /** Everything else comes this many steps later at most. */
  readonly jitter: number;
  readonly duplicates: number;
  /** The probability that the other side writes next. */
  readonly turn: number;
  /** Both begin before either has heard of the other. */
  readonly simultaneous: boolean;
  /** How often in the middle of it a side begins anew. */
  readonly restarts: number;
}

/** A quarter is lost, a tenth of the rest comes up to 300 steps late, a twentieth comes twice. */
export const STORM: Weather = {
  messages: 1000,
  loss: 0.25,
  late: 0.1,
  lateBy: 300,
  jitter: 6,
  duplicates: 0.05,
  turn: 0.4,
  simultaneous: false,
  restarts: 0,
};

interface InFlight {
  readonly id: number;
  readonly to: Side;
  readonly due: number;
}

export function planConversation(seed: number, weather: Weather): readonly Step[] {
  const dice = seededDice(seed);
  const steps: Step[] = [{ kind: "begin", side: 0 }];
  if (weather.simultaneous) steps.push({ kind: "begin", side: 1 });
  const restartAt = new Set(Array.from({ length: weather.restarts }, () => dice.roll(weather.messages)));
  // A side can write when it has begun a session or a message has reached it.
  const able: [boolean, boolean] = [true, weather.simultaneous];
  let inFlight: readonly InFlight[] = [];
  const land = (ready: (message: InFlight) => boolean): void => {
    for (const message of inFlight.filter(ready).toSorted((a, b) => a.due - b.due)) {
      steps.push({ kind: "deliver", id: message.id });
      able[message.to] = true;
    }
    inFlight = inFlight.filter((message) => !ready(message));
  };
  let writer: Side = 0;
  for (let id = 0; id < weather.messages; id++) {
    land((message) => message.due <= id);
    if (dice.chance(weather.turn) && able[other(writer)]) writer = other(writer);
    if (restartAt.has(id)) steps.push({ kind: "begin", side: writer });
    steps.push({ kind: "send", from: writer, id });
    inFlight = [...inFlight, ...deliveries(id, other(writer), weather, dice)];
  }
  land(() => true);
  return steps;
}

export function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}

/** None when the message is lost, two when it is doubled. */
function deliveries(id: number, to: Side, weather: Weather, dice: Dice): readonly InFlight[] {
  if (dice.chance(weather.loss)) return [];
  const first = id + delay(weather, dice);
  const once = [{ id, to, due: first }];
  return dice.chance(weather.duplicates) ? [...once, { id, to, due: first + delay(weather, dice) }] : once;
}

/** At least one step; fractions order what comes in the same step. */
function delay({ late, lateBy, jitter }: Weather, dice: Dice): number {
  const most = dice.chance(late) ? lateBy : jitter;
  return 1 + (dice.roll(1000 * most) / 1000) * (dice.chance(0.5) ? 1 : 0);
}
