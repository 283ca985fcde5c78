// Where the samples of a track lie (ISO/IEC 14496-12, 8.6 and 8.7): in chunks, of which three tables say where each begins, how many
// samples it has, and how long these are.

import { type Bytes, WireError } from "#wire";
import { contentOf, requiredContent } from "../pictures/boxes.ts";
import { bigEndian, hasText } from "../pictures/reading.ts";
import type { Track } from "./movie.ts";
import type { Ranges } from "./ranges.ts";

const TABLE_AT = 8;
const RUN_BYTES = 12;

/** @throws WireError */
export function addChunks({ tables, handler }: Pick<Track, "handler" | "tables">, ranges: Ranges): void {
  const offsets = offsetsOf(tables);
  const runs = viewOf(requiredContent(tables, "stsc"));
  const sizes = sizesOf(tables);
  if (handler === "soun" && sizes.same === 1) requireBytes(tables);
  let [sample, run] = [0, -1];
  for (let chunk = 1; chunk <= offsets.count; chunk++) {
    // Runs begin at the chunk that they name, and go on to the next.
    if (run + 1 < runs.count && runs.numberAt((run + 1) * RUN_BYTES) === chunk) run++;
    if (run < 0) throw new WireError("missing-field");
    const samples = runs.numberAt(run * RUN_BYTES + 4);
    if (sample + samples > sizes.count) throw new WireError("truncated");
    ranges.add(offsets.at(chunk - 1), sizes.sum(sample, samples));
    sample += samples;
  }
  // A run for chunks that are not there, or before the one that it follows; in a video of fragments none is there.
  if (offsets.count > 0 && run + 1 !== runs.count) throw new WireError("bad-value");
}

interface Table {
  readonly count: number;
  /** 32 bits. */
  readonly numberAt: (at: number) => number;
}

/** Of a box whose length was checked when it was copied. */
function viewOf(content: Bytes): Table {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  return { count: view.getUint32(TABLE_AT - 4), numberAt: (at) => view.getUint32(TABLE_AT + at) };
}

function offsetsOf(tables: Bytes): { readonly count: number; readonly at: (index: number) => number } {
  const [short, long] = [contentOf(tables, "stco"), contentOf(tables, "co64")];
  const content = short ?? long;
  if (content === undefined || (short !== undefined && long !== undefined)) throw new WireError("missing-field");
  const { count, numberAt } = viewOf(content);
  if (content === short) return { count, at: (index) => numberAt(index * 4) };
  return { count, at: (index) => numberAt(index * 8) * 0x1_0000_0000 + numberAt(index * 8 + 4) };
}

interface Sizes {
  readonly count: number;
  /** Where all have one size. */
  readonly same: number | undefined;
  readonly sum: (first: number, count: number) => number;
}

function sizesOf(tables: Bytes): Sizes {
  const [stsz, stz2] = [contentOf(tables, "stsz"), contentOf(tables, "stz2")];
  const content = stsz ?? stz2;
  if (content === undefined || (stsz !== undefined && stz2 !== undefined)) throw new WireError("missing-field");
  const count = bigEndian(content, 8, 4);
  const same = bigEndian(content, 4, 4);
  if (content === stsz && same !== 0) return { count, same, sum: (_, samples) => samples * same };
  const view = new DataView(content.buffer, content.byteOffset + 12, content.length - 12);
  const sizeAt = content === stsz ? (index: number) => view.getUint32(index * 4) : compactSizes(view, bigEndian(content, 7, 1));
  const sum = (first: number, samples: number): number => {
    let length = 0;
    for (let index = first; index < first + samples; index++) length += sizeAt(index);
    return length;
  };
  return { count, same: undefined, sum };
}

function compactSizes(view: DataView, bits: number): (index: number) => number {
  if (bits === 16) return (index) => view.getUint16(index * 2);
  if (bits === 8) return (index) => view.getUint8(index);
  return (index) => (view.getUint8(index >> 1) >> (index % 2 === 0 ? 4 : 0)) & 15;
}

/** Old QuickTime says of sounds that a sample has a byte, and means a number of its own. */
function requireBytes(tables: Bytes): void {
  const entries = requiredContent(tables, "stsd");
  const [channels, bits] = [bigEndian(entries, 8 + 8 + 16, 2), bigEndian(entries, 8 + 8 + 18, 2)];
  const isLaw = hasText(entries, 12, "ulaw") || hasText(entries, 12, "alaw");
  if (channels !== 1 || (bits !== 8 && !isLaw)) throw new WireError("bad-value");
}
