// Records as JSON that may hold bytes. Only for what this program wrote itself and a store gave back authenticated.

import { type Bytes, copy } from "#wire";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";

const BYTES = "$bytes";
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeRecord(value: unknown): Bytes {
  return copy(
    encoder.encode(JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? { [BYTES]: toBase64Url(part) } : part))),
  );
}

/** Most records hold no bytes, and a reviver would be called for every part of each: five times the work. */
export function decodeRecord(bytes: Bytes): unknown {
  const text = decoder.decode(bytes);
  const value: unknown = JSON.parse(text);
  return text.includes(BYTES) ? revived(value) : value;
}

function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (BYTES in value) return fromBase64Url(String(value[BYTES]));
  if (Array.isArray(value)) return value.map(revived);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, revived(part)]));
}
