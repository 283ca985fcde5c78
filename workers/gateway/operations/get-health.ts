// Says that this Worker runs. Asks no database and no object: those fail by themselves, one user at a time.

import { answer } from "../schemas.ts";

export function getHealth(): Response {
  return answer("getHealth", { status: "ok" });
}
