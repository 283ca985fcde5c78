// The operations over HTTP: with a token, a fresh one when it is refused, and no answer believed that is not what it must be.

import { describe, expect, test } from "vitest";
import {
  encodeAccountLog,
  LOG_ENTRIES_FOR_RECOVERY,
  MAX_LOG_ENTRIES,
  MAX_LOG_PAGE_ENTRIES,
  type MessageId,
  parseDeviceId,
  parseMessageId,
  parseRegistrationId,
  parseUsername,
  type SendRequest,
  toUtf8,
} from "#wire";
import { exchange } from "../../../client/transport/exchange.ts";
import { httpApi } from "../../../client/transport/http-api.ts";
import type { ServerApi } from "../../../client/server-api.ts";
import { type Device, device, pathsOf, SERVER, signer, tokenOf } from "./signing-in.ts";
import { type Answer, bytes, json, settle, silence } from "./surroundings.ts";

const { userId } = signer.address;
const MESSAGE: MessageId = parseMessageId("11111111-1111-4111-8111-111111111111");
const REQUEST: SendRequest = {
  messageId: MESSAGE,
  scope: "all",
  ephemeral: false,
  devices: [{ deviceId: parseDeviceId(1), registrationId: parseRegistrationId(1), content: toUtf8("sealed") }],
};

function world(answer: Answer): Device & { readonly api: ServerApi } {
  const made = device(answer);
  return { ...made, api: httpApi(exchange(SERVER, made.network, made.clock), made.tokens) };
}

/** Everything that a device may ask for. */
const CALLS: readonly (readonly [name: string, call: (api: ServerApi, signal?: AbortSignal) => Promise<unknown>])[] = [
  ["getCertificate", (api, signal) => api.getCertificate(signal)],
  ["getKeyCounts", (api, signal) => api.getKeyCounts(signal)],
  ["getKeys", (api, signal) => api.getKeys(userId, 0, signal)],
  ["getLog", (api, signal) => api.getLog(userId, 0, signal)],
  ["appendLog", (api, signal) => api.appendLog(userId, { entry: new Uint8Array(8), preKeys: undefined }, signal)],
  ["getUsername", (api, signal) => api.getUsername(parseUsername("alice"), signal)],
  ["sendMessages", (api, signal) => api.sendMessages(userId, REQUEST, signal)],
];

describe("with a token that the server does not take any more:", () => {
  for (const [name, call] of CALLS) {
    test(`${name} gets one fresh token and asks once more`, async () => {
      const { api, network, given } = world((request) =>
        tokenOf(request) === "token-1" ? json(401, { code: "unauthorized" }) : json(503, { code: "unavailable" }),
      );
      await expect(call(api)).rejects.toMatchObject({ code: "server-failed" });
      expect(given()).toBe(2);
      expect(network.requests.filter(({ url }) => !url.includes("/auth/")).map(tokenOf)).toEqual(["token-1", "token-2"]);
    });
    test(`${name} does not go on asking`, async () => {
      const { api, given } = world(() => json(401, { code: "unauthorized" }));
      await expect(call(api)).rejects.toMatchObject({ name: "ClientError", code: "device-removed", retryable: false });
      expect(given()).toBe(2);
    });
  }
});

test("many calls that are refused with one token take one fresh one together", async () => {
  const { api, given } = world((request) =>
    tokenOf(request) === "token-1" ? json(401, { code: "unauthorized" }) : json(200, { ec: 1, kem: 2 }),
  );
  const counts = await Promise.all(Array.from({ length: 100 }, () => api.getKeyCounts()));
  expect(counts).toEqual(Array.from({ length: 100 }, () => ({ ec: 1, kem: 2 })));
  expect(given()).toBe(2);
});

test("no token and no signature stands in an address", async () => {
  const { api, network } = world(() => json(404, { code: "not-found" }));
  for (const [, call] of CALLS) await call(api).catch(() => undefined);
  expect(network.requests.length).toBeGreaterThan(CALLS.length);
  for (const { url } of network.requests) expect(url).toMatch(/^https:\/\/chat\.example\.org\/v1\/[\w/.-]+(\?after=0)?$/);
});

describe("an abort ends at once", () => {
  for (const [name, call] of CALLS) {
    test(`${name}, under way`, async () => {
      const { api } = world(silence);
      const controller = new AbortController();
      const outcome = call(api, controller.signal).catch((error: unknown) => error);
      await settle();
      controller.abort(new Error("enough"));
      expect(await outcome).toMatchObject({ message: "enough" });
    });
    test(`${name}, while it waits for a token; others who wait for it get it`, async () => {
      const { api, network, tokens } = world(silence);
      const { answer } = network;
      let go = (): void => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      network.answer = (request) => gate.then(() => answer(request));
      const controller = new AbortController();
      const outcome = call(api, controller.signal).catch((error: unknown) => error);
      const other = tokens.get();
      await settle();
      controller.abort(new Error("enough"));
      expect(await outcome).toMatchObject({ message: "enough" });
      go();
      expect(await other).toBe("token-1");
      await settle();
      expect(pathsOf(network)).toEqual(["/v1/auth/challenge", "/v1/auth/token"]);
    });
  }
});

