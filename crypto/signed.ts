// The bytes that our own signatures cover: a purpose label, then each field with its length in front, so that no
// two different lists of fields give the same bytes and no signature can serve another purpose.

import { be32, type Bytes, concat } from "#wire";

export function labelled(label: Bytes, ...fields: readonly Bytes[]): Bytes {
  const parts: Bytes[] = [label, new Uint8Array(1)];
  for (const field of fields) parts.push(be32(field.length), field);
  return concat(...parts);
}
