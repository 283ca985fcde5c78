// HEIC and AVIF (ISO/IEC 23008-12, AV1 Image File Format) without metadata: the file is built anew, of the picture that it is there
// to show, the tiles that it is made of, its transparency, and the properties that say how they are shown. EXIF, XMP, thumbnails,
// depth, gain maps and other pictures, what vendors add, videos and names are left out. Turns are properties: EXIF is not
// needed for them. The compressed pictures are not decoded: what encoders write into them stays.

import { type Bytes, WireError } from "#wire";
import { plainProperty } from "./box-properties.ts";
import { type Box, boxesOf, contentAmong } from "./boxes.ts";
import { contentOfItem, type Extent, type Item, type Items, readItems, type Reference } from "./heif-items.ts";
import { encodeHeif, type PlainItem, type PlainProperty } from "./heif-writing.ts";
import { type Orientation, type Size, turnedSize } from "./orientation.ts";
import type { PlainPicture } from "./plain.ts";
import { bigEndian, textAt } from "./reading.ts";

/** A picture that is made of others is made of those that stand before it here; so none is made of itself. */
const LEVELS: ReadonlyMap<string, number> = new Map(Object.entries({ hvc1: 0, av01: 0, avc1: 0, vvc1: 0, grid: 1, iovl: 2, iden: 3 }));
/** Of tiles, stretches and properties: more than any picture has. */
const MAX_PARTS = 10_000;
/** What the file is for. Those that promise more than one picture are left out with the other pictures. */
const BRANDS: ReadonlySet<string> = new Set("avif MA1A MA1B heic heix heim heis mif1 mif2 miaf MiHA MiHB MiHE MiPr".split(" "));

