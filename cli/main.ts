// The process: what it is asked, when it is told to end, and with which code it ends.

import { CommanderError } from "commander";
import { EXIT, explain, type ExitCode, interrupted, usageError } from "./errors.ts";
import { Output, ReaderGone } from "./output.ts";
import { program } from "./program.ts";

process.exit(await main(process.argv.slice(2), endOfProcess()));

async function main(args: readonly string[], stop: AbortSignal): Promise<ExitCode> {
  // Each write learns of it by itself.
  process.stdout.on("error", () => {});
  try {
    await program(stop).parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done;
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    return fail(stop.aborted ? interrupted() : error, new Output(args.includes("--json")));
  }
}

function fail(error: unknown, output: Output): ExitCode {
  // Help was printed already.
  if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
  const failure = explain(error instanceof CommanderError ? notACommand(error) : error);
  output.error(failure);
  if (process.env["EDGEWISE_DEBUG"] !== undefined) console.error(error);
  return failure.exit;
}

/** "error: unknown command 'sned'", and in a second line, "(Did you mean send?)". */
function notACommand({ message }: CommanderError): Error {
  const [what = "", suggestion] = message.replace(/^error: /, "").split("\n");
  return usageError(`${what.charAt(0).toUpperCase()}${what.slice(1)}.`, suggestion?.replaceAll(/[()]/g, "") ?? undefined);
}

/** Asked to end by whoever started it, or left alone by its launcher. A second time ends it at once. */
function endOfProcess(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => controller.abort());
  process.once("disconnect", () => controller.abort());
  process.channel?.unref();
  return controller.signal;
}
