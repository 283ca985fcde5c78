// Calls from the bench to a process of its own and their answers, by name, over Node's channel between a parent and its child.
// Knows nothing of what is called.

import { type ChildProcess, fork } from "node:child_process";

/** Longer than any work takes. */
const PATIENCE_MILLISECONDS = 600_000;

type Callable<T> = { readonly [Name in keyof T]: (input: never) => Promise<unknown> };

interface Call {
  readonly number: number;
  readonly name: string;
  readonly input: unknown;
}

interface Answer {
  readonly number: number;
  readonly output?: unknown;
  readonly error?: string;
}

type Settle = (answer: Answer) => void;

/** A child that answers the calls of `T`. Arguments and results travel as JSON. */
export class Remote<T extends Callable<T>> {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Settle>();
  #calls = 0;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on("message", (message) => {
      const answer = message as Answer; // what `serve` sent
      this.#waiting.get(answer.number)?.(answer);
    });
    process.once("exit", () => {
      for (const [number, settle] of this.#waiting) settle({ number, error: "the process ended" });
    });
  }

  /** Resolves when the child has loaded everything and listens. */
  static async start<T extends Callable<T>>(file: string, args: readonly string[]): Promise<Remote<T>> {
    const child = fork(file, [...args], { execArgv: ["--disable-warning=ExperimentalWarning", ...extraOptions()] });
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", () => reject(new Error(`${file} ended before it began`)));
    });
    return new Remote<T>(child);
  }

  async call<Name extends keyof T & string>(name: Name, input: Parameters<T[Name]>[0]): Promise<Awaited<ReturnType<T[Name]>>> {
    const number = this.#calls++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(number, resolve);
    const timer = setTimeout(() => resolve({ number, error: "no answer" }), PATIENCE_MILLISECONDS);
    this.#process.send({ number, name, input } satisfies Call);
    const { output, error } = await promise;
    clearTimeout(timer);
    this.#waiting.delete(number);
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return output as Awaited<ReturnType<T[Name]>>; // what the child's function of that name returned
  }

  /** For one that may never end by itself. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Waits until it has ended by itself. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      this.#process.once("exit", () => resolve());
    });
    this.#process.disconnect();
    await ended;
  }
}

/** In the child: answers until the parent has gone. */
export function serve<T extends Callable<T>>(calls: T): void {
  process.on("message", (message) => {
    const { number, name, input } = message as Call; // what `Remote` sent
    // The parent's `call` has checked the name and its input.
    const call = calls[name as keyof T] as unknown as (input: unknown) => Promise<unknown>;
    call(input).then(
      (output) => process.send?.({ number, output } satisfies Answer),
      (error: unknown) => process.send?.({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once("disconnect", () => process.exit(0));
  process.send?.("ready");
}

/** Milliseconds on a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** `BENCH_NODE_OPTIONS="--cpu-prof --cpu-prof-dir=…"` shows where the children's time goes. */
function extraOptions(): readonly string[] {
  return (process.env["BENCH_NODE_OPTIONS"] ?? "").split(" ").filter((option) => option !== "");
}
