import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "#crypto";
import { type Bytes, parseDeviceId, parseUserId, type Position } from "#wire";
import { dueCounter, PATIENCE_MILLISECONDS, release, takeTurn } from "../../../client/receiving/order.ts";

type Chain = Parameters<typeof takeTurn>[0];

const userId = parseUserId("00000000-0000-8000-8000-000000000000");
const START: Chain = { conversation: userId, userId, deviceId: parseDeviceId(1), next: 1, hash: undefined, waiting: [] };

function hashOf(counter: number): Bytes {
  return sha256(new Uint8Array([counter]));
}

function positionOf(counter: number): Position {
  return { counter, previousHash: counter === 1 ? undefined : hashOf(counter - 1) };
}

/** Everything that is shown, in order, as counters; negative where a gap is marked. */
function show(arrivals: readonly number[], timeOf: (at: number) => number): readonly number[] {
  let chain = START;
  const shown: number[] = [];
  const drain = (now: number): void => {
    for (let due = dueCounter(chain, now); due !== undefined; due = dueCounter(chain, now)) {
      const released = release(chain, due, hashOf(due));
      chain = released.chain;
      shown.push(released.gapBefore ? -due : due);
    }
  };
  for (const [at, counter] of arrivals.entries()) {
    const turn = takeTurn(chain, positionOf(counter), hashOf(counter), timeOf(at));
    chain = turn.chain;
    if (turn.kind === "now") shown.push(turn.gapBefore ? -counter : counter);
    if (turn.kind === "late") shown.push(-counter);
    drain(timeOf(at));
  }
  drain(Number.MAX_SAFE_INTEGER);
  return shown;
}

test("whatever order contents arrive in within a minute, they are shown in the order in which they were written, without a gap", () => {
  const arrivals = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(arrivals, (order) => {
      expect(show(order, () => 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("one that never comes holds the others for a minute and no longer, and leaves a mark", () => {
  expect(show([1, 3, 4], () => 0)).toEqual([1, -3, 4]);
  const waiting = takeTurn({ ...START, next: 2, hash: hashOf(1) }, positionOf(3), hashOf(3), 0).chain;
  expect(dueCounter(waiting, PATIENCE_MILLISECONDS - 1)).toBeUndefined();
  expect(dueCounter(waiting, PATIENCE_MILLISECONDS)).toBe(3);
});

test("one that comes after it was given up is shown, and marked", () => {
  expect(show([1, 3, 4, 2], (at) => at * PATIENCE_MILLISECONDS)).toEqual([1, -3, 4, -2]);
});

test("another past than the one that was seen is marked", () => {
  const chain = { ...START, next: 2, hash: hashOf(1) };
  const turn = takeTurn(chain, { counter: 2, previousHash: hashOf(9) }, hashOf(2), 0);
  expect(turn).toMatchObject({ kind: "now", gapBefore: true });
  expect(takeTurn(chain, positionOf(2), hashOf(2), 0)).toMatchObject({ kind: "now", gapBefore: false });
});
