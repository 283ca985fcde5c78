// Fragments (ISO/IEC 14496-12, 8.8), as browsers record: each says what follows it, and where the samples of its tracks lie. What else
// stands in them goes, and whatever other tracks than those of the movie have in them.

import { type Bytes, WireError } from "#wire";
import { boxesOf, requiredContent } from "../pictures/boxes.ts";
import { bigEndian } from "../pictures/reading.ts";
import type { Movie, Track } from "./movie.ts";
import type { Ranges } from "./ranges.ts";
import { boxes, fields, type Rule, rules, versioned } from "./rules.ts";

// Flags of a track's fragment (8.8.7)
const HAS_BASE = 0x01;
const HAS_DESCRIPTION = 0x02;
const HAS_DURATION = 0x08;
const HAS_SIZE = 0x10;
const HAS_FLAGS = 0x20;
const BASE_IS_FRAGMENT = 0x02_0000;

// Flags of a run of samples (8.8.8)
const HAS_OFFSET = 0x01;
const HAS_FIRST_FLAGS = 0x04;
const SAMPLE_FIELDS: readonly number[] = [0x100, 0x200, 0x400, 0x800];
const HAS_SAMPLE_SIZE = 0x200;

function flagsOf(content: Bytes): number {
  return bigEndian(content, 1, 3);
}

/** How many bytes those of some fields take that are there, of four each but the first kind, with eight. */
function present(flags: number, ...candidates: readonly number[]): number {
  return candidates.reduce((length, flag) => length + ((flags & flag) === 0 ? 0 : flag === HAS_BASE ? 8 : 4), 0);
}

const tfhd: Rule = (content, into) =>
  fields([0, 8 + present(flagsOf(content), HAS_BASE, HAS_DESCRIPTION, HAS_DURATION, HAS_SIZE, HAS_FLAGS)])(content, into);

function runHeaderBytes(flags: number): number {
  return 8 + ((flags & HAS_OFFSET) === 0 ? 0 : 4) + ((flags & HAS_FIRST_FLAGS) === 0 ? 0 : 4);
}

function sampleBytes(flags: number): number {
  return 4 * SAMPLE_FIELDS.filter((flag) => (flags & flag) !== 0).length;
}

const trun: Rule = (content, into) => {
  const flags = flagsOf(content);
  return fields([0, runHeaderBytes(flags) + bigEndian(content, 4, 4) * sampleBytes(flags)])(content, into);
};

const trackFragment = boxes({ rules: rules({ tfhd, trun, tfdt: versioned([[0, 8]], [[0, 12]]) }), repeated: ["trun"] });

/** As long as before; where its samples lie is added to `ranges`. `at` is where the whole `moof` begins. @throws WireError */
export function plainFragment(original: Bytes, at: number, { tracks }: Movie, ranges: Ranges): Bytes {
  const trackOf = (fragment: Bytes): Track | undefined => {
    const id = bigEndian(requiredContent(fragment, "tfhd"), 4, 4);
    return tracks.find((track) => track.id === id);
  };
  const traf: Rule = (content, into) => trackOf(content) !== undefined && trackFragment(content, into);
  const content = new Uint8Array(original.length);
  boxes({ rules: rules({ mfhd: fields([0, 8]), traf }), repeated: ["traf"] })(original, content);
  const fragments = boxesOf(original).filter(({ type }) => type === "traf");
  for (const [index, { contentAt, end }] of fragments.entries()) {
    const fragment = original.subarray(contentAt, end);
    const track = trackOf(fragment);
    if (track !== undefined) addRuns(fragment, { track, movieAt: at, first: index === 0 }, ranges);
  }
  return content;
}

interface Place {
  readonly track: Track;
  readonly movieAt: number;
  readonly first: boolean;
}

function addRuns(fragment: Bytes, { track, movieAt, first }: Place, ranges: Ranges): void {
  const header = requiredContent(fragment, "tfhd");
  const flags = flagsOf(header);
  // Otherwise it begins where the track before it ends, which may be one that goes.
  if ((flags & (HAS_BASE | BASE_IS_FRAGMENT)) === 0 && !first) throw new WireError("bad-value");
  const base = (flags & HAS_BASE) === 0 ? movieAt : bigEndian(header, 8, 4) * 0x1_0000_0000 + bigEndian(header, 12, 4);
  const sizeAt = 8 + present(flags, HAS_BASE, HAS_DESCRIPTION, HAS_DURATION);
  const size = (flags & HAS_SIZE) === 0 ? track.defaultSize : bigEndian(header, sizeAt, 4);
  let next = base;
  for (const { type, contentAt, end } of boxesOf(fragment)) {
    if (type !== "trun") continue;
    const run = fragment.subarray(contentAt, end);
    const begin = (flagsOf(run) & HAS_OFFSET) === 0 ? next : base + (bigEndian(run, 8, 4) | 0);
    if (begin < 0) throw new WireError("bad-value");
    const length = runLength(run, size);
    ranges.add(begin, length);
    next = begin + length;
  }
}

function runLength(run: Bytes, defaultSize: number | undefined): number {
  const flags = flagsOf(run);
  const count = bigEndian(run, 4, 4);
  if ((flags & HAS_SAMPLE_SIZE) === 0) {
    if (defaultSize === undefined) throw new WireError("missing-field");
    return count * defaultSize;
  }
  const view = new DataView(run.buffer, run.byteOffset, run.length);
  const [from, each] = [runHeaderBytes(flags) + ((flags & 0x100) === 0 ? 0 : 4), sampleBytes(flags)];
  let length = 0;
  for (let sample = 0; sample < count; sample++) length += view.getUint32(from + sample * each);
  return length;
}
