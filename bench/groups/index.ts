// `npm run bench -- groups [--quick]`: what a message to a group costs who sends it, beside the official library; how it reaches
// everybody through a server on this machine, beside the floor; and what the platform would bill. Needs Linux, for /proc.

import { join } from "node:path";
import { useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { Remote } from "../client/remote.ts";
import { printTable, toRows, writeResults } from "../report.ts";
import { Rounds } from "../rounds.ts";
import { type Sender, type Work, WORKS } from "./sender.ts";
import { FLOOR, openWays, type Way } from "./ways.ts";
import { deliveries, encrypt, lastRecipient } from "./works.ts";

interface Plan {
  readonly rounds: number;
  /** Of each sender at each work. */
  readonly milliseconds: number;
  /** Of whom some messages are for the first, and the others for all. */
  readonly few: number;
  readonly members: number;
  /** Deliveries as fast as they go, to the few and to all. */
  readonly deliveries: number;
  /** Messages one after the other. */
  readonly singles: number;
}

const FULL: Plan = { rounds: 3, milliseconds: 1000, few: 20, members: 100, deliveries: 2000, singles: 50 };
const QUICK: Plan = { rounds: 1, milliseconds: 400, few: 20, members: 100, deliveries: 1000, singles: 20 };
const REFERENCE = "libsignal-client 0.103.0";

const args = process.argv.slice(2);
if (args.some((arg) => arg !== "--quick")) {
  console.error("usage: npm run bench -- groups [--quick]");
  process.exit(2);
}
const plan = args.length > 0 ? QUICK : FULL;
useBackend(nodeBackend);
const rows = [...toRows(await senders(), REFERENCE), ...toRows(await servers(), FLOOR)];
printTable(rows);
writeResults(join(import.meta.dirname, "..", "results", "groups.json"), REFERENCE, rows);
process.exit(0);

async function senders(): Promise<Rounds["measured"]> {
  const rounds = new Rounds();
  const subjects: (readonly [string, Remote<Sender>])[] = [];
  const start = async (name: string, file: string, ...args: readonly string[]): Promise<void> => {
    subjects.push([name, await Remote.start<Sender>(join(import.meta.dirname, file), args)]);
  };
  await start(REFERENCE, "official.ts");
  await start("edgewise (node)", "edgewise.ts", "node");
  await start("edgewise (noble)", "edgewise.ts", "noble");
  const works = Object.keys(WORKS) as readonly Work[]; // it has no other keys
  for (const work of works) {
    // Not counted: the engine compiles what it runs often.
    for (const [, sender] of subjects) await encrypt(sender, work, plan.milliseconds);
    for (let round = 0; round < plan.rounds; round++) {
      for (const [name, sender] of subjects) rounds.note(name, await encrypt(sender, work, plan.milliseconds));
    }
  }
  for (const [, sender] of subjects) await sender.end();
  return rounds.measured;
}

async function servers(): Promise<Rounds["measured"]> {
  const { few, members, singles } = plan;
  const rounds = new Rounds();
  const ways = await openWays(members);
  const works: readonly ((way: Way) => ReturnType<typeof deliveries>)[] = [
    async (way) => await deliveries(way, few, plan.deliveries / few),
    async (way) => await deliveries(way, members, plan.deliveries / members),
    async (way) => await lastRecipient(way, members, singles),
  ];
  try {
    for (const way of ways.all) await deliveries(way, members, plan.deliveries / members / 2);
    for (let round = 0; round < plan.rounds; round++) {
      for (const work of works) for (const way of ways.all) rounds.note(way.name, await work(way));
    }
  } finally {
    await ways.end();
  }
  for (const { name, billed } of ways.all) rounds.note(name, billed);
  return rounds.measured;
}
