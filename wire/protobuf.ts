// The protobuf wire format as the official library's parser reads it: unknown fields are skipped, the last
// value of a field wins, a known field with another wire type is refused. Signal's messages are flat and hot,
// so they are read and written here by hand; the generated code is their slow twin in the tests.
// Knows no message. Our own formats are stricter: strict.ts.

import type { Bytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { fromUtf8 } from "./utf8.ts";

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/** How deep unknown groups may nest; the parser we are compatible with has the same bound. */
const MAX_GROUP_DEPTH = 100;
const TWO_POW_32 = 0x1_0000_0000;

/** Reads one message from start to end. The byte strings it returns are views of its input. */
export class Reader {
  readonly #bytes: Bytes;
  readonly #end: number;
  #at: number;
  #wireType = 0;
  // The last integer in two halves: 64 bits do not fit a number, and a bigint each would cost more than the message.
  #low = 0;
  #high = 0;

  constructor(bytes: Bytes, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The number of the next field, or 0 at the end. The caller must then read or skip its value. */
  next(): number {
    if (this.#at === this.#end) return 0;
    this.#varint();
    const field = this.#low >>> 3;
    this.#wireType = this.#low & 7;
    if (this.#high !== 0 || field === 0 || this.#wireType > FIXED32) throw new WireError("bad-field");
    return field;
  }

  /** A varint that no tag announces, for formats that borrow protobuf's integers. */
  bareVarint(): number {
    this.#varint();
    return this.#safeInteger();
  }

  /** The next `length` bytes, whatever they are. */
  bareBytes(length: number): Bytes {
    const start = this.#at;
    this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Everything up to the end. */
  rest(): Bytes {
    return this.bareBytes(this.#end - this.#at);
  }

  bytes(): Bytes {
    this.#expect(DELIMITED);
    const start = this.#skipDelimited();
    return this.#bytes.subarray(start, this.#at);
  }

  text(): string {
    return fromUtf8(this.bytes());
  }

  /** The low 32 bits of a varint: what protobuf parsers make of a longer one. */
  uint32(): number {
    this.#expect(VARINT);
    this.#varint();
    return this.#low;
  }

  /** @throws WireError `bad-value` above 2^53 - 1, which no honest time or count reaches. */
  uint64(): number {
    this.#expect(VARINT);
    this.#varint();
    return this.#safeInteger();
  }

  /** @throws WireError `bad-value` above 2^53 - 1. */
  fixed64(): number {
    this.#expect(FIXED64);
    this.#low = this.#word();
    this.#high = this.#word();
    return this.#safeInteger();
  }

  /** Steps over the value of a field that the caller does not know. */
  skip(field: number): void {
    this.#skip(field, MAX_GROUP_DEPTH);
  }

  #skip(field: number, depth: number): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === DELIMITED) this.#skipDelimited();
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else this.#skipGroup(field, depth);
  }

  #skipGroup(field: number, depth: number): void {
    if (this.#wireType !== START_GROUP || depth === 0) throw new WireError("bad-field");
    for (;;) {
      const inner = this.next();
      if (inner === 0) throw new WireError("truncated");
      if (this.#endsGroup()) {
        if (inner !== field) throw new WireError("bad-field");
        return;
      }
      this.#skip(inner, depth - 1);
    }
  }

  #endsGroup(): boolean {
    return this.#wireType === END_GROUP;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new WireError("bad-field");
  }

  /** Moves past a length and the bytes it counts; the answer is where those bytes start. */
  #skipDelimited(): number {
    this.#varint();
    const start = this.#at;
    if (this.#high !== 0) throw new WireError("truncated");
    this.#advance(this.#low);
    return start;
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) throw new WireError("truncated");
    this.#at += length;
  }

  #word(): number {
    const at = this.#at;
    this.#advance(4);
    const [a = 0, b = 0, c = 0, d = 0] = this.#bytes.subarray(at, at + 4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  #safeInteger(): number {
    if (this.#high >= 0x20_0000) throw new WireError("bad-value");
    return this.#high * TWO_POW_32 + this.#low;
  }

  #varint(): void {
    this.#high = 0;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#low = low;
        return;
      }
    }
    this.#longVarint(low);
  }

  /** Bytes five to ten of a varint: bit 28 is in the low half, bit 32 begins the high one. */
  #longVarint(first: number): void {
    const fifth = this.#byte();
    this.#low = (first | ((fifth & 0x0f) << 28)) >>> 0;
    this.#high = (fifth & 0x7f) >> 4;
    if (fifth < 0x80) return;
    for (let shift = 3; shift < 32; shift += 7) {
      const byte = this.#byte();
      // The tenth byte holds bit 63 and nothing more.
      if (shift === 31 && byte > 1) throw new WireError("bad-value");
      this.#high = (this.#high | ((byte & 0x7f) << shift)) >>> 0;
      if (byte < 0x80) return;
    }
  }

  #byte(): number {
    if (this.#at === this.#end) throw new WireError("truncated");
    return this.#bytes[this.#at++] ?? 0;
  }
}

/** A field that the message cannot do without. @throws WireError `missing-field`. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new WireError("missing-field");
  return value;
}

/** A field of one fixed length. @throws WireError `missing-field` or `bad-length`. */
export function sized(value: Bytes | undefined, length: number): Bytes {
  if (present(value).length !== length) throw new WireError("bad-length");
  return present(value);
}

/** A field's number and value: a number is a varint, a byte string is length-delimited, a bigint is a fixed64, and absence is absence. */
export type Field = readonly [number: number, value: number | bigint | Uint8Array | undefined];

/** A message with these fields in this order, after a version byte if there is one. Takes numbers up to 2^53 - 1. */
export function encodeFields(fields: readonly Field[], version?: number): Bytes {
  let length = version === undefined ? 0 : 1;
  for (const [number, value] of fields) if (value !== undefined) length += varintSize(number << 3) + valueSize(value);
  const bytes = new Uint8Array(length);
  let at = 0;
  if (version !== undefined) bytes[at++] = version;
  for (const [number, value] of fields) if (value !== undefined) at = putField(bytes, at, number, value);
  return bytes;
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes `value` at `at`; the answer is the place after it. */
export function putVarint(bytes: Bytes, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
  bytes[end++] = rest;
  return end;
}

function valueSize(value: number | bigint | Uint8Array): number {
  if (typeof value === "number") return varintSize(value);
  if (typeof value === "bigint") return 8;
  return varintSize(value.length) + value.length;
}

function putField(bytes: Bytes, start: number, number: number, value: number | bigint | Uint8Array): number {
  if (typeof value === "number") return putVarint(bytes, putVarint(bytes, start, (number << 3) | VARINT), value);
  if (typeof value === "bigint") {
    const at = putVarint(bytes, start, (number << 3) | FIXED64);
    new DataView(bytes.buffer).setBigUint64(at, value, true);
    return at + 8;
  }
  const at = putVarint(bytes, putVarint(bytes, start, (number << 3) | DELIMITED), value.length);
  bytes.set(value, at);
  return at + value.length;
}
