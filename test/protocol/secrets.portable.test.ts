import { createSenderKey, NO_SENDER_KEY, sealMessage } from "#protocol";
import { ascii, parseDistributionId, toHex } from "#wire";
import { expect, test } from "vitest";
import { accepted, NOW_SECONDS, pair } from "../support/devices.ts";
import { seededRandom } from "../support/random.ts";
import { secretsOf } from "../support/secrets.ts";

test("no state prints a byte of its secrets", () => {
  const { alice, bob } = pair(1);
  bob.open(alice, alice.seal(bob, ascii("hi")));
  const id = parseDistributionId("6f1d1f6e-0c1b-4a44-9a6f-1f2d3c4b5a69");
  const states = [alice.record(bob), bob.record(alice), alice.local, accepted(createSenderKey(NO_SENDER_KEY, id, seededRandom(1))).state];
  for (const state of states) {
    const secrets = secretsOf(state);
    expect(secrets.length).toBeGreaterThan(0);
    const printed = JSON.stringify(state);
    for (const [, secret] of secrets) {
      expect(printed).not.toContain(toHex(secret.expose()).slice(0, 12));
      expect(printed).not.toContain([...secret.expose().subarray(0, 8)].join(","));
    }
  }
});

test("spent secrets are exactly those that the new state no longer holds", () => {
  const { alice, bob } = pair(2);
  for (let i = 0; i < 40; i++) {
    const [from, to] = i % 3 === 0 ? [bob, alice] : [alice, bob];
    if (i === 0) bob.open(alice, alice.seal(bob, ascii("first")));
    const before = from.record(to);
    const input = { local: from.local, remote: to.local.address, plaintext: ascii("x"), nowSeconds: NOW_SECONDS };
    const done = accepted(sealMessage(before, input, from.random));
    const kept = new Set(secretsOf(done.state).map(([, secret]) => secret));
    for (const secret of done.spent) expect(kept.has(secret)).toBe(false);
    for (const [path, secret] of secretsOf(before)) expect([path, kept.has(secret) || done.spent.includes(secret)]).toEqual([path, true]);
    to.open(from, from.seal(to, ascii("y")));
  }
});

test("wiping what is spent leaves both sides able to go on", () => {
  const { alice, bob } = pair(3);
  for (let i = 0; i < 30; i++) {
    const [from, to] = i % 2 === 0 ? [alice, bob] : [bob, alice];
    expect(to.open(from, from.seal(to, ascii(`${i}`)))).toEqual(ascii(`${i}`));
  }
  for (const [, secret] of [...secretsOf(alice.record(bob)), ...secretsOf(bob.record(alice))]) expect(secret.isWiped).toBe(false);
});
