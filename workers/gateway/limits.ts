// Damping: the platform's rate limits, which are counted in memory, in one place, and generously. What must hold exactly
// is counted in mailboxes. Keys of the limits are keyed hashes, so that not even they name anyone.

import { hmac, LABELS } from "#crypto";
import { deriveServerKey, type SeedVersion, type ServerNames } from "#durable-objects";
import { type Bytes, type GroupId, toHex, toUtf8, type UserId } from "#wire";
import { Unavailable } from "../deadline.ts";
import { networkOf } from "./network.ts";
import { Problem } from "./problem.ts";

const PERIOD_SECONDS = 60;
const SECONDS_PER_DAY = 24 * 3600;

export interface LimitBindings {
  readonly user: RateLimit | undefined;
  readonly address: RateLimit | undefined;
  readonly target: RateLimit | undefined;
  readonly group: RateLimit | undefined;
}

export class Limits {
  readonly #bindings: LimitBindings;
  readonly #names: ServerNames;
  readonly #addressKey: Bytes;

  constructor(bindings: LimitBindings, names: ServerNames, newest: SeedVersion) {
    this.#bindings = bindings;
    this.#names = names;
    this.#addressKey = deriveServerKey(newest, LABELS.SERVER_ADDRESS_LIMIT);
  }

  /** Requests with a good token. A limiter that fails lets them pass: somebody can be asked about them. */
  async countUser(userId: UserId, requests = 1): Promise<void> {
    for (let i = 0; i < requests; i++) {
      if ((await allows(this.#bindings.user, this.#names.mailbox(userId))) === false) refuse();
    }
  }

  /** A request without a token. A limiter that fails stops it. */
  async countAddress(headers: Headers, nowSeconds: number): Promise<void> {
    const day = Math.floor(nowSeconds / SECONDS_PER_DAY);
    const network = networkOf(headers.get("cf-connecting-ip") ?? "");
    await this.#countAnonymous(this.#bindings.address, toHex(hmac(this.#addressKey, toUtf8(`${day} ${network}`))));
  }

  /** A request without a token that would wake somebody's mailbox. */
  async countTarget(userId: UserId): Promise<void> {
    await this.#countAnonymous(this.#bindings.target, this.#names.mailbox(userId));
  }

  /** A proof of an account's recovery key that was found right: nobody else comes here, so nobody else uses it up. */
  async countRecovery(userId: UserId): Promise<void> {
    await this.#countAnonymous(this.#bindings.target, `${this.#names.mailbox(userId)} recovery`);
  }

  /** A proof about a group that would wake its object, whether there is one or not. */
  async countGroup(groupId: GroupId): Promise<void> {
    await this.#countAnonymous(this.#bindings.group, this.#names.group(groupId));
  }

  async #countAnonymous(binding: RateLimit | undefined, key: string): Promise<void> {
    const allowed = await allows(binding, key);
    if (allowed === undefined) throw new Unavailable();
    if (!allowed) refuse();
  }
}

/** `undefined`: nobody knows. */
async function allows(binding: RateLimit | undefined, key: string): Promise<boolean | undefined> {
  if (binding === undefined) return true;
  try {
    return (await binding.limit({ key })).success;
  } catch {
    return undefined;
  }
}

function refuse(): never {
  throw new Problem("rate-limited", { retryAfterSeconds: PERIOD_SECONDS });
}
