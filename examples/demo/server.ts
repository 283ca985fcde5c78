// The server of `npm start`, as a process that can be killed. Knows nothing of who talks over it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const START = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));

export class DemoServer {
  readonly state: string;
  readonly #temporary: string;
  readonly #seed = `1:${randomBytes(32).toString("base64url")}`;
  #process: ChildProcess | undefined;
  #url: URL | undefined;

  /** Everything that it writes is below `folder`. */
  constructor(folder: string) {
    this.state = join(folder, "state");
    this.#temporary = join(folder, "temporary");
  }

  get url(): string {
    if (this.#url === undefined) throw new Error("the server has not been started yet");
    return this.#url.origin;
  }

  /** The first time on a free port, then on the same one with the same files. */
  async start(): Promise<void> {
    mkdirSync(this.#temporary, { recursive: true });
    const own = { PORT: this.#url?.port ?? "0", EDGEWISE_STATE: this.state, SERVER_SEED: this.#seed };
    // Killed, it cannot clean up; by these names systems know where.
    const places = { TMPDIR: this.#temporary, TEMP: this.#temporary, TMP: this.#temporary };
    // A group of its own, so that the runtime dies with it and Ctrl-C is ours to handle.
    const group = process.platform !== "win32";
    const child = spawn(process.execPath, [START], {
      detached: group,
      windowsHide: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...own, ...places },
    });
    this.#process = child;
    this.#url = new URL(await addressOf(child));
  }

  /** SIGKILL: nobody gets to say goodbye. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    const ended = once(this.#process, "exit");
    this.destroy();
    await ended;
  }

  /** The same without waiting. */
  destroy(): void {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined) return;
    if (process.platform === "win32") spawnSync("taskkill", ["/pid", String(child.pid), "/T", "/F"]);
    else killGroup(child.pid);
  }

  /** Whether anybody answers there. */
  async answers(): Promise<boolean> {
    return await fetch(this.url).then(
      () => true,
      () => false,
    );
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // All of it is gone already.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const address = /Edgewise is on (http:\S+?),/.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the server ended: ${output}`)));
  });
}
