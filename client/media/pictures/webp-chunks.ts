// The chunks of a WebP file (RFC 9649, section 2.3): where each begins and ends. Knows no type.

import { ascii, type Bytes, WireError } from "#wire";
import { littleEndian, partOf, textAt } from "./reading.ts";

const CHUNK_HEADER_BYTES = 8;
const FILE_HEADER_BYTES = 12;

export interface Chunk {
  readonly type: string;
  readonly content: Bytes;
}

/** All of a file, or of a frame in it. @throws WireError */
export function chunksOf(bytes: Bytes): Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  while (at < bytes.length) {
    const type = textAt(bytes, at, 4);
    if (!/^[\x20-\x7e]{4}$/.test(type)) throw new WireError("bad-value");
    const length = littleEndian(bytes, at + 4, 4);
    // On even boundaries
    const padded = partOf(bytes, at + CHUNK_HEADER_BYTES, length + (length % 2));
    chunks.push({ type, content: padded.subarray(0, length) });
    at += CHUNK_HEADER_BYTES + padded.length;
  }
  return chunks;
}

/** What a RIFF header says is the file; what follows is nobody's. @throws WireError */
export function fileContent(bytes: Bytes): Bytes {
  return partOf(bytes, FILE_HEADER_BYTES, Math.max(0, littleEndian(bytes, 4, 4) - 4));
}

export function encodeChunk(type: string, ...contents: readonly Bytes[]): Bytes[] {
  const length = totalLength(contents);
  return [ascii(type), le32(length), ...contents, new Uint8Array(length % 2)];
}

export function encodeFile(chunks: readonly Bytes[]): Bytes[] {
  return [ascii("RIFF"), le32(totalLength(chunks) + 4), ascii("WEBP"), ...chunks];
}

function totalLength(parts: readonly Bytes[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}

function le32(value: number): Bytes {
  return new Uint8Array([value, value >>> 8, value >>> 16, value >>> 24]);
}
