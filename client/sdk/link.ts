// Contact links: `edgewise:<userId>?server=<origin>`. A link carries the userId, which commits to the person's keys: the surest
// way to name somebody.

import { parseUserId, parseUsername, type UserId, type Username, WireError } from "#wire";
import { ClientError } from "../errors.ts";

export type Named = { readonly kind: "user"; readonly userId: UserId } | { readonly kind: "name"; readonly username: Username };

export function contactLink(userId: UserId, server: string): string {
  return `edgewise:${userId}?server=${encodeURIComponent(server)}`;
}

/** Reads a username, a userId or a contact link. @throws ClientError `bad-argument` */
export function parseWho(who: string, server: string): Named {
  if (typeof who !== "string") throw notSomebody(undefined);
  try {
    const link = /^edgewise:([0-9a-f-]{36})(?:\?server=(.+))?$/.exec(who);
    const other = link?.[2] === undefined ? server : decodeURIComponent(link[2]);
    if (other !== server) throw new ClientError("bad-argument", { detail: "the link is for another server" });
    if (link?.[1] !== undefined) return { kind: "user", userId: parseUserId(link[1]) };
    if (/^[0-9a-f-]{36}$/.test(who)) return { kind: "user", userId: parseUserId(who) };
    return { kind: "name", username: parseUsername(who) };
  } catch (cause) {
    if (!(cause instanceof WireError) && !(cause instanceof URIError)) throw cause;
    throw notSomebody(cause);
  }
}

function notSomebody(cause: unknown): ClientError {
  return new ClientError("bad-argument", { cause, detail: "neither a username nor a userId nor a contact link" });
}
