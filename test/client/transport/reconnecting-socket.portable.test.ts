// The socket that comes back: which states it goes through, when it pings, how long it pauses, and what ends it.

import { type Bytes, CLOSE, decodeClientFrame, type Deliver, parseMessageId, SOCKET_PROTOCOL, toUtf8 } from "#wire";
import { expect, test } from "vitest";
import type { ConnectionStatus } from "../../../client/connection-api.ts";
import { ClientError } from "../../../client/errors.ts";
import { reconnectingSocket } from "../../../client/transport/reconnecting-socket.ts";
import { device, pathsOf, signer } from "./signing-in.ts";
import { type HandSocket, settle } from "./surroundings.ts";

const URL_OF_SOCKET = "wss://chat.example.org/v1/socket";
/** Longer than the transport gathers what comes together, and shorter than anything else that it waits for. */
const MOMENT = 50;

/** `chance` is the share of each pause that is waited; 1 is all of it. */
function world({ chance = 1, deliver = async (deliveries: readonly Deliver[]) => deliveries.map(({ guid }) => guid) } = {}) {
  const { clock, network, tokens, given } = device();
  const told: { readonly statuses: ConnectionStatus[]; readonly failures: unknown[]; readonly low: string[]; caughtUp: number } = {
    statuses: [],
    failures: [],
    low: [],
    caughtUp: 0,
  };
  const connection = reconnectingSocket({
    url: URL_OF_SOCKET,
    network,
    clock,
    random: (length) => new Uint8Array(length).fill(Math.min(255, chance * 256)),
    tokens,
    handler: {
      deliver,
      preKeysLow: ({ keys }) => void told.low.push(keys),
      caughtUp: () => {
        told.caughtUp++;
        return Promise.resolve();
      },
      status: (status) => void told.statuses.push(status),
      failed: (error) => void told.failures.push(error),
    },
  });
  return { clock, network, connection, told, given };
}

type World = ReturnType<typeof world>;

async function opened({ connection, network }: World): Promise<HandSocket> {
  connection.open();
  await settle();
  network.socket.open();
  return network.socket;
}

async function live(parts: World): Promise<HandSocket> {
  const socket = await opened(parts);
  socket.frame({ kind: "queue-empty" });
  await parts.clock.pass(MOMENT);
  return socket;
}

/** Until the next socket, which is not open yet. */
async function again({ clock, network }: World): Promise<number> {
  const [before, start] = [network.sockets.length, clock.nowMilliseconds()];
  await settle();
  while (network.sockets.length === before) await clock.pass(clock.next ?? Number.POSITIVE_INFINITY);
  return clock.nowMilliseconds() - start;
}

function deliver(guid: number): Deliver {
  const messageId = parseMessageId("11111111-1111-4111-8111-111111111111");
  return {
    kind: "deliver",
    guid,
    serverTimestamp: 1,
    envelope: { messageId, type: "sealed", content: toUtf8("sealed"), ephemeral: false },
  };
}

/** What was acknowledged, in order. */
function acknowledged({ sent }: HandSocket): readonly number[] {
  return sent.flatMap((data) => {
    if (typeof data === "string") return [];
    const { frame } = decodeClientFrame(data as Bytes); // what the transport has encoded
    return frame.kind === "ack" ? frame.guids : [];
  });
}

function pings({ sent }: HandSocket): number {
  return sent.filter((data) => data === "ping").length;
}

test("it says connecting, catching up and live, in this order, and offline in the end", async () => {
  const parts = world();
  expect(parts.connection.status).toBe("offline");
  await live(parts);
  expect(parts.told.caughtUp).toBe(1);
  await parts.connection.close();
  expect(parts.told.statuses).toEqual(["connecting", "catching-up", "live", "offline"]);
  expect(parts.told.failures).toEqual([]);
});

test("a loss is told, and gone through again", async () => {
  const parts = world();
  (await live(parts)).end();
  await again(parts);
  parts.network.socket.open();
  parts.network.socket.frame({ kind: "queue-empty" });
  await parts.clock.pass(MOMENT);
  const round = ["connecting", "catching-up", "live"];
  expect(parts.told.statuses).toEqual([...round, "offline", ...round]);
});

