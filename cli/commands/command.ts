// What every command is made of. Knows none of them.

import { Command, InvalidArgumentError } from "commander";
import type { Work } from "../session.ts";

/** Runs a command's work with the client of the store. */
export interface Run {
  withAccount(work: Work): Promise<void>;
  /** Also when there is no account yet; makes the store. */
  withStore(work: Work): Promise<void>;
}

export interface Description {
  /** The name and its arguments, as commander reads them. */
  readonly usage: string;
  /** One sentence. */
  readonly does: string;
  /** Without the program's name. */
  readonly examples: readonly string[];
  readonly notes?: string;
}

export function describe({ usage, does, examples, notes }: Description): Command {
  const [name = "", ...args] = usage.split(" ");
  const command = new Command(name).description(does).helpOption("-h, --help", "show this").helpCommand(false);
  if (args.length > 0) command.arguments(args.join(" "));
  const shown = examples.map((example) => `  edgewise ${example}`).join("\n");
  return command.addHelpText("after", `${notes === undefined ? "" : `\n${notes}\n`}\nExample:\n${shown}`);
}

/** Of an option's value. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It is a whole number above 0");
  return value;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 24 * 3600 };

/** Seconds, from a number and a unit. */
export function duration(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? 0);
  if (value === 0) throw new InvalidArgumentError("It is a time such as 30m, 12h or 7d");
  return value;
}

export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError("It is a number of seconds");
  return value;
}
