// Mailboxes, as the gateway reaches them: by whose they are.

import type { MailboxApi, ServerNames } from "#durable-objects";
import type { UserId } from "#wire";
import { Objects } from "../objects.ts";

/** A stub: the methods that the object has, and its socket by `fetch`. */
export type MailboxStub = MailboxApi & Pick<Fetcher, "fetch">;

export class Mailboxes {
  readonly #objects: Objects<MailboxStub>;
  readonly #names: ServerNames;

  constructor(namespace: DurableObjectNamespace, names: ServerNames) {
    this.#objects = new Objects(namespace);
    this.#names = names;
  }

  /** For calls that must not happen twice. @throws Unavailable */
  async once<T>(userId: UserId, call: (mailbox: MailboxStub) => Promise<T>): Promise<T> {
    return await this.#objects.once(this.#names.mailbox(userId), call);
  }

  /** For calls that may run twice. @throws Unavailable */
  async retried<T>(userId: UserId, call: (mailbox: MailboxStub) => Promise<T>, hint?: DurableObjectLocationHint): Promise<T> {
    return await this.#objects.retried(this.#names.mailbox(userId), call, hint);
  }
}
