// createClient(): puts the parts together and gives users what api.ts promises.

import { answerChallenge } from "#identity";
import { type Random, systemRandom } from "#crypto";
import { MAX_GROUP_MEMBERS, type MessageId } from "#wire";
import type {
  Account,
  Client,
  ClientEvent,
  ConnectionState,
  Contacts,
  Conversation,
  Conversations,
  Devices,
  GroupConversation,
  Message,
  Options,
  Profile,
  ProfileChange,
  RecoveryKeys,
  Settings,
} from "../api.ts";
import { removeOwnAvatar } from "../avatars/arrived.ts";
import { type Core, OWN_TOPIC, selfOf, UPLOADS_TOPIC } from "../core.ts";
import { ClientError } from "../errors.ts";
import { parseInviteLink, requestOf } from "../groups/invites.ts";
import { findGroupByName, requireTitle } from "../groups/state.ts";
import { givenFlag, givenName, givenString, givenWhole } from "../given.ts";
import type { Clock, Network, Store } from "../ports.ts";
import { SETTINGS } from "../receiving/own-devices.ts";
import { CONVERSATIONS, GROUPS, MESSAGES, OWN, type OwnAccount, TOKEN } from "../records/tables.ts";
import { EVERYTHING, type Reader, Vault, type Writer } from "../records/vault.ts";
import { registerAccount } from "../registration.ts";
import { after, settingsOf, tellOwnDevices } from "../sending/own-devices.ts";
import { ownProfile, tellProfile } from "../sending/profile.ts";
import { type Exchange, exchange } from "../transport/exchange.ts";
import { httpApi } from "../transport/http-api.ts";
import { platformClock, platformNetwork } from "../transport/platform.ts";
import { type Signer, type Token, Tokens } from "../transport/tokens.ts";
import { setAvatar, StoredAvatar } from "./avatar.ts";
import { People } from "./contacts.ts";
import { OwnDevices, OwnRecoveryKeys } from "./devices.ts";
import { Engine } from "./engine.ts";
import { Ephemerals, readEvents } from "./events.ts";
import { contactLink } from "./link.ts";
import { LinkRequests } from "./link-requests.ts";
import { Presence } from "./presence.ts";
import { Value } from "./value.ts";
import { findAnywhere } from "./message.ts";
import { Views } from "./views.ts";

export interface ClientOptions {
  /** The server's address, such as `https://chat.example.org`. May be left out for a store that has an account. */
  readonly server?: string | undefined;
  readonly store: Store;
  /** For other platforms, and for simulations. */
  readonly network?: Network;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Opens the store. Connects to nothing yet. @throws ClientError `bad-argument`, `not-registered` without a server, `storage-…` */
export async function createClient(options: ClientOptions): Promise<Client> {
  const given = options.server === undefined ? undefined : originOf(options.server);
  const random = options.random ?? systemRandom;
  const vault = await Vault.open(options.store, random);
  try {
    // Where a program ended while it removed everything.
    await vault.finishErasing();
    const own = await vault.read((records) => records.get(OWN));
    const server = given ?? own?.server;
    if (server === undefined) throw new ClientError("not-registered");
    return new LocalClient({ ...options, random, server }, vault, own);
  } catch (error) {
    await vault.close();
    throw error;
  }
}

function originOf(server: string): string {
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new ClientError("bad-argument", { detail: "not an address of a server" });
  return url.origin;
}

interface Parts {
  readonly core: Core;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly tokens: Tokens;
  readonly server: string;
}

interface Running {
  readonly engine: Engine;
  readonly views: Views;
  readonly people: People;
  readonly presence: Presence;
}

class LocalClient implements Client {
  readonly connection: Value<ConnectionState> = new Value<ConnectionState>({ status: "offline", queued: 0, error: undefined });
  readonly profile: Value<Profile>;
  readonly settings: Value<Settings>;
  readonly devices: Devices;
  readonly recovery: RecoveryKeys;
  readonly #linkRequests: LinkRequests;
  readonly #parts: Parts;
  readonly #ephemerals = new Ephemerals();
  readonly #ended = new AbortController();
  #own: OwnAccount | undefined;
  /** An account that has let this device in, before all of it is here. */
  #joining: OwnAccount | undefined;
  #isBeginning = false;
  #running: Running | undefined;
  #conversations: Conversations | undefined;
  #stopWatching: () => void = () => undefined;

