// The server is killed again and again while one person writes to twenty. Its queue forgets everything each time; what was
// promised arrives at each of the twenty, and arrives once.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import {
  encodeMultiRecipient,
  type MessageId,
  type MultiRecipient,
  parseMessageId,
  receivedMessage,
  serviceIdOfDevice,
  toHex,
} from "#wire";
import { found } from "../support/accounts.ts";
import { seededDice, seededRandom } from "../support/random.ts";
import { HttpUser, type Received } from "./http-user.ts";
import { RunningServer } from "./running-server.ts";

const KILLS = 10;
const SENDS = 80;
const RECIPIENTS = 20;
const PATIENCE_MILLISECONDS = 60_000;

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
const seed = `1:${randomBytes(32).toString("base64url")}`;
afterAll(() => rmSync(state, { recursive: true, force: true }));

const random = seededRandom(1);

/** Sealed for nobody: the server cannot tell. */
function messageTo(people: readonly HttpUser[]): MultiRecipient {
  const recipients = people.map(({ owner: { userId, first } }) => ({
    serviceId: serviceIdOfDevice({ userId, deviceId: first.deviceId }),
    registrationId: first.registrationId,
    maskedKey: random(32),
    senderTag: random(16),
  }));
  return { recipients, excluded: [], tail: random(600) };
}

/** Of a reader: as received, and of those who read all the time the first of each id, as a client does. */
type Inbox = [MessageId, string][];

test(
  `a message to ${RECIPIENTS} is not lost and not doubled when the server is killed ${KILLS} times during ${SENDS} sends`,
  { timeout: 600_000 },
  async () => {
    const dice = seededDice(2);
    let server = await RunningServer.start(state, seed);
    const { port } = server;
    const sender = new HttpUser(server.url, 3000);
    const people = Array.from({ length: RECIPIENTS }, (_, i) => new HttpUser(server.url, 3001 + i));
    for (const user of [sender, ...people]) await user.register();

    const sent: { readonly messageId: MessageId; readonly message: MultiRecipient; readonly handle: string }[] = [];
    const inboxes = people.map((): Inbox => []);
    const killed = new AbortController();
    const stop = new AbortController();

    async function write(): Promise<void> {
      while (sent.length < SENDS || !killed.signal.aborted) {
        const messageId = parseMessageId(randomUUID());
        const message = messageTo(people);
        const handle = await untilAnswered(async () => await sender.sendToMany(encodeMultiRecipient(message), messageId));
        sent.push({ messageId, message, handle });
        await sleep(40);
      }
    }

    /** Every second reader is there all the time, and acknowledges while deliveries are under way. */
    const isThere = (at: number): boolean => at % 2 === 0;

    function take(at: number, { messageId, content }: Received): void {
      const inbox = found(inboxes[at]);
      if (!isThere(at) || !inbox.some(([id]) => id === messageId)) inbox.push([messageId, toHex(content)]);
    }

    async function read(person: HttpUser, at: number): Promise<void> {
      while (isThere(at) && !stop.signal.aborted) {
        const session = AbortSignal.any([stop.signal, AbortSignal.timeout(200 + dice.roll(1500))]);
        await person.listen((received) => take(at, received), session);
        await sleep(dice.roll(200));
      }
    }

    const writing = write();
    const reading = people.map(read);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(100 + dice.roll(700));
      await server.kill();
      server = await RunningServer.start(state, seed, port);
    }
    killed.abort();
    await writing;

    const deadline = Date.now() + PATIENCE_MILLISECONDS;
    for (const { handle } of sent) {
      let result = await sender.sendResult(handle);
      while (result.state !== "done" && Date.now() < deadline) {
        await sleep(400);
        result = await sender.sendResult(handle);
      }
      expect(result).toEqual({ state: "done", delivered: RECIPIENTS, refused: [] });
    }

    stop.abort();
    await Promise.all(reading);
    for (const [at, person] of people.entries()) {
      const drained = new AbortController();
      const session = AbortSignal.any([drained.signal, AbortSignal.timeout(20_000)]);
      await person.listen(
        (received) => take(at, received),
        session,
        () => drained.abort(),
      );
      expect(drained.signal.aborted).toBe(true);
      // Once each, and the bytes that are this recipient's.
      const wanted = sent.map(({ messageId, message }): Inbox[number] => [
        messageId,
        toHex(receivedMessage(message, found(message.recipients[at]))),
      ]);
      expect(byId(found(inboxes[at]))).toEqual(byId(wanted));
    }
    await server.kill("SIGTERM");
    expect(sent.length).toBeGreaterThanOrEqual(SENDS);
  },
);

function byId(inbox: Inbox): Inbox {
  return inbox.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(30);
    }
  }
}
