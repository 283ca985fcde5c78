// What the `meta` box of a HEIC or AVIF says there is (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12): items, where their bytes lie, which
// belongs to which, and their properties. Knows how it is written, not what is shown of it.

import { type Bytes, concat, EMPTY, WireError } from "#wire";
import { boxesOf, contentOf, requiredContent, versionOf } from "./boxes.ts";
import { bigEndian, partOf, textAt } from "./reading.ts";

export interface Extent {
  readonly source: "file" | "idat";
  readonly at: number;
  readonly length: number;
}

export interface Item {
  readonly id: number;
  readonly type: string;
  /** Not to be shown by itself. */
  readonly hidden: boolean;
  readonly extents: readonly Extent[];
  readonly properties: readonly Property[];
}

export interface Property {
  readonly type: string;
  readonly content: Bytes;
  /** Whoever does not know it must not show the item. */
  readonly essential: boolean;
}

export interface Reference {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

export interface Items {
  readonly primary: number;
  readonly items: ReadonlyMap<number, Item>;
  readonly references: readonly Reference[];
  readonly idat: Bytes;
}

/** Behind version and flags. */
const FULL_HEADER_BYTES = 4;

/** @throws WireError */
export function readItems(meta: Bytes): Items {
  versionOf(meta, 0);
  const required = (type: string): Bytes => requiredContent(meta, type, FULL_HEADER_BYTES);
  if (textAt(required("hdlr"), 8, 4) !== "pict") throw new WireError("bad-value");
  const locations = readLocations(required("iloc"));
  const properties = readProperties(required("iprp"));
  const items = new Map<number, Item>();
  for (const entry of readEntries(required("iinf"))) {
    if (items.has(entry.id)) throw new WireError("too-many");
    items.set(entry.id, { ...entry, extents: locations.get(entry.id) ?? [], properties: properties.get(entry.id) ?? [] });
  }
  const pitm = required("pitm");
  return {
    primary: bigEndian(pitm, FULL_HEADER_BYTES, versionOf(pitm, 1) === 0 ? 2 : 4),
    items,
    references: readReferences(contentOf(meta, "iref", FULL_HEADER_BYTES)),
    idat: contentOf(meta, "idat", FULL_HEADER_BYTES) ?? EMPTY,
  };
}

/** More than the largest picture takes, and few enough to be held. */
const MAX_NUMBERS = 1_000_000;

/** One number after another. */
class Numbers {
  readonly #bytes: Bytes;
  #left = MAX_NUMBERS;
  #at: number;

