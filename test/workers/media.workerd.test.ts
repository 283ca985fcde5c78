// Files over HTTP: every route of them, what it answers, and what the bucket holds afterwards.

import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { base64url } from "jose";
import { createExecutionContext, createScheduledController, runInDurableObject } from "cloudflare:test";
import * as v from "valibot";
import { sha256, systemRandom } from "#crypto";
import { Mailbox, mediaBytesPerDay } from "#durable-objects";
import { accessSecretOf, drawUploadId, mediaIdOf } from "#identity";
import {
  encryptedMediaLength,
  fromHex,
  isMediaLength,
  MAX_ENCRYPTED_MEDIA_BYTES,
  MAX_MEDIA_BYTES,
  MAX_MEDIA_REQUEST_BYTES,
  MEDIA_BYTES_PER_DAY,
  MEDIA_TTL_SECONDS,
  MEDIA_URL_SECONDS,
  type Operation,
  parseMediaId,
  parseUploadId,
  ROUTES,
  sameBytes,
  toHex,
  TUS_CONTENT_TYPE,
  type UploadId,
} from "#wire";
import worker from "../../workers/gateway/index.ts";
import { storeOnce } from "../../workers/media/bucket.ts";
import { sweepMedia } from "../../workers/media/index.ts";
import { MEDIUM, SMALL, stored, TUS, Uploader, uploadIdIn } from "./support/files.ts";
import { noise } from "./support/noise.ts";
import { codeOf, nowSeconds, openWorld, Person, World } from "./support/world.ts";

let world: World;
let alice: Uploader;
let person: Person;

