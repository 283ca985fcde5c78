// One run of one command: what was asked for globally, where words go, when to stop, and the client of the store, opened when
// needed and closed in the end. Knows no command.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Client, ClientError, type Conversation, createClient, type GroupConversation, type Message } from "#client";
import { sqlite } from "#client/sqlite";
import { useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { ambiguous, folderAsStore, isGroup, noServer } from "./errors.ts";
import { isFolder } from "./files.ts";
import { Output } from "./output.ts";

export const DEFAULT_SERVER = "http://localhost:8787";
const DEFAULT_STORE: string = join(homedir(), ".edgewise", "default.db");

export interface Globals {
  readonly server?: string;
  readonly store?: string;
  readonly json?: boolean;
}

export type Work = (client: Client, session: Session) => Promise<void>;

export class Session {
  readonly output: Output;
  /** Aborted when the program is asked to end. */
  readonly stop: AbortSignal;
  readonly #globals: Globals;

  constructor(globals: Globals, stop: AbortSignal) {
    this.#globals = globals;
    this.output = new Output(globals.json === true);
    this.stop = stop;
  }

  async withAccount(work: Work): Promise<void> {
    // A mistyped name should not leave an empty store behind.
    if (!existsSync(this.#path)) throw new ClientError("not-registered");
    await this.#open(this.#globals.server, async (client) => {
      if (client.state === "new") throw new ClientError("not-registered");
      await work(client, this);
    });
  }

  /** Before there is an account: the server is the one that was named here, or nobody has named one. */
  async withStore(work: Work): Promise<void> {
    const server = this.#globals.server ?? DEFAULT_SERVER;
    try {
      await this.#open(server, (client) => work(client, this));
    } catch (error) {
      throw error instanceof ClientError && error.code === "offline" ? noServer(server, error) : error;
    }
  }

  async #open(server: string | undefined, work: (client: Client) => Promise<void>): Promise<void> {
    if (isFolder(this.#path)) throw folderAsStore(this.#path);
    useBackend(nodeBackend);
    await using client = await createClient({ server, store: sqlite(this.#path) });
    await work(client);
  }

  get #path(): string {
    return resolve(this.#globals.store ?? DEFAULT_STORE);
  }

  async conversation(client: Client, name: string): Promise<Conversation> {
    if (isGroupName(name)) return await this.group(client, name);
    try {
      return await client.conversations.direct(name, { signal: this.stop });
    } catch (error) {
      if (!(error instanceof ClientError) || !NOBODY.has(error.code)) throw error;
      throw (await groupsCalled(client, name)).length === 0 ? error : isGroup(name, error);
    }
  }

  async group(client: Client, name: string): Promise<GroupConversation> {
    const title = groupName(name);
    const [first, ...others] = await groupsCalled(client, title);
    if (first === undefined || others.length === 0) return await client.conversations.group(title);
    const ids = [first, ...others].map(({ id }) => id);
    throw ambiguous("Several groups have this title; each has an id of its own.", ids);
  }

  /** For a command whose work is done here and still has to reach others: no later one may come. */
  async finish(client: Client): Promise<void> {
    await client.settled({ signal: this.stop });
    await this.ok();
  }

  /** For a command that is done: our own other devices should show it now, too. What keeps that from going is tried again by the next one. */
  async spread(client: Client): Promise<void> {
    await client.settled({ signal: this.stop }).catch(() => undefined);
  }

  ok(): Promise<void> {
    return this.output.line({ type: "ok" }, "ok");
  }
}

/** `#name`, or the 64 digits of an id. */
function isGroupName(name: string): boolean {
  return name.startsWith("#") || /^[0-9a-f]{64}$/.test(name);
}

/** What is said of somebody who is not there, or whose name nobody can have. */
const NOBODY: ReadonlySet<string> = new Set(["unknown-user", "bad-argument"]);

/** Those that we are in. */
async function groupsCalled(client: Client, title: string): Promise<readonly GroupConversation[]> {
  return (await client.conversations.groups()).filter((group) => group.title === title && group.standing === "member");
}

/** What the SDK calls it. */
function groupName(name: string): string {
  return name.replace(/^#/, "");
}

/** The latest, oldest first. */
export async function latest(conversation: Conversation, limit: number): Promise<readonly Message[]> {
  const found: Message[] = [];
  while (found.length < limit) {
    const before = found.at(-1)?.id;
    const page = await conversation.history({ limit: limit - found.length, ...(before === undefined ? {} : { before }) });
    if (page.length === 0) break;
    found.push(...page);
  }
  return found.reverse();
}