test("a socket that does not open is left after twenty seconds, and another one is tried; one that opens in time stays", async () => {
  const parts = world();
  parts.connection.open();
  await settle();
  const first = parts.network.socket;
  await parts.clock.pass(19_999);
  expect(first.isClosed).toBe(false);
  await parts.clock.pass(1);
  expect(first.isClosed).toBe(true);
  expect(parts.told.statuses).toEqual(["connecting", "offline"]);
  await again(parts);
  const second = parts.network.socket;
  await parts.clock.pass(19_999);
  second.open();
  second.frame({ kind: "queue-empty" });
  await parts.clock.pass(9999);
  expect(second.isClosed).toBe(false);
  expect(parts.connection.status).toBe("live");
  // Whatever the first one does now, nobody listens.
  first.open();
  first.frame({ kind: "queue-empty" });
  await settle();
  expect(parts.told.caughtUp).toBe(1);
  expect(pings(first)).toBe(0);
});

test("the token is a protocol that is offered, and stands in no address", async () => {
  const parts = world();
  const { request } = await opened(parts);
  expect(request).toEqual({ url: URL_OF_SOCKET, protocols: [SOCKET_PROTOCOL, "token-1"] });
});

test("what is durable is acknowledged, once, in order, and nothing else", async () => {
  const parts = world({ deliver: async (deliveries) => deliveries.map(({ guid }) => guid).filter((guid) => guid !== 12) });
  const socket = await opened(parts);
  for (const guid of [10, 11, 12, 13]) socket.frame(deliver(guid));
  socket.frame({ kind: "queue-empty" });
  await parts.clock.pass(MOMENT);
  expect(acknowledged(socket)).toEqual([10, 11, 13]);
});

test("caught up is said after everything before it is durable", async () => {
  const { promise: stored, resolve } = Promise.withResolvers<void>();
  const parts = world({
    deliver: async (deliveries) => {
      await stored;
      return deliveries.map(({ guid }) => guid);
    },
  });
  const socket = await opened(parts);
  socket.frame(deliver(10));
  socket.frame({ kind: "queue-empty" });
  await parts.clock.pass(MOMENT);
  expect([parts.connection.status, parts.told.caughtUp]).toEqual(["catching-up", 0]);
  resolve();
  await parts.clock.pass(MOMENT);
  expect([parts.connection.status, parts.told.caughtUp, acknowledged(socket)]).toEqual(["live", 1, [10]]);
});

test("the handler gets one call at a time, and everything in order", async () => {
  const seen: number[] = [];
  let [inside, most] = [0, 0];
  const parts = world({
    deliver: async (deliveries) => {
      most = Math.max(most, ++inside);
      await settle();
      seen.push(...deliveries.map(({ guid }) => guid));
      inside--;
      return deliveries.map(({ guid }) => guid);
    },
  });
  const socket = await live(parts);
  for (let guid = 2; guid < 200; guid++) {
    socket.frame(deliver(guid));
    if (guid % 30 === 0) await settle();
  }
  await expect.poll(() => acknowledged(socket).length).toBe(198);
  expect(seen).toEqual(Array.from({ length: 198 }, (_, i) => i + 2));
  expect(most).toBe(1);
});

test("what comes close together while it catches up is handed over together, at most 128 at once; what comes live waits for nothing", async () => {
  const batches: (readonly number[])[] = [];
  const parts = world({
    deliver: async (deliveries) => {
      const guids = deliveries.map(({ guid }) => guid);
      batches.push(guids);
      return guids;
    },
  });
  const socket = await opened(parts);
  socket.frame(deliver(1));
  await settle();
  socket.frame(deliver(2));
  await settle();
  expect(batches).toEqual([]);
  await parts.clock.pass(MOMENT);
  expect(batches.splice(0)).toEqual([[1, 2]]);
  for (let guid = 100; guid < 234; guid++) socket.frame(deliver(guid));
  await settle();
  expect(batches.splice(0).map(({ length }) => length)).toEqual([128]);
  socket.frame({ kind: "queue-empty" });
  await settle();
  expect(batches.splice(0).flat()).toEqual([228, 229, 230, 231, 232, 233]);
  socket.frame(deliver(200));
  await settle();
  expect(batches).toEqual([[200]]);
});

test("a close waits for what the handler has, acknowledges it, and takes nothing more", async () => {
  const { promise: stored, resolve } = Promise.withResolvers<void>();
  const parts = world({
    deliver: async (deliveries) => {
      await stored;
      return deliveries.map(({ guid }) => guid);
    },
  });
  const socket = await live(parts);
  socket.frame(deliver(10));
  await settle();
  const closed = parts.connection.close();
  await settle();
  expect(socket.isClosed).toBe(false);
  resolve();
  await closed;
  expect(acknowledged(socket)).toEqual([10]);
  expect(socket.isClosed).toBe(true);
  socket.frame(deliver(11));
  await parts.clock.pass(3_600_000);
  expect(acknowledged(socket)).toEqual([10]);
  expect(parts.network.sockets).toHaveLength(1);
});

