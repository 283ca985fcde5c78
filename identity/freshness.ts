// What a server means by new. Readers never ask: what was new once stays good.

import { FRESHNESS_SECONDS, ProtocolError } from "#wire";

/** @throws ProtocolError `expired` or `too-far-ahead`: the signer's clock is wrong, or the bytes are old. */
export function requireFresh(createdSeconds: number, nowSeconds: number): void {
  if (createdSeconds < nowSeconds - FRESHNESS_SECONDS) throw new ProtocolError("expired");
  if (createdSeconds > nowSeconds + FRESHNESS_SECONDS) throw new ProtocolError("too-far-ahead");
}
