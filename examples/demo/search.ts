// Looks for a conversation in a folder as its thief would: every file, whatever it is, byte by byte.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Shorter words are found in any file of some size. */
const SHORTEST_WORD = 5;

export interface Search {
  readonly bytes: number;
  /** How many different words were looked for. */
  readonly sought: number;
  /** Those of them that are there. */
  readonly found: readonly string[];
  /** Of what has to be there, what is not. */
  readonly missed: readonly string[];
}

/** `userIds` are what the server cannot do without: a search that misses one of them is blind. */
export function search(folder: string, { texts, userIds }: { texts: readonly string[]; userIds: readonly string[] }): Search {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const words = [...new Set(texts.flatMap((text) => text.match(/\p{L}+/gu) ?? []).filter((word) => word.length >= SHORTEST_WORD))];
  // As text is stored: one byte a letter, or two.
  const spellings = (word: string): readonly Buffer[] => [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")];
  const isThere = (bytes: Buffer): boolean => files.some((file) => file.includes(bytes));
  return {
    bytes: files.reduce((sum, file) => sum + file.length, 0),
    sought: words.length,
    found: words.filter((word) => spellings(word).some(isThere)),
    missed: userIds.filter((userId) => !isThere(Buffer.from(userId.replaceAll("-", ""), "hex"))),
  };
}
