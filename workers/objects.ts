// Durable Objects, as the Worker reaches them: by name, in time, and again only where twice is the same as once.

import { Unavailable, within } from "./deadline.ts";

/** Long enough for an object that wakes far away and asks its database. */
const CALL_MILLISECONDS = 5000;
const ATTEMPTS = 3;
const BACKOFF_MILLISECONDS = 100;

/** What has the methods of the object with this name. */
export type Reach<Stub> = (namespace: DurableObjectNamespace, name: string, hint: DurableObjectLocationHint | undefined) => Stub;

/** Objects of one class, whose methods are those of `Stub`. By RPC, where nothing else is said. */
export class Objects<Stub> {
  readonly #namespace: DurableObjectNamespace;
  readonly #reach: Reach<Stub>;

  constructor(namespace: DurableObjectNamespace, reach: Reach<Stub> = byRpc()) {
    this.#namespace = namespace;
    this.#reach = reach;
  }

  /** For calls that must not happen twice. @throws Unavailable */
  async once<T>(name: string, call: (object: Stub) => Promise<T>): Promise<T> {
    return await asAvailability(within(CALL_MILLISECONDS, call(this.#stub(name, undefined))));
  }

  /** For calls that may run twice. @throws Unavailable */
  async retried<T>(name: string, call: (object: Stub) => Promise<T>, hint?: DurableObjectLocationHint): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        // A new stub each time: one whose object was reset stays broken.
        return await within(CALL_MILLISECONDS, call(this.#stub(name, hint)));
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthRepeating(error)) throw availability(error);
        await pause(Math.random() * BACKOFF_MILLISECONDS * 2 ** attempt);
      }
    }
  }

  /** For a call that takes as long as its caller does, and must not happen twice. @throws Unavailable */
  async patiently<T>(name: string, call: (object: Stub) => Promise<T>): Promise<T> {
    return await asAvailability(call(this.#stub(name, undefined)));
  }

  #stub(name: string, locationHint: DurableObjectLocationHint | undefined): Stub {
    return this.#reach(this.#namespace, name, locationHint);
  }
}

function byRpc<Stub>(): Reach<Stub> {
  // The class behind the binding has the methods that Stub says.
  return (namespace, name, hint) => namespace.getByName(name, hint === undefined ? {} : { locationHint: hint }) as unknown as Stub;
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
