// A link code as a person carries it: `<server>/#link/<base64url>`, which a camera reads and which no server is sent, or the same without
// the server. A code is looked at only where a person has said that they want to link a device: nothing is done because somebody
// opened it.

import type { Bytes } from "#wire";
import { WireError } from "#wire";
import { ClientError } from "../errors.ts";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";

export function linkText(server: string, code: Bytes): string {
  return `${server}/#link/${toBase64Url(code)}`;
}

/** @throws ClientError `bad-argument`, also for another server's */
export function parseLinkText(text: string, server: string): Bytes {
  const [, origin, code = ""] = /^(?:(https?:\/\/[^/#]+)\/#link\/)?([\w-]{1,1400})$/.exec(text.trim()) ?? [];
  if (origin !== undefined && origin !== server) throw new ClientError("bad-argument", { detail: "the link is for another server" });
  if (code === "") throw notALink();
  try {
    return fromBase64Url(code);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw notALink();
  }
}

export function notALink(): ClientError {
  return new ClientError("bad-argument", { detail: "not what a new device shows to be linked" });
}