  constructor(options: ClientOptions & { readonly random: Random; readonly server: string }, vault: Vault, own: OwnAccount | undefined) {
    const { network = platformNetwork, clock = platformClock, random, server } = options;
    const exchanged = exchange(server, network, clock);
    const place = {
      load: () => vault.read((records) => records.get(TOKEN)),
      save: (token: Token) => vault.write(async (records) => records.put(TOKEN, token)),
    };
    const tokens = new Tokens({ exchange: exchanged, clock, signer: () => this.#signer(), place });
    const core = { vault, server: httpApi(exchanged, tokens), clock, random };
    this.#parts = { core, network, exchange: exchanged, tokens, server };
    this.profile = new Value(own === undefined ? { name: "", avatar: undefined } : profileIn(vault, own));
    this.settings = new Value(own?.settings ?? { readReceipts: true, typing: true, presence: true });
    this.#linkRequests = new LinkRequests(clock, (asked) => this.#ephemerals.tell(asked));
    const devices = {
      core,
      server,
      requests: this.#linkRequests,
      views: () => this.#started.views,
      claim: () => this.#claim(),
      signIn: (account: OwnAccount | undefined) => {
        this.#joining = account;
      },
      begin: (account: OwnAccount) => {
        this.#requireNew();
        this.#run(account);
        return this.account;
      },
    };
    this.devices = new OwnDevices(devices);
    this.recovery = new OwnRecoveryKeys(devices);
    if (own?.registered === true) this.#run(own);
  }

  get state(): "new" | "registered" {
    return this.#own === undefined ? "new" : "registered";
  }

  get account(): Account {
    const { userId, deviceId, username, server } = this.#require();
    return { userId, deviceId, username, link: contactLink(userId, server) };
  }

  get conversations(): Conversations {
    const { views, engine } = this.#started;
    this.#conversations ??= {
      live: views.live<readonly Conversation[]>([], ["contacts", "events", "jobs"], (records) => this.#list(records)),
      direct: async (who, options) => {
        const id = await views.resolve(who, options);
        return await views.read((records) => views.direct(records, id));
      },
      createGroup: async (title, members, options) => {
        requireTitle(title);
        // Before the group is there: whoever is misspelt, or one too many, leaves no group behind.
        const userIds = await views.resolveAll(members, options);
        if (new Set([this.account.userId, ...userIds]).size > MAX_GROUP_MEMBERS) throw new ClientError("group-full");
        const groupId = await engine.groups.create(title, options?.signal);
        const group = await views.read((records) => views.group(records, groupId));
        if (userIds.length > 0) await group.add(userIds, options);
        return await views.read((records) => views.group(records, groupId));
      },
      join: async (link, options) => {
        const asked = parseInviteLink(link, this.#parts.server);
        const admin = await views.resolve(asked.admin, options);
        await views.write(async (records) => {
          await views.introduce(records, admin);
          await views.say(records, admin, { kind: "group-join", request: requestOf(asked, this.account.userId) });
        });
      },
      group: (titleOrId) => views.read(async (records) => await views.group(records, await findGroupByName(records, titleOrId))),
      groups: () =>
        views.read(async (records) => {
          const groups: GroupConversation[] = [];
          for (const { groupId, record } of await records.all(GROUPS)) {
            if (record !== undefined) groups.push(await views.group(records, groupId));
          }
          return groups;
        }),
      list: () => views.read((records) => this.#list(records)),
    };
    return this.#conversations;
  }

  get contacts(): Contacts {
    return this.#started.people;
  }

  async register(options: Parameters<Client["register"]>[0] = {}): Promise<Account> {
    const end = this.#claim();
    try {
      const { username, invite, name, signal } = options;
      const input = { server: this.#parts.server, username, invite, name, signal };
      this.#run(await registerAccount(this.#parts.core, input));
      return this.account;
    } finally {
      end();
    }
  }

  async connect({ signal }: Options = {}): Promise<void> {
    const { engine } = this.#started;
    signal?.throwIfAborted();
    this.connection.set({ ...this.connection.value, error: undefined });
    engine.open();
    await new Promise<void>((resolve, reject) => {
      const done: (() => void)[] = [];
      const finish = (act: () => void): void => {
        for (const undo of done.splice(0)) undo();
        act();
      };
      const abort = (): void => finish(() => reject(signal?.reason instanceof Error ? signal.reason : new ClientError("closed")));
      const end = (): void => finish(() => reject(new ClientError("closed")));
      signal?.addEventListener("abort", abort);
      this.#ended.signal.addEventListener("abort", end);
      done.push(
        () => signal?.removeEventListener("abort", abort),
        () => this.#ended.signal.removeEventListener("abort", end),
      );
      const undo = this.connection.subscribe(({ status, error }) => {
        if (error !== undefined) queueMicrotask(() => finish(() => reject(new ClientError(error))));
        else if (status === "live") queueMicrotask(() => finish(resolve));
      });
      done.push(undo);
    });
  }

  events(options: Parameters<Client["events"]>[0] = {}): AsyncIterableIterator<ClientEvent> {
    const { views, people } = this.#started;
    return readEvents({
      views,
      after: options.after,
      wait: options.wait !== false,
      signal: options.signal,
      ended: this.#ended.signal,
      accept: (who) => people.accept(who),
      block: (who) => people.block(who),
      ephemerals: this.#ephemerals,
    });
  }

  async message(id: MessageId | string): Promise<Message> {
    const { views } = this.#started;
    return await views.read(async (records) => views.message(records, await findAnywhere(records, id)));
  }

  async search(text: string, options: Parameters<Client["search"]>[1] = {}): Promise<readonly Message[]> {
    const { views } = this.#started;
    const wanted = folded(givenString(text, "what is looked for"));
    const limit = givenWhole(options.limit ?? 100, "a limit");
    if (wanted === "") return [];
    return await views.read(async (records) => {
      const places = (await records.all(CONVERSATIONS)).filter(
        ({ id }) => options.conversation === undefined || options.conversation.id === id,
      );
      const found = [];
      for (const { id } of places) {
        const rows = await records.page(MESSAGES, [id], { reverse: true });
        found.push(...rows.map(({ value }) => value).filter((message) => message.announced && folded(message.text).includes(wanted)));
      }
      const newest = found.toSorted((a, b) => b.ordinal - a.ordinal).slice(0, limit);
      const messages: Message[] = [];
      for (const record of newest) messages.push(await views.message(records, record));
      return messages;
    });
  }

  async setProfile(change: ProfileChange, { signal }: Options = {}): Promise<void> {
    const { engine, views } = this.#started;
    const { userId: of } = this.account;
    if (change.name !== undefined) givenName(change.name);
    const also = (records: Writer): Promise<void> => this.#changeProfile(records, change);
    if (change.avatar === undefined) await views.write(also);
    else await setAvatar(engine, { of, picture: change.avatar, signal, also });
    await this.#readOwn();
  }

  /** What needs no server. */
  async #changeProfile(records: Writer, change: ProfileChange): Promise<void> {
    const { sending } = this.#started.engine;
    const before = (await records.get(OWN)) ?? this.#require();
    const { name = before.profile.name } = change;
    const isRenamed = name !== before.profile.name;
    if (isRenamed) records.put(OWN, { ...before, profile: { name }, profileChanged: after(sending, before.profileChanged) });
    const isRemoved = "avatar" in change && change.avatar === undefined && (await removeOwnAvatar(sending, records));
    if (!isRenamed && !isRemoved) return;
    records.touch(OWN_TOPIC);
    await tellOwnDevices(sending, records, await ownProfile(sending, records));
    await tellProfile(sending, records);
  }

  async setSettings(settings: Partial<Settings>): Promise<void> {
    const { sending } = this.#started.engine;
    for (const name of SETTINGS) if (settings[name] !== undefined) givenFlag(settings[name], name);
    const changed = await sending.vault.write(async (records) => {
      const before = (await records.get(OWN)) ?? this.#require();
      const changed = { ...before.settings };
      const settingsChanged = { ...before.settingsChanged };
      for (const name of SETTINGS) {
        const { [name]: given } = settings;
        if (given === undefined) continue;
        changed[name] = given;
        settingsChanged[name] = after(sending, settingsChanged[name]);
      }
      const own = { ...before, settings: changed, settingsChanged };
      records.put(OWN, own);
      await tellOwnDevices(sending, records, settingsOf(own));
      return changed;
    });
    this.settings.set(changed);
  }

  async settled({ signal, pictures = false }: Parameters<Client["settled"]>[0] = {}): Promise<void> {
    await this.#started.engine.settled({ signal, pictures });
  }

  async deleteAccount({ force = false, signal }: Parameters<Client["deleteAccount"]>[0] = {}): Promise<void> {
    const { engine } = this.#started;
    const { endAccount } = await import("../deletion.ts");
    await endAccount(engine, { force, signal });
    await this.#stop();
    await this.#parts.core.vault.erase();
    this.#own = undefined;
    await this.#parts.core.vault.close();
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#parts.core.vault.close();
  }

  async #stop(): Promise<void> {
    this.#ended.abort();
    this.#stopWatching();
    if (this.connection.value.status !== "offline") await this.#running?.presence.leave();
    await this.#running?.engine.close();
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #started(): Running {
    this.#require();
    if (this.#running === undefined) throw new ClientError("closed");
    return this.#running;
  }

  #require(): OwnAccount {
    if (this.#own === undefined) throw new ClientError("not-registered");
    return this.#own;
  }

  #requireNew(): void {
    if (this.#own !== undefined) throw new ClientError("already-registered");
  }

  /** One way to an account at a time: two would make keys in each other's place, and delete them. */
  #claim(): () => void {
    this.#requireNew();
    if (this.#isBeginning) throw new ClientError("in-progress");
    this.#isBeginning = true;
    return () => {
      this.#isBeginning = false;
    };
  }

  #signer(): Signer {
    const { local } = selfOf(this.#joining ?? this.#require());
    const { server, core } = this.#parts;
    const { address, identity } = local;
    return { address, answer: (nonce) => answerChallenge({ origin: server, device: address, nonce }, identity.privateKey, core.random) };
  }

  #run(own: OwnAccount): void {
    this.#own = own;
    this.#joining = undefined;
    const { core, network, exchange, tokens, server } = this.#parts;
    const engine = new Engine({
      core,
      self: selfOf(own),
      network,
      exchange,
      tokens,
      url: server,
      onStatus: (status) => this.connection.set({ ...this.connection.value, status }),
      onFailed: (error) => {
        const code = error instanceof ClientError ? error.code : "server-failed";
        this.connection.set({ ...this.connection.value, status: "offline", error: code });
      },
      onEphemeral: (ephemeral) => {
        this.#ephemerals.tell(ephemeral);
        presence.take(ephemeral).catch(() => undefined);
      },
      onLinkRequested: (request) => {
        if (request.rendezvousId !== own.askedAt) this.#linkRequests.take(request);
      },
    });
    const presence = new Presence(engine);
    const views = new Views(engine);
    this.#running = { engine, views, presence, people: new People(views, presence) };
    this.profile.set(profileIn(core.vault, own));
    this.settings.set(own.settings);
    const count = (): void =>
      void engine.queued().then(
        (queued) => this.connection.set({ ...this.connection.value, queued }),
        () => undefined,
      );
    this.#stopWatching = core.vault.onChange((topics) => {
      if (topics.has("jobs") || topics.has(UPLOADS_TOPIC) || topics.has(EVERYTHING)) count();
      if (topics.has(OWN_TOPIC) || topics.has(EVERYTHING)) this.#readOwn().catch(() => undefined);
    });
  }

  /** Another device of ours, or another program, has changed it. */
  async #readOwn(): Promise<void> {
    const own = await this.#parts.core.vault.read((records) => records.get(OWN));
    if (this.#running === undefined) return;
    if (own === undefined) {
      // Another program has deleted the account, and what was stored here with it: nothing is written any more.
      await this.#stop();
      this.connection.set({ status: "offline", queued: 0, error: "own-account-deleted" });
      return;
    }
    this.profile.set(profileIn(this.#parts.core.vault, own));
    this.settings.set(own.settings);
  }

  async #list(records: Reader): Promise<readonly Conversation[]> {
    const { views } = this.#started;
    const started = (await records.all(CONVERSATIONS)).filter(({ lastOrdinal }) => lastOrdinal > 0);
    const list: Conversation[] = [];
    for (const { id } of started.toSorted((a, b) => b.lastOrdinal - a.lastOrdinal)) list.push(await views.conversation(records, id));
    return list;
  }
}

function profileIn(vault: Vault, { userId, profile, avatar }: OwnAccount): Profile {
  return { name: profile.name, avatar: avatar === undefined ? undefined : new StoredAvatar(vault, userId, avatar) };
}

function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
