// Devices that ask to be let in: what the server passes on, for as long as such a request is good, until somebody has dealt with it.
// Nothing is known of them before they are met, and nothing is done about them by itself.

import { LINK_TICKET_LIFETIME_SECONDS, type LinkRequested, type RendezvousId } from "#wire";
import type { LinkAsked } from "../api.ts";
import type { Clock } from "../ports.ts";
import { Value } from "./value.ts";

/** A server may make up as many as it likes. */
const MAX_PENDING = 8;

export class LinkRequests {
  readonly pending: Value<readonly LinkAsked[]> = new Value<readonly LinkAsked[]>([]);
  readonly #clock: Clock;
  readonly #tell: (asked: LinkAsked) => void;
  readonly #seen = new Set<RendezvousId>();
  readonly #tickets = new Map<LinkAsked, LinkRequested>();

  constructor(clock: Clock, tell: (asked: LinkAsked) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Told once, however often the server says it. */
  take(request: LinkRequested): void {
    const { rendezvousId } = request;
    if (this.#seen.has(rendezvousId) || this.pending.value.length >= MAX_PENDING) return;
    this.#seen.add(rendezvousId);
    const asked: LinkAsked = { askedAt: new Date(this.#clock.nowMilliseconds()), dismiss: () => this.#end(asked) };
    this.#tickets.set(asked, request);
    this.pending.set([...this.pending.value, asked]);
    this.#clock.after(LINK_TICKET_LIFETIME_SECONDS * 1000, () => {
      this.#end(asked);
      this.#seen.delete(rendezvousId);
    });
    this.#tell(asked);
  }

  /** What it asks with, which ends it here: a request is answered once. */
  answer(asked: LinkAsked): LinkRequested | undefined {
    const request = this.#tickets.get(asked);
    this.#end(asked);
    return request;
  }

  #end(asked: LinkAsked): void {
    if (this.#tickets.delete(asked)) this.pending.set(this.pending.value.filter((one) => one !== asked));
  }
}
