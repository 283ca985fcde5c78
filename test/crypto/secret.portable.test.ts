// A secret cannot be printed, serialised or compared by accident, and is gone after it was wiped.

import { equal, generateKeyPair, generateKyberKeyPair, generateSigningKeyPair, Secret, systemRandom } from "#crypto";
import { type Bytes, EMPTY, UsageError } from "#wire";
import { expect, test } from "vitest";
import { holders, traces } from "../support/secrets.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";

const random = seededRandom(9);

test("the tracer sees bytes in every form they could be printed in", () => {
  const bytes = random(32);
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  expect(traces(bytes, `key ${text.slice(10, 30)}`)).toBe(true);
  expect(traces(bytes, `[${[...bytes].join(",")}]`)).toBe(true);
  expect(traces(bytes, `{ ${[...bytes].join(", ")} }`)).toBe(true);
  expect(traces(bytes, JSON.stringify({ ...bytes }))).toBe(true);
  expect(traces(bytes, btoa(String.fromCharCode(...bytes)))).toBe(true);
  expect(traces(bytes, "[secret] 12, 13, 14")).toBe(false);
});

test("no holder of a secret shows a byte of it, however it is turned into text", () => {
  for (const { name, holder, secret } of holders(random)) {
    const texts = [String(holder), `${String(holder)}`, JSON.stringify(holder), JSON.stringify([holder]), String(Object.entries(holder))];
    for (const text of texts) expect({ name, text, shows: traces(secret, text) }).toMatchObject({ shows: false });
  }
});

test("a secret says that it is one", () => {
  const secret = new Secret(random(32));
  expect(String(secret)).toBe("[secret]");
  expect(`${secret.toString()}`).toBe("[secret]");
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
});

test("nothing can be enumerated or cloned out of a secret", () => {
  const secret = new Secret(random(32));
  expect(Object.keys(secret)).toEqual([]);
  expect(Reflect.ownKeys(secret)).toEqual([]);
  expect({ ...secret }).toEqual({});
  expect(Reflect.ownKeys(structuredClone(secret))).toEqual([]);
  expect(Reflect.ownKeys(Object.assign({}, secret))).toEqual([]);
});

test("a wiped secret throws, its bytes are zero and it forgets its length", () => {
  const bytes = random(32);
  const secret = new Secret(bytes);
  expect(secret.isWiped).toBe(false);
  expect(secret.expose()).toBe(bytes);
  secret.wipe();
  expect(bytes).toEqual(new Uint8Array(32));
  expect({ wiped: secret.isWiped, length: secret.length }).toEqual({ wiped: true, length: 0 });
  expect(thrownBy(() => secret.expose())).toBeInstanceOf(UsageError);
  expect(thrownBy(() => secret.expose())).toMatchObject({ code: "wiped-secret" });
  secret.wipe();
  expect(secret.isWiped).toBe(true);
});

test("wiping one pair does not touch another", () => {
  const pairs = [generateKeyPair(random).privateKey, generateKyberKeyPair(random).seed, generateSigningKeyPair(random).seed];
  const others = [generateKeyPair(random).privateKey, generateKyberKeyPair(random).seed, generateSigningKeyPair(random).seed];
  for (const secret of pairs) secret.wipe();
  expect(others.every((secret) => secret.expose().some((byte) => byte !== 0))).toBe(true);
});

test("`equal` is true for equal bytes of every length and false for every single changed bit", () => {
  for (let length = 0; length <= 40; length++) {
    const bytes = random(length);
    expect(equal(bytes, Uint8Array.from(bytes))).toBe(true);
    for (let at = 0; at < 8 * length; at++) {
      const changed: Bytes = Uint8Array.from(bytes);
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      if (equal(bytes, changed)) throw new Error(`bit ${at} of ${length} bytes was not compared`);
    }
  }
});

test("`equal` is false for a beginning, an end and an extension, and true for nothing and nothing", () => {
  const bytes = random(16);
  expect(equal(EMPTY, EMPTY)).toBe(true);
  for (const other of [bytes.slice(0, 15), bytes.slice(1), EMPTY, new Uint8Array([...bytes, 0])]) {
    expect(equal(bytes, other)).toBe(false);
    expect(equal(other, bytes)).toBe(false);
  }
});

test("the platform's randomness has the length asked for, never repeats, and refuses what it cannot give", () => {
  expect([0, 1, 32, 65_536].map((length) => systemRandom(length).length)).toEqual([0, 1, 32, 65_536]);
  const drawn = Array.from({ length: 100 }, () => String(systemRandom(16)));
  expect(new Set(drawn).size).toBe(100);
  expect(thrownBy(() => systemRandom(65_537))).toMatchObject({ name: expect.any(String), code: "bad-argument" });
});
