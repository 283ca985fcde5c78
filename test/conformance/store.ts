// What every store does, told once: order, transactions, sharing, the key. Runs wherever the store runs. Does not know what is
// behind it; what only a file can suffer is told beside its adapter.

import type { Secret } from "#crypto";
import { ascii, type Bytes, copy, toHex } from "#wire";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { KeyRange, Store, StoreReader, StoreWriter } from "../../client/ports.ts";
import { seededRandom } from "../support/random.ts";

/** Where the records of one store are. Each `open` is another program that uses it. */
export interface Place {
  open(): Store;
}

export function storeConformance(newPlace: () => Place): void {
  const opened: Store[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  function place(): Place {
    const { open } = newPlace();
    return {
      open() {
        const store = open();
        opened.push(store);
        return store;
      },
    };
  }

  test("what was written is there, also for the next program, and what was not is undefined", async () => {
    const { open } = place();
    const store = open();
    expect(await read(store, "key")).toBeUndefined();
    await write(store, "key", "value");
    expect(await read(store, "key")).toBe("value");
    expect(await read(store, "ke")).toBeUndefined();
    await store.close();
    expect(await read(open(), "key")).toBe("value");
  });

  test("what was deleted is gone, also for the next program; deleting what is not there is nothing", async () => {
    const { open } = place();
    const store = open();
    await write(store, "key", "value");
    await store.write(async (transaction) => {
      transaction.delete("key");
      transaction.delete("never");
    });
    expect(await read(store, "key")).toBeUndefined();
    await store.close();
    expect(await keysOf(open())).toEqual([]);
  });

  test("a transaction gives back what its work gave", async () => {
    const store = place().open();
    expect(await store.write(async () => 17)).toBe(17);
    expect(await store.read(async () => "seventeen")).toBe("seventeen");
  });

  test("keys are in the order of their UTF-16 code units, and none is taken for another", async () => {
    const store = place().open();
    await fill(store, [...STRANGE_KEYS].reverse());
    const inOrder = [...STRANGE_KEYS].sort();
    expect(inOrder.indexOf("\u{10000}")).toBeLessThan(inOrder.indexOf("\uE000"));
    expect(await keysOf(store)).toEqual(inOrder);
    expect(await keysOf(store, { reverse: true })).toEqual(inOrder.toReversed());
    for (const key of STRANGE_KEYS) expect(await read(store, key)).toBe(hexOf(key));
  });

  test("a range begins with its beginning and ends before its end", async () => {
    const store = place().open();
    await fill(store, ["a", "b", "c", "d"]);
    expect(await keysOf(store, { from: "b", to: "d" })).toEqual(["b", "c"]);
    expect(await keysOf(store, { from: "b", to: "d", reverse: true })).toEqual(["c", "b"]);
    expect(await keysOf(store, { from: "bb", to: "dd" })).toEqual(["c", "d"]);
    expect(await keysOf(store, { from: "b", to: "b" })).toEqual([]);
    expect(await keysOf(store, { from: "c", to: "b" })).toEqual([]);
    expect(await keysOf(store, { from: "e", to: "f" })).toEqual([]);
    expect(await keysOf(store, { from: "e", to: "f", reverse: true })).toEqual([]);
  });

  test("a limit cuts a scan at its far end, from either side", async () => {
    const store = place().open();
    await fill(store, ["a", "b", "c", "d"]);
    expect(await keysOf(store, { limit: 3 })).toEqual(["a", "b", "c"]);
    expect(await keysOf(store, { limit: 3, reverse: true })).toEqual(["d", "c", "b"]);
    expect(await keysOf(store, { from: "b", to: "d", limit: 1, reverse: true })).toEqual(["c"]);
    expect(await keysOf(store, { limit: 4 })).toHaveLength(4);
    expect(await keysOf(store, { limit: 100 })).toHaveLength(4);
    expect(await keysOf(store, { limit: 0 })).toEqual([]);
    expect(await keysOf(store, { limit: 0, reverse: true })).toEqual([]);
  });

  test("many records are paged through from either side, and each page goes on where the last one ended", async () => {
    const store = place().open();
    const keys = Array.from({ length: 2_000 }, (_, i) => `record-${String((i * 1_237) % 2_000).padStart(4, "0")}`);
    await fill(store, keys);
    const inOrder = [...keys].sort();
    const [up, down]: [string[], string[]] = [[], []];
    for (let page = 0; page < 20; page++) {
      up.push(...(await keysOf(store, { from: `${up.at(-1) ?? ""}\0`, limit: 100 })));
      down.push(...(await keysOf(store, { to: down.at(-1) ?? EVERYTHING.to, limit: 100, reverse: true })));
    }
    expect(up).toEqual(inOrder);
    expect(down).toEqual(inOrder.toReversed());
    expect(await keysOf(store, { from: `${up.at(-1) ?? ""}\0` })).toEqual([]);
  });

  test("a transaction whose work fails leaves everything as it was, and fails with the same error", async () => {
    const store = place().open();
    await fill(store, ["a", "b"]);
    const before = await all(store);
    const reason = new Error("no");
    const failed = store.write(async (transaction) => {
      transaction.put("a", ascii("other"));
      transaction.delete("b");
      transaction.put("c", ascii("new"));
      await transaction.get("a");
      transaction.put("d", ascii("new"));
      throw reason;
    });
    await expect(failed).rejects.toBe(reason);
    expect(await all(store)).toEqual(before);
    await expect(store.write(() => Promise.reject(reason))).rejects.toBe(reason);
    await expect(store.read(() => Promise.reject(reason))).rejects.toBe(reason);
    await write(store, "c", "after");
    expect(await keysOf(store)).toEqual(["a", "b", "c"]);
  });

  test("a transaction sees what it has written, by key and by range", async () => {
    const store = place().open();
    await fill(store, ["a", "b", "c"]);
    await store.write(async (transaction) => {
      transaction.put("bb", ascii("new"));
      transaction.put("c", ascii("other"));
      transaction.delete("a");
      expect(await valueAt(transaction, "bb")).toBe("new");
      expect(await valueAt(transaction, "a")).toBeUndefined();
      expect(await scanned(transaction)).toEqual(["b=62", "bb=new", "c=other"]);
      expect(await scanned(transaction, { reverse: true, limit: 2 })).toEqual(["c=other", "bb=new"]);
      transaction.put("a", ascii("again"));
      transaction.delete("bb");
      expect(await scanned(transaction)).toEqual(["a=again", "b=62", "c=other"]);
    });
    expect(await keysOf(store)).toEqual(["a", "b", "c"]);
  });

  test("a reader sees all of a write or nothing of it, in every program", async () => {
    const { open } = place();
    const [writer, reader] = [open(), open()];
    await setPair(writer, 0);
    const writes = Promise.all(Array.from({ length: 25 }, (_, i) => setPair(writer, i + 1)));
    const seen = await Promise.all(Array.from({ length: 50 }, (_, i) => pair(i % 2 === 0 ? reader : writer)));
    await writes;
    for (const [left, right] of seen) expect(right).toBe(left);
    expect(await pair(reader)).toEqual(["25", "25"]);
  });

  test("a reader sees nothing of a write that is undone", async () => {
    const { open } = place();
    const [writer, reader] = [open(), open()];
    await setPair(writer, 0);
    const undo = () => writer.write((transaction) => putPair(transaction, 1).then(() => Promise.reject(UNDO)));
    const undone = Promise.allSettled(Array.from({ length: 10 }, undo));
    const seen = await Promise.all(Array.from({ length: 10 }, () => pair(reader)));
    for (const outcome of await undone) expect(outcome).toMatchObject({ status: "rejected", reason: UNDO });
    for (const values of seen) expect(values).toEqual(["0", "0"]);
  });

  test("no increment is lost, however many programs count at once", async () => {
    const { open } = place();
    const programs = Array.from({ length: 4 }, open);
    await Promise.all(Array.from({ length: 200 }, (_, i) => increment(programs[i % programs.length])));
    expect(await read(open(), "counter")).toBe("200");
  });

  test("what one program writes is done in the order in which it was asked for", async () => {
    const store = place().open();
    const order: number[] = [];
    const ask = (i: number) => store.write(async (transaction) => transaction.put("last", ascii(String(order.push(i)))));
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i)));
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await read(store, "last")).toBe("20");
  });

  test("a value may be empty, and may be large", async () => {
    const { open } = place();
    const large = largeValue();
    const store = open();
    await store.write(async (transaction) => {
      transaction.put("empty", new Uint8Array(0));
      transaction.put("large", large);
    });
    await store.close();
    const found = await open().read(async (transaction) => [await transaction.get("empty"), await transaction.get("large")] as const);
    expect(found[0]).toEqual(new Uint8Array(0));
    expect(found[1] !== undefined && toHex(found[1]) === toHex(large)).toBe(true);
  });

  test("a store shares no memory with whoever gives or gets a value", async () => {
    const store = place().open();
    const whole = ascii("..value..");
    const view = whole.subarray(2, 7);
    await store.write(async (transaction) => {
      transaction.put("key", view);
      view.fill(0);
      expect(await valueAt(transaction, "key")).toBe("value");
    });
    const got = await store.read((transaction) => transaction.get("key"));
    expect(got?.buffer.byteLength).toBe(5);
    got?.fill(0);
    const [entry] = await all(store);
    entry?.value.fill(0);
    expect(await read(store, "key")).toBe("value");
  });

  test("a transaction that is over can be used for nothing", async () => {
    const store = place().open();
    await write(store, "key", "value");
    const kept: (StoreReader | StoreWriter)[] = [];
    await store.read(async (transaction) => void kept.push(transaction));
    const writer = await keepWriter(store, UNDO);
    const finished = await keepWriter(store, undefined);
    for (const over of [...kept, writer, finished]) {
      await expect(over.get("key")).rejects.toMatchObject({ code: "bad-argument" });
      await expect(over.scan(EVERYTHING)).rejects.toMatchObject({ code: "bad-argument" });
    }
    for (const over of [writer, finished]) {
      expect(() => over.put("key", ascii("late"))).toThrow(expect.objectContaining({ code: "bad-argument" }));
      expect(() => over.delete("key")).toThrow(expect.objectContaining({ code: "bad-argument" }));
    }
    expect(await read(store, "key")).toBe("value");
  });

  test("a closed store says so to every call; what was asked for before is still done", async () => {
    const { open } = place();
    const store = open();
    await write(store, "key", "value");
    const before = write(store, "key", "last");
    const closing = store.close();
    await Promise.all([before, closing, store.close()]);
    await expect(store.unlock()).rejects.toMatchObject({ name: "ClientError", code: "closed" });
    await expect(read(store, "key")).rejects.toMatchObject({ code: "closed" });
    await expect(write(store, "key", "late")).rejects.toMatchObject({ code: "closed" });
    expect(() => store.onForeignWrite(() => undefined)).toThrow(expect.objectContaining({ code: "closed" }));
    expect(await read(open(), "key")).toBe("last");
  });

  test("a store that was never used can be closed", async () => {
    const store = place().open();
    await store.close();
    await expect(read(store, "key")).rejects.toMatchObject({ code: "closed" });
  });

  test("a program is told when another one has written, until it wants no more; its own writes are no news", async () => {
    const { open } = place();
    const [ours, theirs] = [open(), open()];
    await write(ours, "key", "before");
    await write(theirs, "key", "before");
    await moment();
    const news = { first: 0, second: 0 };
    const stop = ours.onForeignWrite(() => void news.first++);
    ours.onForeignWrite(() => void news.second++);
    await write(ours, "key", "own");
    await write(theirs, "key", "foreign");
    await until(() => news.first === 1 && news.second === 1);
    stop();
    await write(theirs, "key", "again");
    await until(() => news.second === 2);
    expect(news.first).toBe(1);
    await write(ours, "key", "own");
    await moment();
    expect(news).toEqual({ first: 1, second: 2 });
  });

  test("what another program has read or undone is no news, and a closed store tells none", async () => {
    const { open } = place();
    const [ours, theirs] = [open(), open()];
    await write(theirs, "key", "value");
    await read(ours, "key");
    // Word of it may still be on its way.
    await moment();
    let news = 0;
    ours.onForeignWrite(() => void news++);
    await read(theirs, "key");
    await expect(theirs.write((transaction) => putPair(transaction, 1).then(() => Promise.reject(UNDO)))).rejects.toBe(UNDO);
    await moment();
    expect(news).toBe(0);
    await ours.close();
    await write(theirs, "key", "other");
    await moment();
    expect(news).toBe(0);
  });

  test("the key of a store has 32 bytes, is the same for everybody who opens it, and is no other store's", async () => {
    const { open } = place();
    const store = open();
    const key = exposed(await store.unlock());
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    await write(store, "key", "value");
    expect(exposed(await store.unlock())).toBe(key);
    expect(exposed(await open().unlock())).toBe(key);
    await store.close();
    expect(exposed(await open().unlock())).toBe(key);
    expect(exposed(await place().open().unlock())).not.toBe(key);
  });

  test("programs that open a new store at once agree on its key", async () => {
    const { open } = place();
    const keys = await Promise.all(Array.from({ length: 5 }, () => open().unlock()));
    expect(new Set(keys.map(exposed)).size).toBe(1);
  });

  test("a key that was wiped by one is still whole for the next", async () => {
    const store = place().open();
    const first = await store.unlock();
    const key = exposed(first);
    first.wipe();
    expect(exposed(await store.unlock())).toBe(key);
  });

  test("whatever transactions do, undone ones among them, a store is the map that they describe", async () => {
    const story = fc.array(fc.record({ steps: fc.array(step, { maxLength: 8 }), isUndone: fc.boolean() }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(story, async (transactions) => {
        const { open } = place();
        const store = open();
        let model: Model = new Map();
        for (const { steps, isUndone } of transactions) {
          const next = new Map(model);
          const work = store.write(async (transaction) => {
            for (const one of steps) await applyBoth(transaction, next, one);
            if (isUndone) throw UNDO;
          });
          if (isUndone) await expect(work).rejects.toBe(UNDO);
          else await work;
          if (!isUndone) model = next;
          expect(await store.read((transaction) => scanned(transaction))).toEqual(modelScan(model, EVERYTHING));
        }
        await store.close();
        expect(await open().read((transaction) => scanned(transaction))).toEqual(modelScan(model, EVERYTHING));
      }),
      { seed: 4, numRuns: 40 },
    );
  });
}

