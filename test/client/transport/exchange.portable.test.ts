// One request and its answer: whatever a network or a server does, what comes out has a code and says whether to try again.

import { describe, expect, test } from "vitest";
import { type Bytes, toUtf8 } from "#wire";
import { errorOf, exchange, Refusal } from "../../../client/transport/exchange.ts";
import type { HttpResponse } from "../../../client/ports.ts";
import { SERVER } from "./signing-in.ts";
import { bytes, HandClock, HandNetwork, json, settle, silence } from "./surroundings.ts";

function world(answer?: HandNetwork["answer"]): { clock: HandClock; network: HandNetwork; ask: ReturnType<typeof exchange>["ask"] } {
  const [clock, network] = [new HandClock(), new HandNetwork(answer)];
  return { clock, network, ask: (asked) => exchange(SERVER, network, clock).ask(asked) };
}

test("a token goes into a header, and never into an address or a body", async () => {
  const { ask, network } = world(() => bytes(200, new Uint8Array(0)));
  await ask({ operation: "getCertificate", token: "secret-token" });
  await ask({ operation: "createToken", body: { userId: "u" }, token: "secret-token" });
  for (const { url, headers, body } of network.requests) {
    expect(headers["authorization"]).toBe("Bearer secret-token");
    expect(`${url}${String(body)}`).not.toContain("secret-token");
  }
});

test("bytes are sent as protobuf, objects as JSON, nothing as nothing", async () => {
  const { ask, network } = world(() => bytes(200, new Uint8Array(0)));
  await ask({ operation: "createAccount", body: Uint8Array.of(1, 2) });
  await ask({ operation: "createChallenge", body: { a: 1 } });
  await ask({ operation: "getConfig" });
  expect(network.requests.map(({ headers, body }) => [headers["content-type"], body])).toEqual([
    ["application/x-protobuf", Uint8Array.of(1, 2)],
    ["application/json", '{"a":1}'],
    [undefined, undefined],
  ]);
});

test("a parameter that would lead to another path is refused before anything is sent", async () => {
  const { ask, network } = world();
  for (const name of ["../accounts", "a/b", "..", "", "a?b", "a%2fb"]) {
    await expect(ask({ operation: "getUsername", parameters: { name } })).rejects.toMatchObject({ code: "bad-argument" });
  }
  expect(network.requests).toEqual([]);
});

describe("hostile answers:", () => {
  const html = toUtf8("<html>504 gateway</html>");
  const failed = { name: "ClientError", code: "server-failed", retryable: true };
  const answers: readonly (readonly [name: string, answer: HttpResponse, error: object])[] = [
    ["HTML in the place of a problem", bytes(504, html), failed],
    ["no body", bytes(500, new Uint8Array(0)), failed],
    ["JSON that was cut", bytes(400, toUtf8('{"code":"malfor')), failed],
    ["bytes that are no text", bytes(400, Uint8Array.of(0xff, 0xfe, 0x00)), failed],
    ["JSON that is no object", json(400, "malformed"), failed],
    ["null", json(400, null), failed],
    ["a code that nobody knows", json(400, { code: "no-such-code" }), failed],
    ["a code that every object has", json(500, { code: "constructor" }), failed],
    ["a code that is no text", json(400, { code: ["malformed"] }), failed],
    ["a code under another status", json(500, { code: "unauthorized" }), failed],
    ["success under another status", json(204, {}), failed],
    ["a redirect", { ...json(302, {}), headers: new Map([["location", "https://elsewhere.example"]]) }, failed],
    ["not modified", bytes(304, new Uint8Array(0)), failed],
    ["a status that is none", json(0, {}), failed],
  ];
  for (const [name, answer, error] of answers) {
    test(`${name}`, async () => {
      const { ask, network } = world(() => answer);
      await expect(ask({ operation: "getConfig" })).rejects.toMatchObject(error);
      expect(network.requests).toHaveLength(1);
    });
  }
});

