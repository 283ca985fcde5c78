// Videos as phones and cameras write them: seen, heard, and with a track of places, with a mark in every place where there may be more. Their
// samples are made up: nothing decodes them. Shares nothing with what reads them.

import { ascii, be16, be32, be64, type Bytes, concat } from "#wire";
import { box, full, zeros } from "./pictures/boxes.ts";
import { profile } from "./pictures/icc.ts";
import { MARK } from "./pictures/tiff.ts";

export const WIDTH = 64;
export const HEIGHT = 48;

/** As long as it has to be, beginning with the mark. */
const mark = (length: number): Bytes => concat(ascii(MARK), zeros(length)).subarray(0, length);
const time: Bytes = ascii(MARK.slice(0, 4));
const MATRIX: Bytes = concat(be32(0x1_0000), zeros(12), be32(0x1_0000), zeros(12), be32(0x4000_0000));
/** A quarter to the right. */
export const TURNED: Bytes = concat(zeros(4), be32(0x1_0000), zeros(4), be32(0xffff_0000), zeros(16), be32(0x4000_0000));

export interface TrackOptions {
  readonly id: number;
  readonly handler: string;
  readonly entry: Bytes;
  readonly samples: readonly Bytes[];
  /** How many samples a chunk has. */
  readonly perChunk?: number;
  readonly matrix?: Bytes;
  /** In the table of places 64 bits, in that of sizes 16. */
  readonly wide?: boolean;
  /** More boxes: of the track, beside its samples' tables. */
  readonly more?: readonly Bytes[];
  readonly tables?: readonly Bytes[];
}

export function videoEntry(type = "avc1", more: readonly Bytes[] = []): Bytes {
  return box(
    type,
    zeros(6),
    be16(1),
    zeros(4),
    mark(4),
    zeros(8),
    be16(WIDTH),
    be16(HEIGHT),
    be32(0x48_0000),
    be32(0x48_0000),
    zeros(4),
    be16(1),
    mark(32),
    be16(24),
    be16(0xffff),
    box("avcC", ascii("settings of a decoder")),
    box("pasp", be32(1), be32(1), ascii(MARK)),
    box("colr", ascii("nclc"), zeros(6), ascii(MARK)),
    box("uuid", ascii(`${MARK}${MARK}`)),
    ...more,
  );
}

const soundEntry: Bytes = box(
  "mp4a",
  zeros(6),
  be16(1),
  be16(1),
  zeros(2),
  mark(4),
  be16(2),
  be16(16),
  zeros(4),
  be32(0xbb80_0000),
  be32(1024),
  zeros(12),
  box("wave", box("frma", ascii(`mp4a${MARK}`)), box("esds", ascii("settings of a decoder")), box("note", ascii(MARK)), box("\0\0\0\0")),
  box("note", ascii(MARK)),
);

const SEEN: readonly Bytes[] = [1, 2, 3, 4, 5].map((i) => ascii(`picture ${i}`.padEnd(20 + i, ".")));
const HEARD: readonly Bytes[] = [1, 2, 3, 4].map((i) => ascii(`sound ${i}`));
const PLACES: readonly Bytes[] = [1, 2, 3].map((i) => ascii(`${MARK} second ${i}`));

const silentBoxes: readonly Bytes[] = [
  box("udta", box("note", ascii(MARK)), box("loci", ascii(MARK)), zeros(4)),
  box("meta", full("hdlr", 0, 0, zeros(4), ascii("mdta"), zeros(12)), box("keys", ascii(MARK)), box("ilst", ascii(MARK))),
  box("uuid", ascii(`${MARK}${MARK}`)),
  box("free", ascii(MARK)),
];

