// JPEG files: a small encoder of flat 8 by 8 blocks, and a place for every segment. Shares nothing with what reads them.

import { ascii, be16, be32, type Bytes, concat } from "#wire";
import { MARK } from "./tiff.ts";

export const WIDTH = 24;
export const HEIGHT = 16;
const BLOCKS = 6;

export function segment(marker: number, ...contents: readonly Bytes[]): Bytes {
  const content = concat(...contents);
  return concat(new Uint8Array([0xff, marker]), be16(content.length + 2), content);
}

export interface JpegOptions {
  /** In front of everything else, between the scans, and behind the end. */
  readonly before?: readonly Bytes[];
  readonly between?: Bytes;
  readonly after?: Bytes;
  /** A restart marker behind each block. */
  readonly restarts?: boolean;
  /** The three letters or numbers of the components: what they are called decides what colours they are. */
  readonly components?: string;
}

/** Three components, one scan each. */
export function jpeg(options: JpegOptions = {}): Bytes {
  const { before = [], between = new Uint8Array(0), after = new Uint8Array(0), restarts = false, components = "\x01\x02\x03" } = options;
  const scans = [0, 1, 2].map((component) => {
    const levels = Array.from({ length: BLOCKS }, (_, block) => ((block * 37 + component * 71) % 200) - 100);
    return concat(segment(0xda, new Uint8Array([1, components.charCodeAt(component), 0, 0, 63, 0])), entropy(levels, restarts), between);
  });
  return concat(
    new Uint8Array([0xff, 0xd8]),
    ...before,
    segment(0xdb, new Uint8Array(65).fill(8, 1)),
    segment(
      0xc0,
      new Uint8Array([8]),
      be16(HEIGHT),
      be16(WIDTH),
      new Uint8Array([3, ...[0, 1, 2].flatMap((i) => [components.charCodeAt(i), 0x11, 0])]),
    ),
    // Differences of up to 8 bits, each in a code of 4 bits; and of the other coefficients the end alone, in 1 bit
    segment(
      0xc4,
      new Uint8Array([0, 0, 0, 0, 9, ...new Uint8Array(12), 0, 1, 2, 3, 4, 5, 6, 7, 8]),
      new Uint8Array([0x10, 1, ...new Uint8Array(15), 0]),
    ),
    ...(restarts ? [segment(0xdd, be16(1))] : []),
    ...scans,
    new Uint8Array([0xff, 0xd9]),
    after,
  );
}

function entropy(levels: readonly number[], restarts: boolean): Bytes {
  if (!restarts) return packed(levels.map((level, at) => block(level - (levels[at - 1] ?? 0))).join(""));
  const pieces = levels.map((level, at) => {
    const marker = at === levels.length - 1 ? [] : [0xff, 0xd0 + (at % 8)];
    return concat(packed(block(level)), new Uint8Array(marker));
  });
  return concat(...pieces);
}

function block(difference: number): string {
  const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
  const value = difference < 0 ? difference + 2 ** size - 1 : difference;
  return size.toString(2).padStart(4, "0") + (size === 0 ? "" : value.toString(2).padStart(size, "0")) + "0";
}

/** Ones to the end of the byte, and a zero behind each 0xff. */
function packed(bits: string): Bytes {
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1").match(/.{8}/g) ?? [];
  return new Uint8Array(bytes.flatMap((byte) => (byte === "11111111" ? [0xff, 0] : [Number.parseInt(byte, 2)])));
}

export const jfif = (): Bytes => segment(0xe0, ascii("JFIF\0"), new Uint8Array([1, 1, 1, 0, 72, 0, 72, 2, 2]), ascii(`${MARK}xx`));
export const exifSegment = (exif: Bytes): Bytes => segment(0xe1, ascii("Exif\0\0"), exif);
export const adobe = (transform: number): Bytes =>
  segment(0xee, ascii("Adobe"), new Uint8Array([0, 100, 0x80, 0, 0, 0, transform]), ascii(MARK));

export function profileSegments(profile: Bytes, pieces = 2): Bytes[] {
  const size = Math.ceil(profile.length / pieces);
  return Array.from({ length: pieces }, (_, i) =>
    segment(0xe2, ascii("ICC_PROFILE\0"), new Uint8Array([i + 1, pieces]), profile.subarray(i * size, (i + 1) * size)),
  );
}

/** Segments that say nothing about how the picture is shown, by what they are. */
export const SILENT_SEGMENTS: Readonly<Record<string, Bytes>> = {
  "a comment": segment(0xfe, ascii(MARK)),
  XMP: segment(0xe1, ascii(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${MARK}</x:xmpmeta>`)),
  "more XMP": segment(0xe1, ascii(`http://ns.adobe.com/xmp/extension/\0${MARK}`)),
  IPTC: segment(0xed, ascii("Photoshop 3.0\x008BIM\x04\x04\0\0"), be32(15), ascii(`\x1c\x02\x05\0\x0a${MARK}`)),
  "a thumbnail of JFIF": segment(0xe0, ascii(`JFXX\0\x10${MARK}`)),
  "a list of more pictures": segment(0xe2, ascii(`MPF\0MM\0*${MARK}`)),
  FlashPix: segment(0xe2, ascii(`FPXR\0${MARK}`)),
  Ducky: segment(0xec, ascii(`Ducky${MARK}`)),
  "where it comes from": segment(0xeb, ascii(`JP\0\x01${MARK}`)),
  "a maker's": segment(0xe5, ascii(MARK)),
  "the last kind": segment(0xef, ascii(MARK)),
};
