// SHA-256 in pieces by node:crypto, which Node and workerd both have.

import { createHash } from "node:crypto";
import { copy } from "#wire";
import type { Sha256Stream } from "./backend.ts";

export function nativeSha256Stream(): Sha256Stream {
  const hash = createHash("sha256");
  return {
    update(data) {
      hash.update(data);
    },
    digest: () => copy(hash.digest()),
  };
}
