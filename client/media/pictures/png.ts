// PNG (W3C PNG 3, ISO/IEC 15948) without metadata: the chunks that show the picture and its animation as they are, its
// colour profile and orientation written anew. All other chunks (texts, XMP, times, the rest of EXIF, what programs add) and
// what follows the end are left out. The compressed picture is not decoded: bytes behind it, inside of its chunks, stay.

import { ascii, type Bytes, concat, WireError } from "#wire";
import { plainProfile } from "./colour-profile.ts";
import { encodeOrientation, type Orientation, orientationOf, type Size, turnedSize, UPRIGHT } from "./orientation.ts";
import type { PlainPicture } from "./plain.ts";
import { type Chunk, chunksOf, encodeChunk, SIGNATURE_BYTES } from "./png-chunks.ts";
import { bigEndian } from "./reading.ts";
import { deflate, inflate } from "./zlib.ts";

/** Those of printers are the longest, with some 2 MB. */
const MAX_PROFILE_BYTES = 4 * 1024 * 1024;
/** A profile has a name in PNG, of at most 79 bytes. Here all have this one. */
const PROFILE_NAME = "colours";
const MAX_PROFILE_NAME_BYTES = 79;
const MAX_SIDE = 0x7fff_ffff;
const MAX_COLOURS = 256;

// Colour types, table 9
const GREY = 0;
const RGB = 2;
const INDEXED = 3;

/** Chunks that are copied and have one length: about colours, of an animation, the end. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({ cHRM: 32, gAMA: 4, sRGB: 1, cICP: 4, mDCV: 24, cLLI: 8, acTL: 8, fcTL: 26, IEND: 0 }),
);
const REPEATED: ReadonlySet<string> = new Set(["IDAT", "fcTL", "fdAT"]);

/** @throws WireError */
export async function plainPng(bytes: Bytes): Promise<PlainPicture> {
  const chunks = [...chunksOf(bytes)];
  const header = readHeader(chunks);
  const parts: Bytes[] = [bytes.subarray(0, SIGNATURE_BYTES)];
  const seen = new Set<string>();
  let orientation: Orientation = UPRIGHT;
  for (const chunk of chunks) {
    const { type, content, whole } = chunk;
    if (seen.has(type) && !REPEATED.has(type)) {
      if (isCritical(type)) throw new WireError("too-many");
      // Of several of a kind the first counts.
      continue;
    }
    seen.add(type);
    if (type === "eXIf") {
      orientation = orientationOf(content);
      parts.push(...exifChunk(orientation));
    } else if (type === "iCCP") {
      parts.push(...(await profileChunk(content)));
    } else if (isShown(chunk, header)) {
      parts.push(whole);
    }
  }
  if (!seen.has("IDAT")) throw new WireError("missing-field");
  return { parts, ...turnedSize(header, orientation) };
}

interface Header extends Size {
  readonly colourType: number;
  /** What says so stands before the picture, or it is not animated (11.3.6.1). */
  readonly animated: boolean;
}

/** 11.2.1. Which depths and methods there are is left to decoders. */
function readHeader(chunks: readonly Chunk[]): Header {
  const first = chunks[0];
  if (first?.type !== "IHDR") throw new WireError("missing-field");
  if (first.content.length !== 13) throw new WireError("bad-length");
  const [width, height] = [bigEndian(first.content, 0, 4), bigEndian(first.content, 4, 4)];
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) throw new WireError("bad-value");
  const deciding = chunks.find(({ type }) => type === "acTL" || type === "IDAT");
  return { width, height, colourType: bigEndian(first.content, 9, 1), animated: deciding?.type === "acTL" };
}

/** @throws WireError for a length that its type does not have */
function isShown({ type, content }: Chunk, { colourType, animated }: Header): boolean {
  const length = LENGTHS.get(type);
  if (length !== undefined && content.length !== length) throw new WireError("bad-length");
  switch (type) {
    case "IHDR":
    case "IDAT":
      return true;
    case "PLTE":
      if (content.length % 3 !== 0 || content.length > 3 * MAX_COLOURS) throw new WireError("bad-length");
      // For other types it is a proposal to screens of few colours.
      return colourType === INDEXED;
    case "tRNS":
      return isTransparency(content, colourType);
    case "acTL":
    case "fcTL":
    case "fdAT":
      return animated;
    default:
      if (length === undefined && isCritical(type)) throw new WireError("bad-value");
      return length !== undefined;
  }
}

/** 11.3.1.1 */
function isTransparency(content: Bytes, colourType: number): boolean {
  if (colourType === INDEXED ? content.length > MAX_COLOURS : content.length !== (colourType === GREY ? 2 : 6)) {
    throw new WireError("bad-length");
  }
  return colourType === GREY || colourType === RGB || colourType === INDEXED;
}

/** 5.4: a decoder that does not know such a chunk cannot show the picture. */
function isCritical(type: string): boolean {
  return /^[A-Z]/.test(type);
}

function exifChunk(orientation: Orientation): Bytes[] {
  const exif = encodeOrientation(orientation);
  return exif === undefined ? [] : [encodeChunk("eXIf", exif)];
}

/** 11.3.2.3: a name, a zero, the compression method 0, the compressed profile. */
async function profileChunk(content: Bytes): Promise<Bytes[]> {
  const end = content.indexOf(0);
  if (end === -1 || end > MAX_PROFILE_NAME_BYTES || content[end + 1] !== 0) throw new WireError("bad-value");
  const profile = plainProfile(await inflate(content.subarray(end + 2), MAX_PROFILE_BYTES));
  if (profile === undefined) return [];
  return [encodeChunk("iCCP", concat(ascii(`${PROFILE_NAME}\0\0`), await deflate(profile)))];
}
