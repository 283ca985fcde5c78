// The codec of our own formats: every value has exactly one encoding, so encode∘decode is identity on bytes, and
// whatever is not that encoding is refused before a message is built. Works from generated descriptors; knows no format.
//
// The rules, beyond what protobuf asks (docs/wire.md gives the reasons): fields ascend, none twice except lists;
// varints are minimal; a default value is not written; at most one member of a oneof; numbers stay below 2^53; enum
// values are known; a field number below 128 is known, above that it is an extension, which is kept and ignored.

import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Bounds } from "./bounds.ts";
import type { Bytes } from "./bytes.ts";
import { UsageError, WireError } from "./errors.ts";
import { MAX_EXTENSIONS } from "./limits.ts";
import { type FieldPlan, FIRST_EXTENSION, type MessagePlan, planMessage } from "./plan.ts";
import { requireUtf8 } from "./utf8.ts";

export interface StrictCodec<Desc extends DescMessage> {
  /** @throws UsageError when the receiver would refuse the message. */
  encode(message: MessageShape<Desc>): Bytes;
  /** Byte strings in the answer are views of `bytes`. @throws WireError */
  decode(bytes: Bytes): MessageShape<Desc>;
}

/**
 * @param bounds an entry for each byte string, text and list of the schema and of what it contains
 * @throws InvariantError for a schema that cannot be checked: that is a mistake in the .proto file or in the bounds
 */
export function strictCodec<Desc extends DescMessage>(schema: Desc, bounds: Bounds, maxBytes: number): StrictCodec<Desc> {
  const plan = planMessage(schema, bounds);
  return {
    encode(message) {
      return requireAcceptable(() => {
        const bytes = toBinary(schema, message);
        check(plan, bytes, maxBytes);
        return bytes;
      });
    },
    decode(bytes) {
      check(plan, bytes, maxBytes);
      return fromBinary(schema, bytes);
    },
  };
}

