// UTF-8 in both directions, strict: what is not exactly UTF-8 (RFC 3629) is refused, never repaired.
// Written here because the pure layers are compiled without TextEncoder.

import type { Bytes } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";

/** @throws UsageError for a lone surrogate, which has no UTF-8 form. */
export function toUtf8(text: string): Bytes {
  if (!text.isWellFormed()) throw new UsageError("bad-argument", "text with a lone surrogate");
  const bytes = new Uint8Array(3 * text.length);
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    const more = width(code) - 1;
    bytes[at++] = ((0xff00 >> (more + 1)) & 0xff) | (code >> (6 * more));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6) bytes[at++] = 0x80 | ((code >> shift) & 0x3f);
  }
  return bytes.slice(0, at);
}

/** @throws WireError `bad-utf8` for overlong forms, surrogates, values above U+10FFFF and broken sequences. */
export function fromUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const code = codePointAt(bytes, at);
    text += String.fromCodePoint(code);
    at += width(code);
  }
  return text;
}

function codePointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return first;
  const more = continuationsAfter(first);
  let code = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const next = bytes[at + i];
    if (next === undefined || (next & 0xc0) !== 0x80) throw new WireError("bad-utf8");
    code = (code << 6) | (next & 0x3f);
  }
  const overlong = width(code) !== 1 + more;
  if (overlong || code > 0x10_ffff || (code >= 0xd800 && code < 0xe000)) throw new WireError("bad-utf8");
  return code;
}

function continuationsAfter(first: number): number {
  if (first >= 0xc0 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  if (first >= 0xf0 && first < 0xf8) return 3;
  throw new WireError("bad-utf8");
}

/** The bytes that a code point takes. */
function width(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x1_0000 ? 3 : 4;
}
