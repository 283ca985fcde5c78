// The server is killed again and again while people write and read. What it acknowledged arrives; nothing else does.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type MessageId, parseMessageId } from "#wire";
import { afterAll, expect, test } from "vitest";
import { seededDice } from "../support/random.ts";
import { HttpUser, type Received } from "./http-user.ts";
import { RunningServer } from "./running-server.ts";

const KILLS = 25;
const SENDERS = 8;
const RECEIVERS = 4;

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
const seed = `1:${randomBytes(32).toString("base64url")}`;
afterAll(() => rmSync(state, { recursive: true, force: true }));

interface Acknowledged {
  readonly to: number;
  readonly text: string;
}

test(`nothing acknowledged is lost, doubled or reordered when the server is killed ${KILLS} times`, { timeout: 300_000 }, async () => {
  const dice = seededDice(1);
  let server = await RunningServer.start(state, seed);
  const { port } = server;
  const receivers = Array.from({ length: RECEIVERS }, (_, i) => new HttpUser(server.url, 1000 + i));
  const senders = Array.from({ length: SENDERS }, (_, i) => new HttpUser(server.url, 2000 + i));
  for (const user of [...receivers, ...senders]) await user.register();

  const sent = new Set<string>();
  const acknowledged: Acknowledged[] = [];
  const inboxes: Map<MessageId, string>[] = receivers.map(() => new Map());
  const stop = new AbortController();

  /** One sender: each text until it is acknowledged, always under the same id, then the next. */
  async function write(sender: HttpUser, name: number): Promise<void> {
    for (let number = 0; !stop.signal.aborted; number++) {
      const to = (name + number) % RECEIVERS;
      const receiver = receivers[to];
      if (receiver === undefined) throw new RangeError("no such receiver");
      const text = `${name}:${number}`;
      sent.add(text);
      const id = parseMessageId(randomUUID());
      for (;;) {
        try {
          await sender.send(receiver, text, id);
          acknowledged.push({ to, text });
          break;
        } catch {
          if (stop.signal.aborted) return;
          await sleep(30);
        }
      }
      await sleep(100); // below the 500 requests a minute that one user has
    }
  }

  function take(inbox: Map<MessageId, string>, { messageId, text }: Received): void {
    if (!inbox.has(messageId)) inbox.set(messageId, text);
  }

  async function read(receiver: HttpUser, inbox: Map<MessageId, string>): Promise<void> {
    while (!stop.signal.aborted) {
      const session = AbortSignal.any([stop.signal, AbortSignal.timeout(200 + dice.roll(1500))]);
      await receiver.listen((received) => take(inbox, received), session);
      await sleep(dice.roll(200));
    }
  }

  const work = [...senders.map(write), ...receivers.map((receiver, i) => read(receiver, inboxes[i] ?? new Map<MessageId, string>()))];
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + dice.roll(900));
    await server.kill();
    server = await RunningServer.start(state, seed, port);
  }
  await sleep(500);
  stop.abort();
  await Promise.all(work);

  // Everything that is still queued.
  for (const [i, receiver] of receivers.entries()) {
    const inbox = inboxes[i] ?? new Map<MessageId, string>();
    const drained = new AbortController();
    const patience = AbortSignal.any([drained.signal, AbortSignal.timeout(20_000)]);
    await receiver.listen(
      (received) => take(inbox, received),
      patience,
      () => drained.abort(),
    );
    expect(drained.signal.aborted).toBe(true);
  }
  await server.kill("SIGTERM");

  expect(acknowledged.length).toBeGreaterThan(KILLS * SENDERS);
  const shown = inboxes.map((inbox) => [...inbox.values()]);
  const lost = acknowledged.filter(({ to, text }) => !(shown[to] ?? []).includes(text));
  expect(lost).toEqual([]);
  for (const texts of shown) {
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.filter((text) => !sent.has(text))).toEqual([]);
    for (let name = 0; name < SENDERS; name++) {
      const numbers = texts.filter((text) => text.startsWith(`${name}:`)).map((text) => Number(text.split(":")[1]));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  }
});
