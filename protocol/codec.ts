// Writing and reading of persisted state: fixed-width integers and length-prefixed byte strings, nothing clever.
// Each persisted thing begins with a version byte of its own. Knows no particular state.

import { type Bytes, copy, UsageError, WireError } from "#wire";

export class Writer {
  #buffer: Bytes = new Uint8Array(1024);
  #length = 0;

  u8(value: number): this {
    this.#reserve(1)[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new UsageError("bad-argument", "not a 32-bit integer");
    const buffer = this.#reserve(4);
    buffer[this.#length++] = value >>> 24;
    buffer[this.#length++] = value >>> 16;
    buffer[this.#length++] = value >>> 8;
    buffer[this.#length++] = value;
    return this;
  }

  /** A safe non-negative integer in eight bytes. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value % 0x1_0000_0000);
  }

  /** Bytes whose length the reader knows. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Bytes with their length in front. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  finish(): Bytes {
    const whole = this.#buffer.slice(0, this.#length);
    this.#buffer.fill(0, 0, this.#length);
    return whole;
  }

  #reserve(more: number): Bytes {
    const needed = this.#length + more;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer.fill(0, 0, this.#length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#take(1)[0] ?? 0;
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#take(4);
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** @throws WireError `bad-value` above 2^53 - 1. */
  u64(): number {
    const value = this.u32() * 0x1_0000_0000 + this.u32();
    if (!Number.isSafeInteger(value)) throw new WireError("bad-value");
    return value;
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Bytes {
    return copy(this.#take(length));
  }

  /** A copy of a length-prefixed byte string. */
  bytes(): Bytes {
    return this.raw(this.u32());
  }

  /** A count of items that follow. @throws WireError `too-many`. */
  count(maximum: number): number {
    const count = this.u32();
    if (count > maximum) throw new WireError("too-many");
    return count;
  }

  /** @throws WireError `unknown-version`. */
  version(expected: number): void {
    if (this.u8() !== expected) throw new WireError("unknown-version");
  }

  /** @throws WireError `trailing` unless everything was read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new WireError("trailing");
  }

  #take(length: number): Uint8Array {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new WireError("truncated");
    this.#at = from + length;
    return this.#bytes.subarray(from, this.#at);
  }
}
