// People in a group, for tests: real clients on a real server. A test may open the store of each beside its client, as somebody
// who has stolen the device would.

import "edgewise/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Client, ClientError, type ClientOptions, createClient } from "#client";
import { systemRandom } from "#crypto";
import { decodeGroupRecord, type GroupRecord } from "#protocol";
import { parseGroupId, type UserId } from "#wire";
import { memory, SharedMemory } from "edgewise/store/memory";
import { GROUPS } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { RunningServer } from "../../server/running-server.ts";
import { found } from "../../support/accounts.ts";
import { addSecondDevice } from "../devices/second-device.ts";

/** Long, because a shared machine is slow at times. */
export const PATIENCE = { timeout: 60_000, interval: 50 } as const;

/** For a server to start and to end. */
export const HOOK_MILLISECONDS = 60_000;

/** A server without rate limits, which may be killed and started again with what it has stored. */
export class Place {
  readonly #folder = mkdtempSync(join(tmpdir(), "edgewise-group-"));
  #server: RunningServer | undefined;

  get url(): string {
    return found(this.#server).url;
  }

  async start(): Promise<void> {
    const port = this.#server?.port ?? 0;
    this.#server = await RunningServer.start(join(this.#folder, "state"), `1:${"G".repeat(43)}`, port, { EDGEWISE_BENCH: "edgewise" });
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One device of somebody's. */
export interface Person extends AsyncDisposable {
  readonly client: Client;
  readonly userId: UserId;
  /** What its store holds, the keys among it. */
  readonly shared: SharedMemory;
}

let people = 0;

/** Somebody with an account. Their username is `name` and a number. */
export async function register(server: string, name: string, options: Partial<ClientOptions> = {}): Promise<Person> {
  const shared = new SharedMemory();
  const client = await createClient({ ...options, server, store: memory({ shared }) });
  const { userId } = await client.register({ username: `${name}${++people}`, name });
  return { client, userId, shared, [Symbol.asyncDispose]: () => client.close() };
}

/** The same, and receives. */
export async function newcomer(server: string, name: string, options: Partial<ClientOptions> = {}): Promise<Person> {
  const person = await register(server, name, options);
  await person.client.connect();
  return person;
}

/** Another device of the same account, which does not receive yet. */
export async function secondDevice(server: string, { userId, shared: first }: Person): Promise<Person> {
  const shared = new SharedMemory();
  await addSecondDevice(server, memory({ shared: first }), memory({ shared }));
  const client = await createClient({ server, store: memory({ shared }) });
  return { client, userId, shared, [Symbol.asyncDispose]: () => client.close() };
}

/** Opens what a store holds, beside the client that uses it. */
export async function withStore<T>({ shared }: Pick<Person, "shared">, work: (vault: Vault) => Promise<T>): Promise<T> {
  const vault = await Vault.open(memory({ shared }), systemRandom);
  try {
    return await work(vault);
  } finally {
    await vault.close();
  }
}

/** What a device keeps of a group: state and secrets. */
export async function recordOf(person: Person, id: string): Promise<GroupRecord | undefined> {
  const known = await withStore(person, (vault) => vault.read((records) => records.get(GROUPS, parseGroupId(id))));
  return known?.record === undefined ? undefined : decodeGroupRecord(known.record);
}

/** A group of the first person's and the others, once all of them have read of it. The others have accepted the first. */
export async function groupOf([first, ...others]: readonly Person[], title: string): Promise<string> {
  const founder = found(first);
  for (const other of others) await other.client.contacts.accept(founder.userId);
  const group = await founder.client.conversations.createGroup(
    title,
    others.map((other) => other.userId),
  );
  await settled(founder);
  for (const other of others) await expect.poll(() => membersOf(other, group.id), PATIENCE).toHaveLength(others.length + 1);
  return group.id;
}

export async function membersOf(person: Person, id: string): Promise<readonly UserId[]> {
  return (await recordOf(person, id))?.state.members.map(({ userId }) => userId) ?? [];
}

/** What was said in a group, as somebody sees it, oldest first. */
export async function textsOf({ client }: Person, id: string): Promise<readonly string[]> {
  const group = await client.conversations.group(id).catch(() => undefined);
  return ((await group?.history({ limit: 10_000 })) ?? []).map(({ text }) => text).toReversed();
}

/** Until everything is out. What failed for now is tried again, as by any program that goes on running. */
export async function settled({ client }: Person): Promise<void> {
  for (;;) {
    try {
      await client.settled();
      return;
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable) throw error;
    }
  }
}

/** Says something in a group, and waits until the server has it for everybody. */
export async function say(person: Person, id: string, text: string): Promise<void> {
  await (await person.client.conversations.group(id)).send(text);
  await settled(person);
}
