// The message of the post-quantum ratchet, as it stands in a session message:
//   0x01 ‖ varint(epoch) ‖ varint(index) ‖ type ‖ [ varint(chunk index) ‖ 32 bytes ]
// What follows is ignored, as the deployed reader does.

import { type Bytes, concat, copy, WireError } from "#wire";
import { CHUNK_BYTES, type Chunk } from "./chunks.ts";

export const SPQR_VERSION: number = 1;

/** In the order of their numbers on the wire. */
const KINDS = ["none", "header", "vector", "vector-ct1-ack", "ct1-ack", "ct1", "ct2"] as const;

/** What one side tells the other about the epoch's key exchange. */
export type BraidPayload =
  | { readonly kind: "none" | "ct1-ack" }
  | { readonly kind: "header" | "vector" | "vector-ct1-ack" | "ct1" | "ct2"; readonly chunk: Chunk };

export interface SpqrMessage {
  readonly epoch: number;
  /** Position in the sender's chain of the epoch before. */
  readonly index: number;
  readonly payload: BraidPayload;
}

export function encodeSpqrMessage({ epoch, index, payload }: SpqrMessage): Bytes {
  const head = [SPQR_VERSION, ...varint(epoch), ...varint(index), KINDS.indexOf(payload.kind)];
  if (!("chunk" in payload)) return new Uint8Array(head);
  return concat(new Uint8Array([...head, ...varint(payload.chunk.index)]), payload.chunk.data);
}

/** The version byte was read before. @throws WireError `truncated`, `bad-value`. */
export function decodeSpqrMessage(bytes: Bytes): SpqrMessage {
  const cursor = { bytes, at: 1 };
  const epoch = readVarint(cursor, Number.MAX_SAFE_INTEGER);
  if (epoch === 0) throw new WireError("bad-value");
  const index = readVarint(cursor, 0xffff_ffff);
  const kind = KINDS[readByte(cursor)];
  if (kind === undefined) throw new WireError("bad-value");
  if (kind === "none" || kind === "ct1-ack") return { epoch, index, payload: { kind } };
  const chunkIndex = readVarint(cursor, 0xffff);
  if (bytes.length - cursor.at < CHUNK_BYTES) throw new WireError("truncated");
  const data = copy(bytes.subarray(cursor.at, cursor.at + CHUNK_BYTES));
  return { epoch, index, payload: { kind, chunk: { index: chunkIndex, data } } };
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

interface Cursor {
  readonly bytes: Bytes;
  at: number;
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++];
  if (byte === undefined) throw new WireError("truncated");
  return byte;
}

function readVarint(cursor: Cursor, maximum: number): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 63; scale *= 0x80) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * scale;
    if (value > maximum) throw new WireError("bad-value");
    if (byte < 0x80) return value;
  }
  throw new WireError("bad-value");
}
