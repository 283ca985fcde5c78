// A HEIC or AVIF written anew: one item after another, their boxes in one order, and nothing else.

import { ascii, be16, be32, type Bytes, concat, WireError } from "#wire";
import { encodeBox, encodeFullBox, HEADER_BYTES } from "./boxes.ts";
import type { Reference } from "./heif-items.ts";

export interface PlainProperty {
  readonly type: string;
  /** The same bytes are the same property. */
  readonly content: Bytes;
  readonly essential: boolean;
}

export interface PlainItem {
  readonly type: string;
  readonly hidden: boolean;
  readonly content: Bytes;
  /** Made of others: its content is not a compressed picture, and stands with the descriptions. */
  readonly derived: boolean;
  readonly properties: readonly PlainProperty[];
}

export interface Heif {
  readonly brands: readonly string[];
  /** Items are numbered from 1, in their order. */
  readonly primary: number;
  readonly items: readonly PlainItem[];
  readonly references: readonly Reference[];
}

/** What two bytes have room for, beside the bit that says something else. */
const MAX_PROPERTIES = 0x7fff;
/** One byte, in which the highest bit says something else, has room for so many. */
const FEW_PROPERTIES = 0x7f;

export function encodeHeif(heif: Heif): Bytes[] {
  const [first = ""] = heif.brands;
  const ftyp = encodeBox("ftyp", ascii(first), be32(0), ...heif.brands.map(ascii));
  const rest = restOfMeta(heif);
  // Its length does not depend on the places in it.
  const length = ftyp.length + encodeMeta(heif, rest, 0).length;
  const contents = heif.items.filter(({ derived }) => !derived).map(({ content }) => content);
  const size = contents.reduce((sum, content) => sum + content.length, HEADER_BYTES);
  return [ftyp, encodeMeta(heif, rest, length + HEADER_BYTES), be32(size), ascii("mdat"), ...contents];
}

function encodeMeta({ items }: Heif, rest: readonly Bytes[], dataAt: number): Bytes {
  return encodeFullBox("meta", 0, 0, ...rest, encodeLocations(items, dataAt));
}

function restOfMeta({ primary, items, references }: Heif): Bytes[] {
  const idat = concat(...items.filter(({ derived }) => derived).map(({ content }) => content));
  return [
    encodeFullBox("hdlr", 0, 0, be32(0), ascii("pict"), new Uint8Array(12 + 1)),
    encodeFullBox("pitm", 0, 0, be16(primary)),
    encodeFullBox("iinf", 0, 0, be16(items.length), ...items.map(encodeEntry)),
    ...(references.length === 0 ? [] : [encodeFullBox("iref", 0, 0, ...references.map(encodeReference))]),
    encodeProperties(items),
    ...(idat.length === 0 ? [] : [encodeBox("idat", idat)]),
  ];
}

/** Without a name. */
function encodeEntry({ type, hidden }: PlainItem, index: number): Bytes {
  return encodeFullBox("infe", 2, hidden ? 1 : 0, be16(index + 1), be16(0), ascii(type), new Uint8Array(1));
}

function encodeReference({ type, from, to }: Reference): Bytes {
  return encodeBox(type, be16(from), be16(to.length), ...to.map(be16));
}

/** 32 bits for places and lengths; one extent for each that has any bytes. */
function encodeLocations(items: readonly PlainItem[], dataAt: number): Bytes {
  const next = { data: dataAt, idat: 0 };
  const entries = items.map(({ content, derived }, index) => {
    const source = derived ? "idat" : "data";
    const extent = content.length === 0 ? [] : [be32(next[source]), be32(content.length)];
    next[source] += content.length;
    return concat(be16(index + 1), be16(derived ? 1 : 0), be16(0), be16(content.length === 0 ? 0 : 1), ...extent);
  });
  return encodeFullBox("iloc", 1, 0, new Uint8Array([0x44, 0]), be16(items.length), ...entries);
}

function encodeProperties(items: readonly PlainItem[]): Bytes {
  const places = new Map<Bytes, number>();
  const boxes: Bytes[] = [];
  for (const { type, content } of items.flatMap(({ properties }) => properties)) {
    if (places.has(content)) continue;
    boxes.push(encodeBox(type, content));
    places.set(content, boxes.length);
  }
  if (boxes.length > MAX_PROPERTIES) throw new WireError("too-many");
  const few = boxes.length <= FEW_PROPERTIES;
  const associations = items.map(({ properties }, index) => {
    const own = properties.map(({ content, essential }) => {
      const place = places.get(content) ?? 0;
      return few ? new Uint8Array([place + (essential ? 0x80 : 0)]) : be16(place + (essential ? 0x8000 : 0));
    });
    return concat(be16(index + 1), new Uint8Array([properties.length]), ...own);
  });
  const ipma = encodeFullBox("ipma", 0, few ? 0 : 1, be32(items.length), ...associations);
  return encodeBox("iprp", encodeBox("ipco", ...boxes), ipma);
}
