// The server is killed again and again while admins of groups race each other. Each entry that was answered is in its place,
// once, after whatever was killed; nothing else is there.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ascii, decodeGroupEntries, encodeGroupAppend, GROUP_SCHEME, type GroupAppend, pathOf, type SealedGroupEntry } from "#wire";
import { afterAll, expect, test } from "vitest";
import { SharedGroup } from "../support/shared-group.ts";
import { seededDice } from "../support/random.ts";
import { RunningServer } from "./running-server.ts";

const KILLS = 10;
const GROUPS = 3;
const ADMINS = 2;

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
const seed = `1:${randomBytes(32).toString("base64url")}`;
afterAll(() => rmSync(state, { recursive: true, force: true }));

interface Answer {
  readonly taken: boolean;
  readonly version: number;
}

/** Everybody comes from a network of their own: the limit for one outlives a kill. */
function from(network: number): Readonly<Record<string, string>> {
  return { "cf-connecting-ip": `192.0.${network}.1` };
}

/** What the server says of the append. @throws for every answer but yes and conflict, and for none */
async function post(url: string, { at }: SharedGroup, append: GroupAppend, network: number): Promise<Answer> {
  const headers = { ...from(network), "content-type": "application/x-protobuf" };
  const path = pathOf("appendGroup", { groupId: at.groupId });
  const response = await fetch(url + path, { method: "POST", headers, body: encodeGroupAppend(append) });
  if (response.status !== 200 && response.status !== 409) throw new Error(`status ${response.status}`);
  const { version } = (await response.json()) as { version: number }; // both answers have it
  return { taken: response.status === 200, version };
}

async function readAll(url: string, shared: SharedGroup): Promise<readonly SealedGroupEntry[]> {
  const all: SealedGroupEntry[] = [];
  for (;;) {
    const proof = Buffer.from(shared.readProof(Math.floor(Date.now() / 1000))).toString("base64url");
    const path = `${pathOf("getGroup", { groupId: shared.at.groupId })}?after=${all.length}`;
    const response = await fetch(url + path, { headers: { ...from(0), authorization: `${GROUP_SCHEME} ${proof}` } });
    if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
    const { entries, latest } = decodeGroupEntries(new Uint8Array(await response.arrayBuffer()));
    all.push(...entries);
    if (all.length === latest || entries.length === 0) return all;
  }
}

test(`every entry that was answered is in its place, once, when the server is killed ${KILLS} times`, { timeout: 300_000 }, async () => {
  const dice = seededDice(2);
  let server = await RunningServer.start(state, seed);
  const { port, url } = server;
  const groups = Array.from({ length: GROUPS }, (_, i) => new SharedGroup(3000 + i, url));
  for (const shared of groups) expect(await post(url, shared, shared.begin(ascii("beginning")), 0)).toEqual({ taken: true, version: 1 });
  const answered = groups.map(() => new Map<string, number>());
  const sent = new Set(["beginning"]);
  const stop = new AbortController();

  /** One admin: each text until it is answered, at the place behind the last, under one signature as long as nobody says no. */
  async function write(group: number, name: number): Promise<void> {
    const shared = groups[group];
    if (shared === undefined) throw new RangeError("no such group");
    let version = 2;
    for (let number = 0; !stop.signal.aborted; number++) {
      const text = `${group}/${name}/${number}`;
      sent.add(text);
      for (let append = shared.change(version, { entry: ascii(text) }); ;) {
        try {
          const answer = await post(url, shared, append, 1 + group * ADMINS + name);
          version = answer.version + 1;
          if (answer.taken) {
            answered[group]?.set(text, answer.version);
            break;
          }
          append = shared.change(version, { entry: ascii(text) });
        } catch {
          if (stop.signal.aborted) return;
          await sleep(30);
        }
      }
      await sleep(100); // below the 300 requests a minute that one network has
    }
  }

  const work = groups.flatMap((_, group) => Array.from({ length: ADMINS }, (__, name) => write(group, name)));
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + dice.roll(900));
    await server.kill();
    server = await RunningServer.start(state, seed, port);
  }
  await sleep(500);
  stop.abort();
  await Promise.all(work);
  await server.kill();
  server = await RunningServer.start(state, seed, port);

  for (const [group, shared] of groups.entries()) {
    const log = await readAll(url, shared);
    const texts = log.map(({ entry }) => String.fromCharCode(...entry));
    expect(log.map(({ version }) => version)).toEqual(texts.map((_, at) => at + 1));
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.filter((text) => !sent.has(text))).toEqual([]);
    const places = answered[group] ?? new Map<string, number>();
    expect(places.size).toBeGreaterThan(ADMINS);
    for (const [text, version] of places) expect([text, texts[version - 1]]).toEqual([text, text]);
  }
  await server.kill("SIGTERM");
});
