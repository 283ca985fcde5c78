// A subject's process as seen from outside: one order at a time, and an end to waiting. A process that gives no answer is
// ended and started again once: the official library has been seen to stop for ever under load.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Answer, Order } from "./child.ts";

const PATIENCE_MILLISECONDS = 60_000;

export class Runner {
  readonly name: string;
  #running: Running | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async run(order: Order): Promise<Answer> {
    try {
      return await this.#ask(order);
    } catch (error) {
      console.error(`${this.name}: ${String(error)}; starting it again`);
      this.end();
      return this.#ask(order);
    }
  }

  end(): void {
    this.#running?.process.kill("SIGKILL");
    this.#running = undefined;
  }

  async #ask(order: Order): Promise<Answer> {
    this.#running ??= start(this.name);
    const { process, lines, ended } = this.#running;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MILLISECONDS + order.milliseconds);
    const answered = new Promise<string>((resolve) => lines.once("line", resolve));
    try {
      process.stdin.write(`${JSON.stringify(order)}\n`);
      return JSON.parse(await Promise.race([answered, ended, late])) as Answer; // what child.ts wrote
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Running {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Interface;
  /** Rejects when the process ends. */
  readonly ended: Promise<never>;
}

function start(name: string): Running {
  const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "child.ts"), name];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  child.once("exit", () => reject(new Error("the process ended")));
  child.stdin.on("error", reject);
  // Nobody may be waiting when it ends.
  ended.catch(() => undefined);
  return { process: child, lines: createInterface({ input: child.stdout }), ended };
}
