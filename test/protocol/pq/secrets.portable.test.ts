// What becomes of secrets: each step lists what it made useless, and a refusal leaves nothing of what it derived.

import { type Backend, backend, type Secret, useBackend } from "#crypto";
import { type Bytes, concat } from "#wire";
import { expect, test } from "vitest";
import { Attempt, attempt } from "../../../protocol/attempt.ts";
import { decodeSpqrMessage, encodeSpqrMessage } from "../../../protocol/pq/message.ts";
import { initSpqr, spqrReceive, spqrSend, type SpqrState } from "../../../protocol/pq/spqr.ts";
import { seededRandom } from "../../support/random.ts";
import { secretsOf } from "../../support/secrets.ts";
import { authKey, repeatUntil } from "../../support/spqr.ts";

test("each step spends exactly the secrets of the old state that the new one does not hold", () => {
  const random = seededRandom(1);
  let a = initSpqr(authKey(), "a2b", new Attempt());
  let b = initSpqr(authKey(), "b2a", new Attempt());
  const step = <Step extends { readonly state: SpqrState }>(before: SpqrState, take: (attempt: Attempt) => Step): Step => {
    const tried = new Attempt();
    const done = take(tried);
    const kept = new Set(secretsOf(done.state).map(([, secret]) => secret));
    const spent = new Set<Secret>(tried.spent);
    for (const [path, secret] of secretsOf(before)) {
      expect([before.braid.kind, path, kept.has(secret) !== spent.has(secret)]).toEqual([before.braid.kind, path, true]);
    }
    for (const secret of spent) expect(kept.has(secret)).toBe(false);
    for (const secret of spent) secret.wipe();
    return done;
  };
  repeatUntil(
    () => a.braid.epoch >= 4,
    () => {
      const fromA = step(a, (tried) => spqrSend(a, tried, random));
      b = step(b, (tried) => spqrReceive(b, fromA.message, tried)).state;
      const fromB = step(b, (tried) => spqrSend(b, tried, random));
      a = step(fromA.state, (tried) => spqrReceive(fromA.state, fromB.message, tried)).state;
      b = fromB.state;
    },
  );
});

/** Everything that is derived or decapsulated while `work` runs: the very arrays that the code under test was given. */
function derivedBy(work: () => void): readonly Bytes[] {
  const before = backend();
  const derived: Bytes[] = [];
  const note = (bytes: Bytes): Bytes => {
    derived.push(bytes);
    return bytes;
  };
  const watching: Backend = {
    ...before,
    hkdfSha256: (salt, inputKey, info, length) => note(before.hkdfSha256(salt, inputKey, info, length)),
    mlKem768: { ...before.mlKem768, decapsulate: (seed, ciphertext) => note(before.mlKem768.decapsulate(seed, ciphertext)) },
  };
  useBackend(watching);
  try {
    work();
  } finally {
    useBackend(before);
  }
  return derived;
}

test("a ciphertext that its MAC refuses leaves no byte of the secret it led to", () => {
  const random = seededRandom(2);
  let a = initSpqr(authKey(), "a2b", new Attempt());
  let b = initSpqr(authKey(), "b2a", new Attempt());
  const refusals: number[] = [];
  repeatUntil(
    () => refusals.length > 0,
    () => {
      const fromA = spqrSend(a, new Attempt(), random);
      b = spqrReceive(b, fromA.message, new Attempt()).state;
      const fromB = spqrSend(b, new Attempt(), random);
      [a, b] = [fromA.state, fromB.state];
      const derived = derivedBy(() => {
        const outcome = attempt((tried) => ({ state: spqrReceive(a, spoiled(fromB.message), tried).state, output: undefined }));
        if (outcome.kind === "refused") expect(outcome.code).toBe("bad-tag");
        else a = outcome.state;
        if (outcome.kind === "refused") refusals.push(1);
      });
      if (refusals.length === 0) return;
      // The shared secret, the epoch's secret, and the renewed keys of the authenticator.
      expect(derived.map((bytes) => bytes.length)).toEqual([32, 32, 64]);
      expect(concat(...derived).every((byte) => byte === 0)).toBe(true);
    },
  );
});

function spoiled(message: Bytes): Bytes {
  const { epoch, index, payload } = decodeSpqrMessage(message);
  if (payload.kind !== "ct2") return message;
  return encodeSpqrMessage({
    epoch,
    index,
    payload: { kind: "ct2", chunk: { index: payload.chunk.index, data: new Uint8Array(32) } },
  });
}
