// Looks for a conversation in a folder as its thief would: every file, whatever it is, byte by byte.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** Shorter words are found in any file of some size. */
const SHORTEST_WORD = 5;
/** Where the server keeps the logs of groups, and messages to many that are on their way. */
const OF_GROUPS: ReadonlySet<string> = new Set(["-Group", "-FanOut"]);

export interface Search {
  readonly bytes: number;
  /** How many different words were looked for. */
  readonly sought: number;
  /** Those of them that are there. */
  readonly found: readonly string[];
  /** Of what has to be there, what is not. */
  readonly missed: readonly string[];
}

export interface GroupSearch {
  readonly bytes: number;
  /** Words of the title, and userIds. */
  readonly found: readonly string[];
}

/** `userIds` are what the server cannot do without: a search that misses one of them is blind. */
export function search(folder: string, { texts, userIds }: { texts: readonly string[]; userIds: readonly string[] }): Search {
  const files = filesIn(folder).map(read);
  const words = wordsIn(texts);
  return {
    bytes: sizeOf(files),
    sought: words.length,
    found: words.filter((word) => isAnyIn(files, spellings(word))),
    missed: userIds.filter((userId) => !isAnyIn(files, [inBytes(userId)])),
  };
}

/** The same in what there is about groups alone, where no userId may be either. */
export function searchGroups(folder: string, { title, userIds }: { title: string; userIds: readonly string[] }): GroupSearch {
  const files = filesIn(folder)
    .filter(({ parentPath }) => OF_GROUPS.has(basename(parentPath)))
    .map(read);
  const words = wordsIn([title]).filter((word) => isAnyIn(files, spellings(word)));
  const members = userIds.filter((userId) => isAnyIn(files, [inBytes(userId), ...spellings(userId)]));
  return { bytes: sizeOf(files), found: [...words, ...members] };
}

interface Entry {
  readonly parentPath: string;
  readonly name: string;
}

function filesIn(folder: string): readonly Entry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
}

function read({ parentPath, name }: Entry): Buffer {
  return readFileSync(join(parentPath, name));
}

function sizeOf(files: readonly Buffer[]): number {
  return files.reduce((sum, file) => sum + file.length, 0);
}

function wordsIn(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.match(/\p{L}+/gu) ?? []).filter((word) => word.length >= SHORTEST_WORD))];
}

/** As text is stored: one byte a letter, or two. */
function spellings(word: string): readonly Buffer[] {
  return [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")];
}

function inBytes(userId: string): Buffer {
  return Buffer.from(userId.replaceAll("-", ""), "hex");
}

function isAnyIn(files: readonly Buffer[], needles: readonly Buffer[]): boolean {
  return needles.some((needle) => files.some((file) => file.includes(needle)));
}
