// The descriptions of samples (ISO/IEC 14496-12, 8.5.2 and 12; QuickTime): which decoder shows or plays them, and with which settings.
// Names of encoders and vendors are left out. Samples that no decoder known here reads could be anything.

import { type Bytes, WireError } from "#wire";
import { plainProperty } from "../pictures/box-properties.ts";
import { bigEndian, partOf } from "../pictures/reading.ts";
import { boxes, type Field, fields, type Rule, rules } from "./rules.ts";

const VIDEO = "avc1 avc2 avc3 avc4 hvc1 hev1 dvh1 dvhe dva1 dvav vvc1 vvi1 av01 vp08 vp09 mp4v s263 apch apcn apcs apco ap4h ap4x";
const SOUND = "mp4a alac ac-3 ec-3 ac-4 Opus .mp3 samr sawb sowt twos raw  lpcm in24 in32 fl32 fl64 ulaw alaw";

/** What all have: the reserved bytes are zeros, and which of the sources it is. */
const ENTRY: Field = [6, 8];
/** Width and height, resolution; the frames of a sample; depth and colour table. Between them are a vendor and a compressor's name. */
const VIDEO_FIELDS: readonly Field[] = [ENTRY, [24, 36], [40, 42], [74, 78]];
const VIDEO_BYTES = 78;
/** Version; channels, bits, how it is compressed, rate. Between them is a vendor. */
const SOUND_FIELDS: readonly Field[] = [ENTRY, [8, 10], [16, 28]];
const SOUND_BYTES = 28;
/** What QuickTime's second and third version add. */
const MORE_BYTES: readonly number[] = [0, 16, 36];

/** @throws WireError `unknown-critical` */
export const stsd: Rule = (content, into) => {
  // In version 1 sounds have other fields; nothing that phones make has it.
  if (bigEndian(content, 0, 1) !== 0) throw new WireError("unknown-version");
  return fields([0, 8])(content, into) && ENTRIES(content, into);
};

const whole: Rule = (content, into) => {
  into.set(content);
  return true;
};

/** In pieces of `size` bytes, as many as a count at `countAt` says. */
function counted(countAt: number, from: number, size: number): Rule {
  return (content, into) => fields([0, from + size * bigEndian(content, countAt, 4)])(content, into);
}

/** Not longer than it was: a colour profile that would be, is left out. */
function property(type: string): Rule {
  return (content, into) => {
    const plain = plainProperty(type, content);
    if (plain === undefined || plain.length > content.length) return false;
    into.set(plain);
    return true;
  };
}

const PROPERTIES: readonly string[] =
  "avcC hvcC lhvC vvcC av1C vpcC dvcC dvvC dvwC hvcE colr pasp clap clli mdcv amve CoLL SmDm fiel gama btrt auxi ccst pixi".split(" ");

const VIDEO_BOXES = rules({ ...Object.fromEntries(PROPERTIES.map((type) => [type, property(type)])), esds: whole, d263: fields([4, 7]) });

/** QuickTime puts the settings of decoders one box deeper, and ends them with an empty one. */
const wave = boxes({
  rules: rules({ frma: fields([0, 4]), mp4a: fields(), esds: whole, alac: whole, enda: fields([0, 2]), "\0\0\0\0": fields() }),
});

const SOUND_BOXES = rules({
  esds: whole,
  alac: whole,
  dac3: whole,
  dec3: whole,
  dac4: whole,
  dOps: whole,
  wave,
  // Which channel stands where; which way round numbers are; AMR without its vendor
  chan: counted(12, 16, 20),
  pcmC: fields([0, 6]),
  btrt: property("btrt"),
  damr: fields([4, 9]),
});

function video(content: Bytes, into: Bytes): boolean {
  boxes({ rules: VIDEO_BOXES, from: VIDEO_BYTES, repeated: ["colr"] })(content, into);
  return fields(...VIDEO_FIELDS)(content, into);
}

function sound(content: Bytes, into: Bytes): boolean {
  const more = MORE_BYTES[bigEndian(content, 8, 2)];
  if (more === undefined) throw new WireError("unknown-version");
  boxes({ rules: SOUND_BOXES, from: SOUND_BYTES + more })(content, into);
  into.set(partOf(content, SOUND_BYTES, more), SOUND_BYTES);
  return fields(...SOUND_FIELDS)(content, into);
}

function each(types: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(Array.from({ length: Math.ceil(types.length / 5) }, (_, i) => [types.slice(i * 5, i * 5 + 4), rule]));
}

const ALL: Readonly<Record<string, Rule>> = { ...each(VIDEO, video), ...each(SOUND, sound) };
const ENTRIES = boxes({ rules: rules(ALL), from: 8, repeated: Object.keys(ALL), others: "refused" });
