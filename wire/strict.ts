// The codec of our own formats. A format is a table: which field number holds what kind of value, and whether it may be
// absent. Every value has exactly one encoding, so encode∘decode is identity on bytes, and whatever is not that encoding
// is refused. The .proto files say the same for other languages; a test compares the two, field by field.
//
// The rules beyond protobuf's: fields ascend, none twice except lists; varints are minimal; a default value is not
// written; at most one member of a oneof; numbers stay below 2^53; enum values are known; a field number below 128 is
// known, from there on it is an extension, which is kept and ignored.

import type { Bytes } from "./bytes.ts";
import { DELIMITED, Sink, Source } from "./canonical.ts";
import { InvariantError, UsageError, WireError } from "./errors.ts";
import type { Kind } from "./kinds.ts";
import { MAX_EXTENSIONS } from "./limits.ts";

export interface Extensible {
  /** Fields that a newer version added, as they were received. Made by a decoder and kept by its encoder; a signed format refuses them. */
  readonly extensions?: readonly Bytes[];
}

/** What a property of a message is on the wire. */
export interface Field<T> {
  /** The field numbers that hold it (several for a oneof), with the kind of each. */
  readonly members: ReadonlyMap<number, Kind<unknown>>;
  readonly presence: "required" | "optional" | "list" | "packed";
  /** What the property is when no field is there. */
  readonly absent: T | undefined;
  /** @param before what the property is so far: for a list the elements read before this one */
  read(source: Source, number: number, before: T | undefined): T;
  write(sink: Sink, value: T): void;
}

/** A table for T: a field for each property. A `kind` that is the same in every T is not on the wire. */
export type Fields<T> = {
  readonly [Key in Exclude<keyof T, "extensions">]: Key extends "kind" ? T[Key] : Field<T[Key]>;
};

export interface MessageKind<T> extends Kind<T> {
  /** The `kind` that every value has, where it has one. */
  readonly constant: string | undefined;
  readonly fields: readonly Field<unknown>[];
}

/** Always there, and never the default value. */
export function required<T>(number: number, kind: Kind<T>): Field<T> {
  return {
    members: new Map([[number, kind]]),
    presence: "required",
    absent: undefined,
    read: (source) => readOne(source, kind),
    write(sink, value) {
      if (kind.isDefault(value)) throw new UsageError("bad-argument", "a required field is empty");
      writeOne(sink, number, kind, value);
    },
  };
}

/** `absent` stands for a field that is not there: the default value of its kind. */
export function withDefault<T>(number: number, kind: Kind<T>, absent: T): Field<T> {
  return {
    members: new Map([[number, kind]]),
    presence: "optional",
    absent,
    read: (source) => readOne(source, kind),
    write(sink, value) {
      if (!kind.isDefault(value)) writeOne(sink, number, kind, value);
    },
  };
}

/** There with a value that is not the default, or absent. */
export function optional<T>(number: number, kind: Kind<T>): Field<T | undefined> {
  return {
    members: new Map([[number, kind]]),
    presence: "optional",
    absent: undefined,
    read: (source) => readOne(source, kind),
    write(sink, value) {
      if (value === undefined) return;
      if (kind.isDefault(value)) throw new UsageError("bad-argument", "an optional field is empty instead of absent");
      writeOne(sink, number, kind, value);
    },
  };
}

/** Up to `max` values, each a field of its own. */
export function list<T>(number: number, max: number, kind: Kind<T>): Field<readonly T[]> {
  return {
    members: new Map([[number, kind]]),
    presence: "list",
    absent: [],
    read(source, _, before) {
      // What was read before is an array that an earlier call made here, and nobody has seen it yet.
      const values = before === undefined ? [] : (before as T[]);
      if (values.length === max) throw new WireError("too-many");
      values.push(readDelimited(source, kind));
      return values;
    },
    write(sink, values) {
      for (const value of values) writeOne(sink, number, kind, value);
    },
  };
}

