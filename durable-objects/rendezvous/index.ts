// Rendezvous: where two devices meet for two minutes. An itty-durable object, whose methods are called by a request that names
// them: so whatever is not one of the two literal paths of ours gets no further than `fetch`. It binds nothing, keeps its state as
// plain data under one key, and leaves nothing behind.

import { createDurable } from "itty-durable/itty-durable.js";
import { LINK_TICKET_LIFETIME_SECONDS } from "#wire";
import type { RendezvousEnv } from "../env.ts";
import { type LinkBlob, type Meeting, NO_MEETING, put, type Put, take, type Taken, type Written } from "./core.ts";

export interface RendezvousApi {
  put(written: Written): Promise<Put>;
  /** Never twice the same. */
  take(blob: LinkBlob): Promise<Taken>;
}

/** What we use of the library's class, which has no types of its own. */
interface IttyObject {
  readonly state: DurableObjectState;
  fetch(request: Request): Promise<Response>;
  loadFromStorage(): Promise<void>;
  persist(): Promise<void>;
  /** Deletes all that is stored. */
  destroy(): Promise<void>;
}

type IttyClass = new (state: DurableObjectState, env: object) => IttyObject;

// With `autoPersist` the state is put after each call, and the platform holds the answer until it is durable. The cast: an
// IttyObject is a part of the library's class.
const Durable: IttyClass = createDurable({ autoPersist: true }) as unknown as IttyClass;

/** How the library names our two methods. It would call all others too, its own `destroy` included, and hand out every property. */
const CALLS: ReadonlySet<string> = new Set(["/do/call/put", "/do/call/take"]);

export class Rendezvous extends Durable implements RendezvousApi {
  /** The one property: the library stores and restores what an object has. */
  meeting: Meeting = NO_MEETING;

  readonly #lifetimeSeconds: number;
  /** As it is on the disk. */
  #stored: Meeting = NO_MEETING;

  constructor(state: DurableObjectState, env: RendezvousEnv) {
    // The library copies what is bound to where `get-prop` finds it. Nothing is.
    super(state, {});
    this.#lifetimeSeconds = Number(env.LINK_SECONDS ?? LINK_TICKET_LIFETIME_SECONDS);
    // The library would load with the first request, and again with a second that comes before the first has loaded. Here
    // nothing comes before: no load can undo what a request has changed.
    void state.blockConcurrencyWhile(async () => {
      await this.loadFromStorage();
      this.#stored = this.meeting;
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    return CALLS.has(pathname) ? await super.fetch(request) : new Response(undefined, { status: 404 });
  }

  /** Nothing is awaited between the look and the change, here and below: of two that come at once, one is first. */
  async put(written: Written): Promise<Put> {
    const [meeting, result] = put(this.meeting, written, { nowMilliseconds: Date.now(), lifetimeSeconds: this.#lifetimeSeconds });
    const begins = this.meeting.expiresMilliseconds !== meeting.expiresMilliseconds;
    this.meeting = meeting;
    // An alarm without a meeting is nothing, a meeting without an alarm would stay for ever.
    if (begins) await this.state.storage.setAlarm(meeting.expiresMilliseconds);
    return result;
  }

  async take(blob: LinkBlob): Promise<Taken> {
    const [meeting, result] = take(this.meeting, blob, Date.now());
    this.meeting = meeting;
    return await Promise.resolve(result);
  }

  /** Called after each request. Who waits for a blob asks often, and that writes nothing. */
  override async persist(): Promise<void> {
    if (this.meeting === this.#stored) return;
    this.#stored = this.meeting;
    await super.persist();
  }

  /** The time is over. Not the library's `reset`, which fails in an object that was not asked anything yet. */
  async alarm(): Promise<void> {
    this.meeting = NO_MEETING;
    this.#stored = NO_MEETING;
    await this.destroy();
  }
}
