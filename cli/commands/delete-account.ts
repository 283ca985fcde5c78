// delete-account: the end of an account, and of what is stored here.

import type { Command } from "commander";
import { createInterface } from "node:readline";
import type { Account } from "#client";
import { CommandError, EXIT } from "../errors.ts";
import type { Output } from "../output.ts";
import { describe, type Run } from "./command.ts";

interface DeleteOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function deleteAccount(run: Run): Command {
  return describe({
    usage: "delete-account",
    does: "End this account on all devices, for good, and remove everything from this store.",
    examples: ["delete-account", "delete-account --yes"],
    notes:
      "Asks for the username as a line of standard input (without one, for the userId). It leaves your groups; contacts are told when they write to you.\n" +
      "What others have received stays with them, files stay at the server for the rest of their 30 days, and other\n" +
      "devices of yours keep what is stored on them. The name is free again after seven days. Nothing brings the account back,\n" +
      "the recovery key neither.",
  })
    .option("-y, --yes", "do not ask")
    .option("-f, --force", "also where a group stays behind without an admin, or cannot be left now")
    .action(({ yes = false, force = false }: DeleteOptions) =>
      run.withAccount(async (client, session) => {
        if (!yes) await confirm(client.account, session.output);
        session.output.progress("Leaving groups and deleting the account …");
        await client.deleteAccount({ force, signal: session.stop });
        await session.ok();
      }),
    );
}

/** @throws CommandError unless its name was typed */
async function confirm({ username, userId }: Account, output: Output): Promise<void> {
  const name = username ?? userId;
  output.tell(`This deletes the account for good, and all that is stored here. Type ${name} to go on:`);
  if ((await firstLine())?.trim() !== name) throw notConfirmed();
}

async function firstLine(): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin });
  try {
    const { value, done } = await lines[Symbol.asyncIterator]().next();
    return done === true ? undefined : value;
  } finally {
    lines.close();
  }
}

function notConfirmed(): CommandError {
  const hint = "Type the name exactly, or use --yes.";
  return new CommandError({ code: "not-confirmed", message: "Nothing was deleted.", hint, exit: EXIT.failed });
}
