// People: found, accepted, blocked. A username is looked up once; from then on the userId, which commits to the keys, is what counts.

import type { UserId } from "#wire";
import type { Contacts, Live, Options, Peer } from "../api.ts";
import { acceptContact } from "../receiving/apply.ts";
import { block, unblock } from "../receiving/decisions.ts";
import { CONTACTS } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import { tellDecision } from "../sending/own-devices.ts";
import { introduceTo } from "../sending/profile.ts";
import type { Presence } from "./presence.ts";
import { ClientError } from "../errors.ts";
import type { Views } from "./views.ts";

export class People implements Contacts {
  readonly requests: Live<readonly Peer[]>;
  readonly #views: Views;
  readonly #presence: Presence;

  constructor(views: Views, presence: Presence) {
    this.#views = views;
    this.#presence = presence;
    this.requests = views.live<readonly Peer[]>([], ["contacts"], (records) => this.#requests(records));
  }

  async listRequests(): Promise<readonly Peer[]> {
    return await this.#views.read((records) => this.#requests(records));
  }

  async #requests(records: Reader): Promise<readonly Peer[]> {
    const waiting = (await records.all(CONTACTS)).filter(({ state }) => state === "request");
    const peers: Peer[] = [];
    for (const { userId } of waiting) peers.push(await this.#views.peer(records, userId));
    return peers;
  }

  async find(who: string, options?: Options): Promise<Peer> {
    const userId = await this.#views.resolve(who, options);
    return await this.#views.read((records) => this.#views.peer(records, userId));
  }

  async accept(who: string | Peer, options?: Options): Promise<void> {
    const userId = await this.#userId(who, options);
    await this.#views.write(async (records) => {
      const { sending } = this.#views.engine;
      await acceptContact(sending, records, userId);
      await introduceTo(sending, records, userId);
      await tellDecision(sending, records, userId);
    });
  }

  /** Nothing of theirs is shown or answered any more. */
  async block(who: string | Peer, options?: Options): Promise<void> {
    const userId = await this.#userId(who, options);
    if (this.#views.isOwn(userId)) throw new ClientError("bad-argument", { detail: "nobody blocks themselves" });
    await this.#views.write(async (records) => {
      await block(records, userId);
      await tellDecision(this.#views.engine.sending, records, userId);
    });
  }

  async unblock(who: string | Peer, options?: Options): Promise<void> {
    const userId = await this.#userId(who, options);
    await this.#views.write(async (records) => {
      const { sending } = this.#views.engine;
      if (await unblock(records, userId)) await acceptContact(sending, records, userId);
      await tellDecision(sending, records, userId);
    });
  }

  presence(who: Peer): Live<boolean | undefined> {
    return this.#presence.watch(who.userId);
  }

  async #userId(who: string | Peer, options?: Options): Promise<UserId> {
    const [userId] = await this.#views.resolveAll([who], options);
    if (userId === undefined) throw new ClientError("unknown-user");
    return userId;
  }
}
