// history, search, read: what is in the store.

import type { Command } from "commander";
import type { Message } from "#client";
import { messageLine } from "../lines.ts";
import { latest, type Session } from "../session.ts";
import { describe, type Run, wholeNumber } from "./command.ts";

const DEFAULT_LIMIT = 50;

export function history(run: Run): Command {
  return describe({
    usage: "history <conversation>",
    does: "Show the latest messages of a conversation, oldest first.",
    examples: ["history bob", "history bob --limit 500"],
  })
    .option("-n, --limit <number>", "how many", wholeNumber, DEFAULT_LIMIT)
    .action((who: string, { limit }: { readonly limit: number }) =>
      run.withAccount(async (client, session) => {
        await show(session, await latest(await session.conversation(client, who), limit));
      }),
    );
}

export function search(run: Run): Command {
  return describe({
    usage: "search <text>",
    does: "Find messages by their words, oldest first.",
    examples: ["search lunch", "search lunch --in bob"],
  })
    .option("--in <conversation>", "only there")
    .option("-n, --limit <number>", "how many, the latest", wholeNumber, DEFAULT_LIMIT)
    .action((text: string, options: { readonly in?: string; readonly limit: number }) =>
      run.withAccount(async (client, session) => {
        const where = options.in === undefined ? {} : { conversation: await session.conversation(client, options.in) };
        await show(session, (await client.search(text, { ...where, limit: options.limit })).toReversed());
      }),
    );
}

async function show({ output }: Session, found: readonly Message[]): Promise<void> {
  if (found.length === 0) output.remark("There are no messages.");
  for (const message of found) {
    const { fields, people } = messageLine(message);
    await output.line(fields, people);
  }
}

export function read(run: Run): Command {
  return describe({
    usage: "read <conversation>",
    does: "Mark everything in a conversation as read, and tell its writer.",
    examples: ["read bob"],
  }).action((who: string) =>
    run.withAccount(async (client, session) => {
      await (await session.conversation(client, who)).markRead();
      await session.finish(client);
    }),
  );
}
