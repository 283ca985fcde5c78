// The boxes that say how compressed pictures are decoded and shown, the same in the properties of a HEIC or AVIF (ISO/IEC 23008-12)
// and in the descriptions of a video's samples: settings of decoders, sizes, turns, colours. What is not known here is not one of them.

import { ascii, type Bytes, concat } from "#wire";
import { plainProfile } from "./colour-profile.ts";
import { bigEndian, hasText, partOf, textAt } from "./reading.ts";

/** Written by encoders for decoders; what is inside of them is theirs. */
const DECODERS: ReadonlySet<string> = new Set("avcC hvcC lhvC vvcC av1C vpcC dvcC dvvC dvwC hvcE".split(" "));

/** Of one length: sizes and turns; colours, as ISO and as VP9 call them; layers; fields, bits, and how often. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ispe: 12,
    pasp: 8,
    clap: 32,
    irot: 1,
    imir: 1,
    rloc: 12,
    clli: 4,
    mdcv: 24,
    amve: 8,
    CoLL: 8,
    SmDm: 28,
    a1op: 1,
    lsel: 2,
    fiel: 2,
    gama: 4,
    btrt: 12,
    ccst: 8,
  }),
);

const COLOUR_LENGTHS: ReadonlyMap<string, number> = new Map(Object.entries({ nclx: 11, nclc: 10 }));
const PROFILES: readonly string[] = ["prof", "rICC"];
/** What an auxiliary picture is: how much of another one lets through what is behind. */
const TRANSPARENCY: readonly string[] = [
  "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
  "urn:mpeg:hevc:2015:auxid:1",
  "urn:mpeg:avc:2015:auxid:1",
];

/** What of such a box shows something: the first part of it, or a plain colour profile; `undefined` of any other. @throws WireError `truncated` */
export function plainProperty(type: string, content: Bytes): Bytes | undefined {
  if (DECODERS.has(type)) return content;
  const length = LENGTHS.get(type);
  if (length !== undefined) return partOf(content, 0, length);
  switch (type) {
    case "colr":
      return plainColour(content);
    case "pixi":
      // A version, how many channels, and how many bits each has
      return partOf(content, 0, 5 + bigEndian(content, 4, 1));
    case "a1lx":
      return partOf(content, 0, bigEndian(content, 0, 1) & 1 ? 13 : 7);
    case "auxC":
    case "auxi":
      return plainAuxiliary(content);
    default:
      return undefined;
  }
}

function plainColour(content: Bytes): Bytes | undefined {
  const kind = textAt(content, 0, 4);
  const length = COLOUR_LENGTHS.get(kind);
  if (length !== undefined) return partOf(content, 0, length);
  const profile = PROFILES.includes(kind) ? plainProfile(content.subarray(4)) : undefined;
  return profile === undefined ? undefined : concat(ascii(kind), profile);
}

function plainAuxiliary(content: Bytes): Bytes | undefined {
  const name = TRANSPARENCY.find((known) => hasText(content, 4, `${known}\0`));
  return name === undefined ? undefined : concat(new Uint8Array(4), ascii(`${name}\0`));
}
