// Byte strings: the one type for them, and the few operations every layer needs.
// Nothing here knows a format.

import { WireError } from "./errors.ts";

/** A byte string that owns an ordinary buffer. Never `Buffer`, never shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const EMPTY: Bytes = new Uint8Array(0);

export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A copy that shares no memory with `bytes`. Received bytes are borrowed: copy before keeping. */
export function copy(bytes: Uint8Array): Bytes {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

/** Whether two public byte strings are the same. For secrets use `equal` of crypto/. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const HEX = "0123456789abcdef";

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** @throws WireError `bad-hex` for an odd length or a character that is not a hexadecimal digit. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new WireError("bad-hex");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** ASCII text as bytes, for labels. Anything else is a mistake in our own source. */
export function ascii(text: string): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) throw new RangeError("ascii: not an ASCII string");
    bytes[i] = code;
  }
  return bytes;
}

export function be16(value: number): Bytes {
  return new Uint8Array([value >>> 8, value & 0xff]);
}

export function be32(value: number): Bytes {
  return new Uint8Array([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

/** `value` as eight big-endian bytes; `value` is a safe non-negative integer. */
export function be64(value: number): Bytes {
  return concat(be32(Math.floor(value / 0x1_0000_0000)), be32(value >>> 0));
}
