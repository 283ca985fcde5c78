// group: conversations of many. Each command names the group by #name or by its id.

import { type Command, Option } from "commander";
import { groupLine } from "../lines.ts";
import { usageError } from "../errors.ts";
import { pictureToShow } from "../files.ts";
import { orDamaged, PICTURE_NOTES } from "../picture.ts";
import type { Session } from "../session.ts";
import { describe, duration, type Run, wholeNumber } from "./command.ts";
import type { Client, GroupConversation } from "#client";

export function group(run: Run): Command {
  const command = describe({
    usage: "group",
    does: "Conversations of up to a hundred people.",
    examples: ['group create "Hiking" alice bob', 'send "#Hiking" "Sunday at nine?"', "group members '#Hiking'"],
    notes:
      "The server knows neither who is in a group nor what it is called. Whoever makes it is its admin; only admins change it.\n" +
      "GROUP is #name, in quotes because of the shell, or the group's id.",
  });
  for (const add of [create, list, members, addMembers, removeMembers, leave, rename, picture, role, invite, join, approve])
    command.addCommand(add(run));
  return command;
}

function create(run: Run): Command {
  return describe({
    usage: "create <name> <user...>",
    does: "Make a group with these people.",
    examples: ['group create "Hiking" alice bob'],
  }).action((name: string, users: readonly string[]) =>
    run.withAccount(async (client, session) => {
      const made = await client.conversations.createGroup(name.replace(/^#/, ""), users, { signal: session.stop });
      await client.settled({ signal: session.stop });
      await show(session, made);
    }),
  );
}

function list(run: Run): Command {
  return describe({ usage: "list", does: "Show the groups that you are or were in.", examples: ["group list"] }).action(() =>
    run.withAccount(async (client, session) => {
      const groups = await client.conversations.groups();
      if (groups.length === 0) session.output.remark("You are in no group. Make one: edgewise group create NAME USER…");
      for (const one of groups) await show(session, one);
    }),
  );
}

function members(run: Run): Command {
  return describe({ usage: "members <group>", does: "Show who is in a group.", examples: ["group members '#Hiking'"] }).action(
    (name: string) => run.withAccount(async (client, session) => show(session, await session.group(client, name))),
  );
}

function addMembers(run: Run): Command {
  return change(run, {
    usage: "add <group> <user...>",
    does: "Let people in. They read what is said from now on.",
    examples: ["group add '#Hiking' carol"],
    act: (which, session, users: readonly string[]) => which.add(users, { signal: session.stop }),
  });
}

function removeMembers(run: Run): Command {
  return change(run, {
    usage: "remove <group> <user...>",
    does: "Put people out. They read nothing that is said afterwards.",
    examples: ["group remove '#Hiking' mallory"],
    act: (which, session, users: readonly string[]) => which.remove(users, { signal: session.stop }),
  });
}

function leave(run: Run): Command {
  return change(run, {
    usage: "leave <group>",
    does: "Leave a group. The last admin makes somebody else one first.",
    examples: ["group leave '#Hiking'"],
    act: (which, session) => which.leave({ signal: session.stop }),
  });
}

function rename(run: Run): Command {
  return change(run, {
    usage: "rename <group> <name>",
    does: "Call a group something else.",
    examples: ["group rename '#Hiking' 'Hiking 2027'"],
    act: (which, session, name: string) => which.rename(name.replace(/^#/, ""), { signal: session.stop }),
  });
}

function picture(run: Run): Command {
  return describe({
    usage: "avatar <group> [file]",
    does: "Show a picture for a group, or none any more.",
    examples: ["group avatar '#Hiking' summit.jpg", "group avatar '#Hiking' --remove"],
    notes: PICTURE_NOTES,
  })
    .option("--remove", "show none any more")
    .action(async (name: string, path: string | undefined, { remove }: { readonly remove?: boolean }) => {
      if ((path === undefined) !== (remove === true)) throw usageError("Name a file, or say --remove.");
      const shown = path === undefined ? undefined : await pictureToShow(path);
      await run.withAccount(async (client, session) => {
        await orDamaged((await session.group(client, name)).setAvatar(shown, { signal: session.stop }));
        await session.finish(client);
      });
    });
}

function role(run: Run): Command {
  return change(run, {
    usage: "role <group> <user> <role>",
    does: "Make somebody an admin, or a member again.",
    examples: ["group role '#Hiking' bob admin"],
    act: (which, session, user: string, wanted: string) => {
      if (wanted !== "admin" && wanted !== "member") throw usageError(`"${wanted}" is neither admin nor member.`);
      return which.setRole(user, wanted, { signal: session.stop });
    },
  });
}

function invite(run: Run): Command {
  return describe({
    usage: "invite <group>",
    does: "Make a link that lets people ask to be let in.",
    examples: ["group invite '#Hiking'", "group invite '#Hiking' --uses 20 --expires 2d"],
    notes: "Whoever has the link can ask; group approve lets them in. It ends when somebody is removed or leaves.",
  })
    .option("--uses <number>", "how many people it lets in", wholeNumber, 1)
    .addOption(
      new Option("--expires <time>", "after how long it ends, such as 30m, 12h or 7d").argParser(duration).default(7 * 24 * 3600, "7d"),
    )
    .option("--no-approval", "let them in at once, when a program of yours listens")
    .action((name: string, { uses, expires, approval }: InviteOptions) =>
      run.withAccount(async (client, session) => {
        const which = await session.group(client, name);
        const link = await which.invite({ uses, expiresSeconds: expires, approval, signal: session.stop });
        await client.settled({ signal: session.stop });
        await session.output.line({ type: "invite", link }, link);
      }),
    );
}

interface InviteOptions {
  readonly uses: number;
  readonly expires: number;
  readonly approval: boolean;
}

function join(run: Run): Command {
  return describe({
    usage: "join <link>",
    does: "Ask to be let into a group, by a link.",
    examples: ["group join 'edgewise:group/…'"],
  }).action((link: string) =>
    run.withAccount(async (client, session) => {
      await client.conversations.join(link, { signal: session.stop });
      await session.finish(client);
    }),
  );
}

function approve(run: Run): Command {
  return change(run, {
    usage: "approve <group> <user>",
    does: "Let somebody in who has asked by a link.",
    examples: ["group approve '#Hiking' dave"],
    act: (which, session, user: string) => which.approve(user, { signal: session.stop }),
  });
}

interface Change<Args extends readonly unknown[]> {
  readonly usage: string;
  readonly does: string;
  readonly examples: readonly string[];
  readonly act: (which: GroupConversation, session: Session, ...args: Args) => Promise<void>;
}

/** Something that is done to a group, and has reached the others when it ends. */
function change<Args extends readonly unknown[]>(run: Run, { act, ...description }: Change<Args>): Command {
  return describe(description).action((name: string, ...args: readonly unknown[]) =>
    run.withAccount(async (client: Client, session) => {
      // Commander gives the arguments that `usage` names, then its own.
      await act(await session.group(client, name), session, ...(args as unknown as Args));
      await session.finish(client);
    }),
  );
}

async function show(session: Session, which: GroupConversation): Promise<void> {
  const { fields, people } = groupLine(which);
  await session.output.line(fields, people);
}
