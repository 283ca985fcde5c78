// The secrets of a group after a member has lost a device: an admin's program draws new ones by itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type Store } from "#client";
import { systemRandom } from "#crypto";
import { decodeGroupRecord } from "#protocol";
import { parseDeviceId, parseGroupId } from "#wire";
import { memory } from "edgewise/store/memory";
import { sqlite } from "edgewise/store/node-sqlite";
import { GROUPS } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { RunningServer } from "../../server/running-server.ts";
import { addSecondDevice, revokeDevice } from "../devices/second-device.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };

const folder = mkdtempSync(join(tmpdir(), "edgewise-rotation-"));
let server: RunningServer;
beforeAll(async () => {
  server = await RunningServer.start(join(folder, "state"), `1:${"R".repeat(43)}`, 0, { EDGEWISE_BENCH: "edgewise" });
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(store: Store): Promise<Client> {
  return await createClient({ server: server.url, store });
}

/** The epoch of the group, and the length of bob's log that it shows, as they stand in somebody's store. */
async function readState(vault: Vault, groupId: string, userId: string): Promise<readonly [epoch: number, logLength: number]> {
  const record = (await vault.read((records) => records.get(GROUPS, parseGroupId(groupId))))?.record;
  if (record === undefined) return [-1, 0];
  const { epoch, members } = decodeGroupRecord(record).state;
  return [epoch, members.find((member) => member.userId === userId)?.logLength ?? 0];
}

test("an admin's program draws new secrets when a device is revoked that was given them", async () => {
  const store = memory();
  await using alice = await opened(store);
  await alice.register({ username: "alice" });
  await alice.connect();
  await using carol = await opened(memory());
  await carol.register({ username: "carol" });
  const [first, second] = [join(folder, "bob.db"), join(folder, "bob2.db")];
  let bob = await opened(sqlite(first));
  await bob.register({ username: "bob" });
  await (await bob.conversations.direct("alice")).send("hello");
  await bob.settled();
  await expect.poll(async () => (await alice.contacts.listRequests()).length, PATIENCE).toBe(1);
  await alice.contacts.accept("bob");
  const group = await alice.conversations.createGroup("Devices", ["bob", "carol"]);
  await alice.settled();
  await bob.connect();
  const vault = await Vault.open(store, systemRandom);
  const state = (): Promise<readonly [number, number]> => readState(vault, group.id, bob.account.userId);
  await expect.poll(async () => (await bob.conversations.groups()).map(({ members }) => members.length), PATIENCE).toEqual([3]);
  const speak = async (text: string): Promise<void> => {
    await (await bob.conversations.group(group.id)).send(text);
    await bob.settled();
  };

  await bob.close();
  await addSecondDevice(server.url, sqlite(first), sqlite(second));
  bob = await opened(sqlite(first));
  await bob.connect();
  await speak("I have two");
  await expect.poll(async () => (await group.history()).map(({ text }) => text), PATIENCE).toEqual(["I have two"]);
  await group.remove(["carol"]);
  await expect.poll(state, PATIENCE).toEqual([1, 2]);

  await bob.close();
  await revokeDevice(server.url, sqlite(first), parseDeviceId(2));
  bob = await opened(sqlite(first));
  await bob.connect();
  await speak("I have one");
  await expect.poll(state, PATIENCE).toEqual([2, 3]);
  await bob.close();
});
