// register, whoami, profile: who one is.

import type { Command } from "commander";
import type { Account } from "#client";
import { pictureToShow } from "../files.ts";
import { faint } from "../output.ts";
import { avatarFields, orDamaged, PICTURE_NOTES } from "../picture.ts";
import { usageError } from "../errors.ts";
import { accountLine } from "../lines.ts";
import type { Session } from "../session.ts";
import { visible } from "../visible.ts";
import { describe, type Run } from "./command.ts";

export function register(run: Run): Command {
  return describe({
    usage: "register",
    does: "Make an account on the server, with its keys in the store.",
    examples: ["register --username alice", "--store bob.db --server https://chat.example.org register --username bob --invite Q7HM-2K9D"],
    notes: "Without a username others reach you by your contact link only.",
  })
    .option("-u, --username <name>", "what others can find you by: 3 to 32 of a-z 0-9 _ .")
    .option("-i, --invite <code>", "what a server asks for that takes new accounts by invitation only")
    .action((options: { readonly username?: string; readonly invite?: string }) =>
      run.withStore(async (client, session) => {
        session.output.progress("Making keys and registering …");
        const account = await client.register({ ...options, signal: session.stop });
        await show(session, account);
        session.output.tell("Others write to you by the name or the link. Next: edgewise listen");
      }),
    );
}

export function whoami(run: Run): Command {
  return describe({
    usage: "whoami",
    does: "Show the account of the store, and the link by which others reach it.",
    examples: ["whoami"],
  }).action(() => run.withAccount((client, session) => show(session, client.account)));
}

function show({ output }: Session, account: Account): Promise<void> {
  const { fields, people } = accountLine(account);
  return output.line(fields, people);
}

export function profile(run: Run): Command {
  // One takes the place of the other in what is read of the options.
  const wishes = new Set<"picture" | "none">();
  return describe({
    usage: "profile",
    does: "Show or change the name and the picture that others see.",
    examples: ["profile", 'profile --name "Alice Liddell"', "profile --avatar me.jpg"],
    notes: PICTURE_NOTES,
  })
    .option("-n, --name <name>", "what others see from now on")
    .option("--avatar <file>", "the picture that contacts see from now on")
    .option("--no-avatar", "show no picture any more")
    .on("option:avatar", () => wishes.add("picture"))
    .on("option:no-avatar", () => wishes.add("none"))
    .action(async ({ name, avatar }: ProfileOptions) => {
      if (wishes.size > 1) throw usageError("--avatar and --no-avatar do not go together.");
      const picture = typeof avatar === "string" ? { avatar: await pictureToShow(avatar) } : avatar === false ? { avatar: undefined } : {};
      const change = { ...(name === undefined ? {} : { name }), ...picture };
      await run.withAccount(async (client, { output, stop }) => {
        if (Object.keys(change).length > 0) {
          await orDamaged(client.setProfile(change, { signal: stop }));
          await client.settled({ signal: stop });
        }
        const now = client.profile.value;
        const fields = { type: "profile", name: now.name, avatar: avatarFields(now.avatar) };
        await output.line(fields, `${visible(now.name)}${now.avatar === undefined ? "" : faint("  with a picture")}`);
      });
    });
}

interface ProfileOptions {
  readonly name?: string;
  readonly avatar?: string | false;
}
