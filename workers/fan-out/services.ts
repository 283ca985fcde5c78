// All that this module reaches: the objects that keep jobs, mailboxes by name, and a count of what was given up.

import type { FanOutApi, MailboxApi, ServerNames } from "#durable-objects";
import { Objects } from "../objects.ts";

export interface FanOutBindings {
  readonly jobs: DurableObjectNamespace;
  readonly mailboxes: DurableObjectNamespace;
  readonly names: ServerNames;
  readonly countDeadLetter: (what: DeadLetter) => void;
}

/** A reference whose chunk failed again and again, or something that is no reference. */
export type DeadLetter = "failed" | "malformed";

export class FanOutServices {
  readonly names: ServerNames;
  readonly countDeadLetter: (what: DeadLetter) => void;
  readonly #jobs: Objects<FanOutApi>;
  readonly #mailboxes: Objects<Pick<MailboxApi, "accept">>;

  constructor({ jobs, mailboxes, names, countDeadLetter }: FanOutBindings) {
    this.#jobs = new Objects(jobs);
    this.#mailboxes = new Objects(mailboxes);
    this.names = names;
    this.countDeadLetter = countDeadLetter;
  }

  /** Everything that a job is told or asked may be repeated. @throws Unavailable */
  async job<T>(handle: string, call: (jobs: FanOutApi) => Promise<T>): Promise<T> {
    return await this.#jobs.retried(this.names.fanOut(handle), call);
  }

  /** For calls that may run twice. @throws Unavailable */
  async mailbox<T>(name: string, call: (mailbox: Pick<MailboxApi, "accept">) => Promise<T>): Promise<T> {
    return await this.#mailboxes.retried(name, call);
  }
}
