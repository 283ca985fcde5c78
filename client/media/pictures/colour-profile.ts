// A colour profile (ICC.1:2022) with nothing but colours. Profiles of screens name the screen, its serial number and the day it was
// measured, and a profile has room for anything else: so the header, the curves, matrices and tables are written anew, and
// a name that all profiles share stands for the texts. What is no profile gives none: decoders do without it as well.

import { ascii, be16, be32, type Bytes, concat, sameBytes, WireError } from "#wire";
import { bigEndian, partOf, textAt } from "./reading.ts";

const HEADER_BYTES = 128;
const ENTRY_BYTES = 12;
/** Of the tags of clause 9 those that turn the picture's colours into others. */
const COLOUR_TAGS: ReadonlySet<string> = new Set(
  "rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt chad cicp A2B0 A2B1 A2B2 B2A0 B2A1 B2A2".split(" "),
);
const NAME = "colours";

interface Tag {
  readonly name: string;
  readonly content: Bytes;
}

export function plainProfile(profile: Bytes): Bytes | undefined {
  try {
    if (textAt(profile, 36, 4) !== "acsp") return undefined;
    const major = bigEndian(profile, 8, 1);
    return encodeProfile(profile, [...textTags(major), ...colourTags(profile)]);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function colourTags(profile: Bytes): Tag[] {
  const tags: Tag[] = [];
  const count = bigEndian(profile, HEADER_BYTES, 4);
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + 4 + i * ENTRY_BYTES;
    const name = textAt(profile, entry, 4);
    if (!COLOUR_TAGS.has(name) || tags.some((tag) => tag.name === name)) continue;
    const content = partOf(profile, bigEndian(profile, entry + 4, 4), bigEndian(profile, entry + 8, 4));
    tags.push({ name, content: partOf(content, 0, usedBytes(content)) });
  }
  return tags;
}

/** How much of a tag its type says there is (clause 10): nothing hides behind it. */
function usedBytes(content: Bytes): number {
  switch (textAt(content, 0, 4)) {
    case "XYZ ":
      return 8 + 12;
    case "cicp":
      return 8 + 4;
    // The matrix of a chromatic adaptation
    case "sf32":
      return 8 + 9 * 4;
    case "curv":
      return 12 + 2 * bigEndian(content, 8, 4);
    case "para":
      return 12 + 4 * parametersOf(bigEndian(content, 8, 2));
    case "mft1":
      return 48 + tableBytes(content, 256, 256);
    case "mft2":
      return 52 + 2 * tableBytes(content, bigEndian(content, 48, 2), bigEndian(content, 50, 2));
    // Their parts stand wherever their offsets say.
    case "mAB ":
    case "mBA ":
      return content.length;
    default:
      throw new WireError("bad-value");
  }
}

function parametersOf(kind: number): number {
  const parameters = [1, 3, 4, 5, 7][kind];
  if (parameters === undefined) throw new WireError("bad-value");
  return parameters;
}

function tableBytes(content: Bytes, inputEntries: number, outputEntries: number): number {
  const [inputs, outputs, grid] = [bigEndian(content, 8, 1), bigEndian(content, 9, 1), bigEndian(content, 10, 1)];
  return inputs * inputEntries + grid ** inputs * outputs + outputs * outputEntries;
}

/** Required of every profile, and read by no decoder. */
function textTags(major: number): Tag[] {
  if (major >= 4) return ["desc", "cprt"].map((name) => ({ name, content: encodeLocalized(NAME) }));
  return [
    { name: "desc", content: encodeDescription(NAME) },
    { name: "cprt", content: concat(ascii("text"), be32(0), ascii(`${NAME}\0`)) },
  ];
}

/** ICC.1:2022, 10.15 */
function encodeLocalized(text: string): Bytes {
  const record = concat(ascii("enUS"), be32(2 * text.length), be32(28));
  return concat(ascii("mluc"), be32(0), be32(1), be32(12), record, ascii(text.replaceAll(/./g, "\0$&")));
}

/** ICC.1:2001-04, 6.5.17: with no text in Unicode and none in a script of the Macintosh. */
function encodeDescription(text: string): Bytes {
  return concat(ascii("desc"), be32(0), be32(text.length + 1), ascii(`${text}\0`), new Uint8Array(4 + 4 + 2 + 1 + 67));
}

function encodeProfile(original: Bytes, tags: readonly Tag[]): Bytes {
  const table: Bytes[] = [be32(tags.length)];
  const placed: { readonly content: Bytes; readonly at: number }[] = [];
  let end = HEADER_BYTES + 4 + tags.length * ENTRY_BYTES;
  for (const { name, content } of tags) {
    // Curves are often the same for all three colours, and stand there once.
    const same = placed.find((other) => sameBytes(other.content, content));
    table.push(ascii(name), be32(same?.at ?? end), be32(content.length));
    if (same !== undefined) continue;
    placed.push({ content, at: end });
    end += inFours(content.length);
  }
  const profile = new Uint8Array(end);
  profile.set(concat(encodeHeader(original, end), ...table));
  for (const { content, at } of placed) profile.set(content, at);
  return profile;
}

/** 7.3.1: contents begin on boundaries of four bytes. */
function inFours(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** Clause 7.2, without who made the profile, when, with what, and for which machine. */
function encodeHeader(original: Bytes, size: number): Bytes {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(be32(size));
  // Version, class, colour spaces
  header.set(original.subarray(8, 24), 8);
  // Some day, because there has to be one
  header.set(concat(be16(2000), be16(1), be16(1)), 24);
  header.set(ascii("acsp"), 36);
  // Rendering intent and illuminant
  header.set(original.subarray(64, 80), 64);
  return header;
}
