// Uploads to a server that is killed and over connections that break: nothing acknowledged is sent twice or lost, and what is
// read is what was sent. One client is a stock one, which knows nothing of us.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Upload } from "tus-js-client";
import { systemRandom } from "#crypto";
import { accessSecretOf, drawUploadId, mediaIdOf } from "#identity";
import {
  type Bytes,
  encryptedMediaLength,
  MAX_MEDIA_REQUEST_BYTES,
  MEDIA_SCHEME,
  parseUploadId,
  pathOf,
  TUS_CONTENT_TYPE,
  TUS_VERSION,
  type UploadId,
} from "#wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededDice } from "../support/random.ts";
import { HttpUser } from "./http-user.ts";
import { RunningServer } from "./running-server.ts";

const MIB = 1024 * 1024;
const TUS = { "tus-resumable": TUS_VERSION };

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
const seed = `1:${randomBytes(32).toString("base64url")}`;
let server: RunningServer;
let alice: HttpUser;

beforeAll(async () => {
  server = await RunningServer.start(state, seed);
  alice = new HttpUser(server.url, 1);
  await alice.register();
});
afterAll(async () => {
  await server.kill("SIGTERM");
  rmSync(state, { recursive: true, force: true });
});

async function restart(): Promise<void> {
  const { port } = server;
  await server.kill();
  server = await RunningServer.start(state, seed, port);
}

/** As somebody with the pointer asks for it. */
async function askUrl(uploadId: UploadId): Promise<Response> {
  const authorization = `${MEDIA_SCHEME} ${Buffer.from(accessSecretOf(uploadId)).toString("base64url")}`;
  const path = pathOf("createMediaUrl", { mediaId: mediaIdOf(uploadId) });
  return await fetch(server.url + path, { method: "POST", headers: { authorization } });
}

/** What its readers get. */
async function hashOfStored(uploadId: UploadId): Promise<string> {
  const { url } = (await (await askUrl(uploadId)).json()) as { url: string }; // the schema of the answer is the gateway's test
  return hashOf(new Uint8Array(await (await fetch(server.url + url)).arrayBuffer()));
}

function hashOf(bytes: Bytes): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("a stock client uploads in its own pieces, and carries on where it was when the server is killed between two", async () => {
  const file = randomBytes(encryptedMediaLength(11 * MIB));
  const offsets: number[] = [];
  const restarts: Promise<void>[] = [];
  const location = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: server.url + pathOf("createUpload"),
      headers: { authorization: alice.authorization },
      metadata: { filename: "holiday.jpg", filetype: "image/jpeg" },
      chunkSize: 3 * MIB,
      retryDelays: [0, 500, 500, 500, 1000, 1000, 1000, 2000, 2000],
      onChunkComplete(_, accepted) {
        offsets.push(accepted);
        if (restarts.length < 2) restarts.push(Promise.all(restarts).then(restart));
      },
      onError: reject,
      onSuccess: () => resolve(upload.url ?? ""),
    });
    upload.start();
  });
  expect(restarts).toHaveLength(2);
  await Promise.all(restarts);
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(offsets.at(-1)).toBe(file.length);
  expect(await hashOfStored(parseUploadId(location.split("/").at(-1)))).toBe(hashOf(Uint8Array.from(file)));
});

async function create(length: number): Promise<UploadId> {
  const headers = { ...TUS, authorization: alice.authorization, "upload-length": String(length) };
  const response = await fetch(server.url + pathOf("createUpload"), { method: "POST", headers });
  return parseUploadId(response.headers.get("location")?.split("/").at(-1));
}

async function offsetOf(uploadId: UploadId): Promise<number> {
  const response = await fetch(server.url + pathOf("getUpload", { uploadId }), { method: "HEAD", headers: TUS });
  expect(response.status).toBe(200);
  return Number(response.headers.get("upload-offset"));
}