/** What we send must pass what receivers check; if it does not, the caller is wrong and not some peer. */
function requireAcceptable(encode: () => Bytes): Bytes {
  try {
    return encode();
  } catch (error) {
    const reason = error instanceof WireError ? error.code : "a value does not fit its field";
    throw new UsageError("bad-argument", `a receiver would refuse this: ${reason}`);
  }
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

interface Cursor {
  readonly bytes: Bytes;
  at: number;
}

function check(plan: MessagePlan, bytes: Bytes, maxBytes: number): void {
  if (bytes.length > maxBytes) throw new WireError("too-long");
  checkMessage(plan, { bytes, at: 0 }, bytes.length);
}

function checkMessage(plan: MessagePlan, cursor: Cursor, end: number): void {
  let last = 0;
  let items = 0;
  let extensions = 0;
  let seen = 0;
  while (cursor.at < end) {
    const tag = readVarint(cursor, end);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    const field = plan.fields.get(number);
    items = number === last ? items + 1 : 1;
    if (number < last || (items > 1 && !mayRepeat(number, field))) throw new WireError("not-canonical");
    last = number;
    if (field === undefined) {
      if (number === 0 || number > MAX_FIELD_NUMBER) throw new WireError("bad-field");
      if (number < FIRST_EXTENSION) throw new WireError("unknown-critical");
      if (++extensions > MAX_EXTENSIONS) throw new WireError("too-many");
      skipValue(cursor, end, wireType);
      continue;
    }
    if (items > field.bound.items) throw new WireError("too-many");
    if (items === 1 && (seen & field.bit) !== 0) throw new WireError("not-canonical");
    seen |= field.bit;
    if (wireType !== wireTypeOf(field)) throw new WireError("bad-field");
    checkValue(field, cursor, end);
  }
  if ((plan.required & ~seen) !== 0) throw new WireError("missing-field");
}

const MAX_FIELD_NUMBER = 0x1fff_ffff;

/** An extension may be a list for all we know. */
function mayRepeat(number: number, field: FieldPlan | undefined): boolean {
  return field === undefined ? number >= FIRST_EXTENSION : field.repeated && !field.packed;
}

function wireTypeOf(field: FieldPlan): number {
  if (field.packed) return DELIMITED;
  switch (field.kind) {
    case "fixed64":
      return FIXED64;
    case "bytes":
    case "text":
    case "message":
      return DELIMITED;
    default:
      return VARINT;
  }
}

function checkValue(field: FieldPlan, cursor: Cursor, end: number): void {
  if (wireTypeOf(field) !== DELIMITED) {
    if (checkNumber(field, cursor, end) === 0 && field.implicit) throw new WireError("not-canonical");
    return;
  }
  const length = readVarint(cursor, end);
  if (length > end - cursor.at) throw new WireError("truncated");
  const valueEnd = cursor.at + length;
  if (field.packed) checkPacked(field, cursor, valueEnd);
  else if (field.message !== undefined) checkMessage(field.message, cursor, valueEnd);
  else checkBytes(field, cursor, valueEnd);
}

function checkBytes(field: FieldPlan, cursor: Cursor, end: number): void {
  const length = end - cursor.at;
  if (length === 0 && field.implicit) throw new WireError("not-canonical");
  if (length > field.bound.max) throw new WireError("too-long");
  if (length < field.bound.min) throw new WireError("bad-length");
  if (field.kind === "text") requireUtf8(cursor.bytes.subarray(cursor.at, end));
  cursor.at = end;
}

function checkPacked(field: FieldPlan, cursor: Cursor, end: number): void {
  if (cursor.at === end) throw new WireError("not-canonical");
  for (let items = 1; cursor.at < end; items++) {
    if (items > field.bound.items) throw new WireError("too-many");
    checkNumber(field, cursor, end);
  }
}

function checkNumber(field: FieldPlan, cursor: Cursor, end: number): number {
  if (field.kind === "fixed64") return readFixed64(cursor, end);
  const value = readVarint(cursor, end);
  if (field.kind === "bool" && value > 1) throw new WireError("not-canonical");
  if (field.kind === "uint32" && value > 0xffff_ffff) throw new WireError("bad-value");
  if (field.kind === "enum" && !field.enumValues.has(value)) throw new WireError("unknown-critical");
  return value;
}

function skipValue(cursor: Cursor, end: number, wireType: number): void {
  if (wireType === VARINT) skipVarint(cursor, end);
  else if (wireType === DELIMITED) advance(cursor, end, readVarint(cursor, end));
  else if (wireType === FIXED64) advance(cursor, end, 8);
  else if (wireType === FIXED32) advance(cursor, end, 4);
  else throw new WireError("bad-field");
}

function advance(cursor: Cursor, end: number, length: number): void {
  if (length > end - cursor.at) throw new WireError("truncated");
  cursor.at += length;
}

/** 53 bits fit eight bytes; a ninth could only be too much or too long. */
const MAX_SCALE = 0x80 ** 7;

/** A varint in its shortest form, up to 2^53 - 1. */
function readVarint(cursor: Cursor, end: number): number {
  let value = 0;
  for (let scale = 1; scale <= MAX_SCALE; scale *= 0x80) {
    const byte = readByte(cursor, end);
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) throw new WireError("bad-value");
    if (byte >= 0x80) continue;
    if (byte === 0 && scale > 1) throw new WireError("not-canonical");
    return value;
  }
  throw new WireError("bad-value");
}

/** An extension's varint may have all of its 64 bits, but it too must be in its shortest form. */
function skipVarint(cursor: Cursor, end: number): void {
  for (let size = 1; size <= 10; size++) {
    const byte = readByte(cursor, end);
    if (byte >= 0x80) continue;
    if (byte === 0 && size > 1) throw new WireError("not-canonical");
    if (byte > 1 && size === 10) throw new WireError("bad-value");
    return;
  }
  throw new WireError("bad-value");
}

function readFixed64(cursor: Cursor, end: number): number {
  const start = cursor.at;
  advance(cursor, end, 8);
  let value = 0;
  for (let at = start + 7; at >= start; at--) {
    value = value * 0x100 + (cursor.bytes[at] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) throw new WireError("bad-value");
  }
  return value;
}

function readByte(cursor: Cursor, end: number): number {
  if (cursor.at === end) throw new WireError("truncated");
  return cursor.bytes[cursor.at++] ?? 0;
}