export const TRACKS = {
  seen: {
    id: 1,
    handler: "vide",
    entry: videoEntry("avc1", [box("colr", ascii("prof"), profile())]),
    samples: SEEN,
    perChunk: 2,
    more: silentBoxes,
    tables: [full("sgpd", 1, 0, ascii(`roll${MARK}`)), full("subs", 0, 0, ascii(MARK)), full("stss", 0, 0, be32(1), be32(1), ascii(MARK))],
  },
  heard: { id: 2, handler: "soun", entry: soundEntry, samples: HEARD, wide: true, more: silentBoxes },
  places: { id: 3, handler: "meta", entry: box("mebx", ascii(MARK)), samples: PLACES },
  clock: { id: 4, handler: "tmcd", entry: box("tmcd", ascii(MARK)), samples: [ascii(MARK)] },
} as const satisfies Readonly<Record<string, TrackOptions>>;

export interface VideoOptions {
  /** Empty for a file of before there were any. */
  readonly brand?: string;
  readonly tracks?: readonly TrackOptions[];
  readonly more?: readonly Bytes[];
  /** Around the descriptions and the data. */
  readonly before?: readonly Bytes[];
  readonly behind?: readonly Bytes[];
  /** Which comes first; with the descriptions first it is read before all of it is there. */
  readonly first?: "moov" | "mdat";
  /** Changes where chunks are said to be. */
  readonly place?: (at: number, track: TrackOptions) => number;
}

/** The chunks of all tracks in turns, with a mark between each and the next. */
export function video(options: VideoOptions = {}): Bytes {
  const { brand = "qt  ", tracks = Object.values(TRACKS), more = silentBoxes, before = [], behind = [], first = "mdat" } = options;
  const { place = (at) => at } = options;
  const start = concat(...(brand === "" ? [] : [box("ftyp", ascii(brand), mark(4), ascii(`${brand}MARKisom`))]), ...before);
  const chunks = tracks.map(({ samples, perChunk = 1 }: TrackOptions) =>
    Array.from({ length: Math.ceil(samples.length / perChunk) }, (_, i) => concat(...samples.slice(i * perChunk, (i + 1) * perChunk))),
  );
  const moov = (dataAt: number): Bytes => {
    const places = tracks.map((): number[] => []);
    let at = dataAt;
    for (const [turn] of (chunks[0] ?? []).concat(...chunks.slice(1)).entries()) {
      for (const [index, own] of chunks.entries()) {
        const chunk = own[turn];
        if (chunk === undefined) continue;
        at += MARK.length;
        places[index]?.push(at);
        at += chunk.length;
      }
    }
    const children = tracks.map((track, index) =>
      trackBox(
        track,
        (places[index] ?? []).map((own) => place(own, track)),
      ),
    );
    return box(
      "moov",
      full("mvhd", 0, 0, time, time, be32(1000), be32(5000), be32(0x1_0000), be16(0x100), zeros(10), MATRIX, zeros(24), be32(9)),
      ...children,
      ...more,
    );
  };
  const turns = Math.max(...chunks.map(({ length }) => length));
  const inTurns = Array.from({ length: turns }, (_, turn) =>
    chunks.flatMap((own) => (own[turn] === undefined ? [] : [ascii(MARK), own[turn]])),
  );
  const mdat = box("mdat", ...inTurns.flat(), ascii(MARK));
  if (first === "mdat") return concat(start, mdat, moov(start.length + 8), ...behind);
  return concat(start, moov(start.length + moov(0).length + 8), mdat, ...behind);
}

