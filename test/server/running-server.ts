// The server that `npm start` starts, as a process of its own that a test may kill.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const START = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));
const START_TIMEOUT_MILLISECONDS = 60_000;

export class RunningServer {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts on `port`, or on a free one for 0. */
  static async start(state: string, seed: string, port = 0, env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    // A group of its own, so that a kill takes the runtime along.
    const child = spawn(process.execPath, [START], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PORT: String(port), EDGEWISE_STATE: state, SERVER_SEED: seed, ...env },
    });
    const url = await new Promise<string>((resolve, reject) => {
      let output = "";
      const timer = setTimeout(() => reject(new Error(`no server: ${output}`)), START_TIMEOUT_MILLISECONDS);
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const found = /Edgewise is on (http:\S+?),/.exec(output)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", () => reject(new Error(`the server ended: ${output}`)));
    });
    return new RunningServer(child, url);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error("the server never started");
    return this.#process.pid;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** SIGKILL to the whole group: nobody gets to say goodbye. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      this.#process.once("exit", () => resolve());
    });
    process.kill(signal === "SIGKILL" ? -pid : pid, signal);
    await ended;
  }
}
