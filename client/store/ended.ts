// What every store says to whoever uses a transaction after its end. Without it such a write would be outside of any
// transaction, and nobody would notice.

import { ClientError } from "../errors.ts";

export function transactionOver(cause?: unknown): ClientError {
  return new ClientError("bad-argument", { detail: "a transaction was used after its end", cause });
}
