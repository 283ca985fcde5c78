// Records that a vault keeps when it has opened them: whoever reads gets what is in the store now, and nothing else.

import { expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { parseUserId } from "#wire";
import { contactOf } from "../../client/records/contact.ts";
import { type Contact, CONTACTS } from "../../client/records/tables.ts";
import { Vault } from "../../client/records/vault.ts";
import { memory, SharedMemory } from "../../client/store/memory.ts";
import type { Store } from "../../client/ports.ts";

const BOB = parseUserId("11111111-1111-8111-8111-111111111100");

interface Two {
  readonly ours: Vault;
  /** Of another program. */
  readonly theirs: Vault;
  readonly store: Store;
}

async function two(): Promise<Two> {
  const shared = new SharedMemory();
  const open = (): Promise<Vault> => Vault.open(memory({ shared }), systemRandom);
  return { ours: await open(), theirs: await open(), store: memory({ shared }) };
}

async function name(vault: Vault, to: string): Promise<void> {
  await vault.write(async (records) => records.put(CONTACTS, { ...(await contactOf(records, BOB)), name: to }, BOB));
}

function bob(vault: Vault): Promise<Contact | undefined> {
  return vault.read((records) => records.get(CONTACTS, BOB));
}

/** Replaces the bytes of the one record there is. */
async function damage(store: Store, change: (value: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): Promise<void> {
  await store.write(async (transaction) => {
    const [entry] = await transaction.scan({ from: "", to: "\uffff" });
    if (entry !== undefined) transaction.put(entry.key, change(entry.value));
  });
}

test("what is read twice is opened once", async () => {
  const { ours } = await two();
  await name(ours, "Bob");
  const first = await bob(ours);
  expect(first?.name).toBe("Bob");
  expect(await bob(ours)).toBe(first);
});

test("what another program has written or deleted since is seen", async () => {
  const { ours, theirs } = await two();
  await name(ours, "Bob");
  expect((await bob(ours))?.name).toBe("Bob");
  await name(theirs, "Robert");
  expect((await bob(ours))?.name).toBe("Robert");
  await theirs.write(async (records) => records.delete(CONTACTS, BOB));
  expect(await bob(ours)).toBeUndefined();
  expect(await ours.read((records) => records.all(CONTACTS))).toEqual([]);
});

test("what was undone was never there", async () => {
  const { ours } = await two();
  await name(ours, "Bob");
  await bob(ours);
  const undone = ours.write(async (records) => {
    records.put(CONTACTS, { ...(await contactOf(records, BOB)), name: "Mallory" }, BOB);
    expect((await records.all(CONTACTS))[0]?.name).toBe("Mallory");
    throw new Error("no");
  });
  await expect(undone).rejects.toThrow("no");
  expect((await bob(ours))?.name).toBe("Bob");
});

test("a record that is altered in the store is corrupt, though it was opened before", async () => {
  const { ours, store } = await two();
  await name(ours, "Bob");
  await bob(ours);
  const length = await store.read(async (transaction) => (await transaction.scan({ from: "", to: "\uffff" }))[0]?.value.length ?? 0);
  for (let at = 0; at < length; at++) {
    const flip = (value: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => value.map((byte, i) => (i === at ? byte ^ 1 : byte));
    await damage(store, flip);
    await expect(bob(ours)).rejects.toMatchObject({ code: "storage-corrupt" });
    await damage(store, flip);
  }
  expect((await bob(ours))?.name).toBe("Bob");
  await damage(store, (value) => value.slice(0, -1));
  await expect(bob(ours)).rejects.toMatchObject({ code: "storage-corrupt" });
});
