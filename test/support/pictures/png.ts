// PNG files: uncompressed pictures, and a place for every chunk. Shares nothing with what reads them.

import { ascii, be16, be32, type Bytes, concat } from "#wire";
import { MARK } from "./tiff.ts";

export const WIDTH = 7;
export const HEIGHT = 5;

export function chunk(type: string, ...contents: readonly Bytes[]): Bytes {
  const content = concat(...contents);
  return concat(be32(content.length), ascii(type), content, be32(crc(concat(ascii(type), content))));
}

export interface PngOptions {
  readonly before?: readonly Bytes[];
  readonly behind?: readonly Bytes[];
  readonly after?: Bytes;
  /** With a palette of three colours; else red, green and blue. */
  readonly indexed?: boolean;
}

export function png({ before = [], behind = [], after = new Uint8Array(0), indexed = false }: PngOptions = {}): Bytes {
  return concat(
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", be32(WIDTH), be32(HEIGHT), new Uint8Array([8, indexed ? 3 : 2, 0, 0, 0])),
    ...before,
    ...(indexed ? [chunk("PLTE", new Uint8Array([200, 30, 60, 10, 180, 90, 70, 20, 230])), chunk("tRNS", new Uint8Array([255, 128]))] : []),
    ...picture(indexed ? 1 : 3, 0).map((part) => chunk("IDAT", part)),
    ...behind,
    chunk("IEND"),
    after,
  );
}

/** The same picture with a second frame. */
export const ANIMATION: { readonly before: readonly Bytes[]; readonly behind: readonly Bytes[] } = {
  before: [chunk("acTL", be32(2), be32(0)), frame(0)],
  behind: [frame(1), ...picture(3, 50).map((part, at) => chunk("fdAT", be32(2 + at), part))],
};

function frame(sequence: number): Bytes {
  return chunk("fcTL", be32(sequence), be32(WIDTH), be32(HEIGHT), be32(0), be32(0), be16(1), be16(10), new Uint8Array(2));
}

/** In two parts, as long pictures are. */
function picture(samples: number, shift: number): Bytes[] {
  const rows = Array.from({ length: HEIGHT }, (_, y) => [
    0,
    ...Array.from({ length: WIDTH * samples }, (_, x) => (samples === 1 ? (x + y) % 3 : (x * 40 + y * 25 + shift) % 256)),
  ]);
  const compressed = zlib(new Uint8Array(rows.flat()));
  return [compressed.subarray(0, 20), compressed.subarray(20)];
}

/** RFC 1950, in one stored block. */
export function zlib(bytes: Bytes): Bytes {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const length = new Uint8Array([bytes.length & 0xff, bytes.length >> 8]);
  return concat(
    new Uint8Array([0x78, 0x01, 0x01]),
    length,
    length.map((byte) => byte ^ 0xff),
    bytes,
    be16(b),
    be16(a),
  );
}

function crc(bytes: Bytes): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb8_8320 : remainder >>> 1;
  }
  return ~remainder >>> 0;
}

export const profileChunk = (profile: Bytes): Bytes => chunk("iCCP", ascii(`${MARK}\0\0`), zlib(profile));
export const exifChunk = (exif: Bytes): Bytes => chunk("eXIf", exif);

export const COLOUR_CHUNKS: readonly Bytes[] = [
  chunk("cHRM", ...[31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000].map(be32)),
  chunk("gAMA", be32(100_000)),
];

/** Chunks that say nothing about how the picture is shown, by what they are. */
export const SILENT_CHUNKS: Readonly<Record<string, Bytes>> = {
  "a text": chunk("tEXt", ascii(`Comment\0${MARK}`)),
  "a text's name": chunk("tEXt", ascii(`${MARK}\0text`)),
  "a compressed text": chunk("zTXt", ascii("Comment\0\0"), zlib(ascii(MARK))),
  XMP: chunk("iTXt", ascii(`XML:com.adobe.xmp\0\0\0\0\0${MARK}`)),
  "EXIF of old programs": chunk("zxIf", ascii(MARK)),
  "a proposed palette": chunk("sPLT", ascii(`${MARK}\0\x08`)),
  "a program's": chunk("prVt", ascii(MARK)),
};
