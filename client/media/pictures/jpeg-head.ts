// What application segments say about how a JPEG is shown, and how little of them is needed for it: that the colours are
// YCbCr (JFIF), which colour transform there is (Adobe), how the picture is turned (EXIF), and the colour profile (ICC).
// Everything else in them, and every other one, is dropped.

import { ascii, type Bytes, concat } from "#wire";
import { plainProfile } from "./colour-profile.ts";
import { encodeSegment, MARKERS, MAX_SEGMENT_BYTES } from "./jpeg-segments.ts";
import { encodeOrientation, type Orientation, orientationOf, UPRIGHT } from "./orientation.ts";
import { hasText } from "./reading.ts";

const JFIF = "JFIF\0";
const EXIF = "Exif\0\0";
const ICC = "ICC_PROFILE\0";
const ADOBE = "Adobe";

// Version 1.2, no unit, pixels as wide as they are high, no thumbnail.
const PLAIN_JFIF: Bytes = concat(ascii(JFIF), new Uint8Array([1, 2, 0, 0, 1, 0, 1, 0, 0]));
const ADOBE_BYTES = 12;
/** Version 100 and no flags; the transform follows. */
const PLAIN_ADOBE: Bytes = concat(ascii(ADOBE), new Uint8Array([0, 100, 0, 0, 0, 0]));
/** The number of a piece of the profile, and how many there are, from 1 (ICC.1:2022, B.4). */
const PIECE_HEADER_BYTES = ICC.length + 2;

export class JpegHead {
  #jfif = false;
  #orientation: Orientation | undefined;
  #transform: number | undefined;
  readonly #profilePieces: Bytes[] = [];

  get orientation(): Orientation {
    return this.#orientation ?? UPRIGHT;
  }

  /** Of several of a kind the first counts. */
  read(marker: number, content: Bytes): void {
    if (marker === MARKERS.APP0 && hasText(content, 0, JFIF)) {
      this.#jfif ||= content.length >= PLAIN_JFIF.length;
    } else if (marker === MARKERS.APP1 && hasText(content, 0, EXIF)) {
      this.#orientation ??= orientationOf(content.subarray(EXIF.length));
    } else if (marker === MARKERS.APP2 && hasText(content, 0, ICC)) {
      this.#profilePieces.push(content.subarray(ICC.length));
    } else if (marker === MARKERS.APP14 && hasText(content, 0, ADOBE)) {
      this.#transform ??= content[ADOBE_BYTES - 1];
    }
  }

  /** The segments written anew. */
  encode(): Bytes[] {
    const segments: Bytes[] = [];
    if (this.#jfif) segments.push(encodeSegment(MARKERS.APP0, PLAIN_JFIF));
    const turned = encodeOrientation(this.orientation);
    if (turned !== undefined) segments.push(encodeSegment(MARKERS.APP1, concat(ascii(EXIF), turned)));
    if (this.#transform !== undefined) {
      segments.push(encodeSegment(MARKERS.APP14, concat(PLAIN_ADOBE, new Uint8Array([this.#transform]))));
    }
    const profile = joined(this.#profilePieces);
    return [...segments, ...(profile === undefined ? [] : inPieces(plainProfile(profile)))];
  }
}

/** Nothing unless all the pieces are there, once each: then decoders do without the profile as well. */
function joined(pieces: readonly Bytes[]): Bytes | undefined {
  const inOrder = pieces.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  const complete = inOrder.every(([number, count], at) => number === at + 1 && count === pieces.length);
  return pieces.length > 0 && complete ? concat(...inOrder.map((piece) => piece.subarray(2))) : undefined;
}

function inPieces(profile: Bytes | undefined): Bytes[] {
  if (profile === undefined) return [];
  const room = MAX_SEGMENT_BYTES - PIECE_HEADER_BYTES;
  const count = Math.ceil(profile.length / room);
  return Array.from({ length: count }, (_, i) => {
    const piece = profile.subarray(i * room, (i + 1) * room);
    return encodeSegment(MARKERS.APP2, concat(ascii(ICC), new Uint8Array([i + 1, count]), piece));
  });
}