/** @throws WireError */
export function plainHeif(bytes: Bytes): PlainPicture {
  const boxes = boxesOf(bytes, 0, "file");
  const items = readItems(required(contentAmong(boxes, bytes, "meta")));
  const links = linksOf(items.references);
  const shown = shownItems(items, links);
  requireOwnBytes(shown, items, boxes);
  const plain = plainItems(shown, { items, links, file: bytes });
  const places = new Map(shown.map(({ id }, index) => [id, index + 1]));
  const references = items.references.flatMap((reference) => plainReference(reference, places));
  if (references.length > MAX_PARTS) throw new WireError("too-many");
  const primary = required(places.get(items.primary));
  const brands = brandsOf(required(contentAmong(boxes, bytes, "ftyp")));
  return { parts: encodeHeif({ brands, primary, items: plain, references }), ...shownSize(plain[primary - 1]) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new WireError("missing-field");
  return value;
}

/** The first, and those that it goes with as well. */
function brandsOf(ftyp: Bytes): readonly string[] {
  const brands = new Set([textAt(ftyp, 0, 4)]);
  for (let at = 8; at + 4 <= ftyp.length; at += 4) {
    const brand = textAt(ftyp, at, 4);
    if (BRANDS.has(brand)) brands.add(brand);
  }
  return [...brands];
}

interface Links {
  /** What a picture is made of. */
  readonly parts: ReadonlyMap<number, readonly number[]>;
  /** The auxiliary pictures that a picture has. */
  readonly auxiliaries: ReadonlyMap<number, readonly number[]>;
}

function linksOf(references: readonly Reference[]): Links {
  const parts = new Map<number, readonly number[]>();
  const auxiliaries = new Map<number, number[]>();
  for (const { type, from, to } of references) {
    if (type === "dimg") {
      if (parts.has(from)) throw new WireError("too-many");
      parts.set(from, to);
    } else if (type === "auxl") {
      for (const id of to) {
        const list = auxiliaries.get(id);
        if (list === undefined) auxiliaries.set(id, [from]);
        else list.push(from);
      }
    }
  }
  return { parts, auxiliaries };
}

/** The primary item, and all that it is made of, in the order of their ids. */
function shownItems({ primary, items }: Items, { parts, auxiliaries }: Links): Item[] {
  const shown = new Set([primary]);
  // A set may grow while it is walked through.
  for (const id of shown) {
    for (const part of parts.get(id) ?? []) shown.add(part);
    for (const other of auxiliaries.get(id) ?? []) if (isTransparency(items.get(other))) shown.add(other);
  }
  if (shown.size > MAX_PARTS) throw new WireError("too-many");
  return [...shown].toSorted((a, b) => a - b).map((id) => required(items.get(id)));
}

function isTransparency(item: Item | undefined): boolean {
  return item?.properties.some(({ type, content }) => type === "auxC" && plainProperty(type, content) !== undefined) ?? false;
}

/** What is shown lies where the bytes of pictures do, and is not that of another item as well. */
function requireOwnBytes(shown: readonly Item[], { items }: Items, boxes: readonly Box[]): void {
  const wanted = new Set(shown);
  const others = [...items.values()].filter((item) => !wanted.has(item));
  for (const source of ["file", "idat"] as const) requireApart(extentsOf(shown, source), extentsOf(others, source));
  const homes = boxes.filter(({ type }) => type === "mdat");
  let home = 0;
  for (const { at, length } of extentsOf(shown, "file")) {
    while ((homes[home]?.end ?? Infinity) <= at) home++;
    const { contentAt, end } = required(homes[home]);
    if (at < contentAt || at + length > end) throw new WireError("bad-value");
  }
}

function extentsOf(items: readonly Item[], source: Extent["source"]): Extent[] {
  const all = items.flatMap(({ extents }) => extents).filter((extent) => extent.source === source);
  return all.toSorted((a, b) => a.at - b.at);
}

/** Both in order. */
function requireApart(own: readonly Extent[], others: readonly Extent[]): void {
  let next = 0;
  for (const { at, length } of own) {
    for (let other = others[next]; other !== undefined && other.at + other.length <= at; other = others[next]) next++;
    if ((others[next]?.at ?? Infinity) < at + length) throw new WireError("bad-value");
  }
}

interface Source {
  readonly items: Items;
  readonly links: Links;
  readonly file: Bytes;
}

function plainItems(shown: readonly Item[], { items, links, file }: Source): PlainItem[] {
  const known = new Map<Bytes, Bytes | undefined>();
  let room = file.length;
  return shown.map((item) => {
    // Extents may lie one over the other: of a small file no large one is made.
    if (item.extents.length > MAX_PARTS) throw new WireError("too-many");
    room -= item.extents.reduce((sum, { length }) => sum + length, 0);
    if (room < 0) throw new WireError("too-long");
    const parts = (links.parts.get(item.id) ?? []).map((id) => levelOf(required(items.items.get(id))));
    const properties = item.properties.flatMap((property) => plainProperties(property, known));
    return { type: item.type, hidden: item.hidden, properties, ...plainContent(item, parts, contentOfItem(item, file, items.idat)) };
  });
}

function plainProperties({ type, content, essential }: Item["properties"][number], known: Map<Bytes, Bytes | undefined>): PlainProperty[] {
  // One that several items share is one again.
  const plain = known.has(content) ? known.get(content) : plainProperty(type, content);
  known.set(content, plain);
  if (plain !== undefined) return [{ type, content: plain, essential }];
  if (essential && type !== "colr") throw new WireError("unknown-critical");
  return [];
}

/** Of a picture that is made of others, as much as says how (ISO/IEC 23008-12, 6.6.2). */
function plainContent(item: Item, parts: readonly number[], content: Bytes): Pick<PlainItem, "content" | "derived"> {
  const level = levelOf(item);
  if (parts.length > MAX_PARTS || parts.some((part) => part >= level)) throw new WireError("bad-value");
  if (level === 0) {
    if (content.length === 0) throw new WireError("bad-value");
    return { content, derived: false };
  }
  if (content.length !== derivedLength(item.type, parts.length, content)) throw new WireError("bad-length");
  return { content, derived: true };
}

function levelOf({ type }: Item): number {
  return required(LEVELS.get(type));
}

function derivedLength(type: string, parts: number, content: Bytes): number {
  if (type === "iden" && parts === 1) return 0;
  const wide = bigEndian(content, 1, 1) & 1 ? 4 : 2;
  if (type === "grid" && parts === (bigEndian(content, 2, 1) + 1) * (bigEndian(content, 3, 1) + 1)) return 4 + 2 * wide;
  if (type === "iovl" && parts > 0) return 2 + 8 + 2 * wide * (1 + parts);
  throw new WireError("bad-value");
}

function plainReference({ type, from, to }: Reference, places: ReadonlyMap<number, number>): Reference[] {
  const place = places.get(from);
  if (place === undefined || !["dimg", "auxl", "prem"].includes(type)) return [];
  const kept = to.flatMap((id) => places.get(id) ?? []);
  if (kept.length > MAX_PARTS) throw new WireError("too-many");
  return kept.length === 0 ? [] : [{ type, from: place, to: kept }];
}

/** ISO/IEC 23008-12, 6.5: cut out and turned, in the order of the properties. */
function shownSize(item: PlainItem | undefined): Size {
  let size: Size | undefined;
  for (const { type, content } of item?.properties ?? []) {
    if (type === "ispe") size ??= { width: bigEndian(content, 4, 4), height: bigEndian(content, 8, 4) };
    else if (size !== undefined && type === "clap") size = cutOut(content);
    else if (size !== undefined && type === "irot") size = turnedSize(size, quarterTurns(content));
  }
  if (size === undefined || size.width === 0 || size.height === 0) throw new WireError("missing-field");
  return size;
}

function quarterTurns(irot: Bytes): Orientation {
  return bigEndian(irot, 0, 1) & 1 ? 6 : 1;
}

/** Fractions; pixels are whole. */
function cutOut(clap: Bytes): Size {
  const [width, height] = [bigEndian(clap, 0, 4) / bigEndian(clap, 4, 4), bigEndian(clap, 8, 4) / bigEndian(clap, 12, 4)];
  if (!Number.isInteger(width) || !Number.isInteger(height)) throw new WireError("bad-value");
  return { width, height };
}
