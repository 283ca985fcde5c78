// The `moov` box of a video (ISO/IEC 14496-12, 8.2 to 8.7; QuickTime) without metadata: the tracks that are seen and heard, when and
// where their samples are shown, and how they are decoded. Times of creation, names, places, keys, and all tracks of other kinds
// (places second by second, timecodes, subtitles of drones) are left out.

import { type Bytes, EMPTY, WireError } from "#wire";
import { boxesOf, contentOf, requiredContent, versionOf } from "../pictures/boxes.ts";
import type { Size } from "../pictures/orientation.ts";
import { bigEndian, hasText, textAt } from "../pictures/reading.ts";
import { boxes, fields, type Rule, rules, table, versioned } from "./rules.ts";
import { stsd } from "./sample-entries.ts";

/** Seen and heard; the last two are of HEIC and AVIF: pictures one after another, and how much they let through. */
const SHOWN: readonly string[] = ["vide", "soun", "pict", "auxv"];

const HANDLER_AT = 8;
const SELF_CONTAINED = 1;

/** What kind of track it is. Its name is left out; QuickTime says before the kind what kind of kind. */
const hdlr: Rule = (content, into) => {
  const quicktime = hasText(content, 4, "mhlr") || hasText(content, 4, "dhlr");
  return fields([quicktime ? 4 : HANDLER_AT, HANDLER_AT + 4])(content, into);
};

/** Where samples lie: in this file, and nowhere else. */
const dref: Rule = (content, into) => {
  for (const { contentAt } of boxesOf(content, 8)) {
    if (bigEndian(content, contentAt, 4) !== SELF_CONTAINED) throw new WireError("bad-value");
  }
  const reference = fields([0, 4]);
  return (
    fields([0, 8])(content, into) &&
    boxes({ rules: rules({ "url ": reference, alis: reference }), from: 8, repeated: ["url ", "alis"], others: "refused" })(content, into)
  );
};

/** Numbers of one size for all, or a table of them. */
const stsz: Rule = (content, into) => {
  const length = bigEndian(content, 4, 4) === 0 ? 4 * bigEndian(content, 8, 4) : 0;
  return fields([0, 12 + length])(content, into);
};

const stz2: Rule = (content, into) => {
  const bits = bigEndian(content, 7, 1);
  if (bits !== 4 && bits !== 8 && bits !== 16) throw new WireError("bad-value");
  return fields([0, 4], [7, 12 + Math.ceil((bigEndian(content, 8, 4) * bits) / 8)])(content, into);
};

/** Where samples are. */
const PLACES = { stsz, stz2, stsc: table(12), stco: table(4), co64: table(8) };
const placesOnly = boxes({ rules: rules(PLACES) });

const stbl = boxes({
  rules: rules({
    ...PLACES,
    stsd,
    stts: table(8),
    ctts: table(8, 8),
    stss: table(4),
    stps: table(4),
    cslg: versioned([[0, 24]], [[0, 44]]),
  }),
});

const minf = boxes({
  rules: rules({
    stbl,
    hdlr,
    vmhd: fields([0, 12]),
    smhd: fields([0, 6]),
    nmhd: fields([0, 4]),
    dinf: boxes({ rules: rules({ dref }) }),
  }),
});

const mdhd = versioned(
  [
    [0, 4],
    [12, 22],
  ],
  [
    [0, 4],
    [20, 34],
  ],
);
const mdia = boxes({ rules: rules({ mdhd, hdlr, minf }) });

/** Flags and number; duration; layer, group, volume; matrix and size. */
const tkhd = versioned(
  [
    [0, 4],
    [12, 16],
    [20, 24],
    [32, 38],
    [40, 84],
  ],
  [
    [0, 4],
    [20, 24],
    [28, 36],
    [44, 50],
    [52, 96],
  ],
);

/** Which track says how much another one lets through, and whether that is part of its colours. */
const link = fields([0, 4]);
const aperture = fields([0, 12]);

const shownTrack = boxes({
  rules: rules({
    tkhd,
    mdia,
    edts: boxes({ rules: rules({ elst: table(12, 20) }) }),
    tref: boxes({ rules: rules({ auxl: link, prem: link }) }),
    tapt: boxes({ rules: rules({ clef: aperture, prof: aperture, enof: aperture }) }),
  }),
});

function isShown(track: Bytes): boolean {
  return SHOWN.includes(textAt(requiredContent(requiredContent(track, "mdia"), "hdlr"), HANDLER_AT, 4));
}

const trak: Rule = (content, into) => isShown(content) && shownTrack(content, into);

/** Scale, duration, rate and volume; matrix; the number of the next track. */
const mvhd = versioned(
  [
    [0, 4],
    [12, 26],
    [36, 72],
    [96, 100],
  ],
  [
    [0, 4],
    [20, 38],
    [48, 84],
    [108, 112],
  ],
);

