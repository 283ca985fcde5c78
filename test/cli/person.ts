// Somebody who types commands: a store, a server, and the real program as processes. Knows no command.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../cli/edgewise.mjs", import.meta.url));
const PATIENCE_MILLISECONDS = 60_000;

export type Line = Readonly<Record<string, unknown>>;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface JsonOutcome extends Outcome {
  /** Standard output, all of which has to be JSON lines. */
  readonly lines: readonly Line[];
  /** The error line, if there is one. */
  readonly error: Line | undefined;
}

export class Person {
  readonly store: string;
  readonly #server: string;

  constructor(folder: string, name: string, server: string) {
    this.store = join(folder, `${name}.db`);
    this.#server = server;
  }

  /** For people. */
  async run(...args: readonly string[]): Promise<Outcome> {
    return await new Running([...this.#globals(), ...args]).ended;
  }

  async json(...args: readonly string[]): Promise<JsonOutcome> {
    return parse(await this.start(...args).ended);
  }

  /** The one line of a command that has to succeed. */
  async ask(...args: readonly string[]): Promise<Line> {
    const { code, lines, stderr } = await this.json(...args);
    const [line] = lines;
    if (code !== 0 || line === undefined || lines.length !== 1) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
    return line;
  }

  /** All lines of a command that has to succeed. */
  async list(...args: readonly string[]): Promise<readonly Line[]> {
    const { code, lines, stderr } = await this.json(...args);
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
    return lines;
  }

  /** What goes on beside us. */
  start(...args: readonly string[]): Running {
    return new Running([...this.#globals(), "--json", ...args]);
  }

  #globals(): readonly string[] {
    return ["--server", this.#server, "--store", this.store];
  }
}

/** A command that runs. */
export class Running {
  readonly ended: Promise<Outcome>;
  readonly process: ChildProcess;
  #stdout = "";
  #stderr = "";
  #changed = (): void => {};

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, folder: string = process.cwd()) {
    this.process = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
      cwd: folder,
    });
    this.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stdout += chunk;
      this.#changed();
    });
    this.process.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr += chunk;
      this.#changed();
    });
    this.ended = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("close", (code) => {
        this.#changed();
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
    this.process.stdin?.on("error", () => {});
  }

  write(text: string): this {
    this.process.stdin?.end(text);
    return this;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it has printed so far, as far as lines are complete. */
  get lines(): readonly Line[] {
    return parseLines(this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1));
  }

  /** @throws when it ends before, or takes too long. */
  async until(condition: (running: Running) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    while (!condition(this)) {
      if (deadline.aborted || this.process.exitCode !== null) throw new Error(`it never came: ${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<JsonOutcome> {
    this.process.kill(signal);
    return parse(await this.ended);
  }
}

export function parse(outcome: Outcome): JsonOutcome {
  const error = outcome.stderr.split("\n").find((line) => line.startsWith('{"type":"error"'));
  return { ...outcome, lines: parseLines(outcome.stdout), error: error === undefined ? undefined : parseLines(error)[0] };
}

function parseLines(text: string): readonly Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line); // a line that is no object fails where its fields are compared
}
