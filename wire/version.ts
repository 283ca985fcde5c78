// What is checked before a Signal message is parsed: its size and its version byte (the session's version in the
// high nibble, the sender's newest in the low one; readers decide by the high nibble alone).

import type { Bytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { MAX_ENVELOPE_BYTES } from "./limits.ts";

/** Nothing larger than an envelope ever arrives. @throws WireError `too-long`. */
export function requireEnvelopeSize(bytes: Bytes): void {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw new WireError("too-long");
}

/** @throws WireError `truncated`, `legacy-version` or `unknown-version`. */
export function readVersion(bytes: Bytes, supported: number): number {
  const [first] = bytes;
  if (first === undefined) throw new WireError("truncated");
  const version = first >> 4;
  if (version < supported) throw new WireError("legacy-version");
  if (version > supported) throw new WireError("unknown-version");
  return version;
}
