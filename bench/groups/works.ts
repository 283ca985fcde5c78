// The works, each once a round: what a message costs who sends it, how many arrive, and how long the last one waits. A message has
// arrived when the member's socket has brought it.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, percentiles } from "../rounds.ts";
import type { Remote } from "../client/remote.ts";
import { runtimeUsage } from "../server/process-tree.ts";
import { type Members, withMembers } from "./members.ts";
import type { Sender, Work } from "./sender.ts";
import { newName, type Way } from "./ways.ts";

/** Between two messages, so that each finds everybody idle. */
const PAUSE_MILLISECONDS = 30;
const PERCENTS = [50, 99];
/** Messages of the group that are under way at a time. */
const WINDOW = 4;

export async function encrypt(sender: Remote<Sender>, work: Work, milliseconds: number): Promise<readonly Figure[]> {
  const { messages, cpuMilliseconds } = await sender.call("encrypt", { work, milliseconds });
  return [{ work, unit: "messages a CPU second", value: (1000 * messages) / cpuMilliseconds }];
}

/** As fast as it goes. */
export async function deliveries(way: Way, count: number, messages: number): Promise<readonly Figure[]> {
  return await withMembers(way.members.slice(0, count), async (members) => {
    const work = `to ${count} members`;
    const names = Array.from({ length: messages }, newName).values();
    const start = performance.now();
    const cpu = runtimeUsage(way.pid).cpuSeconds;
    const lane = async (): Promise<void> => {
      for (const name of names) await deliver(way, members, name, count);
    };
    await Promise.all(Array.from({ length: WINDOW }, lane));
    const seconds = (performance.now() - start) / 1000;
    const used = runtimeUsage(way.pid).cpuSeconds - cpu;
    return [
      { work, unit: "deliveries/s", value: (count * messages) / seconds },
      { work, unit: "CPU s per 1,000 deliveries (cost)", value: (1000 * used) / (count * messages) },
    ];
  });
}

/** One after the other. */
export async function lastRecipient(way: Way, count: number, messages: number): Promise<readonly Figure[]> {
  return await withMembers(way.members.slice(0, count), async (members) => {
    const delays = [];
    for (let i = 0; i < messages; i++) {
      await sleep(PAUSE_MILLISECONDS);
      delays.push(await deliver(way, members, newName(), count));
    }
    return percentiles(`until the last of ${count} has it`, delays, PERCENTS);
  });
}

/** How many milliseconds it took until everybody had it. */
async function deliver(way: Way, members: Members, name: string, count: number): Promise<number> {
  const start = performance.now();
  const [at] = await Promise.all([members.arrival(name), way.send(name, count)]);
  return at - start;
}
