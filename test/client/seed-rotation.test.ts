// A server that gets another seed signs certificates under a new root. Clients from before learn it when they meet it.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Client, createClient } from "#client";
import { memory } from "edgewise/store/memory";
import { RunningServer } from "../server/running-server.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewise-seeds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what is written under a new seed is read by those who registered under the old one, and the other way round", async () => {
  const [first, second] = [1, 2].map((version) => `${version}:${randomBytes(32).toString("base64url")}`);
  const state = join(folder, "state");
  let server = await RunningServer.start(state, String(first));
  const newcomer = async (username: string): Promise<Client> => {
    const client = await createClient({ server: server.url, store: memory() });
    await client.register({ username });
    return client;
  };
  const texts = async (reader: Client, writer: Client): Promise<readonly string[]> =>
    (await (await reader.conversations.direct(writer.account.userId)).history()).map(({ text }) => text).toReversed();
  try {
    await using alice = await newcomer("alice");
    await using bob = await newcomer("bob");
    await (await (await alice.conversations.direct("bob")).send("under the first")).sent();
    await server.kill();
    server = await RunningServer.start(state, `${first},${second}`, server.port);
    await using carol = await newcomer("carol");
    await (await (await carol.conversations.direct("bob")).send("under the second")).sent();
    await bob.connect();
    await bob.contacts.accept(alice.account.userId);
    await bob.contacts.accept(carol.account.userId);
    expect(await texts(bob, alice)).toEqual(["under the first"]);
    expect(await texts(bob, carol)).toEqual(["under the second"]);
    await (await (await bob.conversations.direct("carol")).send("back")).sent();
    await carol.connect();
    await expect.poll(() => texts(carol, bob), { timeout: 20_000 }).toEqual(["under the second", "back"]);
  } finally {
    await server.kill();
  }
});
