// edit, delete, react: what can be done to a message that exists.

import type { Command } from "commander";
import type { Message } from "#client";
import { describe, type Description, type Run } from "./command.ts";

export function edit(run: Run): Command {
  const about = { usage: "edit <id> <text>", does: "Replace the text of a message of yours.", examples: ['edit 0b5a… "Hello Bob!"'] };
  return change(run, about, (message, text) => message.edit(text));
}

export function remove(run: Run): Command {
  const about = { usage: "delete <id>", does: "Delete a message of yours for everyone.", examples: ["delete 0b5a…"] };
  return change(run, about, (message) => message.delete());
}

export function react(run: Run): Command {
  const about = {
    usage: "react <id> <emoji>",
    does: "React to a message with an emoji; an empty one takes it back.",
    examples: ["react 0b5a… 👍", 'react 0b5a… ""'],
  };
  return change(run, about, (message, emoji) => message.react(emoji));
}

function change(run: Run, about: Description, make: (message: Message, argument: string) => Promise<void>): Command {
  const description = { ...about, notes: "ID is the whole id of a message, as history, search and --json listen show it." };
  return describe(description).action((id: string, argument: unknown) =>
    run.withAccount(async (client, session) => {
      await make(await client.message(id), typeof argument === "string" ? argument : "");
      await session.finish(client);
    }),
  );
}
