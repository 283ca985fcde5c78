// What part of a file a `Range` asks for (RFC 9110 section 14). One range of bytes; everything else is as if there were none.

export interface Slice {
  readonly offset: number;
  readonly length: number;
}

/** `undefined`: the whole file. */
export function sliceOf(header: string | null, size: number): Slice | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/i.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") return between(Math.max(0, size - Number(last)), size - 1, size);
  if (last !== "" && Number(last) < Number(first)) return undefined;
  return between(Number(first), last === "" ? size - 1 : Math.min(Number(last), size - 1), size);
}

function between(first: number, last: number, size: number): Slice | "unsatisfiable" {
  return first >= size ? "unsatisfiable" : { offset: first, length: last - first + 1 };
}
