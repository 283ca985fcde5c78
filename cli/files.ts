// Files of this machine: those that go out, and where those go that come.

import { accessSync, constants, statSync } from "node:fs";
import { fileAt } from "#client/node";
import { cannotRead } from "./errors.ts";
import { mimeOf } from "./mime.ts";

/** Before anything else is done: a name that was mistyped is said at once. @throws CommandError */
export async function fileToSend(path: string): Promise<File> {
  if (isFolder(path)) throw cannotRead(path, "it is a folder");
  try {
    accessSync(path, constants.R_OK);
    return await fileAt(path, { mime: mimeOf(path) });
  } catch (error) {
    throw cannotRead(path, UNREADABLE[codeOf(error)] ?? "it could not be read", error);
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "this user may not read it",
};

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
