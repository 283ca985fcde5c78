// Work that is gone on with: never twice at once, nothing missed, and what fails is tried again, later and later.

import { expect, test } from "vitest";
import { ClientError } from "../../client/errors.ts";
import { Persevering, type Round } from "../../client/sending/persevering.ts";
import { HandClock, settle } from "./transport/surroundings.ts";

function persevering(round: Round) {
  const clock = new HandClock();
  // The longest pauses that there are.
  const random = (length: number) => new Uint8Array(length).fill(255);
  const work = new Persevering({ clock, random }, round);
  const told = { tries: 0 };
  work.onTried(() => void told.tries++);
  return { work, clock, told };
}

const OFFLINE = new ClientError("offline");

test("who is woken ten times works once, and once more when that was in the middle of it", async () => {
  let rounds = 0;
  let atOnce = 0;
  const gate = Promise.withResolvers<void>();
  const { work, told } = persevering(async () => {
    rounds++;
    expect(++atOnce).toBe(1);
    await gate.promise;
    atOnce--;
    return undefined;
  });
  for (let i = 0; i < 10; i++) work.wake();
  await settle();
  expect(rounds).toBe(1);
  for (let i = 0; i < 10; i++) work.wake();
  gate.resolve();
  await settle();
  expect(rounds).toBe(2);
  expect(told.tries).toBe(1);
  expect(work.failure).toBeUndefined();
});

test("who is woken at the very end of a round works again", async () => {
  let rounds = 0;
  const { work } = persevering(async () => {
    rounds++;
    return await Promise.resolve(undefined);
  });
  const stop = work.onTried(() => {
    stop();
    work.wake();
  });
  work.wake();
  await settle();
  expect(rounds).toBe(2);
});

test.each(["thrown", "answered"])("what has failed (%s) is told, and tried again after pauses that double up to a minute", async (how) => {
  let rounds = 0;
  const { work, clock, told } = persevering(async () => {
    rounds++;
    if (how === "thrown") throw OFFLINE;
    return await Promise.resolve(OFFLINE);
  });
  work.wake();
  await settle();
  const pauses: number[] = [];
  while (pauses.length < 8) {
    expect(work.failure).toBe(OFFLINE);
    expect(told.tries).toBe(rounds);
    // Nobody hurries it meanwhile.
    work.wake();
    await settle();
    const before = rounds;
    const began = clock.nowMilliseconds();
    await clock.pass(clock.next ?? 0);
    expect(rounds).toBe(before + 1);
    pauses.push(Math.round((clock.nowMilliseconds() - began) / 1000));
  }
  expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
});

test("when what kept it is over nobody waits any longer, and the next failure is a first one again", async () => {
  let isBroken = true;
  let rounds = 0;
  const { work, clock } = persevering(async () => {
    rounds++;
    return await Promise.resolve(isBroken ? OFFLINE : undefined);
  });
  work.wake();
  await settle();
  await clock.pass(2000);
  expect(rounds).toBe(2);
  isBroken = false;
  work.retryNow();
  await settle();
  expect(rounds).toBe(3);
  expect(work.failure).toBeUndefined();
  // No try is left over.
  await clock.pass(120_000);
  expect(rounds).toBe(3);
  isBroken = true;
  work.wake();
  await settle();
  await clock.pass(2000);
  expect(rounds).toBe(5);
});

test("a failure of the first round does not count when a later one has done all", async () => {
  const answers = [OFFLINE, undefined];
  const { work } = persevering(async () => {
    const answer = answers.shift();
    if (answers.length === 1) work.wake();
    return await Promise.resolve(answer);
  });
  work.wake();
  await settle();
  expect(answers).toEqual([]);
  expect(work.failure).toBeUndefined();
});

test("what is closed has stopped, whatever it was at: its round is told, and awaited, and no other follows", async () => {
  let rounds = 0;
  const { work, clock } = persevering(async (signal) => {
    rounds++;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    throw new Error("closed in the middle");
  });
  work.wake();
  await settle();
  work.wake();
  await work.close();
  work.wake();
  work.retryNow();
  await clock.pass(120_000);
  expect(rounds).toBe(1);
  expect(work.failure).toBeUndefined();
});

test("what is closed while it waits is not tried again", async () => {
  let rounds = 0;
  const { work, clock } = persevering(async () => {
    rounds++;
    return await Promise.resolve(OFFLINE);
  });
  work.wake();
  await settle();
  await work.close();
  await clock.pass(120_000);
  expect(rounds).toBe(1);
});