test("it pings every thirty seconds, for as long as it is answered", async () => {
  const parts = world();
  const socket = await live(parts);
  expect(pings(socket)).toBe(1);
  for (let minute = 1; minute <= 10; minute++) {
    socket.text("pong");
    await parts.clock.pass(30_000);
    expect(pings(socket)).toBe(minute + 1);
  }
  expect(socket.isClosed).toBe(false);
});

test("a server that does not answer a ping is left after ten seconds, and looked for again", async () => {
  const parts = world();
  const socket = await live(parts);
  await parts.clock.pass(10_000 - MOMENT - 1);
  expect(socket.isClosed).toBe(false);
  await parts.clock.pass(1);
  expect([socket.isClosed, parts.connection.status]).toEqual([true, "offline"]);
  await again(parts);
  expect(parts.network.sockets).toHaveLength(2);
});

test("another text is no answer to a ping", async () => {
  const parts = world();
  const socket = await live(parts);
  socket.text("ping");
  await parts.clock.pass(10_000);
  expect(socket.isClosed).toBe(true);
});

test("pauses double up to thirty seconds, and stay there", async () => {
  const parts = world({ chance: 0.5 });
  parts.connection.open();
  const pauses: number[] = [];
  await settle();
  for (let i = 0; i < 10; i++) {
    parts.network.socket.end();
    pauses.push(await again(parts));
  }
  const bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000];
  for (const [i, pause] of pauses.entries()) expect(pause / (bounds[i] ?? 0)).toBeCloseTo(0.5, 2);
});

test("a pause is any part of its bound, down to none: who lost a server together comes back apart", async () => {
  for (const chance of [0, 0.25, 0.75, 1]) {
    const parts = world({ chance });
    parts.connection.open();
    await settle();
    parts.network.socket.end();
    expect((await again(parts)) / 500).toBeCloseTo(chance, 1);
  }
});

test("after a connection that held, pauses begin anew", async () => {
  const parts = world();
  parts.connection.open();
  await settle();
  for (let i = 0; i < 6; i++) {
    parts.network.socket.end();
    await again(parts);
  }
  const { socket } = parts.network;
  socket.open();
  socket.frame({ kind: "queue-empty" });
  socket.text("pong");
  await parts.clock.pass(15_000);
  socket.end();
  expect(await again(parts)).toBeLessThanOrEqual(500);
});

test("a connection that opens and breaks at once is no reason to come back sooner", async () => {
  const parts = world();
  parts.connection.open();
  await settle();
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    parts.network.socket.open();
    parts.network.socket.end();
    pauses.push(await again(parts));
  }
  expect(pauses.map((pause) => Math.round(pause / 500))).toEqual([1, 2, 4, 8]);
});

test("a network that is back is tried at once, and only when there is no socket", async () => {
  const parts = world();
  const socket = await live(parts);
  parts.network.wake();
  await settle();
  expect(parts.network.sockets).toHaveLength(1);
  socket.end();
  await settle();
  parts.network.wake();
  await settle();
  expect(parts.network.sockets).toHaveLength(2);
  // Nobody is left who would open another one later.
  parts.network.socket.open();
  await parts.clock.pass(5000);
  expect(parts.network.sockets).toHaveLength(2);
});

test("who has closed is not woken", async () => {
  const parts = world();
  await live(parts);
  await parts.connection.close();
  parts.network.wake();
  await parts.clock.pass(3_600_000);
  expect(parts.network.sockets).toHaveLength(1);
});

test("4409: another program receives, and this one ends for good", async () => {
  const parts = world();
  (await live(parts)).end(CLOSE.replaced.code);
  await parts.clock.pass(3_600_000);
  expect(parts.told.failures).toMatchObject([{ name: "ClientError", code: "replaced-elsewhere", retryable: false }]);
  expect(parts.told.statuses.at(-1)).toBe("offline");
  expect(parts.network.sockets).toHaveLength(1);
});

test("4401: the next socket has a fresh token", async () => {
  const parts = world();
  (await live(parts)).end(CLOSE.unauthorized.code);
  await again(parts);
  expect(parts.network.socket.request.protocols).toEqual([SOCKET_PROTOCOL, "token-2"]);
  expect(parts.given()).toBe(2);
});