/** Up to `max` numbers in one field. */
export function packed(number: number, max: number, kind: Kind<number>): Field<readonly number[]> {
  return {
    members: new Map([[number, kind]]),
    presence: "packed",
    absent: [],
    read(source) {
      requireWireType(source, DELIMITED);
      const outer = source.enter();
      if (!source.more()) throw new WireError("not-canonical");
      const values: number[] = [];
      for (; source.more(); values.push(kind.read(source))) if (values.length === max) throw new WireError("too-many");
      source.leave(outer);
      return values;
    },
    write(sink, values) {
      if (values.length === 0) return;
      sink.tag(number, DELIMITED);
      sink.delimited((inner) => {
        for (const value of values) kind.write(inner, value);
      });
    },
  };
}

/** For each member of the union U its field number and what it is: exactly one of them is there. */
export type Members<U extends { readonly kind: string }> = {
  readonly [Name in U["kind"]]: readonly [number: number, kind: MessageKind<Extract<U, { readonly kind: Name }>>];
};

export function oneof<U extends { readonly kind: string }>(table: Members<U>): Field<U> {
  // Each value of Members<U> is a pair of number and kind, whatever its name; the mapped type hides that.
  const pairs = Object.values<readonly [number, MessageKind<U>]>(table);
  const members = new Map(pairs);
  const numbers = new Map(pairs.map(([number, kind]) => [kind.constant, number]));
  return {
    members,
    presence: "required",
    absent: undefined,
    read: (source, number) => readDelimited(source, found(members.get(number))),
    write(sink, value) {
      const number = found(numbers.get(value.kind));
      writeOne(sink, number, found(members.get(number)), value);
    },
  };
}

interface Slot {
  readonly key: string;
  readonly field: Field<unknown>;
  readonly bit: number;
}

/** @param proto the full name of the message in the .proto file */
export function message<T extends object>(proto: string, table: Fields<T>): MessageKind<T> {
  const { slots, constants, empty, requiredBits } = planOf(table);
  const byNumber = new Map(slots.flatMap((slot) => [...slot.field.members.keys()].map((number) => [number, slot])));
  return {
    proto,
    wireType: DELIMITED,
    constant: constants["kind"],
    fields: slots.map((slot) => slot.field),
    isDefault: () => false,
    read(source) {
      const value = { ...empty };
      const extensions: Bytes[] = [];
      let seen = 0;
      for (let last = 0; source.more();) {
        const number = source.tag();
        if (number < last) throw new WireError("not-canonical");
        const slot = byNumber.get(number);
        if (slot === undefined) extensions.push(readExtension(source, number, extensions.length));
        else {
          const repeated = (seen & slot.bit) !== 0;
          if (repeated && (slot.field.presence !== "list" || number !== last)) throw new WireError("not-canonical");
          value[slot.key] = slot.field.read(source, number, repeated ? value[slot.key] : undefined);
          seen |= slot.bit;
        }
        last = number;
      }
      if ((requiredBits & ~seen) !== 0) throw new WireError("missing-field");
      if (extensions.length > 0) value["extensions"] = extensions;
      // Every property of T was set: from `empty`, by the Field<T[key]> of its key, or it is required and was seen.
      return value as unknown as T;
    },
    write(sink, value) {
      // The slots' keys are the keys of T, each with a Field of its type, by the type of `table`.
      const properties = value as Readonly<Record<string, unknown>> & Extensible;
      for (const { key, field } of slots) field.write(sink, properties[key]);
      for (const extension of properties.extensions ?? []) sink.raw(extension);
    },
  };
}

export interface StrictCodec<T> {
  /** @throws UsageError when a receiver would refuse the value. */
  readonly encode: (value: T) => Bytes;
  /** Byte strings in the answer are views of `bytes`. @throws WireError */
  readonly decode: (bytes: Bytes) => T;
}

