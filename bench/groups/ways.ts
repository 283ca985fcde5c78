// Three ways to reach everybody in a group, on two servers: one request of ours for all, a request of ours for each member, and a
// request for each member to the floor, which stores and forwards and does nothing else. A device receives some 800 bytes each time.

import { randomUUID } from "node:crypto";
import { systemRandom } from "../../crypto/index.ts";
import { HttpUser } from "../../test/server/http-user.ts";
import { encodeMultiRecipient, type MessageId, parseMessageId, serviceIdOfDevice } from "../../wire/index.ts";
import { type BenchServer, startBenchServer } from "../bench-server.ts";
import { FloorUser } from "../floor-user.ts";
import type { Figure } from "../rounds.ts";
import type { Listen } from "./members.ts";
import { BILLED_AT_ONCE, BILLED_ONE_BY_ONE } from "./units.ts";

/** As many requests of one message are under way at a time as our consumer calls mailboxes at once. */
const LANES = 25;
const RECEIVED_BYTES = 800;
/** What a device receives besides the part that all share: version, masked key and tag. */
const OWN_BYTES = 49;

export interface Way {
  readonly name: string;
  readonly pid: number;
  readonly members: readonly Listen[];
  /** To the first `count` members. Resolves when the server has promised it. */
  send(name: string, count: number): Promise<void>;
  /** What the platform would bill for a message to a hundred. */
  readonly billed: readonly Figure[];
}

export interface Ways {
  readonly all: readonly Way[];
  end(): Promise<void>;
}

export const FLOOR = "floor (a request each)";

export async function openWays(members: number): Promise<Ways> {
  const [ours, floor] = [await startBenchServer("edgewise"), await startBenchServer("floor")];
  const end = async (): Promise<void> => {
    await ours.end();
    await floor.end();
  };
  try {
    return { all: [...(await ourWays(ours, members)), floorWay(floor, members)], end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function ourWays({ url, pid }: BenchServer, count: number): Promise<readonly Way[]> {
  const [sender, ...people] = Array.from({ length: count + 1 }, (_, i) => new HttpUser(url, 7000 + i));
  if (sender === undefined) throw new RangeError("nobody sends");
  for (const user of [sender, ...people]) await user.register();
  const members = people.map(
    (person): Listen =>
      async (take, signal, onEmpty) =>
        await person.listen(({ messageId }) => take(messageId), signal, onEmpty),
  );
  const text = ".".repeat(RECEIVED_BYTES);
  return [
    {
      name: "edgewise (one request)",
      pid,
      members,
      async send(name, to) {
        await sender.sendToMany(opaqueMessage(people.slice(0, to)), asMessageId(name));
      },
      billed: BILLED_AT_ONCE,
    },
    {
      name: "edgewise (a request each)",
      pid,
      members,
      async send(name, to) {
        await inLanes(people.slice(0, to), async (person) => await sender.send(person, text, asMessageId(name)));
      },
      billed: BILLED_ONE_BY_ONE,
    },
  ];
}

function floorWay({ url, pid }: BenchServer, count: number): Way {
  const people = Array.from({ length: count }, (_, number) => new FloorUser(url, number));
  const members = people.map(
    (person): Listen =>
      async (take, signal, onEmpty) =>
        await person.listen((text) => take(text.slice(0, text.indexOf("."))), signal, onEmpty),
  );
  const sender = new FloorUser(url, count);
  return {
    name: FLOOR,
    pid,
    members,
    async send(name, to) {
      const text = name.padEnd(RECEIVED_BYTES, ".");
      const numbers = Array.from({ length: to }, (_, number) => number);
      await inLanes(numbers, async (number) => await sender.sendTo(number, text));
    },
    billed: BILLED_ONE_BY_ONE,
  };
}

/** What a message is known by: no two are alike. */
export function newName(): string {
  return randomUUID();
}

function asMessageId(name: string): MessageId {
  return parseMessageId(name);
}

/** Well-formed, and sealed for nobody: the server cannot tell. */
function opaqueMessage(people: readonly HttpUser[]): Uint8Array<ArrayBuffer> {
  const recipients = people.map(({ owner: { userId, first } }) => ({
    serviceId: serviceIdOfDevice({ userId, deviceId: first.deviceId }),
    registrationId: first.registrationId,
    maskedKey: systemRandom(32),
    senderTag: systemRandom(16),
  }));
  return encodeMultiRecipient({ recipients, excluded: [], tail: systemRandom(RECEIVED_BYTES - OWN_BYTES) });
}

async function inLanes<T>(items: readonly T[], use: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await use(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
