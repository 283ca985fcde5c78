// The command line as a whole: its global options, its commands in the order in which a newcomer needs them, its help.
// Does not end the process.

import { readFileSync } from "node:fs";
import { Command, type CommanderError } from "commander";
import { avatar } from "./commands/avatar.ts";
import { accept, block, requests, unblock } from "./commands/people.ts";
import { deleteAccount } from "./commands/delete-account.ts";
import { devices } from "./commands/devices.ts";
import { download } from "./commands/download.ts";
import { edit, react, remove } from "./commands/change.ts";
import { group } from "./commands/group.ts";
import { history, read, search } from "./commands/read.ts";
import { listen } from "./commands/listen.ts";
import { presence } from "./commands/presence.ts";
import { profile, register, whoami } from "./commands/account.ts";
import { recoveryKey } from "./commands/recovery-key.ts";
import { send } from "./commands/send.ts";
import { verify } from "./commands/verify.ts";
import type { Run } from "./commands/command.ts";
import { usageError } from "./errors.ts";
import { DEFAULT_SERVER, type Globals, Session } from "./session.ts";

const FIRST_CONVERSATION = `
A first conversation, in two terminals (npm start runs the server in a third):
  edgewise --store alice.db register --username alice
  edgewise --store bob.db register --username bob
  edgewise --store alice.db send bob "Hello Bob"
  edgewise --store bob.db listen --until-empty && edgewise --store bob.db accept alice

In the repository it is npx edgewise …, after npm start or npm install has run once.
Exit codes: 0 done · 1 refused or failed · 2 no such command or option · 75 temporary, try again.`;

const GROUPS: readonly (readonly [string, readonly ((run: Run) => Command)[]])[] = [
  ["You:", [register, whoami, profile]],
  ["Messages:", [send, listen, history, search, read, download, edit, remove, react]],
  ["People:", [requests, accept, block, unblock, verify, presence, avatar]],
  ["Groups:", [group]],
  ["Devices:", [devices, recoveryKey, deleteAccount]],
];

export function program(stop: AbortSignal): Command {
  const edgewise = new Command("edgewise")
    .description("End-to-end encrypted messages over your own server.")
    .usage("[--server URL] [--store FILE] [--json] COMMAND …")
    .option("--server <url>", `the server to register at (${DEFAULT_SERVER}); later the store knows it`)
    .option("--store <file>", "where keys and messages are, one file per device and its key beside it (~/.edgewise/default.db)")
    .option("--json", "JSON lines on standard output; words for people go to standard error")
    .version(version(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this, or behind a command its own help")
    .helpCommand(false)
    .addHelpText("after", FIRST_CONVERSATION);
  const run: Run = {
    withAccount: (work) => new Session(edgewise.opts<Globals>(), stop).withAccount(work),
    withStore: (work) => new Session(edgewise.opts<Globals>(), stop).withStore(work),
  };
  for (const [heading, commands] of GROUPS) {
    edgewise.commandsGroup(heading);
    for (const command of commands) edgewise.addCommand(command(run));
  }
  for (const each of [edgewise, ...edgewise.commands, ...edgewise.commands.flatMap(({ commands }) => commands)]) {
    each.exitOverride((error) => refuse(each, error)).configureOutput({ outputError: () => {} });
  }
  return edgewise;
}

/** Help for a command that does not exist is none: without the wish for it, commander says what is wrong. */
export function askable(command: Command, args: readonly string[]): readonly string[] {
  return isKnown(command, args) ? args : args.filter((arg) => arg !== "--help" && arg !== "-h");
}

function isKnown(command: Command, args: readonly string[]): boolean {
  if (command.commands.length === 0) return true;
  const [name] = command.parseOptions([...args]).operands;
  if (name === undefined) return true;
  const named = command.commands.find((one) => one.name() === name);
  return named !== undefined && isKnown(named, args.slice(args.indexOf(name) + 1));
}

/** In our words where commander repeats what was typed: that may be a message. */
function refuse(command: Command, error: CommanderError): never {
  if (error.exitCode === 0 || error.code === "commander.help") throw error;
  const name = nameOf(command);
  const help = command.parent === null ? "See edgewise --help." : `See edgewise ${name} --help.`;
  if (error.code === "commander.excessArguments") {
    throw usageError(`Too many arguments for ${name}.`, `A text with spaces goes in quotes. ${help}`);
  }
  const [what = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  throw usageError(`${what.charAt(0).toUpperCase()}${what.slice(1)}.`, suggestion?.replaceAll(/[()]/g, "") ?? help);
}

/** As it is typed: `group add`. */
function nameOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${nameOf(above)} ${command.name()}`;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}
