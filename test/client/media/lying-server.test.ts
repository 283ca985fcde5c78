// What a server can give instead of the file that was asked for. Each time the reader gets an error with a code and not one byte that
// the sender did not send, nothing looks like a whole file, and an honest answer afterwards is the file.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Attachment, type Clock, createClient, type HttpRequest, type HttpResponse } from "#client";
import { fileSink } from "edgewise/node";
import { memory } from "edgewise/store/memory";
import { systemRandom } from "#crypto";
import { type Bytes, concat, encryptedMediaLength, MAX_MEDIA_BYTES, MEDIA_CHUNK_BYTES, MEDIA_HEADER_BYTES, MEDIA_TAG_BYTES } from "#wire";
import { type AttachmentRecord, MESSAGES, PLACES } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";
import { found } from "../../support/accounts.ts";
import { gathered } from "../../support/media.ts";
import { HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place } from "../groups/people.ts";
import { flipped, Liar, lyingAbout, made } from "../malicious-server/liar.ts";
import { acquaint, expectSame, fileOf } from "./people.ts";

const SIZE = 3 * MEDIA_CHUNK_BYTES + 100;
const STORED_CHUNK = MEDIA_CHUNK_BYTES + MEDIA_TAG_BYTES;

const folder = mkdtempSync(join(tmpdir(), "edgewise-lies-"));
const place = new Place();
const liar = new Liar();
const file = fileOf(SIZE);
/** Pauses are over at once; the patience with a request stays. */
const clock: Clock = {
  nowMilliseconds: () => Date.now(),
  after: (milliseconds, callback) => platformClock.after(milliseconds < 20_000 ? 0 : milliseconds, callback),
};
let alice: Person;
let bob: Person;
let id: string;
let otherId: string;

beforeAll(async () => {
  await place.start();
  alice = await newcomer(place.url, "alice");
  const listening = await newcomer(place.url, "bob");
  await acquaint(alice, listening);
  const toBob = await alice.client.conversations.direct(listening.userId);
  const [message, second] = [await toBob.sendFile(file), await toBob.sendFile(fileOf(SIZE, "other.bin", 2))];
  await alice.client.settled();
  [id, otherId] = [message.id, second.id];
  for (const one of [id, otherId]) await vi.waitFor(() => listening.client.message(one), PATIENCE);
  await listening.client.close();
  // From here on he has the messages, and asks for the files only.
  bob = { ...listening, client: await createClient({ store: memory({ shared: listening.shared }), network: liar, clock }) };
}, HOOK_MILLISECONDS);
afterAll(async () => {
  for (const { client } of [alice, bob]) await client.close();
  await place.close();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

async function fileOfBob(messageId: string): Promise<Attachment> {
  return found((await bob.client.message(messageId)).attachments[0]);
}

type Lie = (request: HttpRequest, next: () => Promise<HttpResponse>) => Promise<HttpResponse>;

/** The honest answer with something else in it. */
function body(alter: (bytes: Bytes) => Bytes): Lie {
  return async (_, next) => {
    const answer = await next();
    return answer.status === 206 ? { ...answer, body: alter(answer.body) } : answer;
  };
}

function contentRange(value: string): Lie {
  return async (_, next) => {
    const answer = await next();
    return { ...answer, headers: new Map([...answer.headers, ["content-range", value]]) };
  };
}

/** What the server has under another id. */
async function ofOther(request: HttpRequest): Promise<HttpResponse> {
  const urls = liar.asked.filter(({ url }) => url.includes("/v1/media/") && url.includes("?")).map(({ url }) => url);
  const [mine] = request.url.split("?");
  return await liar.ask({ ...request, url: found(urls.find((url) => !url.startsWith(found(mine)))) });
}

function swapped(bytes: Bytes): Bytes {
  const chunk = (index: number): Bytes =>
    bytes.slice(MEDIA_HEADER_BYTES + index * STORED_CHUNK, MEDIA_HEADER_BYTES + (index + 1) * STORED_CHUNK);
  return concat(bytes.slice(0, MEDIA_HEADER_BYTES), chunk(1), chunk(0), bytes.slice(MEDIA_HEADER_BYTES + 2 * STORED_CHUNK));
}

const STORED = encryptedMediaLength(SIZE);
const LIES: readonly (readonly [what: string, code: string, lie: Lie])[] = [
  ["a byte less", "file-damaged", body((bytes) => bytes.slice(1))],
  ["a byte more", "file-damaged", body((bytes) => concat(bytes, new Uint8Array(1)))],
  ["nothing", "file-damaged", body(() => new Uint8Array(0))],
  ["another header", "file-damaged", body((bytes) => flipped(bytes, 0))],
  ["another byte in the first chunk", "file-damaged", body((bytes) => flipped(bytes, MEDIA_HEADER_BYTES))],
  ["another byte in the second chunk", "file-damaged", body((bytes) => flipped(bytes, MEDIA_HEADER_BYTES + STORED_CHUNK + 7))],
  ["another byte at the end", "file-damaged", body((bytes) => flipped(bytes, bytes.length - 1))],
  ["chunks that have changed places", "file-damaged", body(swapped)],
  ["another file of the same length", "file-damaged", ofOther],
  ["a longer file", "file-damaged", contentRange(`bytes 0-${STORED - 1}/${STORED + 1}`)],
  ["another part", "file-damaged", contentRange(`bytes 1-${STORED}/${STORED}`)],
  ["no place", "file-damaged", contentRange("")],
  ["all of it, whatever was asked for", "server-failed", async (_, next) => ({ ...(await next()), status: 200 })],
  ["no such part", "file-damaged", async () => made(416, { code: "range-not-satisfiable" })],
  ["no such file", "file-gone", async () => made(404, { code: "not-found" })],
  ["nonsense", "server-failed", async () => made(500, { code: "internal" })],
];

async function expectRefusal(work: Promise<unknown>, code: string): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: "ClientError", code });
}

