// What the server has of the calling device's own keys.

import { base64url } from "jose";
import { countKeys } from "../../keys/index.ts";
import type { DeviceCall } from "../call.ts";
import { answer } from "../schemas.ts";

export async function getKeyCounts({ caller, services }: DeviceCall): Promise<Response> {
  const { ec, kem, digest } = await countKeys(services.keys, caller.userId, caller.deviceId);
  return answer("getKeyCounts", { ec, kem, digest: digest === undefined ? null : base64url.encode(digest) });
}
