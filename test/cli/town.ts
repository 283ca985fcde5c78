// A server for the people of one test file, in a folder of its own. Does not know them.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunningServer } from "../server/running-server.ts";
import { Person } from "./person.ts";

export class Town implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "edgewise-cli-"));
  readonly #seed = `1:${randomBytes(32).toString("base64url")}`;
  readonly #env: Readonly<Record<string, string>>;
  #server: RunningServer | undefined;
  #port = 0;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env;
  }

  /** The first time on a free port, then on the same one with the same state. */
  async start(): Promise<void> {
    this.#server = await RunningServer.start(join(this.folder, "state"), this.#seed, this.#port, this.#env);
    this.#port = this.#server.port;
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Nobody yet. */
  newcomer(name: string): Person {
    return new Person(this.folder, name, this.url);
  }

  async citizen(username: string): Promise<Person> {
    const person = this.newcomer(username);
    await person.ask("register", "--username", username);
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
