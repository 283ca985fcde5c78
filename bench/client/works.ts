// The works, each once a round: two people write to each other through a server on this machine, and every person is a process.
// A message counts when the other's program could show it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchServer } from "../bench-server.ts";
import { type Figure, percentiles } from "../rounds.ts";
import type { Official } from "./official.ts";
import { type Person, textOf } from "./person.ts";
import { now, Remote } from "./remote.ts";

export interface Plan {
  readonly rounds: number;
  readonly queued: number;
  readonly pipelined: number;
  readonly singles: number;
  readonly strangers: number;
}

/** Whom two people are played by. */
export interface Subject {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly server: BenchServer;
}

const MEBIBYTE = 1024 * 1024;
/** Between two single messages, so that each finds everybody idle. */
const PAUSE_MILLISECONDS = 30;
const PERCENTS = [50, 95];

/** All works with two people, in the order in which they need each other. */
export async function converse(subject: Subject, plan: Plan): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "edgewise-bench-client-"));
  try {
    const first = [];
    for (let number = 0; number < plan.strangers; number++) first.push(await fromNothing(subject, join(folder, `${number}`)));
    return [...first.flat(), ...(await withFriends(subject, plan, folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start({ file, args }: Subject): Promise<Remote<Person>> {
  return Remote.start<Person>(join(import.meta.dirname, file), args);
}

async function leave(person: Remote<Person>): Promise<void> {
  await person.call("close", undefined);
  await person.end();
}

/** Two programs that have started and nothing else: accounts, keys, a session and a message. */
async function fromNothing(subject: Subject, store: string): Promise<readonly Figure[]> {
  const [alice, bob] = [await start(subject), await start(subject)];
  const server = subject.server.url;
  const text = textOf("first", 0);
  const begun = now();
  const open = async (person: Remote<Person>, name: string): Promise<string> => {
    return await person.call("open", { server, store: `${store}-${name}` });
  };
  const [, toBob] = await Promise.all([open(alice, "alice"), open(bob, "bob")]);
  await bob.call("connect", undefined);
  const [arrived] = await Promise.all([bob.call("arrival", text), alice.call("say", { to: toBob, text })]);
  await Promise.all([leave(alice), leave(bob)]);
  return [{ work: "first message, from nothing", unit: "ms (cost)", value: arrived - begun }];
}

async function withFriends(subject: Subject, plan: Plan, folder: string): Promise<readonly Figure[]> {
  const server = subject.server.url;
  const [alice, bob] = [await start(subject), await start(subject)];
  const places = { alice: { server, store: join(folder, "alice") }, bob: { server, store: join(folder, "bob") } };
  const [toAlice, toBob] = [await alice.call("open", places.alice), await bob.call("open", places.bob)];
  for (const person of [alice, bob]) await person.call("connect", undefined);
  const first = await deliver(alice, bob, toBob, textOf("first", 1));
  // Bob's answer to the request, and what follows from it.
  await sleep(1000);
  const delays = [];
  for (let number = 0; number < plan.singles; number++) {
    await sleep(PAUSE_MILLISECONDS);
    delays.push(await deliver(alice, bob, toBob, textOf("single", number)));
  }
  const last = bob.call("arrival", textOf("many", plan.pipelined - 1));
  const begun = await alice.call("sayMany", { to: toBob, name: "many", count: plan.pipelined });
  const seconds = ((await last) - begun) / 1000;
  await leave(bob);
  await alice.call("sayMany", { to: toBob, name: "waits", count: plan.queued });
  await leave(alice);
  return [
    { work: "first message, registered", unit: "ms (cost)", value: first },
    ...percentiles("single message", delays, PERCENTS),
    { work: "end to end, pipelined", unit: "messages/s", value: plan.pipelined / seconds },
    ...(await catchUp(await start(subject), places.bob, { from: toAlice, name: "waits", count: plan.queued })),
  ];
}

async function deliver(alice: Remote<Person>, bob: Remote<Person>, to: string, text: string): Promise<number> {
  const [arrived, begun] = await Promise.all([bob.call("arrival", text), alice.call("say", { to, text })]);
  return arrived - begun;
}

/** In a process that has done nothing before. */
async function catchUp(
  bob: Remote<Person>,
  place: Parameters<Person["open"]>[0],
  input: Parameters<Person["catchUp"]>[0],
): Promise<readonly Figure[]> {
  await bob.call("open", place);
  const { milliseconds, cpuMilliseconds, grownBytes, readMilliseconds } = await bob.call("catchUp", input);
  await leave(bob);
  const work = catchUpOf(input.count);
  const read = readMilliseconds === undefined ? [] : [rate("events read", input.count, readMilliseconds)];
  return [
    rate(work, input.count, milliseconds),
    cpu(work, input.count, cpuMilliseconds),
    { work, unit: "MiB of memory, at most (cost)", value: grownBytes / MEBIBYTE },
    ...read,
  ];
}

/** What the official library needs for the cipher alone. It has been seen to stop for ever under load: then once more. */
export async function cipherOnly(plan: Plan): Promise<readonly Figure[]> {
  const attempt = async (): Promise<readonly Figure[]> => {
    const official = await Remote.start<Official>(join(import.meta.dirname, "official.ts"), []);
    try {
      return await askOfficial(official, plan);
    } finally {
      official.kill();
    }
  };
  try {
    return await attempt();
  } catch (error) {
    console.error(`${String(error)}; starting it again`);
    return await attempt();
  }
}

async function askOfficial(official: Remote<Official>, plan: Plan): Promise<readonly Figure[]> {
  const first = [];
  for (let number = 0; number < plan.strangers; number++) first.push(await official.call("firstMessage", undefined));
  const delays = await official.call("sealAndOpen", plan.pipelined);
  const { milliseconds, cpuMilliseconds } = await official.call("catchUp", plan.queued);
  const spent = delays.reduce((sum, delay) => sum + delay, 0);
  const work = catchUpOf(plan.queued);
  return [
    ...first.flatMap(({ fromNothingMilliseconds, registeredMilliseconds }) => [
      { work: "first message, from nothing", unit: "ms (cost)", value: fromNothingMilliseconds },
      { work: "first message, registered", unit: "ms (cost)", value: registeredMilliseconds },
    ]),
    ...percentiles("single message", delays, PERCENTS),
    rate("end to end, pipelined", plan.pipelined, spent),
    rate(work, plan.queued, milliseconds),
    cpu(work, plan.queued, cpuMilliseconds),
  ];
}

function catchUpOf(count: number): string {
  return `catch-up of ${count.toLocaleString("en")}`;
}

function rate(work: string, count: number, milliseconds: number): Figure {
  return { work, unit: "messages/s", value: (1000 * count) / milliseconds };
}

function cpu(work: string, count: number, milliseconds: number): Figure {
  return { work, unit: "CPU s per 1,000 messages (cost)", value: milliseconds / count };
}
