// GIF (version 89a) without metadata: the frames and how they follow each other. Comments, XMP, what programs add and what
// follows the end are left out. The frames are not decoded: bytes behind a picture, inside of its blocks, stay.

import { type Bytes, WireError } from "#wire";
import type { PlainPicture } from "./plain.ts";
import { bigEndian, hasText, littleEndian, partOf } from "./reading.ts";

const HEADER_BYTES = 13;
const FRAME_HEADER_BYTES = 10;

const FRAME = 0x2c;
const EXTENSION = 0x21;
const TRAILER = 0x3b;
const CONTROL_LABEL = 0xf9;
const APPLICATION_LABEL = 0xff;

/** Of the extensions the one that says how often it plays: two bytes, and behind them no more. */
const LOOPS = "\x0bNETSCAPE2.0\x03\x01";
const LOOPS_BYTES: number = 2 + LOOPS.length + 2 + 1;
/** A block of four bytes, and behind it no more (23). */
const CONTROL_BYTES = 2 + 1 + 4 + 1;

/** @throws WireError */
export function plainGif(bytes: Bytes): PlainPicture {
  const header = partOf(bytes, 0, HEADER_BYTES);
  const [width, height] = [littleEndian(header, 6, 2), littleEndian(header, 8, 2)];
  if (width === 0 || height === 0) throw new WireError("bad-value");
  let at = HEADER_BYTES + colourBytes(bigEndian(header, 10, 1));
  const parts: Bytes[] = [partOf(bytes, 0, at)];
  let frames = 0;
  for (let kind = bigEndian(bytes, at, 1); kind !== TRAILER; kind = bigEndian(bytes, at, 1)) {
    const end = endOf(kind, bytes, at);
    const block = bytes.subarray(at, end);
    if (kind === FRAME) frames++;
    if (kind === FRAME || isShown(block)) parts.push(block);
    at = end;
  }
  if (frames === 0) throw new WireError("missing-field");
  return { parts: [...parts, new Uint8Array([TRAILER])], width, height };
}

function endOf(kind: number, bytes: Bytes, at: number): number {
  if (kind === FRAME) return endOfFrame(bytes, at);
  if (kind === EXTENSION) return endOfBlocks(bytes, at + 2);
  throw new WireError("bad-value");
}

/** 18: the highest bit says that there is a table, the lowest three how long it is. */
function colourBytes(packed: number): number {
  return packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0;
}

/** 20 to 22: header, colours, the size of codes, blocks. */
function endOfFrame(bytes: Bytes, at: number): number {
  return endOfBlocks(bytes, at + FRAME_HEADER_BYTES + colourBytes(bigEndian(bytes, at + 9, 1)) + 1);
}

/** 15: blocks with their length before them, until one of length 0. */
function endOfBlocks(bytes: Bytes, from: number): number {
  let at = from;
  for (let length = bigEndian(bytes, at, 1); length !== 0; length = bigEndian(bytes, at, 1)) at += 1 + length;
  return at + 1;
}

function isShown(extension: Bytes): boolean {
  switch (extension[1]) {
    case CONTROL_LABEL:
      if (extension.length !== CONTROL_BYTES) throw new WireError("bad-length");
      return true;
    case APPLICATION_LABEL:
      return extension.length === LOOPS_BYTES && hasText(extension, 2, LOOPS);
    default:
      return false;
  }
}
