// The measure itself, before anything is measured with it: the official library with itself, and the schedule.

import { expect, test } from "vitest";
import { addressOf } from "../support/devices.ts";
import { converse, type Report } from "./conversation.ts";
import { type Library, libsignal0103, libsignal075 } from "./library.ts";
import { withTimeout } from "./party.ts";
import { Peer } from "./peer.ts";
import { other, planConversation, type Step, STORM } from "./schedule.ts";

const FIRST = addressOf(1);
const SECOND = addressOf(2);

function talk(first: Library, second: Library, seed: number): Promise<Report> {
  const [a, b] = [new Peer(first, FIRST), new Peer(second, SECOND)];
  return converse([a.with(SECOND), b.with(FIRST)], planConversation(seed, STORM), "with one-time prekeys");
}

test("the two versions of the library fare alike with each other and with themselves", { timeout: 60_000 }, async () => {
  for (const seed of [101, 102, 103]) {
    const measure = await talk(libsignal0103, libsignal0103, seed);
    for (const [first, second] of [
      [libsignal0103, libsignal075],
      [libsignal075, libsignal0103],
      [libsignal075, libsignal075],
    ] as const) {
      const report = await talk(first, second, seed);
      expect(report.opened).toEqual(measure.opened);
      expect(new Set(report.failed.keys())).toEqual(new Set(measure.failed.keys()));
      expect(report.epochs).toBe(measure.epochs);
    }
  }
});

test("the library loses only what comes late, and few of that", { timeout: 60_000 }, async () => {
  const report = await talk(libsignal0103, libsignal0103, 104);
  expect(report.opened.size).toBeGreaterThan(680);
  expect(report.failed.size).toBeGreaterThan(0);
  expect(report.failed.size).toBeLessThan(60);
  expect(report.epochs).toBeGreaterThanOrEqual(5);
  expect(report.preKeyMessages).toBeGreaterThan(0);
  expect(report.repeatsRefused).toBeGreaterThan(10);
});

test("in calm weather nothing is lost", async () => {
  const calm = { ...STORM, messages: 200, loss: 0, late: 0, jitter: 0, duplicates: 0 };
  const [a, b] = [new Peer(libsignal0103, FIRST), new Peer(libsignal075, SECOND)];
  const report = await converse([a.with(SECOND), b.with(FIRST)], planConversation(1, calm), "without one-time prekeys");
  expect(report.opened.size).toBe(200);
  expect(report.failed.size).toBe(0);
});

test("a call that does not come back is a failure, and not the end of the run", async () => {
  const never = new Promise<string>(() => undefined);
  await expect(withTimeout(never, "a call", 20)).rejects.toThrow("a call: no answer for 20 ms");
  await expect(withTimeout(Promise.resolve("in time"), "a call", 20)).resolves.toBe("in time");
});

test("one seed gives one schedule, and another seed another", () => {
  expect(planConversation(1, STORM)).toEqual(planConversation(1, STORM));
  expect(planConversation(1, STORM)).not.toEqual(planConversation(2, STORM));
});

test("a schedule loses, delays, reorders and doubles as it says", () => {
  const steps = planConversation(3, STORM);
  const sent = new Map<number, number>();
  const arrivals = new Map<number, number[]>();
  steps.forEach((step, at) => {
    if (step.kind === "send") sent.set(step.id, at);
    if (step.kind === "deliver") arrivals.set(step.id, [...(arrivals.get(step.id) ?? []), at]);
  });
  expect(sent.size).toBe(1000);
  expect(arrivals.size).toBeGreaterThan(700);
  expect(arrivals.size).toBeLessThan(800);
  expect([...arrivals.values()].filter((times) => times.length === 2).length).toBeGreaterThan(20);
  const delays = [...arrivals].map(([id, [at = 0]]) => at - (sent.get(id) ?? 0));
  expect(Math.min(...delays)).toBeGreaterThan(0);
  expect(delays.filter((delay) => delay > 100).length).toBeGreaterThan(10);
  expect(outOfOrder(steps)).toBeGreaterThan(100);
});

test("nobody writes before having begun or heard", () => {
  for (let seed = 0; seed < 50; seed++) {
    expect(writesTooEarly(planConversation(seed, { ...STORM, messages: 50, restarts: 2 }))).toEqual([]);
  }
});

function writesTooEarly(steps: readonly Step[]): readonly number[] {
  const able = new Set<number>();
  const to = new Map<number, number>();
  const early: number[] = [];
  for (const step of steps) {
    if (step.kind === "begin") able.add(step.side);
    else if (step.kind === "deliver") able.add(to.get(step.id) ?? -1);
    else {
      if (!able.has(step.from)) early.push(step.id);
      to.set(step.id, other(step.from));
    }
  }
  return early;
}

function outOfOrder(steps: readonly Step[]): number {
  let newest = -1;
  let count = 0;
  for (const step of steps) {
    if (step.kind !== "deliver") continue;
    if (step.id < newest) count++;
    newest = Math.max(newest, step.id);
  }
  return count;
}
