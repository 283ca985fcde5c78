// The protobuf wire format with one encoding for each value: minimal varints, numbers below 2^53, no groups.
// Knows fields and lengths, no message; strict.ts builds on it.

import type { Bytes } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
const FIXED32 = 5;

const MAX_FIELD_NUMBER = 0x1fff_ffff;
/** 53 bits fit eight bytes; a ninth could only be too much or too long. */
const MAX_SCALE = 0x80 ** 7;
const TWO_POW_32 = 0x1_0000_0000;

/** A place in a byte string, and the end of what may be read from there. Byte strings it returns are views. */
export class Source {
  readonly #bytes: Bytes;
  #at = 0;
  #end: number;
  /** Of the field whose tag was read last. */
  #fieldStart = 0;
  #wireType = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  get wireType(): number {
    return this.#wireType;
  }

  more(): boolean {
    return this.#at < this.#end;
  }

  /** Reads a tag; the answer is its field's number. */
  tag(): number {
    this.#fieldStart = this.#at;
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    if (number === 0 || number > MAX_FIELD_NUMBER) throw new WireError("bad-field");
    return number;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= MAX_SCALE; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new WireError("bad-value");
      if (byte >= 0x80) continue;
      if (byte === 0 && scale > 1) throw new WireError("not-canonical");
      return value;
    }
    throw new WireError("bad-value");
  }

  fixed64(): number {
    let value = 0;
    const start = this.#advance(8);
    for (let at = start + 7; at >= start; at--) {
      value = value * 0x100 + (this.#bytes[at] ?? 0);
      if (value > Number.MAX_SAFE_INTEGER) throw new WireError("bad-value");
    }
    return value;
  }

  /** Goes into a length-delimited value, so that its end is the end; the answer is what `leave` wants back. */
  enter(): number {
    const length = this.varint();
    if (length > this.#end - this.#at) throw new WireError("truncated");
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** Everything up to the end. */
  rest(): Bytes {
    const start = this.#at;
    this.#at = this.#end;
    return this.#bytes.subarray(start, this.#end);
  }

  /** The whole of the field whose tag was read last, with that tag. */
  skipped(): Bytes {
    if (this.#wireType === VARINT) this.#skipVarint();
    else if (this.#wireType === DELIMITED) this.#advance(this.varint());
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else throw new WireError("bad-field");
    return this.#bytes.subarray(this.#fieldStart, this.#at);
  }

  /** What is skipped may have all of its 64 bits, but it too must be in its shortest form. */
  #skipVarint(): void {
    for (let size = 1; size <= 10; size++) {
      const byte = this.#byte();
      if (byte >= 0x80) continue;
      if (byte === 0 && size > 1) throw new WireError("not-canonical");
      if (byte > 1 && size === 10) break;
      return;
    }
    throw new WireError("bad-value");
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw new WireError("truncated");
    this.#at = start + length;
    return start;
  }

  #byte(): number {
    if (this.#at === this.#end) throw new WireError("truncated");
    return this.#bytes[this.#at++] ?? 0;
  }
}

/** Collects the parts of a message. Byte strings are not copied before `finish`. */
export class Sink {
  /** A number is one byte. */
  readonly #parts: (number | Uint8Array)[] = [];
  #length = 0;

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new UsageError("bad-argument", "not a whole number below 2^53");
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    this.#byte(rest);
  }

  fixed64(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new UsageError("bad-argument", "not a whole number below 2^53");
    for (const half of [value % TWO_POW_32, Math.floor(value / TWO_POW_32)]) {
      for (let shift = 0; shift < 32; shift += 8) this.#byte((half >>> shift) & 0xff);
    }
  }

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** A length, and then that many bytes of what `write` writes. */
  delimited(write: (inner: Sink) => void): void {
    const inner = new Sink();
    write(inner);
    this.varint(inner.#length);
    for (const part of inner.#parts) this.#parts.push(part);
    this.#length += inner.#length;
  }

  finish(): Bytes {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      if (typeof part === "number") bytes[at++] = part;
      else {
        bytes.set(part, at);
        at += part.length;
      }
    }
    return bytes;
  }

  #byte(byte: number): void {
    this.#parts.push(byte);
    this.#length++;
  }
}
