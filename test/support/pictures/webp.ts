// WebP files: a small encoder of lossless pictures in two colours, and a place for every chunk. Shares nothing with what
// reads them.

import { ascii, type Bytes, concat } from "#wire";
import { MARK } from "./tiff.ts";

export const WIDTH = 9;
export const HEIGHT = 6;

export function chunk(type: string, ...contents: readonly Bytes[]): Bytes {
  const content = concat(...contents);
  return concat(ascii(type), little(content.length, 4), content, new Uint8Array(content.length % 2));
}

export function webp(chunks: readonly Bytes[], after: Bytes = new Uint8Array(0)): Bytes {
  const content = concat(ascii("WEBP"), ...chunks);
  return concat(ascii("RIFF"), little(content.length, 4), content, after);
}

export const FLAGS = { profile: 0x20, alpha: 0x10, exif: 0x08, xmp: 0x04, animation: 0x02 } as const;

export function extended(flags: number): Bytes {
  return chunk("VP8X", little(flags, 4), little(WIDTH - 1, 3), little(HEIGHT - 1, 3));
}

/** RFC 9649, section 3: no transforms, and codes of one symbol but for green, which has two. Bits come lowest first. */
export function lossless(greens: readonly [number, number] = [60, 200]): Bytes {
  const green = `111${bits(greens[0], 8)}${bits(greens[1], 8)}`;
  const others = [90, 30, 255, 0].map((symbol) => `101${bits(symbol, 8)}`).join("");
  const pixels = Array.from({ length: WIDTH * HEIGHT }, (_, i) => (((i % WIDTH) + Math.floor(i / WIDTH)) % 3 === 0 ? "1" : "0")).join("");
  const all = `${bits(WIDTH - 1, 14)}${bits(HEIGHT - 1, 14)}0000000${green}${others}${pixels}`;
  const bytes = all.padEnd(Math.ceil(all.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  return chunk("VP8L", new Uint8Array([0x2f, ...bytes.map((byte) => Number.parseInt([...byte].reverse().join(""), 2))]));
}

/** As a frame of an animation. */
export function frame(...chunks: readonly Bytes[]): Bytes {
  return chunk("ANMF", little(0, 6), little(WIDTH - 1, 3), little(HEIGHT - 1, 3), little(100, 3), little(0, 1), ...chunks);
}

export const animation: Bytes = chunk("ANIM", little(0xffffffff, 4), little(0, 2));

/** The beginning of a picture with losses: enough to be read, not to be shown. */
export const lossy: Bytes = chunk(
  "VP8 ",
  new Uint8Array([0x10, 0, 0, 0x9d, 0x01, 0x2a]),
  little(WIDTH, 2),
  little(HEIGHT, 2),
  new Uint8Array(9),
);
export const alpha: Bytes = chunk("ALPH", new Uint8Array(1 + WIDTH * HEIGHT).fill(200, 1));

/** Chunks that say nothing about how the picture is shown, by what they are. */
export const SILENT_CHUNKS: Readonly<Record<string, Bytes>> = {
  XMP: chunk("XMP ", ascii(`<x:xmpmeta>${MARK}</x:xmpmeta>`)),
  "a program's": chunk("NOTE", ascii(MARK)),
  "a program's of odd length": chunk("note", ascii(`${MARK}!`)),
};

function bits(value: number, count: number): string {
  return [...value.toString(2).padStart(count, "0")].reverse().join("");
}

function little(value: number, size: number): Bytes {
  return Uint8Array.from({ length: size }, (_, at) => Math.floor(value / 256 ** at) % 256);
}
