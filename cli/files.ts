// Files of this machine: those that go out, and where those go that come.

import { accessSync, constants, statSync } from "node:fs";
import { fileAt } from "#client/node";
import { cannotRead, cannotShow, CommandError } from "./errors.ts";
import { mimeOf } from "./mime.ts";

/** Before anything else is done: a name that was mistyped is said at once. @throws CommandError */
export async function fileToSend(path: string): Promise<File> {
  return await readable(path, cannotRead);
}

/** A file that is to be shown as somebody's picture. @throws CommandError */
export async function pictureToShow(path: string): Promise<File> {
  return await readable(path, cannotShow);
}

async function readable(path: string, refuse: (path: string, reason: string, cause?: unknown) => CommandError): Promise<File> {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw refuse(path, found.isDirectory() ? "it is a folder" : "it is no regular file");
    accessSync(path, constants.R_OK);
    return await fileAt(path, { mime: mimeOf(path) });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw refuse(path, UNREADABLE[codeOf(error)] ?? "it could not be read", error);
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

/** Where nobody may look there is none that could be used. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
