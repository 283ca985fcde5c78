// requests, accept, block, unblock: who may write to one.

import type { Command } from "commander";
import { requestLine } from "../lines.ts";
import { describe, type Run } from "./command.ts";

export function requests(run: Run): Command {
  return describe({
    usage: "requests",
    does: "List who wrote for the first time and waits for an answer.",
    examples: ["requests"],
  }).action(() =>
    run.withAccount(async (client, { output }) => {
      const waiting = await client.contacts.listRequests();
      if (waiting.length === 0) output.remark("Nobody waits for an answer.");
      for (const from of waiting) {
        const { fields, people } = requestLine(from);
        await output.line(fields, people);
      }
    }),
  );
}

export function accept(run: Run): Command {
  return describe({
    usage: "accept <user>",
    does: "Accept a request: their messages are shown, and they are told when you got and read them.",
    examples: ["accept alice"],
  }).action((who: string) =>
    run.withAccount(async (client, session) => {
      await client.contacts.accept(who, { signal: session.stop });
      await session.finish(client);
    }),
  );
}

export function block(run: Run): Command {
  return describe({
    usage: "block <user>",
    does: "Hear nothing more from somebody; they are not told.",
    examples: ["block mallory"],
  }).action((who: string) =>
    run.withAccount(async (client, session) => {
      await client.contacts.block(who, { signal: session.stop });
      await session.ok();
      await session.spread(client);
    }),
  );
}

export function unblock(run: Run): Command {
  return describe({
    usage: "unblock <user>",
    does: "Hear from somebody again.",
    examples: ["unblock mallory"],
  }).action((who: string) =>
    run.withAccount(async (client, session) => {
      await client.contacts.unblock(who, { signal: session.stop });
      await session.ok();
      await session.spread(client);
    }),
  );
}