const UNDO = new Error("undone on purpose");
/** Above every key of these tests: longer than any run of the last code unit that they have. */
const EVERYTHING: KeyRange = { from: "", to: "\uFFFF\uFFFF\uFFFF" };
// oxfmt-ignore
const STRANGE_KEYS: readonly string[] = [
  "", "\0", "\0\0", "a", "a\0", "a\0b", "a b", "ab", "B", "é", "e\u0301", "\u007F", "\u0080", "\u07FF", "\u0800", "\uD7FF",
  "\uD800", "\uD800a", "\uDBFF", "\u{10000}", "\u{10000}a", "\u{10FFFF}", "\uDC00", "\uDFFF", "\uDFFF\uD800", "\uE000", "\uE7FF",
  "\uE800", "\uFFFD", "\uFFFE", "\uFFFF", "\uFFFF\uFFFF", "'", '"', "%", "_", "x".repeat(2_000),
];

type Model = Map<string, string>;

type Step =
  | { readonly kind: "put"; readonly key: string; readonly value: Bytes }
  | { readonly kind: "delete" | "get"; readonly key: string }
  | { readonly kind: "scan"; readonly range: KeyRange };

const anyKey = fc.constantFrom("", "a", "ab", "b", "\0", "é", "\uD7FF", "\uD800", "\u{10000}", "\uE000", "\uFFFF");
const anyValue: fc.Arbitrary<Bytes> = fc.uint8Array({ maxLength: 3 }).map((bytes) => copy(bytes));
const anyRange: fc.Arbitrary<KeyRange> = fc.record(
  { from: anyKey, to: anyKey, limit: fc.nat({ max: 4 }), reverse: fc.boolean() },
  { requiredKeys: ["from", "to"] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), key: anyKey, value: anyValue }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "get" as const), key: anyKey }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("scan" as const), range: anyRange }) },
);

