// Stores the prekeys that the calling device uploads.

import { decodePreKeyUpload, MAX_PREKEY_UPLOAD_BYTES, ProtocolError } from "#wire";
import { putKeys as store } from "../../keys/index.ts";
import { readProtobuf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";

export async function putKeys({ request, caller, services, nowSeconds }: DeviceCall): Promise<Response> {
  const upload = await readProtobuf(request, MAX_PREKEY_UPLOAD_BYTES, decodePreKeyUpload);
  try {
    await store(services.keys, { userId: caller.userId, device: caller, upload, nowSeconds });
  } catch (error) {
    throw error instanceof ProtocolError ? new Problem("malformed", { reason: error.code }) : error;
  }
  return new Response(null, { status: 204 });
}
