// The object of an upload, called as the media module calls it: who writes, what is durable, what a crash leaves, and what the
// alarm removes. The bucket is the real one of the local runtime; where it has to fail, one answer of it does.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AppendResult, Upload } from "#durable-objects";
import { ABANDONED_UPLOAD_SECONDS, type Bytes, encryptedMediaLength, MEDIA_PART_BYTES, sameBytes } from "#wire";
import { noise } from "../workers/support/noise.ts";

const MIB = 1024 * 1024;
const SMALL = encryptedMediaLength(0);
/** A part and a bit, and two parts and a bit. */
const MEDIUM = encryptedMediaLength(6 * MIB);
const LARGE = encryptedMediaLength(11 * MIB);
const accessHash = "ab".repeat(32);

let upload: DurableObjectStub<Upload>;
let key: string;
let count = 0;

beforeEach(() => {
  const mediaId = (++count).toString(16).padStart(64, "0");
  key = `media/${mediaId}`;
  const namespace = env.UPLOAD as unknown as DurableObjectNamespace<Upload>; // the class that the test worker exports
  upload = namespace.getByName(mediaId);
});
afterEach(() => {
  vi.useRealTimers();
});

function later(seconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + seconds * 1000);
}

async function create(length: number): Promise<void> {
  expect((await upload.create({ length, accessHash })).kind).toBe("progress");
}

async function append(offset: number, bytes: Bytes): Promise<AppendResult> {
  return await upload.append({ offset, declaredLength: bytes.length, digest: undefined }, streamOf(bytes));
}

function streamOf(bytes: Bytes): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes.slice());
      controller.close();
    },
  });
}

async function offset(): Promise<number> {
  const progress = await upload.progress();
  return progress.kind === "progress" ? progress.offset : Number.NaN;
}

async function storedFile(): Promise<Bytes | undefined> {
  const file = await env.MEDIA.get(key);
  return file === null ? undefined : new Uint8Array(await file.arrayBuffer());
}