  constructor(bytes: Bytes, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Of 0 to 8 bytes. What does not fit into a number is larger than any file, and stays so. */
  next(size: number): number {
    if (this.#left-- === 0) throw new WireError("too-many");
    const [high, low] = size > 4 ? [size - 4, 4] : [0, size];
    const value = bigEndian(this.#bytes, this.#at, high) * 0x1_0000_0000 + bigEndian(this.#bytes, this.#at + high, low);
    this.#at += size;
    return value;
  }
}

/** 8.11.6 */
function* readEntries(iinf: Bytes): Generator<Pick<Item, "id" | "type" | "hidden">> {
  const wide = versionOf(iinf, 1) === 1;
  for (const box of boxesOf(iinf, FULL_HEADER_BYTES + (wide ? 4 : 2))) {
    if (box.type !== "infe") throw new WireError("bad-value");
    const infe = iinf.subarray(box.contentAt, box.end);
    const version = versionOf(infe, 3);
    if (version < 2) throw new WireError("unknown-version");
    const idBytes = version === 2 ? 2 : 4;
    const isProtected = bigEndian(infe, FULL_HEADER_BYTES + idBytes, 2) !== 0;
    // Nobody but its owner knows what such an item is.
    const type = isProtected ? "" : textAt(infe, FULL_HEADER_BYTES + idBytes + 2, 4);
    yield { id: bigEndian(infe, FULL_HEADER_BYTES, idBytes), type, hidden: (bigEndian(infe, 3, 1) & 1) === 1 };
  }
}

/** 8.11.3 */
function readLocations(iloc: Bytes): Map<number, readonly Extent[]> {
  const version = versionOf(iloc, 2);
  const numbers = new Numbers(iloc, FULL_HEADER_BYTES);
  const [offsetAndLength, baseAndIndex] = [numbers.next(1), numbers.next(1)];
  const sizes: Sizes = {
    offset: sizeOf(offsetAndLength >> 4),
    length: sizeOf(offsetAndLength & 15),
    base: sizeOf(baseAndIndex >> 4),
    index: version === 0 ? 0 : sizeOf(baseAndIndex & 15),
  };
  const locations = new Map<number, readonly Extent[]>();
  const wide = version === 2 ? 4 : 2;
  for (let left = numbers.next(wide); left > 0; left--) {
    const id = numbers.next(wide);
    if (locations.has(id)) throw new WireError("too-many");
    locations.set(id, readExtents(numbers, version === 0 ? 0 : numbers.next(2) & 15, sizes));
  }
  return locations;
}

interface Sizes {
  readonly offset: number;
  readonly length: number;
  readonly base: number;
  readonly index: number;
}

function sizeOf(code: number): number {
  if (code !== 0 && code !== 4 && code !== 8) throw new WireError("bad-value");
  return code;
}

function readExtents(numbers: Numbers, method: number, sizes: Sizes): Extent[] {
  // In another file, or in another item: so is no picture here.
  const elsewhere = numbers.next(2) !== 0 || method > 1;
  const base = numbers.next(sizes.base);
  const count = numbers.next(2);
  // Extents that take no room could be any number.
  if (count > 1 && sizes.offset + sizes.length === 0) throw new WireError("bad-value");
  return Array.from({ length: count }, () => {
    numbers.next(sizes.index);
    const at = base + numbers.next(sizes.offset);
    const length = numbers.next(sizes.length);
    return { source: method === 1 ? "idat" : "file", at, length: elsewhere ? 0 : length };
  });
}

/** 8.11.12 */
function readReferences(iref: Bytes | undefined): Reference[] {
  if (iref === undefined) return [];
  const idBytes = versionOf(iref, 1) === 0 ? 2 : 4;
  let count = 0;
  return boxesOf(iref, FULL_HEADER_BYTES).map((box) => {
    const numbers = new Numbers(iref.subarray(box.contentAt, box.end), 0);
    const from = numbers.next(idBytes);
    const to = Array.from({ length: numbers.next(2) }, () => numbers.next(idBytes));
    count += to.length;
    if (count > MAX_NUMBERS) throw new WireError("too-many");
    return { type: box.type, from, to };
  });
}

/** ISO/IEC 23008-12, 9.3: which item has which of the properties, in the order in which they are applied. */
function readProperties(iprp: Bytes): Map<number, readonly Property[]> {
  const ipco = requiredContent(iprp, "ipco");
  const all = boxesOf(ipco).map(({ type, contentAt, end }) => ({ type, content: ipco.subarray(contentAt, end) }));
  const properties = new Map<number, readonly Property[]>();
  for (const box of boxesOf(iprp)) {
    if (box.type !== "ipma") continue;
    for (const { id, indexes } of readAssociations(iprp.subarray(box.contentAt, box.end))) {
      if (properties.has(id)) throw new WireError("too-many");
      const own = indexes.map(({ index, essential }) => ({ ...propertyAt(all, index), essential }));
      properties.set(id, own);
    }
  }
  return properties;
}

/** From 1. */
function propertyAt<T>(all: readonly T[], index: number): T {
  const property = all[index - 1];
  if (property === undefined) throw new WireError("bad-value");
  return property;
}

interface Association {
  readonly id: number;
  readonly indexes: readonly { readonly index: number; readonly essential: boolean }[];
}

function* readAssociations(ipma: Bytes): Generator<Association> {
  const idBytes = versionOf(ipma, 1) === 0 ? 2 : 4;
  const size = bigEndian(ipma, 3, 1) & 1 ? 2 : 1;
  const essentialBit = size === 2 ? 0x8000 : 0x80;
  const numbers = new Numbers(ipma, FULL_HEADER_BYTES);
  for (let left = numbers.next(4); left > 0; left--) {
    const id = numbers.next(idBytes);
    const indexes = Array.from({ length: numbers.next(1) }, () => {
      const value = numbers.next(size);
      return { index: value & (essentialBit - 1), essential: value >= essentialBit };
    });
    yield { id, indexes: indexes.filter(({ index }) => index !== 0) };
  }
}

/** Its bytes; none, where it needs none. @throws WireError */
export function contentOfItem({ extents }: Item, file: Bytes, idat: Bytes): Bytes {
  const parts = extents.map(({ source, at, length }) => {
    if (length === 0) throw new WireError("bad-length");
    return partOf(source === "file" ? file : idat, at, length);
  });
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : concat(...parts);
}
