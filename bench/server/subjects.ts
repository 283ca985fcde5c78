// What is measured: our server and the floor, each a process tree of its own, and people who use them. Both kinds of
// people do the same: one HTTP request to send, one socket to read, one acknowledgement a message.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpUser } from "../../test/server/http-user.ts";
import { RunningServer } from "../../test/server/running-server.ts";

export interface User {
  register(): Promise<void>;
  sendTo(to: number, text: string): Promise<void>;
  /** Until `signal` aborts or the socket closes; `onEmpty` when all that was queued has come. */
  listen(take: (text: string) => void, signal: AbortSignal, onEmpty: () => void): Promise<void>;
}

export interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly users: readonly User[];
  end(): Promise<void>;
}

class FloorUser implements User {
  readonly #url: string;
  readonly #number: number;

  constructor(url: string, number: number) {
    this.#url = url;
    this.#number = number;
  }

  async register(): Promise<void> {}

  async sendTo(to: number, text: string): Promise<void> {
    const response = await fetch(`${this.#url}/${to}`, { method: "PUT", body: text, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`floor: ${response.status}`);
    await response.json();
  }

  async listen(take: (text: string) => void, signal: AbortSignal, onEmpty: () => void): Promise<void> {
    const socket = new WebSocket(`${this.#url.replace("http", "ws")}/${this.#number}`);
    socket.binaryType = "arraybuffer";
    await new Promise<void>((resolve) => {
      const close = (): void => socket.close();
      signal.addEventListener("abort", close, { once: true });
      socket.addEventListener("close", () => {
        signal.removeEventListener("abort", close);
        resolve();
      });
      socket.addEventListener("error", () => undefined);
      socket.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        if (data.byteLength === 0) {
          onEmpty();
          return;
        }
        take(Buffer.from(data, 8).toString());
        socket.send(data.slice(0, 8));
      });
    });
  }
}

/** Starts the server and registers `users` people with it. */
export async function startSubject(name: "edgewise" | "floor", users: number): Promise<Subject> {
  const state = mkdtempSync(join(tmpdir(), "edgewise-bench-"));
  const server = await RunningServer.start(state, `1:${randomBytes(32).toString("base64url")}`, 0, {
    EDGEWISE_BENCH: name,
    X_LOCAL_OBSERVABILITY: "false",
  });
  const numbers = Array.from({ length: users }, (_, number) => number);
  const people = name === "floor" ? numbers.map((number) => new FloorUser(server.url, number)) : ourUsers(server.url, numbers);
  for (const user of people) await user.register();
  const end = async (): Promise<void> => {
    await server.kill();
    rmSync(state, { recursive: true, force: true });
  };
  return { name, pid: server.pid, users: people, end };
}

function ourUsers(url: string, numbers: readonly number[]): readonly User[] {
  const users = numbers.map((number) => new HttpUser(url, 5000 + number));
  return users.map((user) => ({
    register: async () => await user.register(),
    sendTo: async (to, text) => {
      const other = users[to];
      if (other === undefined) throw new RangeError("no such user");
      await user.send(other, text);
    },
    listen: async (take, signal, onEmpty) => await user.listen(({ text }) => take(text), signal, onEmpty),
  }));
}

/** A message of 800 bytes that is like no other. */
export function newText(): string {
  return randomUUID().padEnd(800, ".");
}
