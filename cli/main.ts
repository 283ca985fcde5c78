// The process: what it is asked, when it is told to end, and with which code it ends.

import { CommanderError } from "commander";
import { CommandError, EXIT, explain, type ExitCode, interrupted } from "./errors.ts";
import { Output, ReaderGone } from "./output.ts";
import { askable, program } from "./program.ts";

const A_DAY_MILLISECONDS = 24 * 3600 * 1000;
const PATIENCE_MILLISECONDS = 5000;
/** A terminal asks every process of a command, and one of them passes it on: that is one wish. */
const ONE_WISH_MILLISECONDS = 500;

process.exit(await main(process.argv.slice(2), endOfProcess()));

async function main(args: readonly string[], stop: AbortSignal): Promise<ExitCode> {
  // Whoever waits, waits; what we wait for need not keep a process alive by itself.
  setInterval(() => {}, A_DAY_MILLISECONDS);
  // Each write learns of it by itself.
  process.stdout.on("error", () => {});
  try {
    const edgewise = program(stop);
    await edgewise.parseAsync([...askable(edgewise, args)], { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done;
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const isTold = error instanceof CommandError || !stop.aborted;
    return fail(isTold ? error : interrupted(), new Output(args.includes("--json")));
  }
}

function fail(error: unknown, output: Output): ExitCode {
  // Asked for nothing, it has printed its help.
  if (error instanceof CommanderError) return EXIT.usage;
  const failure = explain(error);
  output.error(failure);
  if (process.env["EDGEWISE_DEBUG"] !== undefined) console.error(error);
  return failure.exit;
}

/** Asked to end by whoever started it, or left alone by its launcher. A second time ends it at once. */
function endOfProcess(): AbortSignal {
  const controller = new AbortController();
  let askedAt = 0;
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - askedAt > ONE_WISH_MILLISECONDS) process.exit(EXIT.temporary);
      return;
    }
    askedAt = performance.now();
    controller.abort();
    // Somebody may be writing there.
    process.stdin.destroy();
    // Everything is stored at each step, so who takes too long to close may be left.
    setTimeout(() => process.exit(EXIT.temporary), PATIENCE_MILLISECONDS);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  process.once("disconnect", stop);
  process.channel?.unref();
  return controller.signal;
}
