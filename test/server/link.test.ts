// Where devices meet, on the server that `npm start` starts: killed between the blobs, searched on the disk, and asked for all
// that it might answer.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededDice } from "../support/random.ts";
import { RunningServer } from "./running-server.ts";

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
const seed = `1:${randomBytes(32).toString("base64url")}`;
/** What a test asks is more than one address may. */
const UNLIMITED = { EDGEWISE_BENCH: "edgewise" };
let server: RunningServer;

beforeAll(async () => {
  server = await RunningServer.start(state, seed, 0, UNLIMITED);
});
afterAll(async () => {
  await server.kill();
  rmSync(state, { recursive: true, force: true });
});

async function restart(env: Readonly<Record<string, string>>): Promise<void> {
  await server.kill();
  server = await RunningServer.start(state, seed, server.port, env);
}

function newId(): string {
  return randomBytes(32).toString("hex");
}

async function put(id: string, blob: number, content: Buffer): Promise<number> {
  const headers = { "content-type": "application/octet-stream" };
  return (await fetch(`${server.url}/v1/link/${id}/${blob}`, { method: "PUT", headers, body: new Uint8Array(content) })).status;
}

async function take(id: string, blob: number): Promise<Buffer | number> {
  const response = await fetch(`${server.url}/v1/link/${id}/${blob}`);
  const body = Buffer.from(await response.arrayBuffer());
  return response.status === 200 ? body : response.status;
}

/** The files of the server's state in which this stands. */
function filesWith(text: string): readonly string[] {
  const entries = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => readFileSync(path).includes(text));
}

/** What the object writes of a blob, without the ends, which depend on what stands beside it. */
function asStored(content: Buffer): string {
  return content.toString("base64url").slice(0, 64);
}

test("four blobs go from one device to the other though the server is killed after each, and none goes twice", async () => {
  const id = newId();
  const contents = [1, 2, 3, 4].map((blob) => randomBytes(1000 * blob));
  for (const [at, content] of contents.entries()) {
    expect(await put(id, at + 1, content)).toBe(204);
    if (at > 0) await restart(UNLIMITED);
    expect(await take(id, at + 1)).toEqual(content);
  }
  await restart(UNLIMITED);
  for (const blob of [1, 2, 3, 4]) expect([blob, await take(id, blob)]).toEqual([blob, 410]);
});

/** What the server answers to a request that no client of ours would write: the status, 0 when it hangs up. */
async function statusOf(request: string): Promise<number> {
  const socket = connect(server.port, "127.0.0.1");
  const closed = once(socket, "close");
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => undefined);
  socket.end(request);
  await closed;
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

test("a target, method or header that nobody writes finds no way to what lies there", async () => {
  const id = newId();
  const content = randomBytes(100);
  await put(id, 1, content);
  const targets = [
    "/do/call/take",
    "//do/call/take",
    "/do/get-prop/state",
    "/v1/link/../../do/call/destroy",
    "https://itty-durable/do/call/take",
    "http://127.0.0.1/do/call/take",
    "/v1/link",
    `/v1/link/${id}`,
    `/v1/link/${id}/`,
    `/v1/link/${id}//1`,
    `/v1//link/${id}/1`,
    `/V1/link/${id}/1`,
    `/v1/link/${id}/1/take`,
    `/v1/link/${id}/take`,
    `/v1/link/${id}/destroy`,
    `/v1/link/${id}/1%00`,
    `/v1/link/${id}/1;a=b`,
    `/v1/link/${id.toUpperCase()}/1`,
    `/v1/link/${id}%2f1`,
    `/v1/link/${id}\\..\\1x`,
  ];
  const methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "take", "CALL"];
  const headers = ["do-content: [1]", "do-name: x", "x-http-method-override: GET", "x-forwarded-host: itty-durable", "upgrade: websocket"];
  const dice = seededDice(1);
  const statuses = new Set<number>();
  for (const target of targets) {
    for (const method of methods) {
      const lines = [`${method} ${target} HTTP/1.1`, "host: 127.0.0.1", dice.pick(headers), dice.pick(headers), "connection: close"];
      statuses.add(await statusOf(`${lines.join("\r\n")}\r\n\r\n`));
    }
  }
  // The methods of the true path that there are not.
  for (const method of methods.filter((name) => name !== "GET" && name !== "PUT")) {
    statuses.add(await statusOf(`${method} /v1/link/${id}/1 HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`));
  }
  expect([...statuses].filter((status) => ![0, 400, 404, 405, 501].includes(status))).toEqual([]);
  expect(await take(id, 1)).toEqual(content);
});

test("when the time is over, nothing of it is on the disk", async () => {
  await restart({ EDGEWISE_LINK_SECONDS: "3" });
  const id = newId();
  const contents = [1, 2, 3, 4].map(() => randomBytes(16 * 1024));
  for (const [at, content] of contents.entries()) expect(await put(id, at + 1, content)).toBe(204);
  expect(await take(id, 1)).toEqual(contents[0]);
  // The search sees what is there.
  for (const content of contents.slice(1)) expect(filesWith(asStored(content))).not.toEqual([]);
  const late = Date.now() + 20_000;
  while (contents.some((content) => filesWith(asStored(content)).length > 0) && Date.now() < late) await sleep(200);
  for (const content of contents) expect(filesWith(asStored(content))).toEqual([]);
  for (const blob of [1, 2, 3, 4]) expect(await take(id, blob)).toBe(404);
});
