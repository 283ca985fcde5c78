// Records that a vault keeps when it has opened them: whoever reads gets what is in the store now, and nothing else.

import { expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { parseMessageId, parseUserId } from "#wire";
import { KeptRecords } from "../../client/records/kept.ts";
import { contactOf } from "../../client/records/contact.ts";
import { type Contact, CONTACTS, OWED, type Owed } from "../../client/records/tables.ts";
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

function owedTo(number: number): Owed {
  return { conversation: BOB, userId: BOB, delivered: [], read: [parseMessageId(`11111111-1111-4111-8111-00000000000${number}`)] };
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

test("what was written is not opened at all, and is what was put last", async () => {
  const { ours } = await two();
  let put: Contact | undefined;
  await ours.write(async (records) => {
    records.put(CONTACTS, { ...(await contactOf(records, BOB)), name: "Robert" }, BOB);
    expect((await records.all(CONTACTS))[0]?.name).toBe("Robert");
    put = { ...(await contactOf(records, BOB)), name: "Bob" };
    records.put(CONTACTS, put, BOB);
  });
  expect(await bob(ours)).toBe(put);
  expect(await ours.read((records) => records.all(CONTACTS))).toEqual([put]);
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

test("a deleted record is nowhere, whichever way it goes", async () => {
  const { ours } = await two();
  await name(ours, "Bob");
  await ours.write(async (records) => records.delete(CONTACTS, BOB));
  expect(await bob(ours)).toBeUndefined();
  for (const ordinal of [1, 2, 3]) await ours.write(async (records) => records.put(OWED, owedTo(ordinal), ordinal));
  await ours.write((records) => records.deleteBefore(OWED, [], 3));
  expect(await ours.read((records) => records.all(OWED))).toEqual([owedTo(3)]);
  await ours.erase();
  expect(await ours.read((records) => records.all(OWED))).toEqual([]);
});

test("only so much is kept: what nobody has asked for goes first", () => {
  const kept = new KeptRecords();
  const sealed = new Uint8Array(2 ** 19);
  for (const place of ["a", "b", "c", "d"]) kept.keep(place, sealed, place);
  expect(kept.find("a", sealed)?.value).toBe("a");
  kept.keep("e", sealed, "e");
  expect(kept.find("b", sealed)).toBeUndefined();
  for (const place of ["a", "c", "d", "e"]) expect(kept.find(place, sealed)?.value).toBe(place);
  // Nor is room lost by what is written again or forgotten.
  for (let i = 0; i < 10; i++) kept.keep("e", sealed, "e");
  kept.forget("e");
  kept.forget("e");
  kept.keep("f", sealed, "f");
  for (const place of ["a", "c", "d", "f"]) expect(kept.find(place, sealed)?.value).toBe(place);
  kept.keep("g", new Uint8Array(2 ** 21 + 1), "g");
  for (const place of ["a", "c", "d", "f", "g"]) expect(kept.find(place, sealed)).toBeUndefined();
});

test("what is kept is given for the very bytes only, though whoever brought them changes them later", () => {
  const kept = new KeptRecords();
  const sealed = Uint8Array.of(1, 2, 3);
  kept.keep("a", sealed, "a");
  sealed[0] = 9;
  expect(kept.find("a", sealed)).toBeUndefined();
  expect(kept.find("a", Uint8Array.of(1, 2))).toBeUndefined();
  expect(kept.find("a", Uint8Array.of(1, 2, 3))?.value).toBe("a");
});
