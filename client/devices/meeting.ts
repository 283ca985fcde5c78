// Two devices at a rendezvous: a blob is written, and one is waited for, until the time of a link is over. Nobody is called when a blob is
// there, so whoever waits asks again. Knows no blob.

import { type Outcome } from "#protocol";
import { type Bytes, LINK_TICKET_LIFETIME_SECONDS, type RendezvousId } from "#wire";
import type { Core } from "../core.ts";
import { ClientError } from "../errors.ts";
import type { LinkBlob } from "../server-api.ts";

const ASK_AGAIN_MILLISECONDS = 500;

export class Meeting {
  readonly rendezvousId: RendezvousId;
  readonly #core: Core;
  readonly #signal: AbortSignal | undefined;
  readonly #untilMilliseconds: number;

  constructor(core: Core, rendezvousId: RendezvousId, signal: AbortSignal | undefined) {
    this.#core = core;
    this.rendezvousId = rendezvousId;
    this.#signal = signal;
    this.#untilMilliseconds = core.clock.nowMilliseconds() + LINK_TICKET_LIFETIME_SECONDS * 1000;
  }

  /** @throws ClientError `link-expired`, also when somebody else has written there */
  async put(blob: LinkBlob, content: Bytes): Promise<void> {
    const answer = await this.persist(() => this.#core.server.putLinkBlob(this.rendezvousId, blob, content, this.#signal));
    if (answer === "gone") throw new ClientError("link-expired");
  }

  /** Before anybody waits for it: where there is no way to the server, nothing has begun. @throws ClientError `offline`… */
  async open(content: Bytes): Promise<void> {
    const answer = await this.#core.server.putLinkBlob(this.rendezvousId, 1, content, this.#signal);
    if (answer === "gone") throw new ClientError("link-expired");
  }

  /** What was put before anybody heard of this place. @throws ClientError `link-expired` */
  async enter(): Promise<Bytes> {
    const answer = await this.persist(() => this.#core.server.takeLinkBlob(this.rendezvousId, 1, this.#signal));
    if (answer === "gone" || answer === "empty") throw new ClientError("link-expired");
    return answer;
  }

  /** @throws ClientError `link-expired`, also when somebody else has taken it */
  async take(blob: LinkBlob): Promise<Bytes> {
    for (;;) {
      const answer = await this.persist(() => this.#core.server.takeLinkBlob(this.rendezvousId, blob, this.#signal));
      if (answer === "gone") throw new ClientError("link-expired");
      if (answer !== "empty") return answer;
      await this.#pause();
    }
  }

  /**
   * That the other device may still be there: its time has begun before ours. A place whose time is over has nothing left to take, and one
   * that was forgotten knows nothing of what was taken. @throws ClientError `link-expired`
   */
  async requireThere(taken: LinkBlob, unwritten: LinkBlob): Promise<void> {
    const ask = (blob: LinkBlob) => this.persist(() => this.#core.server.takeLinkBlob(this.rendezvousId, blob, this.#signal));
    if ((await ask(taken)) !== "gone" || (await ask(unwritten)) !== "empty") throw new ClientError("link-expired");
  }

  /** What fails for now is tried again, for as long as there is time. */
  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#signal?.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ClientError) || !error.retryable) throw error;
        if (this.#isOver) throw new ClientError("link-expired", { cause: error });
      }
      await this.#pause();
    }
  }

  get #isOver(): boolean {
    return this.#core.clock.nowMilliseconds() >= this.#untilMilliseconds;
  }

  async #pause(): Promise<void> {
    if (this.#isOver) throw new ClientError("link-expired");
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#core.clock.after(ASK_AGAIN_MILLISECONDS, resolve);
    this.#signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    cancel();
    this.#signal?.throwIfAborted();
  }
}

type Done<State, Output> = Extract<Outcome<State, Output>, { readonly kind: "done" }>;

/** What a step of linking has come to; its secrets are of no use any more. @throws ClientError by the step's code */
export function stepped<State, Output>(outcome: Outcome<State, Output>): Done<State, Output> {
  if (outcome.kind === "done") {
    for (const secret of outcome.spent) secret.wipe();
    return outcome;
  }
  switch (outcome.code) {
    case "expired":
      throw new ClientError("link-expired");
    case "over-limit":
      throw new ClientError("devices-full");
    case "unknown-critical":
    case "upgrade-required":
      throw new ClientError("upgrade-required", { detail: outcome.code });
    default:
      throw new ClientError("untrusted-link", { detail: outcome.code });
  }
}
