// The keys that tokens are verified with (RFC 7517), for services beside this one.

import type { Call } from "../call.ts";
import { answer } from "../schemas.ts";

export function getTokenKeys({ services }: Call): Response {
  return answer("getTokenKeys", { keys: services.tokens.published });
}