/** The same step on the store and on the map; what the store answers is what the map says. */
async function applyBoth(transaction: StoreWriter, model: Model, one: Step): Promise<void> {
  switch (one.kind) {
    case "put":
      transaction.put(one.key, one.value);
      model.set(one.key, toHex(one.value));
      return;
    case "delete":
      transaction.delete(one.key);
      model.delete(one.key);
      return;
    case "get": {
      const value = await transaction.get(one.key);
      expect(value === undefined ? undefined : toHex(value)).toBe(model.get(one.key));
      return;
    }
    case "scan": {
      const entries = await transaction.scan(one.range);
      expect(entries.map(({ key, value }) => `${key}=${toHex(value)}`)).toEqual(modelScan(model, one.range, (value) => value));
    }
  }
}

/** The slow, obvious way. */
function modelScan(model: Model, range: KeyRange, show: (hex: string) => string = textOfHex): readonly string[] {
  const keys = [...model.keys()].filter((key) => key >= range.from && key < range.to).sort();
  const inOrder = range.reverse === true ? keys.reverse() : keys;
  return inOrder.slice(0, range.limit).map((key) => `${key}=${show(model.get(key) ?? "")}`);
}

function textOfHex(hex: string): string {
  return String.fromCharCode(...(hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));
}

function text(bytes: Bytes): string {
  return String.fromCharCode(...bytes);
}