/** All rows, by table. */
async function tables(): Promise<Readonly<Record<string, number>>> {
  return await runInDurableObject(upload, (_, { storage: { sql } }) => {
    const names = [...sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'")];
    return Object.fromEntries(names.map(({ name }) => [name, sql.exec<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`).one().n]));
  });
}

test("an object that no upload was begun in says one word to everything, and writes nothing", async () => {
  expect(await upload.progress()).toEqual({ kind: "unknown" });
  expect(await append(0, noise(1))).toEqual({ kind: "unknown" });
  expect(await upload.remove()).toEqual({ kind: "unknown" });
  expect(await tables()).toEqual({});
});

test("creating it twice is creating it once", async () => {
  await create(LARGE);
  await append(0, noise(100));
  const again = await upload.create({ length: LARGE, accessHash });
  expect(again).toMatchObject({ kind: "progress", offset: 100 });
});

test("bytes wait here until they are a part, and only the last part is shorter", async () => {
  const file = noise(LARGE);
  await create(LARGE);
  await append(0, file.slice(0, 4 * MIB));
  expect(await tables()).toEqual({ upload: 1, parts: 0, tail: 4 });
  await append(4 * MIB, file.slice(4 * MIB, 10.5 * MIB));
  expect(await tables()).toEqual({ upload: 1, parts: 2, tail: 1 });
  await append(10.5 * MIB, file.slice(10.5 * MIB));
  // Of a file that is whole nothing is left here.
  expect(await tables()).toEqual({ upload: 1, parts: 0, tail: 0 });
  expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
});

test("an object that lost its memory goes on where the rows say", async () => {
  const file = noise(MEDIUM);
  await create(MEDIUM);
  for (const [from, to] of [
    [0, 700_000],
    [700_000, 5.5 * MIB],
    [5.5 * MIB, MEDIUM - 1],
    [MEDIUM - 1, MEDIUM],
  ] as const) {
    await append(from, file.slice(from, to));
    await evictDurableObject(upload);
    expect(await offset()).toBe(to);
  }
  expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
});

describe("two writers", () => {
  /** A body that goes on when it is told to. */
  function slowBody(): { body: ReadableStream<Uint8Array>; write(bytes: Bytes): Promise<void>; close(): Promise<void> } {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const asBytes = readable.pipeThrough(new IdentityTransformStream());
    return {
      body: asBytes,
      write: (bytes) => writer.write(bytes).catch(() => undefined),
      close: () => writer.close().catch(() => undefined),
    };
  }

  test("the second ends the first, which keeps what it has; neither writes where the other does", async () => {
    const file = noise(MEDIUM);
    await create(MEDIUM);
    const slow = slowBody();
    const first = upload.append({ offset: 0, declaredLength: MEDIUM, digest: undefined }, slow.body);
    await slow.write(file.slice(0, 5.5 * MIB));
    await vi.waitFor(async () => expect((await tables())["parts"]).toBe(1));
    // Whoever comes next: it is told where the first has come to.
    const second = await append(0, file.slice(0, 1000));
    const ended = await first;
    expect([second.kind, ended.kind]).toEqual(["conflict", "conflict"]);
    const kept = await offset();
    for (const each of [second, ended]) expect(each).toEqual({ kind: "conflict", offset: kept });
    expect(kept).toBeGreaterThanOrEqual(MEDIA_PART_BYTES);
    void slow.write(noise(1000, 9));
    await append(kept, file.slice(kept));
    expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
  });

  test("of many at once that write the same place one does", async () => {
    await create(LARGE);
    const results = await Promise.all(Array.from({ length: 5 }, async (_, seed) => await append(0, noise(1000, seed))));
    expect(results.filter(({ kind }) => kind === "progress").length).toBeLessThanOrEqual(1);
    expect([0, 1000]).toContain(await offset());
  });

  test("asking how far it is ends a request that hangs, and removing does too", { timeout: 20_000 }, async () => {
    await create(LARGE);
    // Patience with a body that does not come ends by a timer: not here.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    for (const ask of [async () => await upload.progress(), async () => await upload.remove()]) {
      const slow = slowBody();
      const hanging = upload.append({ offset: await offset(), declaredLength: 1000, digest: undefined }, slow.body);
      await slow.write(noise(500));
      expect(["progress", "removed"]).toContain((await ask()).kind);
      expect((await hanging).kind).toBe("conflict");
    }
  });
});

test("a body that breaks off leaves what came before it", async () => {
  const file = noise(MEDIUM);
  await create(MEDIUM);
  const { readable, writable } = new IdentityTransformStream();
  const result = upload.append({ offset: 0, declaredLength: MEDIUM, digest: undefined }, readable);
  const writer = writable.getWriter();
  await writer.write(file.slice(0, 5.5 * MIB));
  await vi.waitFor(async () => expect((await tables())["parts"]).toBe(1));
  await writer.abort(new Error("the connection is gone"));
  await result.catch(() => undefined);
  const kept = await offset();
  expect(kept).toBeGreaterThanOrEqual(MEDIA_PART_BYTES);
  await append(kept, file.slice(kept));
  expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
});

describe("a crash, or a bucket that fails, at any step of an upload", () => {
  /** Every request to the bucket that an upload makes, with where the failure is: before it took effect, or after. */
  const METHODS = ["createMultipartUpload", "uploadPart", "complete", "put"] as const;
  type Method = (typeof METHODS)[number];

  /** The bucket, of which one call fails. */
  function failing(method: Method, nth: number, when: "before" | "after"): R2Bucket {
    let calls = 0;
    const watch = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(of, name) {
          const value: unknown = Reflect.get(of, name, of);
          if (typeof value !== "function") return value;
          return (...args: unknown[]): unknown => {
            const isTheOne = name === method && ++calls === nth;
            if (isTheOne && when === "before") return Promise.reject(new Error("internal error (10001)"));
            const result: unknown = Reflect.apply(value as (...args: unknown[]) => unknown, of, args);
            if (name === "resumeMultipartUpload") return watch(result as R2MultipartUpload);
            if (!isTheOne) return result;
            return (result as Promise<unknown>).then(() => Promise.reject(new Error("internal error (10001)")));
          };
        },
      });
    return watch(env.MEDIA);
  }

  async function appendWith(bucket: R2Bucket, from: number, bytes: Bytes): Promise<AppendResult> {
    return await runInDurableObject(upload, async (_, state) => {
      const dying = new Upload(state, { MEDIA: bucket });
      return await dying.append({ offset: from, declaredLength: bytes.length, digest: undefined }, streamOf(bytes));
    });
  }

  const cases = METHODS.flatMap((method) =>
    (method === "uploadPart" ? [1, 2] : [1]).flatMap((nth) => (["before", "after"] as const).map((when) => ({ method, nth, when }))),
  );

  test.each(cases)("$when $method $nth: nothing is lost that was promised, and the file becomes whole", async ({ method, nth, when }) => {
    const length = method === "put" ? SMALL : MEDIUM;
    const file = noise(length, 3);
    await create(length);
    await append(0, file.slice(0, 1000));
    const failed = await appendWith(failing(method, nth, when), 1000, file.slice(1000));
    // A file that was joined although the bucket says no is found to be there at once.
    expect(failed.kind).toBe(method === "complete" && when === "after" ? "progress" : "unavailable");
    // The object of before is gone with what it knew.
    await evictDurableObject(upload);
    const now = await offset();
    expect(now).toBeGreaterThanOrEqual(1000);
    if (now < length) expect((await append(now, file.slice(now))).kind).toBe("progress");
    expect(await offset()).toBe(length);
    expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
  });

  test("that left only the last step undone is made good by the alarm, if nobody comes", async () => {
    const file = noise(MEDIUM);
    await create(MEDIUM);
    await appendWith(failing("complete", 1, "before"), 0, file);
    expect(await storedFile()).toBeUndefined();
    await evictDurableObject(upload);
    later(ABANDONED_UPLOAD_SECONDS + 1);
    await runDurableObjectAlarm(upload);
    expect(sameBytes((await storedFile()) ?? new Uint8Array(), file)).toBe(true);
    // And a day later its rows go.
    expect(await tables()).toEqual({ upload: 1, parts: 0, tail: 0 });
    expect(await runDurableObjectAlarm(upload)).toBe(true);
    expect(await tables()).toEqual({});
  });

  test("that made the bucket forget the parts ends the upload, so that its client begins again", async () => {
    await create(MEDIUM);
    await appendWith(failing("complete", 1, "before"), 0, noise(MEDIUM));
    await runInDurableObject(upload, (_, { storage: { sql } }) => {
      sql.exec("UPDATE parts SET etag = 'none'");
    });
    await evictDurableObject(upload);
    expect(await upload.progress()).toEqual({ kind: "gone" });
    expect(await storedFile()).toBeUndefined();
  });
});

describe("an upload that is left alone", () => {
  test("is gone after a day, with its parts, before and after the alarm", async () => {
    await create(MEDIUM);
    await append(0, noise(6 * MIB));
    const multipart = await runInDurableObject(
      upload,
      (_, { storage: { sql } }) => sql.exec<{ multipart: string }>("SELECT multipart FROM upload").one().multipart,
    );
    later(ABANDONED_UPLOAD_SECONDS + 1);
    expect(await upload.progress()).toEqual({ kind: "gone" });
    expect(await append(6 * MIB, noise(10))).toEqual({ kind: "gone" });
    expect(await runDurableObjectAlarm(upload)).toBe(true);
    expect(await upload.progress()).toEqual({ kind: "gone" });
    expect(await tables()).toEqual({ upload: 1, parts: 0, tail: 0 });
    await expect(env.MEDIA.resumeMultipartUpload(key, multipart).uploadPart(2, noise(10))).rejects.toThrow("10024");
    // A day later not even that is known.
    later(ABANDONED_UPLOAD_SECONDS + 1);
    expect(await runDurableObjectAlarm(upload)).toBe(true);
    expect(await upload.progress()).toEqual({ kind: "unknown" });
    expect(await tables()).toEqual({});
    expect(await runDurableObjectAlarm(upload)).toBe(false);
  });

  test("but is whole leaves its file, and in the end no row", async () => {
    await create(SMALL);
    await append(0, noise(SMALL));
    later(ABANDONED_UPLOAD_SECONDS + 1);
    expect(await offset()).toBe(SMALL);
    await runDurableObjectAlarm(upload);
    expect(await tables()).toEqual({});
    expect(await storedFile()).toEqual(noise(SMALL));
    // Whoever has the uploadId can still remove it.
    expect(await upload.remove()).toEqual({ kind: "removed" });
    expect(await storedFile()).toBeUndefined();
  });

  test("is tried again when the bucket does not answer the alarm", async () => {
    await create(MEDIUM);
    await append(0, noise(6 * MIB));
    later(ABANDONED_UPLOAD_SECONDS + 1);
    const due = await runInDurableObject(upload, async (_, state) => {
      const broken = { ...env.MEDIA, head: () => Promise.reject(new Error("internal error (10001)")), resumeMultipartUpload: broke };
      await state.storage.deleteAlarm();
      await new Upload(state, { MEDIA: broken as unknown as R2Bucket }).alarm(); // the two that it uses
      return await state.storage.getAlarm();
    });
    expect(due).toBeGreaterThan(Date.now());
    await runDurableObjectAlarm(upload);
    expect(await tables()).toEqual({ upload: 1, parts: 0, tail: 0 });

    function broke(): unknown {
      return { abort: () => Promise.reject(new Error("internal error (10001)")) };
    }
  });
});
