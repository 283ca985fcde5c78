// Three people in a group, and the queue that brings what they say, under the same storm as everything else.

import { expect, test } from "vitest";
import { loadSubject } from "./bundle.ts";
import { campaign, tellFailure } from "./campaign.ts";
import { FIRST_GROUP_SEED } from "./group-talk.ts";
import { readSchema } from "./schema.ts";

const SEEDS = 60;
const ACKNOWLEDGED_IN_GROUPS = 1000;

test(
  "what is said to a group is not lost, doubled or reordered, and not read by who was removed, whatever breaks",
  { timeout: 900_000 },
  async () => {
    const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_GROUP_SEED + i);
    const totals = await campaign({ subject: await loadSubject(), schema: readSchema(), seeds });
    expect(totals.failures.map(tellFailure)).toEqual([]);
    expect(totals.acknowledgedInGroups).toBeGreaterThanOrEqual(ACKNOWLEDGED_IN_GROUPS);
    // A campaign in which nothing broke, or nothing was watched, proves nothing.
    expect(totals.excusedInGroups).toBeLessThan(SEEDS / 2);
    expect(totals.clientCrashes).toBeGreaterThan(SEEDS);
    expect(totals.serverCrashes).toBeGreaterThan(SEEDS / 4);
  },
);