/** Sends so many of the bytes that it has announced, and hangs up. Without a number: all, and resolves with what is acknowledged. */
async function send(uploadId: UploadId, offset: number, bytes: Uint8Array, hangUpAfter?: number): Promise<number | undefined> {
  const headers = { ...TUS, "content-type": TUS_CONTENT_TYPE, "upload-offset": offset, "content-length": bytes.length };
  const sending = request(server.url + pathOf("appendUpload", { uploadId }), { method: "PATCH", headers, agent: false });
  const answered = new Promise<number | undefined>((resolve) => {
    sending.once("error", () => resolve(undefined));
    sending.once("response", (response) => {
      response.resume();
      resolve(response.statusCode === 204 ? Number(response.headers["upload-offset"]) : undefined);
    });
  });
  if (hangUpAfter === undefined) {
    sending.end(bytes);
    return await answered;
  }
  // Whatever the kernel has of it by then has been sent.
  if (!sending.write(bytes.subarray(0, hangUpAfter))) await Promise.race([once(sending, "drain"), answered]);
  await sleep(20);
  sending.destroy();
  return await answered;
}

test("after 13 hang-ups and 4 kills in the middle of requests nothing acknowledged is gone, and the file is what was sent", async () => {
  const dice = seededDice(7);
  const file = randomBytes(encryptedMediaLength(10 * MIB));
  const uploadId = await create(file.length);
  let acknowledged = 0;
  let keptOfHangUps = 0;
  const interruptions = Array.from({ length: 17 }, (_, at) => (at % 4 === 2 ? "kill" : "hang-up"));
  for (const kind of interruptions) {
    const offset = await offsetOf(uploadId);
    expect(offset).toBeGreaterThanOrEqual(acknowledged);
    // Most of the file stays for the end, so that every interruption has something to interrupt.
    const bytes = file.subarray(offset, Math.min(offset + 2 * MIB, file.length - 1));
    if (kind === "hang-up") {
      await send(uploadId, offset, bytes, dice.roll(bytes.length));
      const kept = (await offsetOf(uploadId)) - offset;
      keptOfHangUps += kept;
      acknowledged = offset + kept;
    } else {
      const answered = send(uploadId, offset, bytes);
      await sleep(dice.roll(60));
      await restart();
      acknowledged = (await answered) ?? acknowledged;
    }
  }
  expect(keptOfHangUps).toBeGreaterThan(0);
  for (let offset = await offsetOf(uploadId); offset < file.length; offset = await offsetOf(uploadId)) {
    expect(offset).toBeGreaterThanOrEqual(acknowledged);
    acknowledged = (await send(uploadId, offset, file.subarray(offset, offset + 4 * MIB))) ?? offset;
    expect(await offsetOf(uploadId)).toBe(acknowledged);
  }
  expect(await hashOfStored(uploadId)).toBe(hashOf(Uint8Array.from(file)));
});

test("a refusal reaches a client that is still sending", async () => {
  const body = randomBytes(MAX_MEDIA_REQUEST_BYTES);
  const uploadId = await create(encryptedMediaLength(20 * MIB));
  const unknown = drawUploadId("server", systemRandom);
  const tus = { ...TUS, "content-type": TUS_CONTENT_TYPE };
  const asked: readonly (readonly [number, UploadId, RequestInit])[] = [
    [409, uploadId, { method: "PATCH", headers: { ...tus, "upload-offset": "5" } }],
    [404, unknown, { method: "PATCH", headers: { ...tus, "upload-offset": "0" } }],
    [412, uploadId, { method: "PATCH", headers: { "upload-offset": "0" } }],
    [401, drawUploadId("client", systemRandom), { method: "PUT" }],
  ];
  for (let round = 0; round < 3; round++) {
    for (const [status, to, request] of asked) {
      const response = await fetch(server.url + pathOf("appendUpload", { uploadId: to }), { ...request, body });
      expect(response.status).toBe(status);
      await response.arrayBuffer();
    }
  }
  expect(await offsetOf(uploadId)).toBe(0);
});

test("a file in one request that breaks off is not stored, and its repeat is", async () => {
  const file = randomBytes(encryptedMediaLength(2 * MIB));
  const uploadId = drawUploadId("client", systemRandom);
  const url = server.url + pathOf("putMedia", { uploadId });
  const headers = { authorization: alice.authorization, "content-type": "application/octet-stream" };
  const broken = request(url, { method: "PUT", headers: { ...headers, "content-length": file.length }, agent: false });
  broken.on("error", () => undefined);
  broken.write(file.subarray(0, file.length - 1));
  await sleep(100);
  broken.destroy();
  await sleep(100);
  expect((await askUrl(uploadId)).status).toBe(404);
  expect((await fetch(url, { method: "PUT", headers, body: file })).status).toBe(204);
  expect(await hashOfStored(uploadId)).toBe(hashOf(Uint8Array.from(file)));
});
