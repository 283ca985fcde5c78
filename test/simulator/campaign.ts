// Many runs, and their sum: the same counters for a test, for the script and for a planted mistake.

import { hasGroup } from "./group-talk.ts";
import type { Complaint, Problem } from "./ledger.ts";
import type { Beginning, Report } from "./world.ts";
import type * as Subject from "./subject.ts";

/** Of so many seeds one begins with nothing: people register in the storm. The others begin registered. */
const FROM_NOTHING = 8;
/** Decides who the people are that the others begin with. */
const FIRST_SEED = 0;

export interface Totals {
  seeds: number;
  acknowledged: number;
  /** Of them, what was said to a group. */
  acknowledgedInGroups: number;
  shown: number;
  ratchetMessages: number;
  /** Runs in which something came too late because the server had let others go before it. */
  excused: number;
  /** Runs in which the queue lost something for a group, and it came too late. */
  excusedInGroups: number;
  clientCrashes: number;
  serverCrashes: number;
  readonly complaints: Partial<Record<Complaint, number>>;
  /** Runs with problems. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly seed: number;
  readonly problems: readonly Problem[];
}

export interface Campaign {
  readonly subject: typeof Subject;
  readonly schema: string;
  readonly seeds: Iterable<number>;
  /** Stops early when it answers true. */
  readonly onReport?: (report: Report) => boolean;
}

export async function campaign({ subject, schema, seeds, onReport }: Campaign): Promise<Totals> {
  const beginnings = new Map<"alone" | "grouped", Beginning>();
  const reports: Report[] = [];
  for (const seed of seeds) {
    const kind = hasGroup(seed) ? "grouped" : "alone";
    const beginning = beginnings.get(kind) ?? (await subject.prepare(schema, FIRST_SEED, kind));
    beginnings.set(kind, beginning);
    const isFromNothing = kind === "alone" && seed % FROM_NOTHING === 0;
    const report = await subject.run(schema, seed, isFromNothing ? undefined : beginning);
    reports.push(report);
    if (onReport?.(report) === true) break;
  }
  return totalsOf(reports);
}

export function totalsOf(reports: readonly Report[]): Totals {
  const complaints: Partial<Record<Complaint, number>> = {};
  for (const { complaint } of reports.flatMap(({ problems }) => problems)) complaints[complaint] = (complaints[complaint] ?? 0) + 1;
  return {
    seeds: reports.length,
    acknowledged: sum(reports, "acknowledged"),
    acknowledgedInGroups: sum(reports, "acknowledgedInGroups"),
    shown: sum(reports, "shown"),
    ratchetMessages: sum(reports, "ratchetMessages"),
    excused: reports.filter(({ excused }) => excused.length > 0).length,
    excusedInGroups: reports.filter(({ excusedInGroups }) => excusedInGroups.length > 0).length,
    clientCrashes: sum(reports, "clientCrashes"),
    serverCrashes: sum(reports, "serverCrashes"),
    complaints,
    failures: reports.filter(({ problems }) => problems.length > 0).map(({ seed, problems }) => ({ seed, problems })),
  };
}

type Counted = "acknowledged" | "acknowledgedInGroups" | "shown" | "ratchetMessages" | "clientCrashes" | "serverCrashes";

function sum(reports: readonly Report[], name: Counted): number {
  return reports.reduce((total, report) => total + report[name], 0);
}

/** One line that brings the same run back, and what was wrong with it. */
export function tellFailure({ seed, problems }: Failure): string {
  const [first] = problems;
  return `npm run simulate -- --seed ${seed}   # ${first?.complaint ?? ""}: ${first?.detail ?? ""}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}`;
}