describe("an answer that is not what it must be is a failure of the server:", () => {
  const wrong: readonly (readonly [name: string, call: (api: ServerApi) => Promise<unknown>, answer: Answer])[] = [
    ["a configuration without roots", (api) => api.getConfig(), () => json(200, { registration: "open", trustRoots: [] })],
    ["roots that are no list", (api) => api.getConfig(), () => json(200, { trustRoots: "AAAA" })],
    ["a root that is no key", (api) => api.getConfig(), () => json(200, { trustRoots: ["AAAA"] })],
    ["a root that is no text", (api) => api.getConfig(), () => json(200, { trustRoots: [{}] })],
    ["a configuration in HTML", (api) => api.getConfig(), () => bytes(200, toUtf8("<html></html>"))],
    ["counts that are none", (api) => api.getKeyCounts(), () => json(200, { ec: "1", kem: 2 })],
    ["half a count", (api) => api.getKeyCounts(), () => json(200, { ec: 1.5, kem: 2 })],
    ["less than nothing", (api) => api.getKeyCounts(), () => json(200, { ec: -1, kem: 2 })],
    ["keys that are cut", (api) => api.getKeys(userId, 0), () => bytes(200, Uint8Array.of(0x0a, 0x05, 0x01))],
    ["keys that are text", (api) => api.getKeys(userId, 0), () => json(200, {})],
    ["a log that is text", (api) => api.getLog(userId, 0), () => bytes(200, toUtf8("<html></html>"))],
    ["a name of nobody", (api) => api.getUsername(parseUsername("alice")), () => json(200, {})],
    ["a name of somebody who cannot be", (api) => api.getUsername(parseUsername("alice")), () => json(200, { userId: "../../x" })],
    ["devices that are none", (api) => api.sendMessages(userId, REQUEST), () => json(409, { code: "devices-changed", missing: ["1"] })],
    ["devices beyond all numbers", (api) => api.sendMessages(userId, REQUEST), () => json(409, { code: "devices-changed", extra: [1000] })],
  ];
  for (const [name, call, answer] of wrong) {
    test(`${name}`, async () => {
      await expect(call(world(answer).api)).rejects.toMatchObject({ name: "ClientError", code: "server-failed", retryable: true });
    });
  }
});

test("a log is asked for to its end, a page at a time", async () => {
  const first = Array.from({ length: 256 }, (_, i) => new Uint8Array(8).fill(i));
  const { api, network } = world(({ url }) =>
    bytes(200, encodeAccountLog({ entries: url.endsWith("?after=3") ? first : [new Uint8Array(8)] })),
  );
  expect(await api.getLog(userId, 3)).toHaveLength(257);
  expect(network.requests.map(({ url }) => new URL(url).search).filter((search) => search !== "")).toEqual(["?after=3", "?after=259"]);
});

test("a log without an end is read no further than the longest log there can be", async () => {
  const page = encodeAccountLog({ entries: Array.from({ length: MAX_LOG_PAGE_ENTRIES }, () => new Uint8Array(8)) });
  const { api, network } = world(() => bytes(200, page));
  await expect(api.getLog(userId, 0)).rejects.toMatchObject({ name: "ClientError", code: "server-failed", retryable: true });
  const pages = pathsOf(network).filter((path) => path.endsWith("/log"));
  expect(pages).toHaveLength(Math.floor((MAX_LOG_ENTRIES + LOG_ENTRIES_FOR_RECOVERY) / MAX_LOG_PAGE_ENTRIES) + 1);
});

describe("refusals that mean something of their own:", () => {
  const meanings: readonly (readonly [string, (api: ServerApi) => Promise<unknown>, Answer, string])[] = [
    ["keys of nobody", (api) => api.getKeys(userId, 0), () => json(404, { code: "not-found" }), "unknown-user"],
    ["a log of nobody", (api) => api.getLog(userId, 0), () => json(404, { code: "not-found" }), "unknown-user"],
    ["a name of nobody", (api) => api.getUsername(parseUsername("alice")), () => json(404, { code: "not-found" }), "unknown-user"],
    ["a message to nobody", (api) => api.sendMessages(userId, REQUEST), () => json(404, { code: "not-found" }), "unknown-user"],
    ["a full mailbox", (api) => api.sendMessages(userId, REQUEST), () => json(507, { code: "mailbox-full" }), "mailbox-full"],
    ["a message that is too large", (api) => api.sendMessages(userId, REQUEST), () => json(413, { code: "too-large" }), "refused"],
  ];
  for (const [name, call, answer, code] of meanings) {
    test(`${name}`, async () => {
      await expect(call(world(answer).api)).rejects.toMatchObject({ name: "ClientError", code });
    });
  }
});

test("the pause that a server asks for reaches whoever asked", async () => {
  const { api } = world(() => json(429, { code: "rate-limited" }, { "retry-after": "17" }));
  await expect(api.sendMessages(userId, REQUEST)).rejects.toMatchObject({ code: "rate-limited", retryable: true, retryAfter: 17 });
});

test("changed devices are an answer, and so is a log that somebody was faster with", async () => {
  const changed = world(() => json(409, { code: "devices-changed", missing: [2], stale: [1] }));
  expect(await changed.api.sendMessages(userId, REQUEST)).toEqual({ kind: "devices-changed", missing: [2], extra: [], stale: [1] });
  const faster = world(() => json(409, { code: "log-conflict" }));
  expect(await faster.api.appendLog(userId, { entry: new Uint8Array(8), preKeys: undefined })).toBe("conflict");
});