beforeAll(async () => {
  world = await openWorld();
  person = await new Person(world, 1).register();
  alice = new Uploader(world, await person.token());
});
beforeEach(() => {
  world.aheadSeconds = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

function small(): UploadId {
  return drawUploadId("client", systemRandom);
}

async function putSmall(seed = 1): Promise<UploadId> {
  const uploadId = small();
  expect((await alice.put(uploadId, noise(SMALL, seed))).status).toBe(204);
  return uploadId;
}

describe("an upload in pieces", () => {
  test("is read as it was sent, wherever it was cut", async () => {
    const file = noise(MEDIUM);
    const uploadId = await alice.create(MEDIUM);
    let offset = 0;
    for (const end of [1, 1000, 3_000_000, 5 * 1024 * 1024, MEDIUM - 1, MEDIUM]) {
      const response = await alice.append(uploadId, offset, file.slice(offset, end));
      expect([response.status, response.headers.get("upload-offset")]).toEqual([204, String(end)]);
      expect(await alice.offset(uploadId)).toBe(end);
      offset = end;
    }
    expect(sameBytes(await alice.read(uploadId), file)).toBe(true);
  });

  test("says how long it is, how far, and until when it may be carried on", async () => {
    const uploadId = await alice.create(MEDIUM);
    await alice.append(uploadId, 0, noise(10));
    const { headers, status } = await alice.head(uploadId);
    expect([status, headers.get("upload-length"), headers.get("upload-offset")]).toEqual([200, String(MEDIUM), "10"]);
    const expires = Date.parse(headers.get("upload-expires") ?? "") / 1000 - nowSeconds();
    expect(Math.round(expires / 60)).toBe(24 * 60);
    expect(headers.get("cache-control")).toBe("private, no-store");
  });

  test("may begin with its first bytes, or with all of them", async () => {
    const file = noise(SMALL);
    for (const bytes of [file.slice(0, 100), file]) {
      const headers = { ...TUS, "upload-length": String(SMALL), "content-type": TUS_CONTENT_TYPE };
      const response = await world.ask("createUpload", { token: alice.token, octets: bytes, headers });
      expect([response.status, response.headers.get("upload-offset")]).toEqual([201, String(bytes.length)]);
      const uploadId = uploadIdIn(response);
      await alice.append(uploadId, bytes.length, file.slice(bytes.length));
      expect(sameBytes(await alice.read(uploadId), file)).toBe(true);
    }
  });

  test("takes bytes at its end and nowhere else", async () => {
    const file = noise(SMALL);
    const uploadId = await alice.create(SMALL);
    await alice.append(uploadId, 0, file.slice(0, 500));
    for (const offset of [0, 499, 501, SMALL]) {
      const response = await alice.append(uploadId, offset, file.slice(0, 10));
      expect([await codeOf(response), response.status, response.headers.get("upload-offset")]).toEqual(["offset-conflict", 409, "500"]);
    }
    for (const offset of ["", "-1", "0x10", "1e3", "500.0", "0500", "+500"]) {
      expect(await codeOf(await alice.append(uploadId, 0, file.slice(0, 10), { "upload-offset": offset }))).toBe("malformed");
    }
    expect(await alice.offset(uploadId)).toBe(500);
    await alice.append(uploadId, 500, file.slice(500));
    expect(sameBytes(await alice.read(uploadId), file)).toBe(true);
  });

  test("takes no byte more than it was said to have, whether or not that is announced", async () => {
    const file = noise(SMALL + 1);
    const uploadId = await alice.create(SMALL);
    expect(await codeOf(await alice.append(uploadId, 0, file))).toBe("too-large");
    const body = new ReadableStream({ type: "bytes", start: (controller) => (controller.enqueue(file.slice()), controller.close()) });
    const unannounced = new Request(`https://edgewise.test/v1/media/upload/${uploadId}`, {
      method: "PATCH",
      headers: { ...TUS, "content-type": TUS_CONTENT_TYPE, "upload-offset": "0" },
      body,
    });
    expect(await codeOf(await world.serve(unannounced, { waitUntil: () => {} }))).toBe("too-large");
    expect(await alice.offset(uploadId)).toBe(0);
    // One that is whole takes nothing, and stays what it is.
    await alice.append(uploadId, 0, file.slice(0, SMALL));
    expect(await codeOf(await alice.append(uploadId, SMALL, noise(1)))).toBe("too-large");
    expect((await alice.append(uploadId, SMALL, new Uint8Array())).status).toBe(204);
    expect(sameBytes(await alice.read(uploadId), file.slice(0, SMALL))).toBe(true);
  });

  test("takes at most 16 MiB in one request", async () => {
    const uploadId = await alice.create(encryptedMediaLength(20 * 1024 * 1024));
    const length = String(MAX_MEDIA_REQUEST_BYTES + 1);
    expect(await codeOf(await alice.append(uploadId, 0, noise(10), { "content-length": length }))).toBe("too-large");
    expect(await alice.offset(uploadId)).toBe(0);
  });

  test("that is shorter than was announced keeps what came, and says that it is not all", async () => {
    const uploadId = await alice.create(SMALL);
    const response = await alice.append(uploadId, 0, noise(300), { "content-length": "400" });
    expect([await codeOf(response), response.headers.get("upload-offset")]).toEqual(["offset-conflict", "300"]);
    expect(await alice.offset(uploadId)).toBe(300);
  });

  test("keeps what has the checksum that was said, and of anything else nothing, across parts too", async () => {
    const file = noise(MEDIUM);
    const uploadId = await alice.create(MEDIUM);
    await alice.append(uploadId, 0, file.slice(0, 1000));
    const rest = file.slice(1000);
    const checksum = (of: Uint8Array<ArrayBuffer>): string => `sha256 ${btoa(String.fromCharCode(...sha256(of)))}`;
    const wrong = await alice.append(uploadId, 1000, rest, { "upload-checksum": checksum(file) });
    expect([await codeOf(wrong), wrong.status]).toEqual(["checksum-mismatch", 460]);
    expect(await alice.offset(uploadId)).toBe(1000);
    for (const header of ["md5 AAAA", "sha256", "sha256 AAAA", `sha256 ${"A".repeat(44)}`]) {
      expect(await codeOf(await alice.append(uploadId, 1000, rest.slice(0, 1), { "upload-checksum": header }))).toBe("malformed");
    }
    expect((await alice.append(uploadId, 1000, rest, { "upload-checksum": checksum(rest) })).status).toBe(204);
    expect(sameBytes(await alice.read(uploadId), file)).toBe(true);
  });

  test("has to be tus 1.0, of its media type", async () => {
    const uploadId = await alice.create(SMALL);
    for (const version of ["0.2.2", "1.0", "1.0.1", "2.0.0", ""]) {
      const asked = { parameters: { uploadId }, headers: { "tus-resumable": version } };
      const headers = { "tus-resumable": version, "upload-length": String(SMALL) };
      const answers = [
        await world.ask("getUpload", asked),
        await world.ask("deleteUpload", asked),
        await alice.append(uploadId, 0, noise(1), { "tus-resumable": version }),
        await world.ask("createUpload", { token: alice.token, headers }),
      ];
      for (const { status, headers } of answers) expect([status, headers.get("tus-version")]).toEqual([412, "1.0.0"]);
    }
    for (const type of ["application/octet-stream", "text/html", ""]) {
      expect((await alice.append(uploadId, 0, noise(1), { "content-type": type })).status).toBe(415);
    }
    expect(await alice.offset(uploadId)).toBe(0);
  });

  test("that was removed is gone, and so is its file", async () => {
    const begun = await alice.create(MEDIUM);
    await alice.append(begun, 0, noise(6_000_000));
    const whole = await alice.create(SMALL);
    await alice.append(whole, 0, noise(SMALL));
    const url = await alice.urlOf(whole);
    for (const uploadId of [begun, whole]) {
      expect((await alice.remove(uploadId)).status).toBe(204);
      expect((await alice.head(uploadId)).status).toBe(410);
      expect(await codeOf(await alice.append(uploadId, 0, noise(1)))).toBe("gone");
      expect(await codeOf(await alice.remove(uploadId))).toBe("gone");
      expect(await env.MEDIA.head(`media/${mediaIdOf(uploadId)}`)).toBeNull();
    }
    expect((await alice.get(url)).status).toBe(404);
  });

  test("that nobody began is nowhere, under either kind of id", async () => {
    for (const uploadId of [drawUploadId("server", systemRandom), small()]) {
      expect((await alice.head(uploadId)).status).toBe(404);
      expect(await codeOf(await alice.append(uploadId, 0, noise(1)))).toBe("not-found");
      expect(await codeOf(await alice.remove(uploadId))).toBe("not-found");
    }
  });
});

test("a length that padding does not make is refused before anything is kept or paid", async () => {
  const before = (await stored()).length;
  const lengths = [0, 1, 1024, SMALL - 1, SMALL + 1, MEDIUM + 1, MAX_ENCRYPTED_MEDIA_BYTES - 1];
  expect(lengths.filter(isMediaLength)).toEqual([]);
  for (const length of lengths) {
    const created = await world.ask("createUpload", { token: alice.token, headers: { ...TUS, "upload-length": String(length) } });
    expect(await codeOf(created)).toBe("malformed");
  }
  for (const length of [0, 1, SMALL - 1, SMALL + 1]) {
    expect(await codeOf(await alice.put(small(), noise(length)))).toBe("malformed");
  }
  const huge = { token: alice.token, headers: { ...TUS, "upload-length": String(MAX_ENCRYPTED_MEDIA_BYTES + 1) } };
  expect(await codeOf(await world.ask("createUpload", huge))).toBe("too-large");
  const long = { "content-length": String(encryptedMediaLength(20 * 1024 * 1024)) };
  expect(await codeOf(await alice.put(small(), noise(10), long))).toBe("too-large");
  for (const length of ["", "-1", "1e9", "0x430", "01072"]) {
    const asked = { token: alice.token, headers: { ...TUS, "upload-length": length } };
    expect(await codeOf(await world.ask("createUpload", asked))).toBe("malformed");
  }
  expect(await stored()).toHaveLength(before);
});

describe("a file in one request", () => {
  test("is stored once: a repeat changes nothing and costs nothing", async () => {
    const uploadId = await putSmall(1);
    expect((await alice.put(uploadId, noise(SMALL, 2))).status).toBe(204);
    expect(sameBytes(await alice.read(uploadId), noise(SMALL, 1))).toBe(true);
    const longer = encryptedMediaLength(2000);
    expect(await codeOf(await alice.put(uploadId, noise(longer)))).toBe("version-conflict");
    expect(sameBytes(await alice.read(uploadId), noise(SMALL, 1))).toBe(true);
  });

  test("whose repeat comes at the same time is stored once", async () => {
    const uploadId = small();
    const answers = await Promise.all([1, 2, 3, 4].map((seed) => alice.put(uploadId, noise(SMALL, seed))));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    const first = await alice.read(uploadId);
    expect([1, 2, 3, 4].filter((seed) => sameBytes(first, noise(SMALL, seed)))).toHaveLength(1);
    await alice.put(uploadId, noise(SMALL, 5));
    expect(sameBytes(await alice.read(uploadId), first)).toBe(true);
  });

  test("that comes between the look and the writing of another stays: the bucket decides", async () => {
    const uploadId = await putSmall(1);
    const late = { body: new Blob([noise(SMALL, 2)]).stream(), accessHash: "00".repeat(32) };
    expect(await storeOnce(env.MEDIA, mediaIdOf(uploadId), late)).toBe("there");
    expect(sameBytes(await alice.read(uploadId), noise(SMALL, 1))).toBe(true);
  });

  test("goes under an id of its client's own, never under an upload's", async () => {
    const uploadId = await alice.create(SMALL);
    expect(await codeOf(await alice.put(uploadId, noise(SMALL)))).toBe("malformed");
    expect(await env.MEDIA.head(`media/${mediaIdOf(uploadId)}`)).toBeNull();
  });

  test("has to be of its media type", async () => {
    expect((await alice.put(small(), noise(SMALL), { "content-type": TUS_CONTENT_TYPE })).status).toBe(415);
  });

  test("is removed by whoever has its uploadId", async () => {
    const uploadId = await putSmall();
    expect((await alice.remove(uploadId)).status).toBe(204);
    expect(await codeOf(await alice.remove(uploadId))).toBe("not-found");
    expect((await alice.askUrl(mediaIdOf(uploadId), accessSecretOf(uploadId))).status).toBe(404);
  });
});

describe("a URL", () => {
  test("is given for the access secret alone; whatever is wrong, the answer is the same byte for byte", async () => {
    const uploadId = await putSmall();
    const mediaId = mediaIdOf(uploadId);
    const other = await putSmall();
    const good = await alice.urlOf(uploadId);
    const flipped = good.slice(0, -1) + (good.endsWith("0") ? "1" : "0");
    const later = good.replace(/expires=(\d+)/, (_, expires: string) => `expires=${Number(expires) + 1}`);
    // The same to a counter of 32 bits.
    const wrapped = good.replace(/expires=(\d+)/, (_, expires: string) => `expires=${Number(expires) + 2 ** 32}`);
    const shouted = good.replace(/[0-9a-f]{64}$/, (signature) => signature.toUpperCase());
    const foreign = good.replace(mediaId, mediaIdOf(other));
    const wrong = accessSecretOf(other);
    const bearer = { authorization: `Bearer ${base64url.encode(accessSecretOf(uploadId))}` };
    const unknown = parseMediaId("0".repeat(64));
    const answers = [
      await alice.askUrl(mediaId, wrong),
      await alice.askUrl(mediaId, new Uint8Array(32)),
      await alice.askUrl(unknown, accessSecretOf(uploadId)),
      await alice.askUrl(parseMediaId(uploadId), accessSecretOf(uploadId)),
      await world.ask("createMediaUrl", { parameters: { mediaId } }),
      await world.ask("createMediaUrl", { parameters: { mediaId }, headers: bearer }),
      ...(await Promise.all(
        [flipped, later, wrapped, foreign, shouted, `${good}0`, `${good}&x=1`].map(async (url) => await alice.get(url)),
      )),
      await alice.get(good.split("?")[0] ?? ""),
      await alice.get(good.replace("expires", "Expires")),
      await alice.get(good.replace(mediaId, unknown)),
    ];
    const texts = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text(), ...answer.headers].join("\n")));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain("not-found");
    expect((await alice.get(good)).status).toBe(200);
  });

  test("is good for an hour", async () => {
    const url = await alice.urlOf(await putSmall());
    world.aheadSeconds = MEDIA_URL_SECONDS - 5;
    expect((await alice.get(url)).status).toBe(200);
    world.aheadSeconds = MEDIA_URL_SECONDS + 5;
    expect((await alice.get(url)).status).toBe(404);
  });

  test("is good across a rotation of the server's seed, and not under another seed", async () => {
    const uploadId = await putSmall();
    const url = await alice.urlOf(uploadId);
    const rotated = new Uploader(await openWorld({ SERVER_SEED: `2:${"B".repeat(42)}A,${env.SERVER_SEED}` }), "");
    expect((await rotated.get(url)).status).toBe(200);
    const newer = await rotated.urlOf(uploadId);
    expect(newer).not.toBe(url);
    expect((await alice.get(newer)).status).toBe(404);
  });

  test("is not a right to write: what a reader has leads to no upload", async () => {
    const uploadId = await alice.create(SMALL);
    await alice.append(uploadId, 0, noise(100));
    for (const known of [mediaIdOf(uploadId), toHex(accessSecretOf(uploadId))].map(parseUploadId)) {
      expect((await alice.head(known)).status).toBe(404);
      expect((await alice.append(known, 100, noise(1))).status).toBe(404);
      expect((await alice.remove(known)).status).toBe(404);
    }
    expect(await alice.offset(uploadId)).toBe(100);
  });
});

