// HEIC files as phones write them: a picture of two tiles and its transparency, with a mark in every place where there may be more.
// Their pictures are made up: nothing decodes them. Shares nothing with what reads them.

import { ascii, be16, be32, type Bytes, concat } from "#wire";
import { box, full, zeros } from "./boxes.ts";
import { profile } from "./icc.ts";
import { exif, MARK } from "./tiff.ts";

export const WIDTH = 64;
export const HEIGHT = 48;

export interface HeifItem {
  readonly id: number;
  readonly type: string;
  readonly content: Bytes;
  readonly properties?: readonly number[];
  /** In the box of descriptions, not of data. */
  readonly idat?: boolean;
  readonly entry?: Bytes;
}

export interface HeifOptions {
  readonly brand?: string;
  readonly primary?: number;
  readonly items?: readonly HeifItem[];
  readonly references?: readonly Bytes[];
  readonly properties?: readonly Bytes[];
  /** More of them, of items without anything. */
  readonly entries?: Bytes;
  /** More boxes, in `meta`, before it and behind the end. */
  readonly within?: readonly Bytes[];
  readonly before?: readonly Bytes[];
  readonly behind?: readonly Bytes[];
  /** Changes a place of which the true one is given. */
  readonly place?: (id: number, at: number, length: number) => readonly [at: number, length: number];
}

const size = (width: number, height: number): Bytes => full("ispe", 0, 0, be32(width), be32(height));
const auxiliary = (name: string): Bytes => full("auxC", 0, 0, ascii(`${name}\0${MARK}`));

/** By number, from 1. */
export const PROPERTIES: readonly Bytes[] = [
  box("hvcC", ascii("settings of a decoder")),
  size(WIDTH / 2, HEIGHT),
  size(WIDTH, HEIGHT),
  box("irot", new Uint8Array([1]), ascii(MARK)),
  box("colr", ascii("prof"), profile()),
  full("pixi", 0, 0, new Uint8Array([3, 8, 8, 8]), ascii(MARK)),
  auxiliary("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"),
  auxiliary("urn:mpeg:mpegB:cicp:systems:auxiliary:depth"),
  full("udes", 0, 0, ascii(`en\0${MARK}\0${MARK}\0`)),
  box("colr", ascii("nclx"), zeros(7), ascii(MARK)),
];

const ESSENTIAL = 0x80;
const tile = (id: number): HeifItem => ({ id, type: "hvc1", content: ascii(`compressed picture ${id}`), properties: [ESSENTIAL + 1, 2] });

/** Those that show it, and those that do not. */
export const SHOWN: readonly HeifItem[] = [
  tile(1),
  tile(2),
  {
    id: 3,
    type: "grid",
    content: concat(new Uint8Array([0, 0, 0, 1]), be16(WIDTH), be16(HEIGHT)),
    properties: [3, 5, 6, 9, 10, ESSENTIAL + 4],
    idat: true,
  },
  { id: 4, type: "hvc1", content: ascii("what lets through"), properties: [ESSENTIAL + 1, 3, 7] },
];
const SILENT: readonly HeifItem[] = [
  { id: 10, type: "Exif", content: concat(be32(0), exif(6)) },
  { id: 11, type: "mime", content: ascii(MARK), entry: ascii(`application/rdf+xml\0${MARK}\0`) },
  { id: 12, type: "hvc1", content: ascii(`a small one ${MARK}`), properties: [ESSENTIAL + 1, 2] },
  { id: 13, type: "hvc1", content: ascii(`how far away ${MARK}`), properties: [ESSENTIAL + 1, 2, 8] },
  { id: 14, type: "uri ", content: ascii(MARK), idat: true, entry: ascii(`${MARK}\0`) },
];
export const reference = (type: string, from: number, ...to: readonly number[]): Bytes =>
  box(type, be16(from), be16(to.length), ...to.map(be16));
export const REFERENCES: readonly Bytes[] = [reference("dimg", 3, 1, 2), reference("auxl", 4, 3)];
const SILENT_REFERENCES: readonly Bytes[] = [
  reference("cdsc", 10, 3),
  reference("cdsc", 11, 3),
  reference("thmb", 12, 3),
  reference("auxl", 13, 3),
];

/** Only what shows. */
export function heif(options: HeifOptions = {}): Bytes {
  const { brand = "heic", primary = 3, items = SHOWN, references = REFERENCES, properties = PROPERTIES } = options;
  const { entries = zeros(0), within = [], before = [], behind = [], place = (_, at, length) => [at, length] } = options;
  const start = concat(box("ftyp", ascii(brand), be32(0), ascii(`${brand}mif1`)), ...before);
  const idat = items.filter((item) => item.idat === true);
  const data = items.filter((item) => item.idat !== true);
  const associations = items.filter((item) => item.properties !== undefined);
  const meta = (dataAt: number): Bytes => {
    const next = { data: dataAt, idat: 0 };
    const locations = items.map(({ id, content, idat: inside = false }) => {
      const source = inside ? "idat" : "data";
      const [at, length] = place(id, next[source], content.length);
      next[source] += content.length;
      return concat(be16(id), be16(inside ? 1 : 0), be16(0), be16(1), be32(at), be32(length));
    });
    return full(
      "meta",
      0,
      0,
      full("hdlr", 0, 0, be32(0), ascii("pict"), zeros(12), ascii(`${MARK}\0`)),
      full("pitm", 0, 0, be16(primary)),
      full("iloc", 1, 0, new Uint8Array([0x44, 0]), be16(items.length), ...locations),
      full("iinf", 0, 0, be16(items.length), ...items.map(entry), entries),
      full("iref", 0, 0, ...references),
      box(
        "iprp",
        box("ipco", ...properties),
        full(
          "ipma",
          0,
          0,
          be32(associations.length),
          ...associations.map(({ id, properties: own = [] }) => concat(be16(id), new Uint8Array([own.length, ...own]))),
        ),
      ),
      box("idat", ...idat.map(({ content }) => content)),
      ...within,
    );
  };
  const dataAt = start.length + meta(0).length + 8;
  return concat(start, meta(dataAt), box("mdat", ...data.map(({ content }) => content)), ...behind);
}

function entry({ id, type, entry: more = new Uint8Array(0) }: HeifItem): Bytes {
  return full("infe", 2, 0, be16(id), be16(0), ascii(type), ascii(`${MARK}\0`), more);
}

/** With a mark in every place. */
export function marked(options: HeifOptions = {}): Bytes {
  return heif({
    items: [...SILENT, ...SHOWN],
    references: [...SILENT_REFERENCES, ...REFERENCES],
    within: [box("uuid", ascii(`${MARK}${MARK}`)), box("udta", ascii(MARK)), box("grpl", ascii(MARK)), box("free", ascii(MARK))],
    before: [box("free", ascii(MARK)), box("uuid", ascii(`${MARK}${MARK}`))],
    behind: [box("mpvd", ascii(MARK)), box("moov", ascii(MARK)), box("skip", ascii(MARK))],
    ...options,
  });
}
