// The plan of a strict check: what a schema and its bounds say together, in the form in which strict.ts asks for it.
// Made once for each format, when its module is loaded; a schema that cannot be checked fails there and not on a peer's
// message.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Bound, Bounds } from "./bounds.ts";
import { InvariantError } from "./errors.ts";

export type Kind = "bool" | "enum" | "uint32" | "uint64" | "fixed64" | "bytes" | "text" | "message";

export interface FieldPlan {
  readonly kind: Kind;
  /** Elements stand in one length-delimited value instead of one value each. */
  readonly packed: boolean;
  readonly repeated: boolean;
  /** Absence means the default value, so the default value must be absent. */
  readonly implicit: boolean;
  /** The bit of this field, or of the oneof that it is a member of. */
  readonly bit: number;
  readonly bound: Bound;
  readonly enumValues: ReadonlySet<number>;
  readonly message: MessagePlan | undefined;
}

export interface MessagePlan {
  readonly fields: ReadonlyMap<number, FieldPlan>;
  /** The bits of everything that must be there. */
  readonly required: number;
}

/** Extensions begin here: tags of two bytes and more, which no ordinary field needs. */
export const FIRST_EXTENSION: number = 128;
const FIELD_PRESENCE_IMPLICIT = 2;
const MAX_BITS = 31;
const UNBOUNDED: Bound = { min: 0, max: 0, items: 1, required: false };
const NO_VALUES: ReadonlySet<number> = new Set();

/**
 * @param parents the messages that this one is inside of
 * @throws InvariantError for a schema that has no strict form
 */
export function planMessage(schema: DescMessage, bounds: Bounds, parents: readonly string[] = []): MessagePlan {
  const name = schema.typeName;
  if (parents.includes(name)) throw unusable(`${name} contains itself`);
  const bits = new Map<string, number>();
  const fields = new Map<number, FieldPlan>();
  let required = 0;
  for (const field of schema.fields) {
    if (field.number >= FIRST_EXTENSION) throw unusable(`${name}.${field.name} has the number of an extension`);
    const slot = `${name}.${field.oneof?.name ?? field.name}`;
    const bit = bits.get(slot) ?? 1 << bits.size;
    bits.set(slot, bit);
    if (bounds[slot]?.required === true) required |= bit;
    fields.set(field.number, planField(field, bit, bounds, [...parents, name]));
  }
  if (bits.size > MAX_BITS) throw unusable(`${name} has too many fields`);
  return { fields, required };
}

function planField(field: DescField, bit: number, bounds: Bounds, parents: readonly string[]): FieldPlan {
  const name = `${field.parent.typeName}.${field.name}`;
  if (field.fieldKind === "map") throw unusable(`${name} is a map, which has no order`);
  const repeated = field.fieldKind === "list";
  const type = repeated ? field.listKind : field.fieldKind;
  const kind = type === "scalar" ? kindOfScalar(field.scalar, name) : type;
  const bound = bounds[name];
  if (bound === undefined && (repeated || kind === "bytes" || kind === "text")) throw unusable(`${name} has no bound`);
  return {
    kind,
    packed: repeated && field.packed,
    repeated,
    implicit: !repeated && field.presence === FIELD_PRESENCE_IMPLICIT,
    bit,
    bound: bound ?? UNBOUNDED,
    enumValues: field.enum === undefined ? NO_VALUES : new Set(field.enum.values.map((value) => value.number)),
    message: field.message === undefined ? undefined : planMessage(field.message, bounds, parents),
  };
}

function kindOfScalar(type: ScalarType | undefined, name: string): Kind {
  switch (type) {
    case ScalarType.BOOL:
      return "bool";
    case ScalarType.UINT32:
      return "uint32";
    case ScalarType.UINT64:
      return "uint64";
    case ScalarType.FIXED64:
      return "fixed64";
    case ScalarType.BYTES:
      return "bytes";
    case ScalarType.STRING:
      return "text";
    default:
      throw unusable(`${name} has a type that our formats do not use`);
  }
}

function unusable(detail: string): InvariantError {
  return new InvariantError("INV-01", detail);
}
