// The boxes of ISO base media files (ISO/IEC 14496-12), which QuickTime calls atoms: where each begins and ends, and how one is
// written. Knows their sizes, not what they say.

import { ascii, be32, type Bytes, concat, WireError } from "#wire";
import { bigEndian, textAt } from "./reading.ts";

export interface Box {
  readonly type: string;
  readonly at: number;
  readonly contentAt: number;
  readonly end: number;
}

export type Level = "file" | "box";

/** More than any picture or video has beside each other. */
export const MAX_BOXES = 50_000;
export const HEADER_BYTES = 8;
/** With a size of 64 bits. */
export const LONG_HEADER_BYTES = 16;

/** What stands in place of a box that went, in as many bytes (8.1.2). */
export const FREE = "free";

/**
 * From its first bytes, in something that ends at `end` and in which it lies at `at`. Only the last box of a file may say that
 * it goes on to the end, with a size of 0. @throws WireError
 */
export function boxAt(head: Bytes, at: number, end: number, level: Level): Box {
  const short = bigEndian(head, 0, 4);
  const long = short === 1;
  const size = long ? bigEndian(head, 8, 4) * 0x1_0000_0000 + bigEndian(head, 12, 4) : short;
  const header = long ? LONG_HEADER_BYTES : HEADER_BYTES;
  const toTheEnd = size === 0 && level === "file" && !long;
  if (!toTheEnd && size < header) throw new WireError("bad-length");
  if (at + size > end) throw new WireError("truncated");
  return { type: textAt(head, 4, 4), at, contentAt: at + header, end: toTheEnd ? end : at + size };
}

/**
 * Of what stands in a box, from `from` on, or of a file. QuickTime ends some lists in a box with a zero: less than a header is
 * no box. @throws WireError
 */
export function boxesOf(content: Bytes, from = 0, level: Level = "box"): Box[] {
  const boxes: Box[] = [];
  const needed = level === "box" ? HEADER_BYTES : 1;
  for (let at = from; at + needed <= content.length; at = boxes.at(-1)?.end ?? content.length) {
    if (boxes.length === MAX_BOXES) throw new WireError("too-many");
    boxes.push(boxAt(content.subarray(at, at + LONG_HEADER_BYTES), at, content.length, level));
  }
  return boxes;
}

/** The content of the one box of this type, if there is one. @throws WireError `too-many` */
export function contentOf(parent: Bytes, type: string, from = 0): Bytes | undefined {
  return contentAmong(boxesOf(parent, from), parent, type);
}

/** The same, where the boxes are known. @throws WireError `too-many` */
export function contentAmong(boxes: readonly Box[], parent: Bytes, type: string): Bytes | undefined {
  const [box, other] = boxes.filter((candidate) => candidate.type === type);
  if (other !== undefined) throw new WireError("too-many");
  return box === undefined ? undefined : parent.subarray(box.contentAt, box.end);
}

/** @throws WireError `missing-field` */
export function requiredContent(parent: Bytes, type: string, from = 0): Bytes {
  const content = contentOf(parent, type, from);
  if (content === undefined) throw new WireError("missing-field");
  return content;
}

/** Of a box that begins with a version and flags. @throws WireError `unknown-version` */
export function versionOf(content: Bytes, highest: number): number {
  const version = bigEndian(content, 0, 1);
  if (version > highest) throw new WireError("unknown-version");
  return version;
}

export function encodeBox(type: string, ...contents: readonly Bytes[]): Bytes {
  const length = contents.reduce((sum, { length }) => sum + length, HEADER_BYTES);
  return concat(be32(length), ascii(type), ...contents);
}

export function encodeFullBox(type: string, version: number, flags: number, ...contents: readonly Bytes[]): Bytes {
  return encodeBox(type, be32(version * 0x100_0000 + flags), ...contents);
}
