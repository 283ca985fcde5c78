// A sender certificate for the device that asks.

import type { DeviceCall } from "../call.ts";

export function getCertificate({ caller, services, nowSeconds }: DeviceCall): Response {
  const certificate = services.certificates.issue(caller, caller.identityKey, nowSeconds);
  return new Response(certificate, { headers: { "content-type": "application/octet-stream" } });
}
