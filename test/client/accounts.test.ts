// What a client makes of the logs that a server gives it. The logs are written by the real authors; the server is a list.

import { expect, test } from "vitest";
import { systemRandom } from "#crypto";
import type { Bytes, UserId } from "#wire";
import { memory } from "edgewise/store/memory";
import { Accounts } from "../../client/accounts.ts";
import type { Core } from "../../client/core.ts";
import { contactOf } from "../../client/records/contact.ts";
import { CONTACTS, EVENTS } from "../../client/records/tables.ts";
import { Vault } from "../../client/records/vault.ts";
import type { ServerApi } from "../../client/server-api.ts";
import { platformClock } from "../../client/transport/platform.ts";
import { Owner } from "../support/accounts.ts";

interface Reader {
  readonly core: Core;
  readonly accounts: Accounts;
}

/** Somebody who reads the owner's log as far as it goes. */
async function reader(owner: Owner): Promise<Reader> {
  const server = { getLog: (_: UserId, after: number) => Promise.resolve<readonly Bytes[]>(owner.entries.slice(after)) } as ServerApi; // nothing else is asked here
  const core: Core = { vault: await Vault.open(memory(), systemRandom), server, clock: platformClock, random: systemRandom };
  return { core, accounts: new Accounts(core, new Owner(1000).userId) };
}

async function know({ core, accounts }: Reader, owner: Owner, verifiedAt: number | undefined): Promise<void> {
  await accounts.refresh(owner.userId);
  await core.vault.write(async (records) => {
    records.put(CONTACTS, { ...(await contactOf(records, owner.userId)), state: "accepted", verifiedAt }, owner.userId);
  });
}

async function notices({ core }: Reader): Promise<readonly string[]> {
  const events = await core.vault.read((records) => records.all(EVENTS));
  return events.flatMap((event) => (event.type === "notice" ? [event.kind] : []));
}

test("a verified person whose account was recovered is not written to until they are verified again", async () => {
  const owner = new Owner(1);
  const key = owner.nameKey(undefined);
  owner.now += 8 * 24 * 3600;
  const alice = await reader(owner);
  await know(alice, owner, owner.entries.length);
  const write = (): Promise<unknown> => alice.core.vault.read((records) => alice.accounts.require(records, owner.userId));
  await expect(write()).resolves.toMatchObject({ userId: owner.userId });

  owner.recover(key);
  await alice.accounts.refresh(owner.userId);
  await expect(write()).rejects.toMatchObject({ code: "identity-changed", retryable: false });
  expect(await notices(alice)).toContain("account-changed");

  await know(alice, owner, owner.entries.length);
  await expect(write()).resolves.toMatchObject({ userId: owner.userId });
});

test("who was never verified can be written to after a recovery, which is told all the same", async () => {
  const owner = new Owner(2);
  const key = owner.nameKey(undefined);
  owner.now += 8 * 24 * 3600;
  const alice = await reader(owner);
  await know(alice, owner, undefined);
  owner.recover(key);
  await alice.accounts.refresh(owner.userId);
  await expect(alice.core.vault.read((records) => alice.accounts.require(records, owner.userId))).resolves.toMatchObject({});
  expect(await notices(alice)).toContain("account-changed");
});

test("a new device of a verified person is told and stops nothing", async () => {
  const owner = new Owner(3);
  const alice = await reader(owner);
  await know(alice, owner, owner.entries.length);
  owner.add();
  await alice.accounts.refresh(owner.userId);
  await expect(alice.core.vault.read((records) => alice.accounts.require(records, owner.userId))).resolves.toMatchObject({});
  expect(await notices(alice)).toEqual(["device-added"]);
});