test("a socket that was lost otherwise comes back with the token that it had", async () => {
  const parts = world();
  (await live(parts)).end();
  await again(parts);
  expect(parts.network.socket.request.protocols).toEqual([SOCKET_PROTOCOL, "token-1"]);
  expect(pathsOf(parts.network)).toHaveLength(2);
});

test("a device that the server does not know any more ends for good", async () => {
  const parts = world();
  const socket = await live(parts);
  parts.network.answer = () => ({ status: 401, headers: new Map(), body: toUtf8('{"code":"unauthorized"}') });
  socket.end(CLOSE.unauthorized.code);
  await parts.clock.pass(60_000);
  expect(parts.told.failures).toMatchObject([{ code: "device-removed", retryable: false }]);
  expect(parts.network.sockets).toHaveLength(1);
});

test("a server that cannot be reached is tried again, and no failure is told", async () => {
  const parts = world();
  const { answer } = parts.network;
  parts.network.answer = () => Promise.reject(new TypeError("no network"));
  parts.connection.open();
  await parts.clock.pass(20_000);
  expect(parts.network.sockets).toEqual([]);
  parts.network.answer = answer;
  await parts.clock.pass(60_000);
  expect(parts.network.sockets.length).toBeGreaterThan(0);
  expect(parts.told.failures).toEqual([]);
});

test("what cannot be stored now comes again over another socket, and is not acknowledged", async () => {
  let failing = true;
  const parts = world({
    deliver: async (deliveries) => {
      if (failing) throw new ClientError("storage-locked");
      return deliveries.map(({ guid }) => guid);
    },
  });
  const first = await live(parts);
  first.frame(deliver(10));
  await again(parts);
  failing = false;
  const { socket: second } = parts.network;
  second.open();
  second.frame(deliver(10));
  second.frame({ kind: "queue-empty" });
  await parts.clock.pass(MOMENT);
  expect([acknowledged(first), acknowledged(second)]).toEqual([[], [10]]);
});

test("what can never be stored ends for good", async () => {
  const parts = world({ deliver: () => Promise.reject(new ClientError("storage-corrupt")) });
  const socket = await live(parts);
  socket.frame(deliver(10));
  await parts.clock.pass(60_000);
  expect(parts.told.failures).toMatchObject([{ code: "storage-corrupt" }]);
  expect(acknowledged(socket)).toEqual([]);
  expect(parts.network.sockets).toHaveLength(1);
});

test("bytes that are no frame, and more frames than any server sends, end the socket and not the connection", async () => {
  const parts = world({ deliver: () => new Promise(() => undefined) });
  const first = await live(parts);
  first.bytes(Uint8Array.of(0xff, 0xff, 0xff));
  expect(first.isClosed).toBe(true);
  await again(parts);
  const { socket: second } = parts.network;
  second.open();
  for (let guid = 2; guid < 2000 && !second.isClosed; guid++) second.frame(deliver(guid));
  expect(second.isClosed).toBe(true);
  await again(parts);
  expect(parts.told.failures).toEqual([]);
});

test("few prekeys are told", async () => {
  const parts = world();
  const socket = await live(parts);
  socket.frame({ kind: "pre-keys-low", keys: "kem", remaining: 3 });
  await parts.clock.pass(MOMENT);
  expect(parts.told.low).toEqual(["kem"]);
});

test("what is of now goes out over an open socket, and is dropped where there is none", async () => {
  const parts = world();
  const message = { userId: signer.address.userId, capability: undefined, devices: [] } as const;
  expect(parts.connection.sendEphemeral(message)).toBe(false);
  parts.connection.open();
  await settle();
  expect(parts.connection.sendEphemeral(message)).toBe(false);
  parts.network.socket.open();
  const before = parts.network.socket.sent.length;
  expect(parts.connection.sendEphemeral(message)).toBe(true);
  expect(parts.network.socket.sent).toHaveLength(before + 1);
  parts.network.socket.end();
  expect(parts.connection.sendEphemeral(message)).toBe(false);
  expect(parts.network.sockets[0]?.sent).toHaveLength(before + 1);
});

test("a socket that closes late says nothing about the one after it", async () => {
  const parts = world();
  const first = await live(parts);
  await parts.clock.pass(10_000);
  expect(first.isClosed).toBe(true);
  await again(parts);
  first.end(CLOSE.replaced.code);
  parts.network.socket.end();
  await again(parts);
  expect(parts.told.failures).toEqual([]);
});
