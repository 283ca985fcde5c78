// The erasure code of the ML-KEM Braid: a message of N × 32 bytes becomes any number of 32-byte chunks, and any N
// of them give it back. Big-endian word i of the message belongs to polynomial i mod 16 at the point ⌊i / 16⌋;
// chunk c holds the sixteen polynomials at the point c. So the first N chunks are the message itself, and only a
// lost one costs arithmetic.

import { type Bytes, UsageError } from "#wire";
import { divide, multiply } from "./gf65536.ts";

export const CHUNK_BYTES: number = 32;
const WORDS = 16;
const INDEX_BYTES = 2;
const ENTRY_BYTES: number = INDEX_BYTES + CHUNK_BYTES;
/** Indexes are points of the field; after the last one they begin again. */
export const CHUNK_INDEXES: number = 0x1_0000;

export interface Encoder {
  readonly message: Bytes;
  readonly nextIndex: number;
}

export interface Chunk {
  readonly index: number;
  readonly data: Bytes;
}

/** `message` has a multiple of 32 bytes and is kept: the caller must not change it. */
export function startEncoder(message: Bytes): Encoder {
  if (message.length === 0 || message.length % CHUNK_BYTES !== 0) throw new UsageError("bad-argument", "a coded message has whole chunks");
  return { message, nextIndex: 0 };
}

export function nextChunk(encoder: Encoder): { readonly chunk: Chunk; readonly encoder: Encoder } {
  const index = encoder.nextIndex;
  const chunk: Chunk = { index, data: chunkAt(encoder.message, index) };
  return { chunk, encoder: { message: encoder.message, nextIndex: (index + 1) % CHUNK_INDEXES } };
}

function chunkAt(message: Bytes, index: number): Bytes {
  const count = message.length / CHUNK_BYTES;
  if (index < count) return message.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
  return evaluate(firstPoints(count), { bytes: message, offset: 0, stride: CHUNK_BYTES }, index);
}

/** Chunks received so far, packed as (index, data) in order of arrival; indexes are distinct. */
export interface Decoder {
  readonly needed: number;
  readonly received: Bytes;
}

export function startDecoder(messageBytes: number): Decoder {
  return { needed: messageBytes / CHUNK_BYTES, received: new Uint8Array(0) };
}

/** A chunk that is there already, or one more than needed, changes nothing. */
export function addChunk(decoder: Decoder, chunk: Chunk): Decoder {
  const { received, needed } = decoder;
  if (received.length === needed * ENTRY_BYTES || indexesOf(received).includes(chunk.index)) return decoder;
  const longer = new Uint8Array(received.length + ENTRY_BYTES);
  longer.set(received);
  longer[received.length] = chunk.index >> 8;
  longer[received.length + 1] = chunk.index;
  longer.set(chunk.data, received.length + INDEX_BYTES);
  return { needed, received: longer };
}

/** The message, once N chunks are there. */
export function decodeMessage(decoder: Decoder): Bytes | undefined {
  const { received, needed } = decoder;
  if (received.length < needed * ENTRY_BYTES) return undefined;
  const indexes = indexesOf(received);
  const message = new Uint8Array(needed * CHUNK_BYTES);
  indexes.forEach((index, at) => {
    if (index < needed) message.set(dataAt(received, at), index * CHUNK_BYTES);
  });
  const lost = Array.from({ length: needed }, (_, index) => index).filter((index) => !indexes.includes(index));
  if (lost.length === 0) return message;
  const [points, values] = [pointsAt(indexes), { bytes: received, offset: INDEX_BYTES, stride: ENTRY_BYTES }];
  for (const index of lost) message.set(evaluate(points, values, index), index * CHUNK_BYTES);
  return message;
}

/** Whether stored bytes are chunks that `addChunk` can have collected. */
export function isDecoder({ needed, received }: Decoder): boolean {
  const indexes = indexesOf(received);
  return received.length % ENTRY_BYTES === 0 && indexes.length <= needed && new Set(indexes).size === indexes.length;
}

function indexesOf(received: Bytes): readonly number[] {
  const indexes: number[] = [];
  for (let at = 0; at + ENTRY_BYTES <= received.length; at += ENTRY_BYTES)
    indexes.push(((received[at] ?? 0) << 8) | (received[at + 1] ?? 0));
  return indexes;
}

function dataAt(received: Bytes, position: number): Bytes {
  const at = position * ENTRY_BYTES + INDEX_BYTES;
  return received.subarray(at, at + CHUNK_BYTES);
}

/** Points x_i where the polynomials are known, and for each the product of x_i - x_j over j ≠ i. */
interface Points {
  readonly at: readonly number[];
  readonly denominators: Uint16Array;
}

/** Where value i of all sixteen polynomials stands: at `offset + i × stride`. */
interface Values {
  readonly bytes: Bytes;
  readonly offset: number;
  readonly stride: number;
}

/** In this field subtraction is exclusive or. */
function pointsAt(at: readonly number[]): Points {
  const denominators = Uint16Array.from(at, (point) => {
    let product = 1;
    for (const other of at) if (other !== point) product = multiply(product, point ^ other);
    return product;
  });
  return { at, denominators };
}

/** By number of chunks, for the few lengths of message that the braid has: what the encoder's weights cost is paid once. */
const remembered = new Map<number, Points>();

function firstPoints(count: number): Points {
  const known = remembered.get(count);
  if (known !== undefined) return known;
  const points = pointsAt(Array.from({ length: count }, (_, point) => point));
  remembered.set(count, points);
  return points;
}

/**
 * The sixteen polynomials at `x`, which is none of the points, by Lagrange's formula: the coefficient of value i is
 * Π (x - x_j) / (x_i - x_j) over j ≠ i.
 */
function evaluate({ at: points, denominators }: Points, { bytes, offset, stride }: Values, x: number): Bytes {
  let whole = 1;
  for (const point of points) whole = multiply(whole, x ^ point);
  const sum = new Uint16Array(WORDS);
  points.forEach((point, i) => {
    const coefficient = divide(whole, multiply(x ^ point, denominators[i] ?? 1));
    for (let word = 0, at = offset + i * stride; word < WORDS; word++, at += 2) {
      sum[word] = (sum[word] ?? 0) ^ multiply(coefficient, ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
    }
  });
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let word = 0; word < WORDS; word++) {
    const value = sum[word] ?? 0;
    chunk[2 * word] = value >> 8;
    chunk[2 * word + 1] = value;
  }
  return chunk;
}
