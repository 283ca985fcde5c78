// People: found, accepted, blocked. A username is looked up once; from then on the userId, which commits to the keys, is what counts.

import type { UserId } from "#wire";
import type { Contacts, Live, Options, Peer } from "../api.ts";
import { acceptContact } from "../receiving/apply.ts";
import { contactOf } from "../records/contact.ts";
import { CONTACTS, type Contact, CONVERSATIONS, OWED, OWN } from "../records/tables.ts";
import type { Reader } from "../records/vault.ts";
import { compose, conversationOf } from "../sending/compose.ts";
import type { Presence } from "./presence.ts";
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
      const profile = (await records.get(OWN))?.profile;
      if (profile !== undefined && profile.name !== "")
        await compose(sending, records, { recipient: userId, body: { kind: "profile", name: profile.name, avatar: undefined } });
    });
    await this.#sync(userId, "accepted");
  }

  /** Nothing of theirs is shown or answered any more. */
  async block(who: string | Peer, options?: Options): Promise<void> {
    const userId = await this.#userId(who, options);
    await this.#set(userId, (contact) => {
      const wasAccepted = contact.state === "blocked" ? contact.wasAccepted === true : contact.state === "accepted";
      return { ...contact, state: "blocked", ourSecret: undefined, wasAccepted };
    });
    await this.#sync(userId, "blocked");
  }

  async unblock(who: string | Peer, options?: Options): Promise<void> {
    const userId = await this.#userId(who, options);
    await this.#views.write(async (records) => {
      const contact = await contactOf(records, userId);
      if (contact.state !== "blocked") return;
      records.put(CONTACTS, { ...contact, state: "none" }, userId);
      records.touch("contacts");
      if (contact.wasAccepted === true) await acceptContact(this.#views.engine.sending, records, userId);
    });
    await this.#sync(userId, "unblocked");
  }

  presence(who: Peer): Live<boolean | undefined> {
    return this.#presence.watch(who.userId);
  }

  async #userId(who: string | Peer, options?: Options): Promise<UserId> {
    return typeof who === "string" ? await this.#views.resolve(who, options) : who.userId;
  }

  async #set(userId: UserId, change: (contact: Contact) => Contact): Promise<void> {
    await this.#views.write(async (records) => {
      records.put(CONTACTS, change(await contactOf(records, userId)), userId);
      records.put(CONVERSATIONS, { ...(await conversationOf(records, userId)), unread: 0 }, userId);
      records.delete(OWED, userId, userId);
      records.touch("contacts");
    });
  }

  /** Our other devices decide the same. */
  async #sync(userId: UserId, state: "accepted" | "blocked" | "unblocked"): Promise<void> {
    const { sending } = this.#views.engine;
    const me = sending.self.local.address.userId;
    await this.#views.write(async (records) => {
      if ((await sending.accounts.require(records, me)).devices.length < 2) return;
      await compose(sending, records, { recipient: me, body: { kind: "sync", sync: { kind: "contact", userId, state } } });
    });
  }
}
