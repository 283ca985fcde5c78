// Who is found by a username, exactly as written.

import { parseUsername } from "#wire";
import { findUsername } from "../../keys/index.ts";
import { parsed } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

export async function getUsername({ parameters, services }: DeviceCall): Promise<Response> {
  const username = parsed(() => parseUsername(parameters["name"]));
  const userId = await findUsername(services.keys, username);
  if (userId === undefined) throw new Problem("not-found");
  return answer("getUsername", { userId });
}
