// How a picture has to be turned: the one thing in EXIF that shows it rightly (CIPA DC-008, tag 0x0112). The rest of EXIF
// (place, time, camera, the maker's notes, a second picture) is not read, and a block with this one tag is written in its
// place. A block that cannot be read turns nothing, as in the decoders of browsers.

import { ascii, be16, be32, type Bytes, concat, WireError } from "#wire";
import { bigEndian, hasText, littleEndian, type NumberReader } from "./reading.ts";

/** 1 is upright; from 5 on width and height change places. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const UPRIGHT: Orientation = 1;

const TAG = 0x0112;
const TYPE_SHORT = 3;
const ENTRY_BYTES = 12;
const ORIENTATIONS: readonly Orientation[] = [1, 2, 3, 4, 5, 6, 7, 8];

/** From the TIFF structure that EXIF is, without the name that JPEG puts before it. */
export function orientationOf(tiff: Bytes): Orientation {
  try {
    const value = readTag(tiff, readerFor(tiff));
    return ORIENTATIONS.find((known) => known === value) ?? UPRIGHT;
  } catch (error) {
    if (error instanceof WireError) return UPRIGHT;
    throw error;
  }
}

function readerFor(tiff: Bytes): NumberReader {
  if (hasText(tiff, 0, "MM\0*")) return bigEndian;
  if (hasText(tiff, 0, "II*\0")) return littleEndian;
  throw new WireError("bad-value");
}

function readTag(tiff: Bytes, number: NumberReader): number | undefined {
  const directory = number(tiff, 4, 4);
  const entries = number(tiff, directory, 2);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES;
    if (number(tiff, entry, 2) !== TAG) continue;
    return number(tiff, entry + 2, 2) === TYPE_SHORT && number(tiff, entry + 4, 4) === 1 ? number(tiff, entry + 8, 2) : undefined;
  }
  return undefined;
}

/** A TIFF structure with nothing else in it; nothing at all for an upright picture. */
export function encodeOrientation(orientation: Orientation): Bytes | undefined {
  if (orientation === UPRIGHT) return undefined;
  const entry = concat(be16(TAG), be16(TYPE_SHORT), be32(1), be16(orientation), be16(0));
  return concat(ascii("MM\0*"), be32(8), be16(1), entry, be32(0));
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of a picture once it is turned. */
export function turnedSize({ width, height }: Size, orientation: Orientation): Size {
  return orientation < 5 ? { width, height } : { width: height, height: width };
}
