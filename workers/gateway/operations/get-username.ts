// Who is found by a username, exactly as written. A look-up costs as much of the day's budget as a fetch of keys, so that
// nobody lists everybody.

import { parseUsername } from "#wire";
import { findUsername } from "../../keys/index.ts";
import { spendFetch } from "../budget.ts";
import { parsed } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

export async function getUsername({ parameters, caller, services }: DeviceCall): Promise<Response> {
  const username = parsed(() => parseUsername(parameters["name"]));
  await spendFetch(services.mailboxes, caller.userId);
  const userId = await findUsername(services.keys, username);
  if (userId === undefined) throw new Problem("not-found");
  return answer("getUsername", { userId });
}