test.each(LIES)("for a file, %s is %s", async (what, code, lie) => {
  const attachment = await fileOfBob(id);
  // So that its URL is known.
  await gathered((await fileOfBob(otherId)).stream());
  liar.answer = lyingAbout("getMedia", lie);
  await expectRefusal(attachment.download(), code);
  const path = join(folder, `${what}.bin`);
  await expectRefusal(attachment.download({ to: fileSink(path) }), code);
  expect(existsSync(path)).toBe(false);
  liar.becomeHonest();
  await attachment.download({ to: fileSink(path) });
  await expectSame(new Blob([readFileSync(path)]), file);
  expect(existsSync(`${path}.part`)).toBe(false);
});

test("not one byte of a chunk that was changed comes out", async () => {
  const attachment = await fileOfBob(id);
  liar.answer = lyingAbout(
    "getMedia",
    body((bytes) => flipped(bytes, MEDIA_HEADER_BYTES + STORED_CHUNK + 7)),
  );
  const released: Bytes[] = [];
  await expectRefusal(
    (async () => {
      for await (const piece of attachment.stream()) released.push(piece);
    })(),
    "file-damaged",
  );
  liar.becomeHonest();
  const bytes = concat(...released);
  await expectSame(new Blob([bytes]), file.slice(0, bytes.length));
  expect(bytes.length).toBeLessThanOrEqual(MEDIA_CHUNK_BYTES);
});