function hexOf(key: string): string {
  return [...key.slice(0, 20)].map((character) => (character.codePointAt(0) ?? 0).toString(16)).join(" ");
}

async function valueAt(transaction: StoreReader, key: string): Promise<string | undefined> {
  const value = await transaction.get(key);
  return value === undefined ? undefined : text(value);
}

async function scanned(transaction: StoreReader, range: Partial<KeyRange> = {}): Promise<readonly string[]> {
  const entries = await transaction.scan({ ...EVERYTHING, ...range });
  return entries.map(({ key, value }) => `${key}=${text(value)}`);
}

function read(store: Store, key: string): Promise<string | undefined> {
  return store.read((transaction) => valueAt(transaction, key));
}

function write(store: Store, key: string, value: string): Promise<void> {
  return store.write(async (transaction) => transaction.put(key, ascii(value)));
}

function all(store: Store): Promise<readonly { readonly key: string; readonly value: Bytes }[]> {
  return store.read((transaction) => transaction.scan(EVERYTHING));
}

async function keysOf(store: Store, range: Partial<KeyRange> = {}): Promise<readonly string[]> {
  const entries = await store.read((transaction) => transaction.scan({ ...EVERYTHING, ...range }));
  return entries.map(({ key }) => key);
}

/** Each key with its own name as value. */
function fill(store: Store, keys: readonly string[]): Promise<void> {
  return store.write(async (transaction) => {
    for (const key of keys) transaction.put(key, ascii(hexOf(key)));
  });
}

