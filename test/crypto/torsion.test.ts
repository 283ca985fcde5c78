// The torsion check is one multiplication by a probe scalar; its slow twin is the definition, q times the point.

import { backend, nobleBackend, PublicKey, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { afterEach, expect, test } from "vitest";
import { fromLittleEndian, fromMontgomery, isTorsionFree, P, toLittleEndian, toMontgomery } from "../reference/edwards25519.ts";
import { withTorsion } from "../support/keys.ts";
import { seededRandom } from "../support/random.ts";

const before = backend();
afterEach(() => {
  useBackend(before);
});

function byDefinition(u: bigint): boolean {
  const point = fromMontgomery(u, 0);
  return point !== undefined && isTorsionFree(point);
}

/** Random u, of which half are on the twist, seven in sixteen have a torsion part and one in sixteen is honest; then points made to order. */
function candidates(): readonly bigint[] {
  const random = seededRandom(2);
  const drawn = Array.from({ length: 420 }, () => fromLittleEndian(random(32)) % P);
  const made = Array.from({ length: 16 }, () => withTorsion(fromLittleEndian(random(32)))).flat();
  return [...drawn, ...made.map((point) => fromLittleEndian(toMontgomery(point)))];
}

test("the probe and the definition agree on more than 500 u-coordinates, on both backends", () => {
  const all = candidates();
  const expected = all.map(byDefinition);
  for (const installed of [nobleBackend, nodeBackend]) {
    useBackend(installed);
    expect(all.map((u) => PublicKey.fromRaw(toLittleEndian(u)).isTorsionFree)).toEqual(expected);
  }
  const honest = expected.filter(Boolean).length;
  expect(all.length).toBeGreaterThan(500);
  expect(honest).toBeGreaterThan(16 + 5);
  expect(all.length - honest).toBeGreaterThan(400);
});
