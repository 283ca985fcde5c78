// How a record's key stands in SQLite, whose texts are in the order of their code points, where ours are in the order of
// UTF-16 code units. And the sums that tell a damaged record. Knows no file.

import { crc32 } from "node:zlib";
import type { Bytes } from "#wire";

const FIRST_SURROGATE = 0xd800;
/** How many code points are not characters because UTF-16 needs them. */
const SURROGATES = 0x800;
const BEYOND = /[\uD800-\uFFFF]/;
const BEYOND_AS_TEXT = /[\uE000-\u{107FF}]/u;

/** Each code unit becomes one character, none of them a surrogate, in the same order. Most keys stay as they are. */
export function keyToText(key: string): string {
  if (!BEYOND.test(key)) return key;
  let text = "";
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    text += String.fromCodePoint(unit < FIRST_SURROGATE ? unit : unit + SURROGATES);
  }
  return text;
}

export function textToKey(text: string): string {
  if (!BEYOND_AS_TEXT.test(text)) return text;
  let key = "";
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    key += String.fromCharCode(point < FIRST_SURROGATE ? point : point - SURROGATES);
  }
  return key;
}

const KEY_SUM_BITS = 0xf_ffff;
const KEY_SUM_UNIT = 0x1_0000_0000;

/**
 * Of a key, in 20 bits, and of key and value, in 32: an integer that JavaScript holds exactly. Against bad disks, not against
 * people: those meet the seal of the record.
 */
export function sumOf(text: string, value: Bytes): number {
  const ofKey = crc32(text);
  return (ofKey & KEY_SUM_BITS) * KEY_SUM_UNIT + crc32(value, ofKey);
}

/** Whether a key is the one that its record was stored under; does not need the value. */
export function hasKeySum(text: string, sum: number): boolean {
  return Math.floor(sum / KEY_SUM_UNIT) === (crc32(text) & KEY_SUM_BITS);
}
