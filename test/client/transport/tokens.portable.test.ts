// The device's token: fetched once however many wait for it, renewed before it ends and after it was refused.

import { describe, expect, test } from "vitest";
import { toBase64Url } from "../../../client/transport/base64.ts";
import { device, LIFETIME_SECONDS, NONCE, pathsOf, signer } from "./signing-in.ts";
import { json, silence } from "./surroundings.ts";

const SIGN_IN = ["/v1/auth/challenge", "/v1/auth/token"];

test("a hundred callers at once take one challenge, and get one token", async () => {
  const { tokens, network } = device();
  const got = await Promise.all(Array.from({ length: 100 }, () => tokens.get()));
  expect(new Set(got)).toEqual(new Set(["token-1"]));
  expect(pathsOf(network)).toEqual(SIGN_IN);
});

test("a hundred callers who wait for the place where tokens are kept, each for another time, take one challenge", async () => {
  let loads = 0;
  const slowly = (): Promise<undefined> => new Promise((resolve) => void setTimeout(resolve, ++loads % 20, undefined));
  const { tokens, network } = device(undefined, slowly);
  const got = await Promise.all(Array.from({ length: 100 }, () => tokens.get()));
  expect(new Set(got)).toEqual(new Set(["token-1"]));
  expect(pathsOf(network)).toEqual(SIGN_IN);
});

test("what is signed is the nonce, and the device says who it is", async () => {
  const { tokens, network } = device();
  await tokens.get();
  const [challenge, token] = network.requests.map(({ body }) => JSON.parse(String(body)) as unknown); // compared as it is
  const { userId, deviceId } = signer.address;
  expect(challenge).toEqual({ userId, deviceId });
  expect(token).toEqual({ userId, deviceId, nonce: toBase64Url(NONCE), signature: toBase64Url(signer.answer(NONCE)) });
});

test("a token is used until shortly before it ends, and then renewed once", async () => {
  const { tokens, clock, given } = device();
  await tokens.get();
  await clock.pass((LIFETIME_SECONDS - 121) * 1000);
  expect(await tokens.get()).toBe("token-1");
  await clock.pass(1000);
  expect(await Promise.all([tokens.get(), tokens.get()])).toEqual(["token-2", "token-2"]);
  expect(await tokens.get()).toBe("token-2");
  expect(given()).toBe(2);
});

test("a token that was refused is replaced once, however many were refused with it", async () => {
  const { tokens, given } = device();
  const refused = await tokens.get();
  const together = await Promise.all(Array.from({ length: 50 }, () => tokens.get(refused)));
  expect(new Set(together)).toEqual(new Set(["token-2"]));
  // Somebody who hears late of the refusal gets what is there by then.
  expect(await tokens.get(refused)).toBe("token-2");
  expect(given()).toBe(2);
});

test("a token is kept, and one that was kept needs no challenge", async () => {
  const first = device();
  await first.tokens.get();
  const [kept] = first.kept;
  expect(kept?.token).toBe("token-1");
  const second = device(undefined, async () => kept);
  expect(await second.tokens.get()).toBe("token-1");
  expect(second.network.requests).toEqual([]);
});

test("one that was kept for too long is not used", async () => {
  const { tokens, clock } = device(undefined, async () => ({ token: "old", untilMilliseconds: clock.nowMilliseconds() }));
  expect(await tokens.get()).toBe("token-1");
});

test("after a failure the next caller tries again", async () => {
  const { tokens, network } = device();
  const { answer } = network;
  network.answer = () => json(503, { code: "unavailable" });
  await expect(tokens.get()).rejects.toMatchObject({ name: "ClientError", code: "server-failed", retryable: true });
  network.answer = answer;
  expect(await tokens.get()).toBe("token-1");
});

test("a server that does not know the device ends it", async () => {
  const { tokens, network } = device();
  network.answer = () => json(401, { code: "unauthorized" });
  await expect(tokens.get()).rejects.toMatchObject({ name: "ClientError", code: "device-removed", retryable: false });
});

describe("a server that answers wrongly has failed, and gets no signature of anything but a nonce:", () => {
  const nonce = toBase64Url(NONCE);
  const wrong: readonly (readonly [name: string, challenge: unknown, token: unknown])[] = [
    ["no nonce", {}, undefined],
    ["a nonce that is a number", { nonce: 7 }, undefined],
    ["a short nonce", { nonce: nonce.slice(4) }, undefined],
    ["a long nonce", { nonce: `${nonce}AAAA` }, undefined],
    ["no object", [], undefined],
    ["nothing", null, undefined],
    ["no token", { nonce }, {}],
    ["an empty token", { nonce }, { token: "", lifetimeSeconds: 60 }],
    ["a token that would end a header", { nonce }, { token: "a\r\nb: c", lifetimeSeconds: 60 }],
    ["a token that would be two protocols", { nonce }, { token: "a, b", lifetimeSeconds: 60 }],
  ];
  for (const [name, challenge, token] of wrong) {
    test(`${name}`, async () => {
      const { tokens, network, kept } = device();
      network.answer = ({ url }) => json(200, url.endsWith("/challenge") ? challenge : token);
      await expect(tokens.get()).rejects.toMatchObject({ name: "ClientError", code: "server-failed", retryable: true });
      expect(network.requests).toHaveLength(token === undefined ? 1 : 2);
      expect(kept).toEqual([]);
    });
  }
});

test("a lifetime that makes no sense makes a token that is used once, and no token lives longer than an hour", async () => {
  const { tokens, network, clock } = device();
  for (const lifetimeSeconds of [-5, "soon", null, Number.NaN]) {
    const { answer } = network;
    network.answer = (request) => (request.url.endsWith("/token") ? json(200, { token: "short", lifetimeSeconds }) : answer(request));
    expect(await tokens.get("short")).toBe("short");
    network.answer = answer;
  }
  network.answer = ({ url }) =>
    url.endsWith("/token") ? json(200, { token: "long", lifetimeSeconds: 1e12 }) : json(200, { nonce: toBase64Url(NONCE) });
  expect(await tokens.get()).toBe("long");
  await clock.pass(LIFETIME_SECONDS * 1000);
  network.answer = silence;
  const again = tokens.get().catch((error: unknown) => error);
  await clock.pass(20_000);
  expect(await again).toMatchObject({ code: "offline" });
});
