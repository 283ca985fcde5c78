// Mailboxes, as the gateway reaches them: by name, in time, and again only where twice is the same as once.

import type { MailboxApi, ServerNames } from "#durable-objects";
import type { UserId } from "#wire";
import { Unavailable, within } from "../deadline.ts";

/** Long enough for an object that wakes far away and asks its database. */
const CALL_MILLISECONDS = 5000;
const ATTEMPTS = 3;
const BACKOFF_MILLISECONDS = 100;

/** A stub: the methods that the object has, and its socket by `fetch`. */
export type MailboxStub = MailboxApi & Pick<Fetcher, "fetch">;

export class Mailboxes {
  readonly #namespace: DurableObjectNamespace;
  readonly #names: ServerNames;

  constructor(namespace: DurableObjectNamespace, names: ServerNames) {
    this.#namespace = namespace;
    this.#names = names;
  }

  /** For calls that must not happen twice. @throws Unavailable */
  async once<T>(userId: UserId, call: (mailbox: MailboxStub) => Promise<T>): Promise<T> {
    return await asAvailability(within(CALL_MILLISECONDS, call(this.#stub(userId, undefined))));
  }

  /** For calls that may run twice. @throws Unavailable */
  async retried<T>(userId: UserId, call: (mailbox: MailboxStub) => Promise<T>, hint?: DurableObjectLocationHint): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        // A new stub each time: one whose object was reset stays broken.
        return await within(CALL_MILLISECONDS, call(this.#stub(userId, hint)));
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthRepeating(error)) throw availability(error);
        await pause(Math.random() * BACKOFF_MILLISECONDS * 2 ** attempt);
      }
    }
  }

  #stub(userId: UserId, locationHint: DurableObjectLocationHint | undefined): MailboxStub {
    const options = locationHint === undefined ? {} : { locationHint };
    // The class behind this binding implements MailboxApi; its stub has the same methods.
    return this.#namespace.getByName(this.#names.mailbox(userId), options) as unknown as MailboxStub;
  }
}

/** What the platform says about a failed call, as properties of the error. */
interface Failure {
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
  readonly durableObjectReset?: boolean;
  readonly remote?: boolean;
}

function isWorthRepeating(error: unknown): boolean {
  const { retryable, overloaded } = failureOf(error);
  return retryable === true && overloaded !== true;
}

/** Failures of the platform pass; a mistake in the object's own code is a mistake and stays one. */
function availability(error: unknown): unknown {
  if (error instanceof Unavailable) return error;
  const { retryable, overloaded, durableObjectReset } = failureOf(error);
  const passing = retryable === true || overloaded === true || durableObjectReset === true;
  return passing ? new Unavailable({ cause: error }) : error;
}

async function asAvailability<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw availability(error);
  }
}

function failureOf(error: unknown): Failure {
  return error instanceof Error ? (error as Failure) : {}; // properties that the platform sets or leaves out
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
