// A file on its way up and down again over a line that is cut, by programs that end in the middle, with a server that is killed: it
// arrives as it was, and what has arrived does not travel again.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, ClientError, type Clock, createClient, type HttpRequest, type Network } from "#client";
import { fileSink } from "edgewise/node";
import { sqlite } from "edgewise/store/node-sqlite";
import { encryptedMediaLength, MEDIA_CHUNK_BYTES, MEDIA_HEADER_BYTES, MEDIA_TAG_BYTES } from "#wire";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";
import { RunningServer } from "../../server/running-server.ts";
import { found } from "../../support/accounts.ts";
import { seededDice } from "../../support/random.ts";
import { is } from "../malicious-server/liar.ts";
import { type Cut, Cutter, type Direction } from "./cutter.ts";
import { fileOf, MIB } from "./people.ts";

const HOOK_MILLISECONDS = 60_000;
const PATIENCE = { timeout: 100_000, interval: 20 } as const;
const SIZE = 12 * MIB;
const STORED = encryptedMediaLength(SIZE);
const CUTS = 13;
const RESTARTS = 4;
const KILLS = 2;
/** What is lost when a line is cut: what was sent and had not come, in buffers of the system and of the programs between. */
const LOST_BYTES = MIB / 2;

const folder = mkdtempSync(join(tmpdir(), "edgewise-interrupted-"));
const dice = seededDice(77);
let server: RunningServer;
let line: Cutter;

async function startServer(port: number): Promise<RunningServer> {
  return await RunningServer.start(join(folder, "state"), `1:${"I".repeat(43)}`, port, { EDGEWISE_BENCH: "edgewise" });
}

beforeAll(async () => {
  server = await startServer(0);
  line = await Cutter.lay(server.port);
}, HOOK_MILLISECONDS);
afterAll(async () => {
  await line.close();
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

const PATIENCES = [20_000, 120_000];
/** Pauses pass fifty times faster; the patience with one request stays. */
const clock: Clock = {
  nowMilliseconds: () => Date.now(),
  after: (milliseconds, callback) => platformClock.after(PATIENCES.includes(milliseconds) ? milliseconds : milliseconds / 50, callback),
};

/** What was asked for, before the line. */
const asked: HttpRequest[] = [];
const network: Network = {
  ...platformNetwork,
  request(request) {
    asked.push(request);
    return platformNetwork.request(request);
  },
};

function open(name: string): Promise<Client> {
  return createClient({ server: line.url, store: sqlite(join(folder, `${name}.db`)), network, clock });
}

function cuts(direction: Direction): readonly Cut[] {
  return Array.from({ length: CUTS }, () => ({ direction, afterBytes: 50_000 + dice.roll(STORED / CUTS) }));
}

/** Until the server has all; whatever fails for now is tried again. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable) throw error;
      await sleep(20);
    }
  }
}

/** Some more of the file, then the program ends or the server does. Resolves to how much there is. */
async function partly(id: string, path: string, before: number, isKill: boolean): Promise<number> {
  await using client = await open("bob");
  const kept = statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0;
  asked.splice(0);
  const stop = new AbortController();
  let done = before;
  const onProgress = (progress: { readonly done: number }): void => {
    ({ done } = progress);
    if (done > before + MIB && !isKill) stop.abort();
  };
  const to = fileSink(path);
  const downloading = patiently(async () =>
    found((await client.message(id)).attachments[0]).download({ to, onProgress, signal: stop.signal }),
  );
  if (isKill) await killServer();
  else await downloading.catch(() => undefined);
  stop.abort();
  await downloading.catch(() => undefined);
  const places = asked.filter((request) => is(request, "getMedia")).map(({ headers }) => Number(/\d+/.exec(headers["range"] ?? "")?.[0]));
  if (places.length > 0) expect(Math.min(...places)).toBe(storedAt(kept));
  return done;
}

/** Where in the stored file that begins which is not there in whole chunks. */
function storedAt(kept: number): number {
  const chunks = Math.floor(kept / MEDIA_CHUNK_BYTES);
  return chunks === 0 ? 0 : MEDIA_HEADER_BYTES + chunks * (MEDIA_CHUNK_BYTES + MEDIA_TAG_BYTES);
}

async function killServer(): Promise<void> {
  const { port } = server;
  await server.kill();
  server = await startServer(port);
}

test(
  `a file arrives as it was after ${2 * (CUTS + RESTARTS + KILLS)} interruptions on both sides, and does not begin anew`,
  { timeout: 400_000 },
  async () => {
    const file = fileOf(SIZE);
    let alice = await open("alice");
    await alice.register({ name: "alice" });
    const bob = await open("bob");
    await bob.register({ name: "bob" });
    await bob.contacts.accept(alice.account.userId);
    await patiently(() => bob.settled());

    // Up.
    line.plan(cuts("up"));
    const { id } = await (await alice.conversations.direct(bob.account.userId)).sendFile(file);
    for (let i = 0; i < RESTARTS + KILLS; i++) {
      const before = line.carried("up");
      await expect.poll(() => line.carried("up") - before > MIB / 2 || line.carried("up") > STORED, PATIENCE).toBe(true);
      if (i % 3 === 2) {
        await killServer();
      } else {
        await alice.close();
        alice = await open("alice");
      }
    }
    const message = await alice.message(id);
    await patiently(() => message.sent());
    await patiently(() => alice.settled());
    expect(asked.filter((request) => is(request, "createUpload")).length).toBe(1);
    const offsets = asked.filter((request) => is(request, "appendUpload")).map(({ headers }) => Number(headers["upload-offset"]));
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    expect(line.carried("up")).toBeLessThan(STORED + (CUTS + RESTARTS + KILLS) * LOST_BYTES);

    // Down.
    await bob.connect();
    await expect.poll(() => bob.message(id).catch(() => undefined), PATIENCE).toBeDefined();
    await bob.close();
    const path = join(folder, "arrived.bin");
    line.plan(cuts("down"));
    let done = 0;
    for (let i = 0; i < RESTARTS + KILLS; i++) done = await partly(id, path, done, i % 3 === 2);
    await patiently(async () => {
      await using client = await open("bob");
      await found((await client.message(id)).attachments[0]).download({ to: fileSink(path) });
    });
    expect(line.made).toBe(2 * CUTS);
    expect(readFileSync(path).equals(Buffer.from(await file.arrayBuffer()))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith("arrived"))).toEqual(["arrived.bin"]);
    await alice.close();
  },
);
