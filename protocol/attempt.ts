// What every transition of the protocol has in common: it is tried, and either yields a new state with its output
// or is refused and leaves nothing behind. Also the bookkeeping of secrets: what an attempt made and what it spent.

import { Secret } from "#crypto";
import { type Bytes, type ProtocolCode, ProtocolError, type WireCode, WireError } from "#wire";

/** A refusal. The state that was passed in is unchanged and still the current one. */
export interface Refused {
  readonly kind: "refused";
  readonly code: ProtocolCode | WireCode;
}

/**
 * A successful transition. Commit `state` together with what `output` means, then wipe `spent`, then release the
 * output. Until then the old state, whose secrets `spent` lists, remains usable.
 */
export interface Done<State, Output> {
  readonly kind: "done";
  readonly state: State;
  readonly output: Output;
  readonly spent: readonly Secret[];
}

export type Outcome<State, Output> = Done<State, Output> | Refused;

/** The secrets of one transition in progress. */
export class Attempt {
  readonly #made: Secret[] = [];
  readonly #spent: Secret[] = [];

  /** A secret that this transition derived. Takes ownership. Wiped if the transition is refused. */
  make(bytes: Bytes): Secret {
    return this.keep(new Secret(bytes));
  }

  /** A secret that a primitive made for this transition; as with `make`. */
  keep(secret: Secret): Secret {
    this.#made.push(secret);
    return secret;
  }

  /** Notes secrets that must not outlive the commit: of the old state, or only needed on the way. */
  spend(...secrets: readonly Secret[]): void {
    this.#spent.push(...secrets);
  }

  get spent(): readonly Secret[] {
    return this.#spent;
  }

  abandon(): void {
    for (const secret of this.#made) secret.wipe();
  }
}

/** Runs one transition; what a peer can cause comes back as a refusal, our own mistakes are thrown on. */
export function attempt<State, Output>(
  transition: (attempt: Attempt) => { readonly state: State; readonly output: Output },
): Outcome<State, Output> {
  const inProgress = new Attempt();
  try {
    const { state, output } = transition(inProgress);
    return { kind: "done", state, output, spent: inProgress.spent };
  } catch (error) {
    inProgress.abandon();
    if (error instanceof ProtocolError || error instanceof WireError) return { kind: "refused", code: error.code };
    throw error;
  }
}
