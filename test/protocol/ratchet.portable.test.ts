import { ascii } from "#wire";
import { expect, test } from "vitest";
import { ratchetSecrets } from "../../protocol/ratchet.ts";
import { pair } from "../support/devices.ts";
import { secretsOf } from "../support/secrets.ts";

test("a ratchet that is dropped whole takes every secret with it, the post-quantum ones as well", () => {
  const { alice, bob } = pair(1);
  for (let turn = 0; turn < 120; turn++) {
    const [from, to] = turn % 2 === 0 ? [alice, bob] : [bob, alice];
    // One of five is jumped over, so that skipped keys stand in the state.
    const message = from.seal(to, ascii("text"));
    if (turn % 5 !== 4) to.open(from, message);
    const ratchet = to.record(from).current?.ratchet;
    if (ratchet === undefined) continue;
    const listed = new Set(ratchetSecrets(ratchet));
    for (const [path, secret] of secretsOf(ratchet)) expect([path, listed.has(secret)]).toEqual([path, true]);
  }
  expect(alice.record(bob).current?.ratchet.pq.braid.epoch).toBe(2);
});
