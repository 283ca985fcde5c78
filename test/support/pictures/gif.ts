// GIF files: pictures in four colours whose codes never grow, and a place for every extension. Shares nothing with what
// reads them.

import { ascii, type Bytes, concat } from "#wire";
import { MARK } from "./tiff.ts";

export const WIDTH = 6;
export const HEIGHT = 4;

export interface GifOptions {
  readonly before?: readonly Bytes[];
  readonly behind?: readonly Bytes[];
  readonly after?: Bytes;
}

export function gif({ before = [], behind = [], after = new Uint8Array(0) }: GifOptions = {}): Bytes {
  const screen = [WIDTH, 0, HEIGHT, 0, 0x81, 0, 0];
  const colours = [10, 20, 30, 200, 40, 60, 50, 180, 70, 240, 230, 220];
  return concat(ascii("GIF89a"), new Uint8Array([...screen, ...colours]), ...before, frame(0), ...behind, new Uint8Array([0x3b]), after);
}

/** Codes of three bits: cleared before they would become longer. */
export function frame(shift: number): Bytes {
  const codes = Array.from({ length: WIDTH * HEIGHT }, (_, at) => [
    ...(at % 2 === 0 ? [4] : []),
    (at + shift + Math.floor(at / WIDTH)) % 4,
  ]);
  const bits = [...codes.flat(), 5].map((code) => [...code.toString(2).padStart(3, "0")].reverse().join("")).join("");
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  const content = bytes.map((byte) => Number.parseInt([...byte].reverse().join(""), 2));
  return new Uint8Array([0x2c, 0, 0, 0, 0, WIDTH, 0, HEIGHT, 0, 0, 2, content.length, ...content, 0]);
}

export function extension(label: number, ...blocks: readonly Bytes[]): Bytes {
  const sized = blocks.map((block) => concat(new Uint8Array([block.length]), block));
  return concat(new Uint8Array([0x21, label]), ...sized, new Uint8Array([0]));
}

export const control: Bytes = extension(0xf9, new Uint8Array([4, 10, 0, 0]));
export const loops: Bytes = extension(0xff, ascii("NETSCAPE2.0"), new Uint8Array([1, 0, 0]));

/** Extensions that say nothing about how the picture is shown, by what they are. */
export const SILENT_EXTENSIONS: Readonly<Record<string, Bytes>> = {
  "a comment": extension(0xfe, ascii(MARK), ascii(MARK)),
  XMP: extension(0xff, ascii("XMP DataXMP"), ascii(MARK)),
  "a program's": extension(0xff, ascii("ICCRGBG1012"), ascii(MARK)),
  "a program's that is called like loops": extension(0xff, ascii("NETSCAPE2.0"), ascii(`\x01${MARK}`)),
  "a text over the picture": extension(0x01, new Uint8Array(12), ascii(MARK)),
};