describe("a part of a file", () => {
  test.each([
    ["bytes=0-0", 0, 1],
    ["bytes=10-19", 10, 20],
    ["bytes=1000-", 1000, SMALL],
    [`bytes=${SMALL - 1}-${SMALL + 99}`, SMALL - 1, SMALL],
    ["bytes=-5", SMALL - 5, SMALL],
    ["bytes=-999999", 0, SMALL],
    ["BYTES=3-4", 3, 5],
  ])("%s", async (range, start, end) => {
    const uploadId = await putSmall();
    const response = await alice.get(await alice.urlOf(uploadId), { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${SMALL}`);
    expect(sameBytes(new Uint8Array(await response.arrayBuffer()), noise(SMALL).slice(start, end))).toBe(true);
  });

  test.each([`bytes=${SMALL}-`, `bytes=${SMALL + 5}-${SMALL + 9}`, "bytes=-0"])("%s is not there", async (range) => {
    const response = await alice.get(await alice.urlOf(await putSmall()), { range });
    expect([await codeOf(response), response.status]).toEqual(["range-not-satisfiable", 416]);
    expect(response.headers.get("content-range")).toBe(`bytes */${SMALL}`);
  });

  test.each(["bytes=0-1,4-5", "bytes=5-3", "items=0-1", "bytes=-", "bytes=a-b", "bytes 0-1", ""])(
    "%j is no part: all of it",
    async (range) => {
      const response = await alice.get(await alice.urlOf(await putSmall()), { range });
      expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, SMALL]);
    },
  );

  test("may be one of a file that came in parts, across their border", async () => {
    const uploadId = await alice.create(MEDIUM);
    const file = noise(MEDIUM);
    await alice.append(uploadId, 0, file);
    const border = 5 * 1024 * 1024;
    const response = await alice.get(await alice.urlOf(uploadId), { range: `bytes=${border - 3}-${border + 3}` });
    expect(sameBytes(new Uint8Array(await response.arrayBuffer()), file.slice(border - 3, border + 4))).toBe(true);
  });
});

test("every answer about files says to keep it nowhere and to open it nowhere, whatever it is", async () => {
  const uploadId = await putSmall();
  const url = await alice.urlOf(uploadId);
  const parameters = { uploadId, mediaId: mediaIdOf(uploadId) };
  const operations = (Object.keys(ROUTES) as Operation[]).filter((name) => ROUTES[name].path.startsWith("/v1/media/"));
  expect(operations).toHaveLength(8);
  const refused = await Promise.all(operations.map(async (name) => await world.ask(name, { parameters })));
  const begun = await alice.create(SMALL);
  const done = [
    await world.ask("getUploadOptions"),
    await alice.head(begun),
    await alice.append(begun, 0, noise(1)),
    await alice.remove(begun),
    await alice.put(small(), noise(SMALL)),
    await alice.askUrl(mediaIdOf(uploadId), accessSecretOf(uploadId)),
    await alice.get(url),
    await alice.get(url, { range: "bytes=0-1" }),
  ];
  for (const { headers, status } of [...refused, ...done]) {
    expect([status, headers.get("cache-control")]).toEqual([status, "private, no-store"]);
    expect(headers.get("content-disposition")).toBe("attachment");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const name of ["etag", "last-modified", "expires", "age", "cf-cache-status", "set-cookie"]) expect(headers.get(name)).toBeNull();
  }
  expect(done.slice(-2).map(({ headers }) => headers.get("content-type"))).toEqual(Array(2).fill("application/octet-stream"));
});

test("a second reading is one from the bucket, not from a cache", async () => {
  const uploadId = await putSmall();
  const url = await alice.urlOf(uploadId);
  expect((await alice.get(url)).status).toBe(200);
  await env.MEDIA.delete(`media/${mediaIdOf(uploadId)}`);
  expect((await alice.get(url)).status).toBe(404);
});

test("the bucket holds files of few lengths, under hashes, with a hash beside each and nothing else", async () => {
  const metadata = `filename ${btoa("holiday.jpg")},filetype ${btoa("image/jpeg")}`;
  const uploadId = await alice.create(SMALL, { "upload-metadata": metadata });
  await alice.append(uploadId, 0, noise(SMALL));
  await putSmall();
  const objects = await stored();
  expect(objects.length).toBeGreaterThan(5);
  for (const { key, size, customMetadata, httpMetadata } of objects) {
    expect(key).toMatch(/^media\/[0-9a-f]{64}$/);
    expect(isMediaLength(size)).toBe(true);
    expect(Object.keys(customMetadata ?? {})).toEqual(["access"]);
    expect(customMetadata?.["access"]).toMatch(/^[0-9a-f]{64}$/);
    expect(httpMetadata?.contentDisposition ?? httpMetadata?.contentLanguage).toBeUndefined();
    expect(httpMetadata?.contentType ?? "application/octet-stream").toBe("application/octet-stream");
  }
  const file = objects.find(({ key }) => key === `media/${mediaIdOf(uploadId)}`);
  // What is beside the file does not open it.
  expect((await alice.askUrl(mediaIdOf(uploadId), fromHex(file?.customMetadata?.["access"] ?? ""))).status).toBe(404);
});

describe("the budget of a day", () => {
  test("is spent by both ways to upload and by no repeat, and tomorrow there is another", async () => {
    const bob = await new Person(world, 2).register();
    const uploader = new Uploader(world, await bob.token());
    const spend = async (bytes: number): Promise<boolean> =>
      await world.services.mailboxes.once(bob.userId, (mailbox) => mailbox.spendMediaBudget(bytes));
    expect(await spend(MEDIA_BYTES_PER_DAY - 2 * SMALL)).toBe(true);
    expect(await spend(2 * SMALL + 1)).toBe(false);
    const uploadId = small();
    expect((await uploader.put(uploadId, noise(SMALL))).status).toBe(204);
    expect((await uploader.put(uploadId, noise(SMALL))).status).toBe(204);
    await uploader.create(SMALL);
    const refused = await uploader.put(small(), noise(SMALL));
    expect([await codeOf(refused), refused.headers.get("retry-after")]).toEqual(["rate-limited", "3600"]);
    const create = { token: uploader.token, headers: { ...TUS, "upload-length": String(SMALL) } };
    expect(await codeOf(await world.ask("createUpload", create))).toBe("rate-limited");
    expect((await uploader.put(uploadId, noise(SMALL))).status).toBe(204);
    // Alice has her own.
    await putSmall();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 24 * 3600 * 1000);
    expect(await spend(MEDIA_BYTES_PER_DAY)).toBe(true);
  });

  test("is what the server's settings say, and 2 GiB when they say nothing", async () => {
    expect([undefined, "", "0", "5000"].map(mediaBytesPerDay)).toEqual([2 ** 31, 2 ** 31, 0, 5000]);
    for (const setting of ["5 GB", "-1", "1.5", "Infinity"]) expect(() => mediaBytesPerDay(setting)).toThrow("MEDIA_BYTES_PER_DAY");
    const stub = env.MAILBOX.getByName(world.services.requesterName(person.userId));
    await runInDurableObject(stub, async (_, state) => {
      const mailbox = new Mailbox(state, { ...env, MEDIA_BYTES_PER_DAY: "1" });
      expect(await mailbox.spendMediaBudget(1)).toBe(false);
    });
    const config = v.parse(v.object({ limits: v.record(v.string(), v.number()) }), await (await world.ask("getConfig")).json());
    expect(config.limits).toMatchObject({ mediaBytes: MAX_MEDIA_BYTES, mediaBytesPerDay: 2 ** 31 });
  });
});

test("a server without a bucket says so on every route of files, and has none of them in its config", async () => {
  const poor = new World({}, ["MEDIA"]);
  const operations = (Object.keys(ROUTES) as Operation[]).filter((name) => ROUTES[name].path.startsWith("/v1/media/"));
  const parameters = { uploadId: small(), mediaId: mediaIdOf(small()) };
  for (const name of operations) {
    const response = await poor.ask(name, { parameters, token: alice.token });
    expect([name, response.status]).toEqual([name, 501]);
    if (ROUTES[name].method !== "HEAD") expect(await codeOf(response)).toBe("no-media");
  }
  const config = v.parse(v.object({ limits: v.record(v.string(), v.number()) }), await (await poor.ask("getConfig")).json());
  expect(config.limits["mediaBytes"]).toBe(0);
  expect((await poor.ask("getCertificate", { token: alice.token })).status).toBe(200);
});

test("the sweep goes on where it stopped, and begins again at the end", async () => {
  for (let seed = 1; seed <= 5; seed++) await putSmall(seed);
  const then = nowSeconds() + MEDIA_TTL_SECONDS + 60;
  const bounds = { pages: 1, filesPerPage: 2 };
  const files = async (): Promise<readonly string[]> => (await stored()).map(({ key }) => key).filter((key) => key.startsWith("media/"));
  const before = await files();
  // Nothing is old yet: two are passed by. Then all are, and the next two go.
  expect(await sweepMedia(env.MEDIA, nowSeconds(), bounds)).toBe(0);
  expect(await sweepMedia(env.MEDIA, then, bounds)).toBe(2);
  expect(await files()).toEqual([...before.slice(0, 2), ...before.slice(4)]);
  for (let run = 0; run <= before.length / 2; run++) await sweepMedia(env.MEDIA, then, bounds);
  expect(await files()).toEqual([]);
});

test("the Worker sweeps when the platform wakes it", async () => {
  await putSmall();
  const controller = createScheduledController({
    scheduledTime: new Date(Date.now() + (MEDIA_TTL_SECONDS + 60) * 1000),
    cron: "17 * * * *",
  });
  await worker.scheduled?.(controller, { ...env }, createExecutionContext());
  expect((await stored()).filter(({ key }) => key.startsWith("media/"))).toEqual([]);
});

test("files are kept for 30 days: then they are nowhere, and the sweep removes them", async () => {
  const old = await putSmall();
  world.aheadSeconds = MEDIA_TTL_SECONDS - 60;
  const url = await alice.urlOf(old);
  expect((await alice.get(url)).status).toBe(200);
  expect(await sweepMedia(env.MEDIA, nowSeconds() + world.aheadSeconds)).toBe(0);
  world.aheadSeconds = MEDIA_TTL_SECONDS + 60;
  expect((await alice.askUrl(mediaIdOf(old), accessSecretOf(old))).status).toBe(404);
  expect((await alice.get(url)).status).toBe(404);
  expect((await alice.get(url, { range: "bytes=0-1" })).status).toBe(404);
  const before = (await stored()).filter(({ key }) => key.startsWith("media/")).length;
  expect(await sweepMedia(env.MEDIA, nowSeconds() + world.aheadSeconds)).toBe(before);
  expect((await stored()).filter(({ key }) => key.startsWith("media/"))).toEqual([]);
});