test("a refusal is known by its code, and carries what else was said", async () => {
  const { ask } = world(() => json(409, { code: "devices-changed", missing: [2] }));
  const refusal = await ask({ operation: "getConfig" }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ code: "devices-changed", members: { missing: [2] } });
});

describe("what a refusal is for whoever asked:", () => {
  const codes = [
    ["unauthorized", "device-removed", false],
    ["rate-limited", "rate-limited", true],
    ["internal", "server-failed", true],
    ["unavailable", "server-failed", true],
    ["mailbox-full", "mailbox-full", true],
    ["upgrade-required", "upgrade-required", false],
    ["malformed", "refused", false],
    ["gone", "refused", false],
  ] as const;
  for (const [problem, code, retryable] of codes) {
    test(`${problem}`, () => {
      expect(errorOf(new Refusal(problem, {}, undefined))).toMatchObject({ name: "ClientError", code, retryable });
    });
  }
  test("what the operation says about itself comes first", () => {
    expect(errorOf(new Refusal("not-found", {}, undefined), { "not-found": "unknown-user" }).code).toBe("unknown-user");
  });
});

describe("how long to wait:", () => {
  const waits: readonly (readonly [header: string, seconds: number | undefined])[] = [
    ["7", 7],
    ["0.5", 0.5],
    ["3600", 3600],
    ["86400", 3600],
    ["1e300", 3600],
    ["0", undefined],
    ["-3", undefined],
    ["", undefined],
    ["Infinity", undefined],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  ];
  for (const [header, retryAfter] of waits) {
    test(`retry-after ${JSON.stringify(header)}`, async () => {
      const { ask } = world(() => json(429, { code: "rate-limited" }, { "retry-after": header }));
      const refusal = await ask({ operation: "getConfig" }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "rate-limited", retryAfter });
    });
  }
  test("also when a proxy says it, in its own words", async () => {
    const { ask } = world(() => ({ ...bytes(429, toUtf8("slow down")), headers: new Map([["retry-after", "9"]]) }));
    await expect(ask({ operation: "getConfig" })).rejects.toMatchObject({ code: "rate-limited", retryAfter: 9 });
    const { ask: other } = world(() => ({ ...bytes(503, toUtf8("away")), headers: new Map([["retry-after", "30"]]) }));
    await expect(other({ operation: "getConfig" })).rejects.toMatchObject({ code: "server-failed", retryAfter: 30 });
  });
});

test("a network that fails is offline", async () => {
  const { ask } = world();
  await expect(ask({ operation: "getConfig" })).rejects.toMatchObject({ name: "ClientError", code: "offline", retryable: true });
});

test("a server that says nothing is given up after twenty seconds, and not before", async () => {
  const { ask, clock, network } = world(silence);
  let outcome: unknown;
  const asked = ask({ operation: "getConfig" }).catch((error: unknown) => (outcome = error));
  await clock.pass(19_999);
  expect(outcome).toBe(undefined);
  await clock.pass(1);
  await asked;
  expect(outcome).toMatchObject({ code: "offline", retryable: true });
  expect(network.requests[0]?.signal.aborted).toBe(true);
});

test("nobody waits any longer for what was answered", async () => {
  const { ask, clock } = world(() => bytes(200, new Uint8Array(0)));
  const { signal } = new AbortController();
  await ask({ operation: "getConfig", signal });
  expect(clock.next).toBe(undefined);
});

test("an abort ends a request at once, with its reason", async () => {
  const { ask, network } = world(silence);
  const controller = new AbortController();
  const asked = ask({ operation: "getConfig", signal: controller.signal });
  await settle();
  controller.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
  expect(network.requests[0]?.signal.aborted).toBe(true);
});

test("a request that was aborted before is not made", async () => {
  const { ask, network } = world(silence);
  await expect(ask({ operation: "getConfig", signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  expect(network.requests).toEqual([]);
});

test("what comes with the status of success comes through as it is", async () => {
  const body: Bytes = toUtf8("<html>not what you think</html>");
  const { ask } = world(() => bytes(200, body));
  expect(await ask({ operation: "getConfig" })).toEqual(body);
});
