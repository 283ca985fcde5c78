// What a mailbox's refusal of an entry or of prekeys is called over HTTP.

import { Problem } from "./problem.ts";

/** @param code of identity/'s rules */
export function denied(code: string): Problem {
  switch (code) {
    case "upgrade-required":
      return new Problem("upgrade-required");
    case "out-of-order":
    case "broken-chain":
      return new Problem("log-conflict");
    default:
      return new Problem("malformed", { reason: code });
  }
}
