// Where Web Crypto is, if it is anywhere.

import { UsageError } from "#wire";

/** @throws UsageError `bad-argument` where there is none: on a page that did not come over HTTPS. */
export function subtle(): typeof globalThis.crypto.subtle {
  // Absent on such a page, whatever its types say.
  const found: typeof globalThis.crypto.subtle | undefined = globalThis.crypto.subtle;
  if (found === undefined) throw new UsageError("bad-argument", "a page without HTTPS has no Web Crypto");
  return found;
}