export function strictCodec<T>(kind: MessageKind<T>, maxBytes: number): StrictCodec<T> {
  function decode(bytes: Bytes): T {
    if (bytes.length > maxBytes) throw new WireError("too-long");
    return kind.read(new Source(bytes));
  }
  return {
    decode,
    encode(value) {
      const sink = new Sink();
      kind.write(sink, value);
      const bytes = sink.finish();
      requireAcceptable(() => decode(bytes));
      return bytes;
    },
  };
}

/** What we send must pass what receivers check; if it does not, our caller is wrong and not some peer. */
function requireAcceptable(decode: () => void): void {
  try {
    decode();
  } catch (error) {
    throw error instanceof WireError ? new UsageError("bad-argument", `a receiver would refuse this: ${error.code}`) : error;
  }
}

/** Extensions begin where tags take two bytes and more anyway. */
const FIRST_EXTENSION = 128;
/** Presence is a bit in a 32-bit number. */
const MAX_FIELDS = 31;

function planOf(table: Readonly<Record<string, unknown>>): {
  readonly slots: readonly Slot[];
  readonly constants: Readonly<Record<string, string>>;
  readonly empty: Readonly<Record<string, unknown>>;
  readonly requiredBits: number;
} {
  const entries = Object.entries(table);
  const constants = Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  // What is no constant is a Field, by the type of `table`.
  const fields = entries.filter(([, value]) => typeof value !== "string") as [string, Field<unknown>][];
  fields.sort(([, a], [, b]) => firstNumber(a) - firstNumber(b));
  const slots = fields.map(([key, field], index) => ({ key, field, bit: 1 << index }));
  requireUsable(slots);
  const empty = { ...constants, ...Object.fromEntries(slots.map(({ key, field }) => [key, field.absent])) };
  const requiredBits = slots.reduce((bits, { field, bit }) => (field.presence === "required" ? bits | bit : bits), 0);
  return { slots, constants, empty, requiredBits };
}

/** A mistake in a table is ours and shows when its module is loaded. Members of a oneof stand together, or order would be lost. */
function requireUsable(slots: readonly Slot[]): void {
  const numbers = slots.flatMap(({ field }) => [...field.members.keys()].sort((a, b) => a - b));
  const ascending = numbers.every((number, index) => number > (numbers[index - 1] ?? 0));
  if (!ascending || slots.length > MAX_FIELDS || (numbers.at(-1) ?? 0) >= FIRST_EXTENSION) {
    throw new InvariantError("INV-09", "a table of fields has no strict form");
  }
}

function firstNumber(field: Field<unknown>): number {
  return Math.min(...field.members.keys());
}

function readExtension(source: Source, number: number, before: number): Bytes {
  if (number < FIRST_EXTENSION) throw new WireError("unknown-critical");
  if (before === MAX_EXTENSIONS) throw new WireError("too-many");
  return source.skipped();
}

function readOne<T>(source: Source, kind: Kind<T>): T {
  const value = kind.wireType === DELIMITED ? readDelimited(source, kind) : readNumber(source, kind);
  if (kind.isDefault(value)) throw new WireError("not-canonical");
  return value;
}

function readNumber<T>(source: Source, kind: Kind<T>): T {
  requireWireType(source, kind.wireType);
  return kind.read(source);
}

function readDelimited<T>(source: Source, kind: Kind<T>): T {
  requireWireType(source, DELIMITED);
  const outer = source.enter();
  const value = kind.read(source);
  source.leave(outer);
  return value;
}

function writeOne<T>(sink: Sink, number: number, kind: Kind<T>, value: T): void {
  sink.tag(number, kind.wireType);
  if (kind.wireType === DELIMITED) sink.delimited((inner) => kind.write(inner, value));
  else kind.write(sink, value);
}

function requireWireType(source: Source, wireType: number): void {
  if (source.wireType !== wireType) throw new WireError("bad-field");
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new UsageError("bad-argument", "a oneof has no member of this kind");
  return value;
}
