// Streams of bytes, whose pieces are as long as whoever makes them likes. Knows no format.

import { type Bytes, EMPTY, WireError } from "#wire";

/**
 * The same bytes in pieces of the lengths that are asked for, each at least one. A piece is borrowed until the next is asked
 * for: it is a part of one of the source's, or was put together in memory that is used again.
 * @throws WireError `truncated` when the source ends before the last of them is full, `trailing` when it goes on behind it.
 */
export async function* cut(source: AsyncIterable<Bytes>, lengths: Iterable<number>): AsyncGenerator<Bytes, void, undefined> {
  const wanted = lengths[Symbol.iterator]();
  let next = wanted.next();
  let begun = EMPTY;
  let filled = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      if (next.done === true) throw new WireError("trailing");
      const part = piece.subarray(at, at + next.value - filled);
      at += part.length;
      if (part.length === next.value) {
        yield part;
      } else {
        if (begun.length !== next.value) begun = new Uint8Array(next.value);
        begun.set(part, filled);
        filled += part.length;
        if (filled < begun.length) break;
        yield begun;
        filled = 0;
      }
      next = wanted.next();
    }
  }
  if (next.done !== true) throw new WireError("truncated");
}
