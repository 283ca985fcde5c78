// Boxes of ISO base media files, written from their description. Shares nothing with what reads them.

import { ascii, be32, type Bytes, concat } from "#wire";

export function box(type: string, ...contents: readonly Bytes[]): Bytes {
  const content = concat(...contents);
  return concat(be32(8 + content.length), ascii(type), content);
}

export function full(type: string, version: number, flags: number, ...contents: readonly Bytes[]): Bytes {
  return box(type, new Uint8Array([version]), be32(flags).subarray(1), ...contents);
}

/** With a size of 64 bits. */
export function longBox(type: string, content: Bytes): Bytes {
  return concat(be32(1), ascii(type), be32(0), be32(16 + content.length), content);
}

/** With a size of 0: to the end of the file. */
export function lastBox(type: string, content: Bytes): Bytes {
  return concat(be32(0), ascii(type), content);
}

export function zeros(length: number): Bytes {
  return new Uint8Array(length);
}

/** With some bytes changed to others. */
export function changed(bytes: Bytes, at: number, ...to: readonly Bytes[]): Bytes {
  const copy = bytes.slice();
  copy.set(concat(...to), at);
  return copy;
}

/** Where a text begins, the first time behind `from`. */
export function find(bytes: Bytes, text: string, from = 0): number {
  const wanted = ascii(text);
  for (let at = from; at + wanted.length <= bytes.length; at++) if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  throw new Error(`there is no ${text}`);
}
