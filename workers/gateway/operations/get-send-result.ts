// How a message to many went: who has it, and who refused it and why. Whoever knows the handle may ask.

import type { Settled } from "#durable-objects";
import { handleOf } from "../body.ts";
import type { DeviceCall } from "../call.ts";
import { Problem } from "../problem.ts";
import { answer, type RefusalAnswer } from "../schemas.ts";

export async function getSendResult({ parameters, services }: DeviceCall): Promise<Response> {
  const handle = handleOf(parameters);
  const result = await services.fanOut.job(handle, async (jobs) => await jobs.result(handle));
  if (result === undefined) throw new Problem("not-found");
  const { state, delivered, refused } = result;
  return answer("getSendResult", { state, delivered, refused: refused.flatMap(refusalOf) });
}

function refusalOf({ index, outcome }: Settled): readonly RefusalAnswer[] {
  switch (outcome.kind) {
    case "delivered":
      return [];
    case "devices-changed": {
      const { missing, extra, stale } = outcome;
      return [{ index, missing, extra, stale }];
    }
    case "mailbox-full":
      return [{ index, full: true }];
  }
}
