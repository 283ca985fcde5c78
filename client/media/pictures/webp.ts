// WebP (RFC 9649) without metadata: the picture, its transparency and its animation as they are, its colour profile and
// orientation written anew. XMP, the rest of EXIF, chunks of an unknown type, also inside of frames, and what follows the
// end are left out. The compressed pictures are not decoded: bytes behind them, inside of their chunks, stay.

import { type Bytes, EMPTY, WireError } from "#wire";
import { plainProfile } from "./colour-profile.ts";
import { encodeOrientation, type Orientation, orientationOf, type Size, UPRIGHT } from "./orientation.ts";
import type { PlainPicture } from "./plain.ts";
import { hasText, littleEndian } from "./reading.ts";
import { type Chunk, chunksOf, encodeChunk, encodeFile, fileContent } from "./webp-chunks.ts";

// Flags of an extended file (section 2.7)
const HAS_PROFILE = 0x20;
const HAS_ALPHA = 0x10;
const HAS_EXIF = 0x08;
const IS_ANIMATED = 0x02;

const EXTENDED_HEADER_BYTES = 10;
const ANIMATION_BYTES = 6;
const FRAME_HEADER_BYTES = 16;
/** Some programs put it before EXIF, as in JPEG. */
const EXIF_NAME = "Exif\0\0";

/** @throws WireError */
export function plainWebp(bytes: Bytes): PlainPicture {
  const [first, ...more] = chunksOf(fileContent(bytes));
  if (first === undefined) throw new WireError("missing-field");
  if (first.type === "VP8X") return plainExtended(first.content, more);
  // A simple file is one picture; decoders do not read what follows it.
  const image = imageOf([first]);
  return { parts: encodeFile(image.parts), ...image.size };
}

/**
 * What the flags do not announce is not there for decoders either. The size is told as stored: some viewers turn a WebP as
 * its EXIF says, Chromium does not.
 */
function plainExtended(header: Bytes, chunks: readonly Chunk[]): PlainPicture {
  if (header.length !== EXTENDED_HEADER_BYTES) throw new WireError("bad-length");
  const flags = littleEndian(header, 0, 1);
  const size = sizeAt(header, 4);
  const profile = flags & HAS_PROFILE ? plainProfile(contentOf(chunks, "ICCP")) : undefined;
  const orientation = flags & HAS_EXIF ? orientationIn(contentOf(chunks, "EXIF")) : UPRIGHT;
  const exif = encodeOrientation(orientation);
  const kept = (flags & (HAS_ALPHA | IS_ANIMATED)) | (profile === undefined ? 0 : HAS_PROFILE) | (exif === undefined ? 0 : HAS_EXIF);
  const parts = [
    ...encodeChunk("VP8X", new Uint8Array([kept, 0, 0, 0]), header.subarray(4)),
    ...(profile === undefined ? [] : encodeChunk("ICCP", profile)),
    ...(flags & IS_ANIMATED ? animationOf(chunks) : stillOf(chunks, size)),
    ...(exif === undefined ? [] : encodeChunk("EXIF", exif)),
  ];
  return { parts: encodeFile(parts), ...size };
}

function orientationIn(exif: Bytes): Orientation {
  return orientationOf(hasText(exif, 0, EXIF_NAME) ? exif.subarray(EXIF_NAME.length) : exif);
}

function stillOf(chunks: readonly Chunk[], canvas: Size): Bytes[] {
  const image = imageOf(chunks);
  requireSameSize(image.size, canvas);
  return image.parts;
}

function animationOf(chunks: readonly Chunk[]): Bytes[] {
  const settings = contentOf(chunks, "ANIM");
  if (settings.length !== ANIMATION_BYTES) throw new WireError("bad-length");
  const frames = chunks.filter(({ type }) => type === "ANMF");
  if (frames.length === 0) throw new WireError("missing-field");
  return [...encodeChunk("ANIM", settings), ...frames.flatMap(({ content }) => plainFrame(content))];
}

/** Section 2.7.1.1: a frame is a header and a picture with chunks of its own. */
function plainFrame(content: Bytes): Bytes[] {
  const image = imageOf(chunksOf(content.subarray(FRAME_HEADER_BYTES)));
  requireSameSize(image.size, sizeAt(content, 6));
  return encodeChunk("ANMF", content.subarray(0, FRAME_HEADER_BYTES), ...image.parts);
}

/** A picture with or without losses; only the first kind needs its transparency apart. */
function imageOf(chunks: readonly Chunk[]): { readonly parts: Bytes[]; readonly size: Size } {
  const image = chunks.find(({ type }) => type === "VP8 " || type === "VP8L");
  if (image === undefined) throw new WireError("missing-field");
  const parts = encodeChunk(image.type, image.content);
  if (image.type === "VP8L") return { parts, size: losslessSize(image.content) };
  const alpha = chunks.find(({ type }) => type === "ALPH");
  return { parts: [...(alpha === undefined ? [] : encodeChunk("ALPH", alpha.content)), ...parts], size: lossySize(image.content) };
}

/** RFC 6386, section 9.1: a key frame begins with three bytes, a start code, and the size in 14 bits each. */
function lossySize(content: Bytes): Size {
  if (littleEndian(content, 0, 1) % 2 !== 0 || !hasText(content, 3, "\x9d\x01\x2a")) throw new WireError("bad-value");
  const [width, height] = [littleEndian(content, 6, 2) & 0x3fff, littleEndian(content, 8, 2) & 0x3fff];
  if (width === 0 || height === 0) throw new WireError("bad-value");
  return { width, height };
}

/** Section 3.4: a signature, and the size less one in 14 bits each. */
function losslessSize(content: Bytes): Size {
  if (littleEndian(content, 0, 1) !== 0x2f) throw new WireError("bad-value");
  const bits = littleEndian(content, 1, 4);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** Less one, in 24 bits each. */
function sizeAt(bytes: Bytes, at: number): Size {
  return { width: littleEndian(bytes, at, 3) + 1, height: littleEndian(bytes, at + 3, 3) + 1 };
}

function requireSameSize(a: Size, b: Size): void {
  if (a.width !== b.width || a.height !== b.height) throw new WireError("bad-value");
}

/** Of the first of this type. */
function contentOf(chunks: readonly Chunk[], type: string): Bytes {
  return chunks.find((chunk) => chunk.type === type)?.content ?? EMPTY;
}
