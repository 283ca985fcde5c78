// A token for a device that has signed our nonce. A device that is not there, a wrong signature and a nonce that is too
// old are one refusal. Whoever signs as a device of an account that was deleted is told so.

import { checkAnswer } from "#identity";
import { ProtocolError, TOKEN_LIFETIME_SECONDS } from "#wire";
import { readJson } from "../body.ts";
import type { Call } from "../call.ts";
import { deviceBeforeTheEnd } from "../deleted.ts";
import type { ActiveDevice } from "../devices.ts";
import { Problem } from "../problem.ts";
import { answer, TOKEN_REQUEST, type TokenRequest } from "../schemas.ts";

export async function createToken(call: Call): Promise<Response> {
  const { request, origin, services, nowSeconds } = call;
  const proof = await readJson(request, TOKEN_REQUEST);
  // Our own MAC first: nobody wakes a mailbox with a nonce that he made himself.
  if (!services.challenges.accepts(proof.nonce, proof, origin, nowSeconds)) throw new Problem("unauthorized");
  await services.limits.countTarget(proof.userId);
  const device = await services.devices.ask(proof);
  if (device === "deleted") {
    const former = await deviceBeforeTheEnd(services.keys, proof, nowSeconds);
    throw new Problem(former !== undefined && answers(former, proof, origin) ? "account-deleted" : "unauthorized");
  }
  if (device === undefined || !answers(device, proof, origin)) throw new Problem("unauthorized");
  const token = await services.tokens.issue(device, origin, nowSeconds);
  return answer("createToken", { token, lifetimeSeconds: TOKEN_LIFETIME_SECONDS });
}

function answers(device: ActiveDevice, { userId, deviceId, nonce, signature }: TokenRequest, origin: string): boolean {
  try {
    const account = { userId: device.userId, devices: [device] };
    checkAnswer({ origin, device: { userId, deviceId }, nonce }, signature, account);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
