// What is measured: our server and the floor, each a process tree of its own, and people who use them. Both kinds of
// people do the same: one HTTP request to send, one socket to read, one acknowledgement a message.

import { randomUUID } from "node:crypto";
import { startBenchServer } from "../bench-server.ts";
import { FloorUser, type User } from "../floor-user.ts";
import { HttpUser } from "../../test/server/http-user.ts";

export interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly users: readonly User[];
  end(): Promise<void>;
}

/** Starts the server and registers `users` people with it. */
export async function startSubject(name: "edgewise" | "floor", users: number): Promise<Subject> {
  const server = await startBenchServer(name);
  const numbers = Array.from({ length: users }, (_, number) => number);
  const people = name === "floor" ? numbers.map((number) => new FloorUser(server.url, number)) : ourUsers(server.url, numbers);
  for (const user of people) await user.register();
  return { name, pid: server.pid, users: people, end: () => server.end() };
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
