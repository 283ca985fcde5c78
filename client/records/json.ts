// Records as JSON that may hold bytes. Only for what this program wrote itself and a store gave back authenticated.

import { type Bytes, fromUtf8, toUtf8 } from "#wire";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";

const BYTES = "$bytes";

export function encodeRecord(value: unknown): Bytes {
  return toUtf8(JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? { [BYTES]: toBase64Url(part) } : part)));
}

export function decodeRecord(bytes: Bytes): unknown {
  return JSON.parse(fromUtf8(bytes), (_, part: unknown) => {
    if (typeof part !== "object" || part === null || !(BYTES in part)) return part;
    return fromBase64Url(String(part[BYTES]));
  });
}