test("an answer without an end is not read on and on", async () => {
  const endless = createServer((_, response) => {
    response.writeHead(206, { "content-range": `bytes 0-${STORED - 1}/${STORED}` });
    const piece = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  }).listen(0, "127.0.0.1");
  await once(endless, "listening");
  const address = endless.address();
  const url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/` : "";
  liar.answer = lyingAbout("getMedia", async (request) => {
    // As a network that breaks, which the rest of such an answer is.
    return await platformNetwork
      .request({ ...request, url })
      .catch((cause: unknown) => Promise.reject(new TypeError("endless", { cause })));
  });
  await expectRefusal((await fileOfBob(id)).download(), "offline");
  liar.becomeHonest();
  endless.closeAllConnections();
  endless.close();
});

test.each([
  ["somewhere else", "https://elsewhere.example/v1/media/x?y"],
  ["another path", "/v1/accounts?token=1"],
  ["nothing to show", ""],
  ["a script", "javascript:alert(1)"],
])("a URL to %s is not followed", async (_, url) => {
  const attachment = await fileOfBob(id);
  liar.answer = lyingAbout("createMediaUrl", async () => made(200, { url, expiresAt: 4e9 }));
  const before = liar.count("getMedia");
  await expectRefusal(attachment.download(), "server-failed");
  liar.becomeHonest();
  expect(liar.count("getMedia")).toBe(before);
});

test("a URL that has run out is asked for again, once", async () => {
  const attachment = await fileOfBob(id);
  let isFirst = true;
  liar.answer = lyingAbout("getMedia", async (_, next) => {
    const answer = isFirst ? made(404, { code: "not-found" }) : await next();
    isFirst = false;
    return answer;
  });
  const before = liar.count("createMediaUrl");
  await expectSame(await attachment.download(), file);
  liar.becomeHonest();
  expect(liar.count("createMediaUrl")).toBe(before + 2);
});

test("a file that is over is said to be gone", async () => {
  liar.answer = lyingAbout("createMediaUrl", async () => made(404, { code: "not-found" }));
  await expectRefusal((await fileOfBob(id)).download(), "file-gone");
  liar.becomeHonest();
});

/** As if its sender had said something else of the file. */
async function saying(changes: Partial<AttachmentRecord>, work: () => Promise<void>): Promise<void> {
  const vault = await Vault.open(memory({ shared: bob.shared }), systemRandom);
  const change = (attachment: Partial<AttachmentRecord>): Promise<AttachmentRecord> =>
    vault.write(async (records) => {
      const [at] = await records.all(PLACES, id);
      const message = found(at === undefined ? undefined : await records.get(MESSAGES, at.conversation, at.ordinal));
      const before = found(message.attachments?.[0]);
      records.put(MESSAGES, { ...message, attachments: [{ ...before, ...attachment }] }, message.conversation, message.ordinal);
      return before;
    });
  const before = await change(changes);
  try {
    await work();
  } finally {
    await change(before);
    await vault.close();
  }
}

test.each<readonly [what: string, changes: Partial<AttachmentRecord>, code: string]>([
  ["another key", { key: new Uint8Array(32) }, "file-damaged"],
  ["another digest", { digest: new Uint8Array(32) }, "file-damaged"],
  ["a smaller size of the same padded length", { size: SIZE - 50 }, "file-damaged"],
  ["another length", { size: 10 }, "file-damaged"],
  ["more than there may be", { size: MAX_MEDIA_BYTES + 1 }, "file-too-large"],
  ["more than anybody has", { size: 2 ** 52 }, "file-too-large"],
])("a sender who says %s of a file is not believed", async (what, changes, code) => {
  const path = join(folder, `${what}.bin`);
  await saying(changes, async () => {
    const before = liar.asked.length;
    await expectRefusal((await fileOfBob(id)).download({ to: fileSink(path) }), code);
    if (code === "file-too-large") expect(liar.asked.length).toBe(before);
  });
  expect(readdirSync(folder).filter((name) => name === `${what}.bin`)).toEqual([]);
});

test("what lies there from another file does not get into this one", async () => {
  const path = join(folder, "mixed.bin");
  const before = await (await (await fileOfBob(otherId)).download()).arrayBuffer();
  writeFileSync(`${path}.part`, new Uint8Array(before).subarray(0, 2 * MEDIA_CHUNK_BYTES + 5));
  await (await fileOfBob(id)).download({ to: fileSink(path) });
  await expectSame(new Blob([readFileSync(path)]), file);
});

test("what lies there and is longer than the file is cut", async () => {
  const path = join(folder, "longer.bin");
  writeFileSync(`${path}.part`, new Uint8Array(10 * MEDIA_CHUNK_BYTES));
  await (await fileOfBob(id)).download({ to: fileSink(path) });
  await expectSame(new Blob([readFileSync(path)]), file);
  writeFileSync(`${path}.part`, Buffer.concat([readFileSync(path), Buffer.alloc(100_000)]));
  await (await fileOfBob(id)).download({ to: fileSink(path) });
  await expectSame(new Blob([readFileSync(path)]), file);
});
