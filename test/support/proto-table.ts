// Compares one of our tables (wire/strict.ts) with the message in the .proto file that it stands for: the same fields,
// numbers, types, lists, oneofs and enum values, all the way down.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Field, Kind, MessageKind } from "#wire";

/** What differs, in words; nothing when the two say the same. `reached` collects the messages that were compared. */
export function differences(kind: MessageKind<unknown>, desc: DescMessage, reached: Set<string> = new Set()): string[] {
  reached.add(desc.typeName);
  const found: string[] = [];
  if (kind.proto !== desc.typeName) found.push(`${desc.typeName} is called ${kind.proto}`);
  const ours = new Map(kind.fields.flatMap((field) => [...field.members].map(([number, member]) => [number, { field, member }])));
  for (const field of desc.fields) {
    const our = ours.get(field.number);
    if (our === undefined) found.push(`${desc.typeName}.${field.name} is not in the table`);
    else found.push(...fieldDifferences(our.field, our.member, field, reached));
    ours.delete(field.number);
  }
  return [...found, ...[...ours.keys()].map((number) => `${desc.typeName} has no field ${number}`)];
}

function fieldDifferences(ours: Field<unknown>, member: Kind<unknown>, field: DescField, reached: Set<string>): string[] {
  const name = `${field.parent.typeName}.${field.name}`;
  const found: string[] = [];
  const expect = (what: string, our: unknown, their: unknown): void => {
    if (our !== their) found.push(`${name}: ${what} is ${String(our)} and not ${String(their)}`);
  };
  expect("type", member.proto, typeName(field));
  expect("list", ours.presence === "list" || ours.presence === "packed", field.fieldKind === "list");
  expect("packed", ours.presence === "packed", field.fieldKind === "list" && field.packed);
  const together = field.oneof?.fields.map((other) => other.number) ?? [field.number];
  expect("oneof", [...ours.members.keys()].toString(), together.toString());
  if (field.enum !== undefined) {
    const theirs = field.enum.values
      .filter((value) => value.number !== 0)
      .map((value) => `${value.number} ${value.localName.toLowerCase()}`);
    expect(
      "enum",
      "names" in member && [...(member.names as Map<number, string>)].map((pair) => pair.join(" ")).toString(),
      theirs.toString(),
    );
  }
  if (field.message !== undefined && "fields" in member) {
    found.push(...differences(member as MessageKind<unknown>, field.message, reached));
  }
  return found;
}

function typeName(field: DescField): string {
  if (field.message !== undefined) return field.message.typeName;
  if (field.enum !== undefined) return field.enum.typeName;
  return ScalarType[field.scalar ?? ScalarType.BYTES].toLowerCase();
}