function trackBox(
  { id, handler, entry, samples, perChunk = 1, matrix = MATRIX, wide = false, more = [], tables = [] }: TrackOptions,
  places: readonly number[],
): Bytes {
  const header = full(
    "tkhd",
    0,
    1,
    time,
    time,
    be32(id),
    zeros(4),
    be32(5000),
    zeros(16),
    matrix,
    be32(WIDTH * 0x1_0000),
    be32(HEIGHT * 0x1_0000),
  );
  const sizes = wide
    ? full("stz2", 0, 0, be32(16), be32(samples.length), ...samples.map(({ length }) => be16(length)))
    : full("stsz", 0, 0, be32(0), be32(samples.length), ...samples.map(({ length }) => be32(length)), ascii(MARK));
  const rest = samples.length % perChunk;
  const runs = [concat(be32(1), be32(perChunk), be32(1)), ...(rest === 0 ? [] : [concat(be32(places.length), be32(rest), be32(1))])];
  const stbl = box(
    "stbl",
    full("stsd", 0, 0, be32(1), entry),
    full("stts", 0, 0, be32(1), be32(samples.length), be32(1000), ascii(MARK)),
    full("stsc", 0, 0, be32(runs.length), ...runs),
    sizes,
    full(wide ? "co64" : "stco", 0, 0, be32(places.length), ...places.map((at) => (wide ? be64(at) : be32(at)))),
    ...tables,
  );
  const media = box(
    "mdia",
    full("mdhd", 0, 0, time, time, be32(1000), be32(5000), be16(0x55c4), be16(0)),
    full("hdlr", 0, 0, ascii(`mhlr${handler}`), mark(12), ascii(`${MARK}\0`)),
    box(
      "minf",
      handler === "vide" ? full("vmhd", 0, 1, zeros(8)) : full("smhd", 0, 0, zeros(4)),
      full("hdlr", 0, 0, ascii("dhlralis"), mark(12), ascii(`${MARK}\0`)),
      box("dinf", full("dref", 0, 0, be32(1), full("alis", 0, 1, ascii(MARK)))),
      stbl,
    ),
  );
  const edits = box("edts", full("elst", 0, 0, be32(1), be32(5000), be32(0), be32(0x1_0000)));
  return box("trak", header, edits, box("tref", box("cdsc", ascii(MARK))), media, ...more);
}

/** With marks around all of it as well. */
export function marked(options: VideoOptions = {}): Bytes {
  return video({
    before: [box("wide"), box("uuid", ascii(`${MARK}${MARK}`)), box("free", ascii(MARK))],
    behind: [box("free", ascii(MARK)), box("sefd", ascii(MARK)), ascii("GPS")],
    ...options,
  });
}

export interface FragmentOptions {
  readonly samples: readonly Bytes[];
  readonly id?: number;
  /** Of the run; by default from the beginning of the fragment. */
  readonly offset?: (at: number) => number;
  readonly flags?: number;
}

/** A video in fragments, as browsers record: one track, and in each fragment one of another that goes. */
export function fragmented({ samples, id = 1, offset = (at) => at, flags = 0x02_0000 }: FragmentOptions): Bytes {
  const empty = { id: 1, handler: "vide", entry: videoEntry("vp09"), samples: [] };
  const trex = box(
    "mvex",
    full("trex", 0, 0, be32(1), be32(1), be32(1000), be32(samples[0]?.length ?? 0), be32(0)),
    box("note", ascii(MARK)),
  );
  const start = concat(box("ftyp", ascii("iso5"), be32(0), ascii("iso5")), moovOf(empty, trex));
  const data = box("mdat", ascii(MARK), ...samples, ascii(MARK));
  const moof = (dataAt: number): Bytes =>
    box(
      "moof",
      full("mfhd", 0, 0, be32(1), ascii(MARK)),
      box(
        "traf",
        full("tfhd", 0, flags, be32(id)),
        full("tfdt", 1, 0, be64(0)),
        full("trun", 0, 0x201, be32(samples.length), be32(offset(dataAt)), ...samples.map(({ length }) => be32(length))),
        box("uuid", ascii(`${MARK}${MARK}`)),
      ),
      box("traf", full("tfhd", 0, 0x02_0000, be32(9)), box("note", ascii(MARK))),
      box("udta", ascii(MARK)),
    );
  const fragment = moof(moof(0).length + 8 + MARK.length);
  return concat(start, box("styp", ascii(MARK)), box("prft", ascii(MARK)), fragment, data, box("mfra", ascii(MARK)));
}

function moovOf(track: TrackOptions, ...more: readonly Bytes[]): Bytes {
  const bytes = video({ tracks: [track], more, before: [], first: "moov", brand: "iso5" });
  return bytes.subarray(28, bytes.length - 8 - MARK.length);
}
