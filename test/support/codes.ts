// The code of a refusal, for tests that say which one they expect.

import { ProtocolError, WireError } from "#wire";
import { thrownBy } from "./refusals.ts";

/** The code with which `call` refuses. @throws Error when it does not, or with anything but a WireError or ProtocolError. */
export function codeOf(call: () => unknown): string {
  const error = thrownBy(call);
  if (error instanceof WireError || error instanceof ProtocolError) return error.code;
  throw new TypeError(`not a refusal: ${error.name}`, { cause: error });
}
