// Two ends of the post-quantum ratchet without a session around them, each with the shell's part: store, then wipe.

import { type Bytes, toHex } from "#wire";
import { Attempt } from "../../protocol/attempt.ts";
import { Reader, Writer } from "../../protocol/codec.ts";
import type { Braid } from "../../protocol/pq/braid.ts";
import { initSpqr, spqrReceive, spqrSend, type SpqrState } from "../../protocol/pq/spqr.ts";
import { decodeSpqr, encodeSpqr } from "../../protocol/pq/state.ts";
import { seededRandom } from "./random.ts";

export function encoded(state: SpqrState): Bytes {
  const writer = new Writer();
  encodeSpqr(state, writer);
  return writer.finish();
}

export function decoded(bytes: Bytes): SpqrState {
  const reader = new Reader(bytes);
  const state = decodeSpqr(reader);
  reader.end();
  return state;
}

/** The session key that both ends of a test start from. */
export function authKey(): Bytes {
  return seededRandom(5)(32);
}

/** One side, which stores its state after every step and wipes what was spent, as a shell does. */
export class Agent {
  state: SpqrState;
  readonly #random;

  constructor(direction: "a2b" | "b2a") {
    this.state = initSpqr(authKey(), direction, new Attempt());
    this.#random = seededRandom(direction === "a2b" ? 98 : 99);
  }

  get epoch(): number {
    return this.state.braid.epoch;
  }

  send(): { message: Bytes; key: string } {
    const attempt = new Attempt();
    const { state, message, key } = spqrSend(this.state, attempt, this.#random);
    const name = toHex(key.expose());
    this.#commit(state, attempt);
    return { message, key: name };
  }

  receive(message: Bytes): string | undefined {
    const attempt = new Attempt();
    const { state, key } = spqrReceive(this.state, message, attempt);
    const name = key === undefined ? undefined : toHex(key.expose());
    this.#commit(state, attempt);
    return name;
  }

  #commit(state: SpqrState, attempt: Attempt): void {
    this.state = decoded(encoded(state));
    for (const secret of attempt.spent) secret.wipe();
  }
}

/** Far more rounds than any conversation here needs: one that does not advance is an error and not a wait. */
const MAX_ROUNDS = 2000;

/** Repeats `round` until `isDone`. @throws RangeError when that does not come. */
export function repeatUntil(isDone: () => boolean, round: () => void): void {
  for (let rounds = 0; !isDone(); rounds++) {
    if (rounds === MAX_ROUNDS) throw new RangeError("the conversation does not advance");
    round();
  }
}

/** Two fresh agents that alternated until both are in `epoch`. */
export function advanced(epoch: number): readonly [Agent, Agent] {
  const [a, b] = [new Agent("a2b"), new Agent("b2a")];
  repeatUntil(
    () => a.epoch >= epoch && b.epoch >= epoch,
    () => {
      b.receive(a.send().message);
      a.receive(b.send().message);
    },
  );
  return [a, b];
}

export type BraidIn<Kind extends Braid["kind"]> = Extract<Braid, { readonly kind: Kind }>;

/**
 * The first state of every kind that two conversations reach: one without loss, and one where the key arrives whole
 * while the first half of the ciphertext is held up.
 */
export function stateOfEachKind(): ReadonlyMap<Braid["kind"], SpqrState> {
  const found = new Map<Braid["kind"], SpqrState>();
  for (const ct1Lost of [false, true]) {
    const [a, b] = [new Agent("a2b"), new Agent("b2a")];
    const round = (): void => {
      // Copies, because the agents wipe what they move on from.
      for (const { state } of [a, b]) if (!found.has(state.braid.kind)) found.set(state.braid.kind, decoded(encoded(state)));
      b.receive(a.send().message);
      const held = ct1Lost && b.state.braid.kind === "ct1-sampled" && a.state.braid.kind === "header-sent";
      const { message } = b.send();
      if (!held) a.receive(message);
    };
    repeatUntil(() => a.epoch >= 3, round);
  }
  return found;
}
