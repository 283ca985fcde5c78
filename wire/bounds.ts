// How long a field of one of our own formats may be, and whether a message can do without it. A table of these
// stands beside each format; strict.ts refuses a schema that has a byte string, text or list without one.

export interface Bound {
  /** Bytes of a byte string or text (in UTF-8), of each element where the field is a list. */
  readonly min: number;
  readonly max: number;
  /** Elements of a list; 1 for what is none. */
  readonly items: number;
  readonly required: boolean;
}

/** By full name: "edgewise.Envelope.content", and "edgewise.Content.body" for a oneof. */
export type Bounds = Readonly<Record<string, Bound>>;

/** A message, number, enum or oneof that must be there. (A number that is zero is not there.) */
export const REQUIRED: Bound = { min: 0, max: 0, items: 1, required: true };

/** Always there, always this long. */
export function exactly(length: number): Bound {
  return { min: length, max: length, items: 1, required: true };
}

/** Always there, at least one byte. */
export function upTo(max: number): Bound {
  return { min: 1, max, items: 1, required: true };
}

/** May be absent; if not, it keeps to the bound. */
export function optional(bound: Bound): Bound {
  return { ...bound, required: false };
}

/** From none to `items` elements, each within the bound where it has a length. */
export function listOf(items: number, bound: Bound = REQUIRED): Bound {
  return { ...bound, items, required: false };
}
