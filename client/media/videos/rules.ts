// What becomes of a box: it stays where it is and as long as it is, because other boxes say where things lie by their distance from
// the beginning of the file. What is known is copied into zeros; what is not, is a `free` box of zeros.

import { ascii, type Bytes, WireError } from "#wire";
import { boxesOf, FREE, versionOf } from "../pictures/boxes.ts";
import { bigEndian, partOf } from "../pictures/reading.ts";

/** Copies out of a content, into zeros of the same length, what may be sent. False says that nothing of it may. @throws WireError */
export type Rule = (content: Bytes, into: Bytes) => boolean;

export type Rules = ReadonlyMap<string, Rule>;

export function rules(byType: Readonly<Record<string, Rule>>): Rules {
  return new Map(Object.entries(byType));
}

export interface Children {
  readonly rules: Rules;
  /** Where the first begins; what stands before is copied by others. */
  readonly from?: number;
  /** Of which there may be several. */
  readonly repeated?: readonly string[];
  /** What happens to those without a rule. */
  readonly others?: "go" | "refused";
}

/** A box of boxes. It goes when none of them stays. */
export function boxes({ rules: known, from = 0, repeated = [], others = "go" }: Children): Rule {
  return (content, into) => {
    const seen = new Set<string>();
    for (const { type, at, contentAt, end } of boxesOf(content, from)) {
      into.set(content.subarray(at, contentAt), at);
      const rule = known.get(type);
      if (rule === undefined && others === "refused") throw new WireError("unknown-critical");
      if (rule?.(content.subarray(contentAt, end), into.subarray(contentAt, end)) !== true) {
        into.fill(0, contentAt, end);
        into.set(ascii(FREE), at + 4);
        continue;
      }
      // Which of two counts, is something that readers do not agree on.
      if (seen.has(type) && !repeated.includes(type)) throw new WireError("too-many");
      seen.add(type);
    }
    return seen.size > 0;
  };
}

/** Where a field begins and ends. */
export type Field = readonly [from: number, to: number];

export function fields(...ranges: readonly Field[]): Rule {
  return (content, into) => {
    for (const [from, to] of ranges) into.set(partOf(content, from, to - from), from);
    return true;
  };
}

/** Other fields in version 0 and in version 1, where times take 64 bits. */
export function versioned(zero: readonly Field[], one: readonly Field[]): Rule {
  const byVersion = [fields(...zero), fields(...one)];
  return (content, into) => byVersion[versionOf(content, 1)]?.(content, into) ?? false;
}

const COUNT_AT = 4;
const TABLE_AT = 8;

/** Version, flags, a count, and so many entries of one length. */
export function table(...entryBytes: readonly number[]): Rule {
  return (content, into) => {
    const entry = entryBytes[versionOf(content, entryBytes.length - 1)] ?? 0;
    into.set(partOf(content, 0, TABLE_AT + bigEndian(content, COUNT_AT, 4) * entry));
    return true;
  };
}
