// The code of a refusal, for tests that say which one they expect.

import { ProtocolError, WireError } from "#wire";

export type Verdict<T> = { readonly kind: "refused"; readonly code: string } | { readonly kind: "accepted"; readonly value: T };

/** @throws whatever `call` throws that is neither a WireError nor a ProtocolError: bad input must cause no other. */
export function verdictOf<T>(call: () => T): Verdict<T> {
  try {
    return { kind: "accepted", value: call() };
  } catch (error) {
    if (error instanceof WireError || error instanceof ProtocolError) return { kind: "refused", code: error.code };
    throw error;
  }
}

/** The code with which `call` refuses. @throws Error when it does not. */
export function codeOf(call: () => unknown): string {
  const verdict = verdictOf(call);
  if (verdict.kind === "accepted") throw new Error("nothing was refused");
  return verdict.code;
}
