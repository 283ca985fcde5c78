// A page of somebody's account log.

import { encodeAccountLog } from "#wire";
import { readLog } from "../../keys/index.ts";
import { afterOf, userIdOf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { protobufAnswer } from "../schemas.ts";

export async function getLog({ parameters, url, services }: DeviceCall): Promise<Response> {
  const entries = await readLog(services.keys, userIdOf(parameters), afterOf(url));
  if (entries === undefined) throw new Problem("not-found");
  return protobufAnswer(encodeAccountLog({ entries }));
}
