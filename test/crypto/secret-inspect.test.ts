// Node's own ways to look into an object show no secret either.

import { Secret } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { useBackend, type Random, systemRandom } from "#crypto";
import { deserialize, serialize } from "node:v8";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";
import { holders, traces } from "../support/secrets.ts";

const before = useBackend(nodeBackend);
afterAll(() => {
  useBackend(before);
});

const sources: readonly Random[] = [seededRandom(10), systemRandom];
const options = [
  {},
  { showHidden: true },
  { showHidden: true, depth: Infinity },
  { customInspect: false, showHidden: true, depth: Infinity },
  { getters: true, depth: Infinity },
];

test("inspect shows no byte of a secret, hidden properties, prototypes and getters included", () => {
  for (const { name, holder, secret } of sources.flatMap(holders)) {
    for (const option of options) expect({ name, shows: traces(secret, inspect(holder, option)) }).toEqual({ name, shows: false });
  }
  expect(inspect(new Secret(systemRandom(32)))).toBe("[secret]");
});

test("inspect of the bytes themselves is seen, so the test above can fail", () => {
  for (const { secret } of sources.flatMap(holders)) expect(traces(secret, inspect({ secret }))).toBe(true);
});

test("a structured clone and a serialised copy carry no byte of a secret", () => {
  for (const { name, holder, secret } of sources.flatMap(holders)) {
    const wire = serialize(holder);
    expect({ name, shows: wire.includes(Buffer.from(secret)) }).toEqual({ name, shows: false });
    expect(traces(secret, inspect([structuredClone(holder), deserialize(wire)], { showHidden: true, depth: Infinity }))).toBe(false);
  }
});
