// The store in a browser: what every store does, and what only a browser does to one. Runs in Chromium itself.

import { ascii, type Bytes, sameBytes } from "#wire";
import { indexedDb } from "edgewise/store/indexeddb";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { cdp } from "vitest/browser";
import type { Store } from "../../../../client/ports.ts";
import { storeConformance } from "../../../conformance/store.ts";

const opened: Store[] = [];
const names: string[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await Promise.all(names.splice(0).map((name) => answer(indexedDB.deleteDatabase(name))));
});

describe("indexeddb", () => {
  storeConformance(() => {
    const name = newName();
    return { open: () => indexedDb(name) };
  });

  test("a worker that counts at the same time loses nothing, finds the same key, and is heard", async () => {
    const name = newName();
    const store = open(name);
    const key = (await store.unlock()).expose().join(" ");
    let news = 0;
    store.onForeignWrite(() => void news++);
    const worker = new Worker(new URL("counter.worker.ts", import.meta.url), { type: "module" });
    const done = new Promise((resolve) => worker.addEventListener("message", (event: MessageEvent<unknown>) => resolve(event.data)));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is its own target
    worker.postMessage({ name, times: 100 });
    for (let i = 0; i < 100; i++) await increment(store);
    expect(await done).toBe(key);
    worker.terminate();
    expect(await valueOf(store, "counter")).toBe("200");
    await expect.poll(() => news).toBe(100);
  });

  test("the key that wraps the store's key cannot be read, and the store's key is nowhere in the database", async () => {
    const name = newName();
    const store = open(name);
    const key = (await store.unlock()).expose().join();
    const raw = await openRaw(name);
    const [wrapped, ...more] = await answer<WrappedKey[]>(raw.transaction("keyring").objectStore("keyring").getAll());
    raw.close();
    expect(more).toEqual([]);
    if (wrapped === undefined) throw new Error("the store keeps no key");
    expect(wrapped.wrappingKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("raw", wrapped.wrappingKey)).rejects.toMatchObject({ name: "InvalidAccessError" });
    expect(new Uint8Array(wrapped.sealed).join()).not.toContain(key);
    expect(wrapped.sealed.byteLength).toBe(32 + 16);
  });

  test("another wrapping key, and a changed box, are a wrong key and never a new one", async () => {
    const name = newName();
    await open(name).unlock();
    const wrappingKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await changeRaw(name, "keyring", "store-key", (value) => ({ ...(value as WrappedKey), wrappingKey })); // what the store wrote
    await expect(open(name).unlock()).rejects.toMatchObject({ code: "storage-wrong-key" });
    await changeRaw(name, "keyring", "store-key", (value) => ({ ...(value as WrappedKey), sealed: new ArrayBuffer(48) })); // the same
    await expect(open(name).unlock()).rejects.toMatchObject({ code: "storage-wrong-key" });
  });

  test("a stored value that is no byte string is a damaged record, by key and by range", async () => {
    const name = newName();
    const store = open(name);
    await put(store, "key", ascii("value"));
    await changeRaw(name, "records", "key", () => "text");
    await expect(valueOf(store, "key")).rejects.toMatchObject({ code: "storage-corrupt" });
    await expect(store.read((transaction) => transaction.scan({ from: "", to: "z" }))).rejects.toMatchObject({ code: "storage-corrupt" });
    await expect(store.read((transaction) => transaction.scan({ from: "", to: "z", limit: 1, reverse: true }))).rejects.toMatchObject({
      code: "storage-corrupt",
    });
    expect(await valueOf(store, "other")).toBeUndefined();
  });

  test("a transaction whose work waits for something else fails, and nothing of it is written", async () => {
    const store = open(newName());
    await put(store, "before", ascii("value"));
    const work = store.write(async (transaction) => {
      transaction.put("first", ascii("value"));
      await transaction.get("first");
      await new Promise((resolve) => void setTimeout(resolve, 50));
      transaction.put("second", ascii("value"));
    });
    await expect(work).rejects.toMatchObject({ code: "bad-argument" });
    const entries = await store.read((transaction) => transaction.scan({ from: "", to: "z" }));
    expect(entries.map(({ key }) => key)).toEqual(["before"]);
  });

  test("a store gives way to a newer program at once, and says then that it is closed; an older program is told to update", async () => {
    const name = newName();
    const store = open(name);
    await put(store, "key", ascii("value"));
    const newer = await openRaw(name, 2);
    await expect(valueOf(store, "key")).rejects.toMatchObject({ code: "closed" });
    await expect(valueOf(open(name), "key")).rejects.toMatchObject({ code: "upgrade-required" });
    newer.close();
  });

  test("a store that is deleted under a program is closed for it, not empty", async () => {
    const name = newName();
    const store = open(name);
    await put(store, "key", ascii("value"));
    await answer(indexedDB.deleteDatabase(name));
    await expect(valueOf(store, "key")).rejects.toMatchObject({ code: "closed" });
    await expect(put(store, "key", ascii("late"))).rejects.toMatchObject({ code: "closed" });
  });

  test("a store that another tab does not let go is locked, and opens when it does", async () => {
    const name = newName();
    const stubborn = await openRaw(name, 1, (raw) => {
      raw.createObjectStore("records");
      raw.createObjectStore("keyring");
    });
    const deletion = answer(indexedDB.deleteDatabase(name));
    const store = open(name);
    await expect(valueOf(store, "key")).rejects.toMatchObject({ code: "storage-locked", retryable: true });
    stubborn.close();
    await deletion;
    await put(store, "key", ascii("value"));
    expect(await valueOf(store, "key")).toBe("value");
  });

  test("without room nothing is stored and nothing is lost; with room again it goes on", async () => {
    // The browser remembers for a while how much room there was, unless it forgets the whole origin.
    const { origin } = location;
    await cdp().send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
    const { usage = 0 } = await navigator.storage.estimate();
    await cdp().send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 500_000 });
    onTestFinished(async () => void (await cdp().send("Storage.overrideQuotaForOrigin", { origin })));
    const store = open(newName());
    await put(store, "key", ascii("value"));
    const large = incompressible(2_000_000);
    await expect(put(store, "large", large)).rejects.toMatchObject({ code: "storage-full", retryable: true });
    expect(await valueOf(store, "key")).toBe("value");
    expect(await store.read((transaction) => transaction.get("large"))).toBeUndefined();
    await cdp().send("Storage.overrideQuotaForOrigin", { origin });
    await put(store, "large", large);
    const found = await store.read((transaction) => transaction.get("large"));
    expect(found !== undefined && sameBytes(found, large)).toBe(true);
  });
});