/** What fragments do not say themselves. */
const mvex = boxes({ rules: rules({ mehd: versioned([[0, 8]], [[0, 12]]), trex: fields([0, 24]) }), repeated: ["trex"] });
const moov = boxes({ rules: rules({ mvhd, trak, mvex }), repeated: ["trak"] });

export interface Track {
  readonly id: number;
  readonly handler: string;
  readonly header: Bytes;
  /** Of its samples. */
  readonly tables: Bytes;
  /** The size of a sample in a fragment that does not say; `undefined` where there can be no fragments. */
  readonly defaultSize: number | undefined;
}

export interface Movie {
  /** As long as before. */
  readonly content: Bytes;
  readonly header: Bytes;
  readonly tracks: readonly Track[];
  /** Of those that go, where their samples lie. */
  readonly others: readonly Pick<Track, "handler" | "tables">[];
}

/** Of the content of a `moov`. @throws WireError */
export function plainMovie(original: Bytes): Movie {
  const content = new Uint8Array(original.length);
  moov(original, content);
  const defaults = defaultSizes(contentOf(content, "mvex"));
  const tracks = tracksIn(content).map((track) => readTrack(track, defaults));
  if (tracks.length === 0) throw new WireError("missing-field");
  if (new Set(tracks.map(({ id }) => id)).size !== tracks.length) throw new WireError("too-many");
  const others = tracksIn(original).filter((track) => !isShown(track));
  return { content, header: requiredContent(content, "mvhd"), tracks, others: others.map(placesOf) };
}

function tracksIn(movie: Bytes): Bytes[] {
  return boxesOf(movie).flatMap(({ type, contentAt, end }) => (type === "trak" ? [movie.subarray(contentAt, end)] : []));
}

function placesOf(track: Bytes): Movie["others"][number] {
  const original = requiredContent(requiredContent(requiredContent(track, "mdia"), "minf"), "stbl");
  const tables = new Uint8Array(original.length);
  placesOnly(original, tables);
  return { handler: "", tables };
}

function readTrack(content: Bytes, defaults: ReadonlyMap<number, number>): Track {
  const header = requiredContent(content, "tkhd");
  const media = requiredContent(content, "mdia");
  requiredContent(media, "mdhd");
  const id = bigEndian(header, versionOf(header, 1) === 0 ? 12 : 20, 4);
  const tables = requiredContent(requiredContent(media, "minf"), "stbl");
  requiredContent(tables, "stsd");
  return { id, handler: textAt(requiredContent(media, "hdlr"), HANDLER_AT, 4), header, tables, defaultSize: defaults.get(id) };
}

/** By the number of the track. */
function defaultSizes(mvex: Bytes = EMPTY): ReadonlyMap<number, number> {
  const defaults = boxesOf(mvex).filter(({ type }) => type === "trex");
  return new Map(defaults.map(({ contentAt }) => [bigEndian(mvex, contentAt + 4, 4), bigEndian(mvex, contentAt + 16, 4)]));
}

const ONE = 0x1_0000;
const MINUS_ONE = 0xffff_0000;

/** How large the first track is shown that is seen; nothing where it is stretched, sheared or turned by less than a quarter. */
export function shownSize({ header, tracks }: Movie): Size {
  const none = { width: 0, height: 0 };
  const seen = tracks.find((track) => track.handler !== "soun" && (bigEndian(track.header, 3, 1) & 1) === 1);
  if (seen === undefined || quarterTurns(header, versionOf(header, 1) === 0 ? 36 : 48) !== 0) return none;
  const matrixAt = versionOf(seen.header, 1) === 0 ? 40 : 52;
  const turns = quarterTurns(seen.header, matrixAt);
  const width = bigEndian(seen.header, matrixAt + 36, 4) / ONE;
  const height = bigEndian(seen.header, matrixAt + 40, 4) / ONE;
  if (turns === undefined || !Number.isInteger(width) || !Number.isInteger(height) || width === 0 || height === 0) return none;
  return turns % 2 === 0 ? { width, height } : { width: height, height: width };
}

/** To the right, and once and twice more; whatever the matrix moves. */
const TURNS: readonly string[] = [
  [ONE, 0, 0, ONE],
  [0, ONE, MINUS_ONE, 0],
  [MINUS_ONE, 0, 0, MINUS_ONE],
  [0, MINUS_ONE, ONE, 0],
].map(String);

function quarterTurns(header: Bytes, matrixAt: number): number | undefined {
  const turns = TURNS.indexOf(String([0, 4, 12, 16].map((at) => bigEndian(header, matrixAt + at, 4))));
  return turns === -1 ? undefined : turns;
}
