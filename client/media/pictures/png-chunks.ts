// The chunks of a PNG file (W3C PNG 3, clause 5): where each begins and ends, and that it is what was written. Knows no type
// but the last one.

import { ascii, be32, type Bytes, concat, WireError } from "#wire";
import { crc32 } from "./crc32.ts";
import { bigEndian, partOf, textAt } from "./reading.ts";

export const SIGNATURE_BYTES = 8;

export interface Chunk {
  readonly type: string;
  readonly content: Bytes;
  /** With its length, type and CRC. */
  readonly whole: Bytes;
}

/** Up to IEND, which comes last; what follows is nobody's. @throws WireError */
export function* chunksOf(bytes: Bytes): Generator<Chunk> {
  let at = SIGNATURE_BYTES;
  for (;;) {
    const length = bigEndian(bytes, at, 4);
    const whole = partOf(bytes, at, 12 + length);
    const type = textAt(whole, 4, 4);
    const stated = bigEndian(whole, 8 + length, 4);
    if (!/^[A-Za-z]{4}$/.test(type) || crc32(whole.subarray(4, 8 + length)) !== stated) throw new WireError("bad-value");
    yield { type, content: whole.subarray(8, 8 + length), whole };
    if (type === "IEND") return;
    at += whole.length;
  }
}

export function encodeChunk(type: string, content: Bytes): Bytes {
  const checked = concat(ascii(type), content);
  return concat(be32(content.length), checked, be32(crc32(checked)));
}
