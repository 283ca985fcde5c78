// The process of one subject: reads one order a line, `{"work","milliseconds"}`, runs that work for that long and answers
// a line, `{"operations","milliseconds"}`, or `{"unable":true}` when the subject cannot do it. Nothing else is loaded here.

import { createInterface } from "node:readline";
import { SUBJECTS } from "./subjects.ts";
import type { Step, Subject, Work } from "./works.ts";

export interface Order {
  readonly work: Work;
  readonly milliseconds: number;
}

export interface Answer {
  readonly unable?: boolean;
  readonly operations: number;
  readonly milliseconds: number;
}

const [name = ""] = process.argv.slice(2);
const load = SUBJECTS[name];
if (load === undefined) throw new RangeError("no such subject");
const subject = await load();
const prepared = new Map<Work, Step>();
// Some subjects write to the console; the answers go where nothing else is written.
const answer = process.stdout.write.bind(process.stdout);
console.log = console.info = console.error;

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order; // our own parent's
  answer(`${JSON.stringify(await carryOut(subject, order))}\n`);
}

async function carryOut({ works }: Subject, { work, milliseconds }: Order): Promise<Answer> {
  const prepare = works[work];
  if (prepare === undefined) return { unable: true, operations: 0, milliseconds: 0 };
  const step = prepared.get(work) ?? (await prepare());
  prepared.set(work, step);
  const start = performance.now();
  let operations = 0;
  let elapsed = 0;
  do {
    const pending = step();
    if (pending instanceof Promise) await pending;
    operations++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return { operations, milliseconds: elapsed };
}
