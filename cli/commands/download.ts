// download: a file of a message, into a file of ours. Run again after it was broken off, it goes on where it was.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Attachment } from "#client";
import { fileSink } from "#client/node";
import { fileExists, interrupted, noSuchFile, usageError } from "../errors.ts";
import { isFolder } from "../files.ts";
import { showProgress, sizeOf } from "../progress.ts";
import type { Session } from "../session.ts";
import { visible } from "../visible.ts";
import { describe, type Run, wholeNumber } from "./command.ts";

interface DownloadOptions {
  readonly output?: string;
  readonly index: number;
}

export function download(run: Run): Command {
  return describe({
    usage: "download <message>",
    does: "Download a file of a message.",
    examples: ["download 0b5a…", "download 0b5a… -o summit.jpg", "download 0b5a… --index 2"],
    notes:
      "Without -o it goes into this folder, under the name that its sender gave it, unless there is one of that name. Until it is whole and\n" +
      "proven it is at FILE.part; the same command again goes on from there. Files stay at the server for 30 days.",
  })
    .option("-o, --output <file>", "where to: a file, which is written over, or a folder")
    .option("--index <number>", "which of its files, from 1 on", wholeNumber, 1)
    .action((id: string, options: DownloadOptions) =>
      run.withAccount(async (client, session) => {
        const { attachments } = await client.message(id);
        const file = attachments[options.index - 1];
        if (file === undefined) throw noSuchFile(attachments.length);
        const path = pathFor(file, options.output);
        await fetchInto(file, path, session);
        const { name, size, mime } = file;
        await session.output.line({ type: "file", path, name, size, mime }, `${visible(path)}  ${sizeOf(size)}`);
      }),
    );
}

/** A file that is named is written over, as everywhere; one whose name its sender chose is not. */
function pathFor(file: Attachment, output = "."): string {
  if (output === "" || output === "-") throw usageError("-o takes a file or a folder.", "A file that is called - is ./-.");
  const named = resolve(output);
  const path = isFolder(named) ? join(named, file.name) : named;
  if (path !== named && existsSync(path)) throw fileExists();
  if (!isFolder(dirname(path)) || (output.endsWith("/") && path === named))
    throw usageError("There is no such folder.", "Make it first, or name another with -o.");
  return path;
}

async function fetchInto(file: Attachment, path: string, { output, stop }: Session): Promise<void> {
  try {
    await file.download({ to: fileSink(path), signal: stop, onProgress: showProgress(output, "downloading") });
  } catch (error) {
    if (stop.aborted) throw interrupted();
    throw error;
  }
}
