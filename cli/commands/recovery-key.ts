// recovery-key: what brings an account back when no device is left.

import type { Command } from "commander";
import { text } from "node:stream/consumers";
import { usageError } from "../errors.ts";
import { accountLine } from "../lines.ts";
import { describe, type Run } from "./command.ts";

export function recoveryKey(run: Run): Command {
  const command = describe({
    usage: "recovery-key",
    does: "The way back to this account when every device of it is lost.",
    examples: ["recovery-key create", "--store new.db recovery-key restore < key.txt"],
    notes: "It is shown once and kept nowhere. Whoever has it can take the account: keep it on paper, away from your devices.",
  });
  for (const add of [create, restore]) command.addCommand(add(run));
  return command;
}

function create(run: Run): Command {
  return describe({
    usage: "create",
    does: "Make a new recovery key, and show it this once.",
    examples: ["recovery-key create", "recovery-key create --current < old-key.txt"],
    notes: "Where one is in force, the new one takes its place at once with --current, and otherwise after seven days.",
  })
    .option("--current", "read the key in force from standard input")
    .action(({ current }: { readonly current?: boolean }) =>
      run.withAccount(async (client, { output, stop }) => {
        const before = current === true ? { current: await keyOnInput() } : {};
        const key = await client.recovery.create({ ...before, signal: stop });
        await output.line({ type: "recovery-key", key }, key);
        const { waiting } = await client.recovery.state();
        output.tell("Write it down now: it is not shown again.");
        if (waiting === undefined) return;
        const day = waiting.inForceAt.toISOString();
        output.tell(`It works from ${day} on. Until then the one before does: keep it; with --current the new one works at once.`);
      }),
    );
}

function restore(run: Run): Command {
  return describe({
    usage: "restore",
    does: "Bring an account back to this store, by its recovery key on standard input.",
    examples: ["--store new.db recovery-key restore < key.txt"],
    notes:
      "All other devices are put out, and contacts are told. Messages and contacts of\nbefore do not come back, and groups have to let you in again:\nan admin of each removes you and adds you.",
  }).action(() =>
    run.withStore(async (client, { output, stop }) => {
      const { fields, people } = accountLine(await client.recovery.restore(await keyOnInput(), { signal: stop }));
      await output.line(fields, people);
      output.tell("Tell others again what you are called: edgewise profile --name NAME");
    }),
  );
}

async function keyOnInput(): Promise<string> {
  const typed = (await text(process.stdin)).trim();
  if (typed === "") throw usageError("There is no recovery key on standard input.");
  return typed;
}
