// Parts and numbers out of a picture's bytes, never past its end. Knows no format.

import { type Bytes, WireError } from "#wire";

/** A view of `length` bytes. @throws WireError `truncated` */
export function partOf(bytes: Bytes, at: number, length: number): Bytes {
  if (at + length > bytes.length) throw new WireError("truncated");
  return bytes.subarray(at, at + length);
}

/** How a number of `size` bytes, at most 4, is read. @throws WireError `truncated` */
export type NumberReader = (bytes: Bytes, at: number, size: number) => number;

export function bigEndian(bytes: Bytes, at: number, size: number): number {
  return partOf(bytes, at, size).reduce((number, byte) => number * 256 + byte, 0);
}

export function littleEndian(bytes: Bytes, at: number, size: number): number {
  return partOf(bytes, at, size).reduceRight((number, byte) => number * 256 + byte, 0);
}

/** ASCII text of a fixed length: a chunk's type, a signature. @throws WireError `truncated` */
export function textAt(bytes: Bytes, at: number, length: number): string {
  return String.fromCharCode(...partOf(bytes, at, length));
}

/** Whether `text` stands there, wherever the bytes end. */
export function hasText(bytes: Bytes, at: number, text: string): boolean {
  return at + text.length <= bytes.length && textAt(bytes, at, text.length) === text;
}