interface WrappedKey {
  readonly wrappingKey: CryptoKey;
  readonly sealed: ArrayBuffer;
}

function newName(): string {
  const name = `store-${crypto.randomUUID()}`;
  names.push(name);
  return name;
}

/** As sealed records are. Some versions of Chromium make others smaller before they count them. */
function incompressible(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

function open(name: string): Store {
  const store = indexedDb(name);
  opened.push(store);
  return store;
}

function put(store: Store, key: string, value: Bytes): Promise<void> {
  return store.write(async (transaction) => transaction.put(key, value));
}

async function valueOf(store: Store, key: string): Promise<string | undefined> {
  const value = await store.read((transaction) => transaction.get(key));
  return value === undefined ? undefined : String.fromCharCode(...value);
}

async function increment(store: Store): Promise<void> {
  await store.write(async (transaction) => {
    const value = String.fromCharCode(...((await transaction.get("counter")) ?? ascii("0")));
    transaction.put("counter", ascii(String(Number(value) + 1)));
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB gave no reason")));
  });
}

/** Past the store, and deaf to whoever wants it closed. */
function openRaw(name: string, version = 1, upgrade: (database: IDBDatabase) => void = () => undefined): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version);
  request.addEventListener("upgradeneeded", () => upgrade(request.result));
  return answer(request);
}

async function changeRaw(name: string, where: "records" | "keyring", key: string, change: (value: unknown) => unknown): Promise<void> {
  const raw = await openRaw(name);
  const store = raw.transaction(where, "readwrite").objectStore(where);
  await answer(store.put(change(await answer<unknown>(store.get(key))), key));
  raw.close();
}
