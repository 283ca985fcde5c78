// A nonce for a device to sign. Asks nobody, so that it says the same about devices that are there and others.

import { base64url } from "jose";
import { CHALLENGE_LIFETIME_SECONDS } from "#wire";
import { readJson } from "../body.ts";
import type { Call } from "../call.ts";
import { answer, CHALLENGE_REQUEST } from "../schemas.ts";

export async function createChallenge({ request, origin, services, nowSeconds }: Call): Promise<Response> {
  const device = await readJson(request, CHALLENGE_REQUEST);
  const nonce = services.challenges.issue(device, origin, nowSeconds, services.random);
  return answer("createChallenge", { nonce: base64url.encode(nonce), lifetimeSeconds: CHALLENGE_LIFETIME_SECONDS });
}
