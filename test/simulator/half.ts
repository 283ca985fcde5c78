// The runs of `npm test`, in two halves for two cores.

import { expect } from "vitest";
import { loadSubject } from "./bundle.ts";
import { campaign, tellFailure } from "./campaign.ts";
import { readSchema } from "./schema.ts";

const SEEDS = 2000;
const ACKNOWLEDGED = 100_000;
/** Of a half, when it takes more to get so many acknowledged. */
const MOST_SEEDS = SEEDS;

export async function expectHalf(half: "first" | "second"): Promise<void> {
  let runs = 0;
  let acknowledged = 0;
  const totals = await campaign({
    subject: await loadSubject(),
    schema: readSchema(),
    seeds: seedsFrom(half === "first" ? 1 : 1 + MOST_SEEDS),
    onReport(report) {
      acknowledged += report.acknowledged;
      return ++runs >= SEEDS / 2 && acknowledged >= ACKNOWLEDGED / 2;
    },
  });
  expect(totals.failures.map(tellFailure)).toEqual([]);
  expect(totals.seeds).toBeGreaterThanOrEqual(SEEDS / 2);
  expect(totals.acknowledged).toBeGreaterThanOrEqual(ACKNOWLEDGED / 2);
  // A campaign in which nothing broke, or nothing was watched, proves nothing.
  expect(totals.shown).toBeGreaterThanOrEqual(totals.acknowledged);
  expect(totals.ratchetMessages).toBeGreaterThan(totals.acknowledged);
  expect(totals.excused).toBeLessThan(SEEDS / 2 / 50);
  expect(totals.clientCrashes).toBeGreaterThan(SEEDS / 4);
  expect(totals.serverCrashes).toBeGreaterThan(SEEDS / 4);
}

function* seedsFrom(first: number): Generator<number> {
  for (let seed = first; seed < first + MOST_SEEDS; seed++) yield seed;
}
