// base64url (RFC 4648 section 5) without padding, as the server's JSON has it. Strict, where the library forgives.

import { decode, encode } from "jose/base64url";
import { type Bytes, copy, WireError } from "#wire";

export const toBase64Url: (bytes: Uint8Array) => string = encode;

/** @throws WireError `bad-value` */
export function fromBase64Url(text: string): Bytes {
  if (!/^[\w-]*$/.test(text)) throw new WireError("bad-value");
  try {
    return copy(decode(text));
  } catch (cause) {
    throw new WireError("bad-value", { cause });
  }
}
