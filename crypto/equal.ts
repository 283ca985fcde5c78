import type { Bytes } from "#wire";

/**
 * Whether two byte strings are equal, in time that depends on their lengths only (as far as a
 * JavaScript engine allows). Lengths are public.
 */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
