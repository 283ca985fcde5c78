// The origin of a server inside a signed statement, so that no server can pass what was signed for it on to another. It is
// the one that the client connected to, never one that a server told it.

import { ascii, type Bytes, UsageError } from "#wire";

/** No path, no credentials, no trailing slash: two spellings of one origin would be two statements. */
const ORIGIN = /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$/;

/** @param origin scheme, host and port as a browser writes them: `https://chat.example.org` */
export function originField(origin: string): Bytes {
  if (!ORIGIN.test(origin)) throw new UsageError("bad-argument", "not an origin");
  return ascii(origin);
}