/** With something to wait for between the two halves. */
async function putPair(transaction: StoreWriter, value: number): Promise<void> {
  transaction.put("left", ascii(String(value)));
  await transaction.get("left");
  transaction.put("right", ascii(String(value)));
}

function setPair(store: Store, value: number): Promise<void> {
  return store.write((transaction) => putPair(transaction, value));
}

function pair(store: Store): Promise<readonly (string | undefined)[]> {
  return store.read(async (transaction) => [await valueAt(transaction, "left"), await valueAt(transaction, "right")]);
}

async function increment(store: Store | undefined): Promise<void> {
  await store?.write(async (transaction) => {
    const value = Number((await valueAt(transaction, "counter")) ?? "0");
    transaction.put("counter", ascii(String(value + 1)));
  });
}

async function keepWriter(store: Store, failure: Error | undefined): Promise<StoreWriter> {
  const kept: StoreWriter[] = [];
  await Promise.allSettled([
    store.write(async (transaction) => {
      kept.push(transaction);
      if (failure !== undefined) throw failure;
    }),
  ]);
  const [writer] = kept;
  if (writer === undefined) throw new Error("the store did not begin a transaction");
  return writer;
}

function largeValue(): Bytes {
  const block = seededRandom(3)(65_536);
  const value = new Uint8Array(1_048_576);
  for (let at = 0; at < value.length; at += block.length) value.set(block, at);
  return value;
}

function exposed(key: Secret): string {
  return toHex(key.expose());
}

/** Long enough for news to arrive that should not. */
function moment(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 600));
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => void setTimeout(resolve, 25));
  expect(condition()).toBe(true);
}
