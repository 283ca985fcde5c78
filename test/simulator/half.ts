// The runs of `npm test`, in two halves for two cores.

import { expect } from "vitest";
import { loadSubject } from "./bundle.ts";
import { campaign, tellFailure } from "./campaign.ts";
import { readSchema } from "./schema.ts";

const SEEDS = 2000;
const ACKNOWLEDGED = 100_000;

export async function expectHalf(half: "first" | "second"): Promise<void> {
  const first = half === "first" ? 1 : 1 + SEEDS / 2;
  const seeds = Array.from({ length: SEEDS / 2 }, (_, i) => first + i);
  const totals = await campaign({ subject: await loadSubject(), schema: readSchema(), seeds });
  expect(totals.failures.map(tellFailure)).toEqual([]);
  expect(totals.seeds).toBe(SEEDS / 2);
  expect(totals.acknowledged).toBeGreaterThanOrEqual(ACKNOWLEDGED / 2);
  // A campaign in which nothing broke, or nothing was watched, proves nothing.
  expect(totals.shown).toBeGreaterThanOrEqual(totals.acknowledged);
  expect(totals.ratchetMessages).toBeGreaterThan(totals.acknowledged);
  expect(totals.excused).toBeLessThan(SEEDS / 2 / 50);
  expect(totals.clientCrashes).toBeGreaterThan(SEEDS / 4);
  expect(totals.serverCrashes).toBeGreaterThan(SEEDS / 4);
}
